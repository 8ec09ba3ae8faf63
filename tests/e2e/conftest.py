"""What end-to-end tests share within a module: a world, its sandbox and a warehouse, and the seed that repeats them."""

import os
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import URL

from sandbox.serve import running_sandbox
from warehouse.engine import connect

PEOPLE = 120


@pytest.fixture(scope="module")
def module_seed() -> int:
    """A random seed for all tests of a module; SMARKETING_TEST_SEED repeats one."""
    return int(os.environ.get("SMARKETING_TEST_SEED") or random.randrange(10**6))


@pytest.fixture(autouse=True)
def _print_seed(request: pytest.FixtureRequest) -> None:
    if "module_seed" in request.fixturenames:
        value = request.getfixturevalue("module_seed")
        print(f"seed {value}: repeat with SMARKETING_TEST_SEED={value}")  # noqa: T201


@pytest.fixture(scope="module")
def module_box(module_seed: int) -> Iterator[Any]:
    """A running sandbox that all tests of a module share."""
    with running_sandbox(seed=module_seed, people=PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def module_warehouse(server_url: URL, template_database: str) -> Iterator[sa.Engine]:
    """An empty, migrated warehouse that all tests of a module share."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}" STRATEGY FILE_COPY'))
    engine = connect(server_url.set(database=name))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
