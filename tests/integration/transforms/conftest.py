"""A warehouse connection with builders, and one call that builds; at the end of each test a full build must change nothing."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.staging_rows import StagingRows, assert_a_full_build_changes_nothing, rows, settings
from transforms.build import BuildCounts, build
from transforms.settings import Settings
from warehouse.engine import connect


@dataclass
class World:
    """Staging rows, and the build over them."""

    connection: sa.Connection
    rows: StagingRows
    settings: Settings

    def put(self, entity: str, source_id: str, **values: Any) -> None:
        self.rows.put(entity, source_id, **values)

    def drop(self, entity: str, source_id: str) -> None:
        self.rows.drop(entity, source_id)

    def build(self) -> BuildCounts:
        """Build what changed."""
        return build(self.connection, self.settings, full=False)

    def check(self) -> None:
        """Show that a full build would change nothing."""
        assert_a_full_build_changes_nothing(self.connection, self.settings)

    def table(self, name: str, order: str = "1") -> list[dict[str, Any]]:
        return [dict(row) for row in rows(self.connection, name, order)]

    def one(self, name: str) -> dict[str, Any]:
        (row,) = self.table(name)
        return row

    def groups(self) -> set[frozenset[str]]:
        """The records of each person."""
        found: dict[Any, set[str]] = {}
        for source_id, person in self.people().items():
            found.setdefault(person, set()).add(source_id)
        return {frozenset(members) for members in found.values()}

    def people(self) -> dict[str, Any]:
        """source_id -> person_id."""
        return {row["source_id"]: row["person_id"] for row in self.table("core.identity_link")}


@pytest.fixture(scope="session")
def shared_warehouse(server_url: sa.URL, template_database: str) -> Iterator[sa.Engine]:
    """One warehouse for all tests of this folder: each works in a transaction that is rolled back."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"'))
    engine = connect(server_url.set(database=name))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def open_world(shared_warehouse: sa.Engine) -> Callable[[], AbstractContextManager[World]]:
    """Opens an empty world, of which nothing stays."""

    @contextmanager
    def opened() -> Iterator[World]:
        with shared_warehouse.connect() as connection, connection.begin() as transaction:
            made = World(connection, StagingRows(connection), settings())
            yield made
            made.check()
            transaction.rollback()

    return opened


@pytest.fixture
def world(open_world: Callable[[], AbstractContextManager[World]]) -> Iterator[World]:
    with open_world() as made:
        yield made
