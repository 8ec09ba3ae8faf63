"""What all tests share: a real PostgreSQL, a warehouse of its own for each test that asks, and seeds that are printed."""

import hashlib
import os
import random
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy import URL

from warehouse import embedded, migrate
from warehouse.engine import connect, postgres_url

# No example has to be quick: on a busy machine any may be slow once.
settings.register_profile("patient", deadline=None, print_blob=True)
settings.load_profile("patient")

ROOT = Path(__file__).parent.parent

# Tests that lose power lose nothing: durability off makes them several times faster. Their databases live too shortly to be vacuumed.
UNSAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "max_wal_size": "512MB",
}
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is for us alone
ROOM = 4 << 30


@pytest.fixture(scope="session")
def server_url() -> URL:
    """A PostgreSQL to make databases on: SMARKETING_TEST_SERVER_URL, else an embedded one below .local."""
    if given := os.environ.get("SMARKETING_TEST_SERVER_URL"):
        return postgres_url(given)
    return embedded.start(_folder(), "admin", UNSAFE)


def _folder() -> Path:
    """Where the server's files are: below a link in memory, where there is room: a database is copied there in a tenth of the time."""
    folder = ROOT / ".local" / "test-postgres"
    in_memory = MEMORY / f"smarketing-{os.getuid()}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
    if folder.is_symlink() or (not folder.exists() and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM):
        in_memory.mkdir(mode=0o700, exist_ok=True)  # again after the machine was started anew
        folder.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):  # another process was quicker
            folder.symlink_to(in_memory)
    return folder


@pytest.fixture(scope="session")
def template_database(server_url: URL) -> Iterator[str]:
    """A migrated database that others are copied from, one per test process."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    _admin(server_url, f'CREATE DATABASE "{name}"')
    engine = connect(server_url.set(database=name))
    migrate.upgrade(engine)
    engine.dispose()
    yield name
    _admin(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def make_warehouse(server_url: URL, template_database: str) -> Iterator[Callable[[], sa.Engine]]:
    """Makes empty, migrated warehouses, which go with the test."""
    made: list[tuple[str, sa.Engine]] = []

    def make() -> sa.Engine:
        name = f"test_{uuid.uuid4().hex[:12]}"
        _admin(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template_database}" STRATEGY FILE_COPY')
        engine = connect(server_url.set(database=name))
        made.append((name, engine))
        return engine

    yield make
    for name, engine in made:
        engine.dispose()
        _admin(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def warehouse(make_warehouse: Callable[[], sa.Engine]) -> sa.Engine:
    """A warehouse of its own, empty and migrated."""
    return make_warehouse()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A random seed, printed when the test fails; SMARKETING_TEST_SEED repeats one."""
    value = int(os.environ.get("SMARKETING_TEST_SEED") or random.randrange(10**6))
    request.node.user_properties.append(("seed", value))
    print(f"seed {value}: repeat with SMARKETING_TEST_SEED={value}")  # noqa: T201
    return value


def _admin(server: URL, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
