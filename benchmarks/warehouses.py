"""A PostgreSQL of the benchmarks' own, and a fresh database in it for each run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import URL

from benchmarks.processes import ROOT
from warehouse import embedded, migrate
from warehouse.engine import connect

HOME = ROOT / ".local" / "bench"
TEMPLATE = "migrated"
SHOWN = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "work_mem",
    "max_wal_size",
)


class Server:
    """A running server; a new one each time, so that no run inherits another's files."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self.settings = {name: str(self.scalar("admin", f"SHOW {name}")) for name in SHOWN}
        self._admin(f'CREATE DATABASE "{TEMPLATE}" {embedded.ORDER}')
        engine = connect(self.url(TEMPLATE))
        migrate.upgrade(engine)
        engine.dispose()

    def url(self, database: str) -> URL:
        """SQLAlchemy's URL of a database."""
        return self._url.set(database=database)

    def libpq_url(self, database: str) -> str:
        """The URL as every PostgreSQL client takes it."""
        return self.url(database).set(drivername="postgresql").render_as_string(hide_password=False)

    def fresh(self, database: str, *, migrated: bool = False) -> str:
        """Make an empty database, everything before it being on disk; returns its URL.

        migrated: with this project's tables, which a user makes once.
        """
        self.drop(database)
        template = f'TEMPLATE "{TEMPLATE}"' if migrated else embedded.ORDER
        self._admin(f'CREATE DATABASE "{database}" {template}')
        self._admin("CHECKPOINT")
        return self.libpq_url(database)

    def drop(self, database: str) -> None:
        """Drop a database if it is there."""
        self._admin(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def scalar(self, database: str, statement: str) -> object:
        """The one value that a statement gives."""
        engine = sa.create_engine(self.url(database), poolclass=sa.NullPool)
        with engine.connect() as connection:
            return connection.scalar(sa.text(statement))

    def _admin(self, statement: str) -> None:
        engine = sa.create_engine(self.url("admin"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))


@contextmanager
def server(folder: Path = HOME / "postgres") -> Iterator[Server]:
    """A new server with the settings that the project gives an embedded one; stopped and removed afterwards."""
    embedded.remove(folder)
    url = embedded.start(folder, "admin")
    try:
        yield Server(url)
    finally:
        embedded.remove(folder)
