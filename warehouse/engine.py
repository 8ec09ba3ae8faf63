"""The one way to a SQLAlchemy engine of the warehouse, and what a database failure is called."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from sqlalchemy import URL, Engine, make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import DBAPIError

from errors import ConfigurationError, WarehouseError
from warehouse import embedded
from warehouse.settings import WarehouseSettings


def warehouse_url(settings: WarehouseSettings | None = None) -> URL:
    """The URL in force: SMARKETING_WAREHOUSE_URL, else the embedded server's, started when it does not run.

    Raises:
        ConfigurationError: the URL cannot be read or is not PostgreSQL's.
        WarehouseError: the embedded server does not start.
    """
    settings = settings or WarehouseSettings()
    if not settings.warehouse_url:
        return embedded.start(settings.home / "postgres")
    return postgres_url(settings.warehouse_url)


def postgres_url(text: str) -> URL:
    """`text` as a URL for psycopg 3; accepts postgres://, postgresql:// and SQLAlchemy's forms."""
    try:
        url = make_url(text)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "SMARKETING_WAREHOUSE_URL is not a URL.",
            remedy="Write it as postgresql://user:password@host:5432/database, or leave it empty for the embedded server.",
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"SMARKETING_WAREHOUSE_URL names {url.get_backend_name()}, not PostgreSQL.",
            remedy="The warehouse is PostgreSQL 15 or newer; leave the setting empty for the embedded server.",
        )
    return url.set(drivername="postgresql+psycopg")


def connect(url: URL | str | None = None) -> Engine:
    """An engine for `url` (default: `warehouse_url()`), in UTC and without JIT, which only slows short statements."""
    target = postgres_url(url) if isinstance(url, str) else url or warehouse_url()
    return sa.create_engine(
        target,
        pool_pre_ping=True,
        pool_size=16,  # a night's streams and their quotas at once; beyond it, connections are closed and opened again
        hide_parameters=True,  # they are customers' data, and errors go to logs
        connect_args={"options": "-c timezone=UTC -c jit=off -c application_name=smarketing"},
    )


@contextmanager
def transaction(engine: Engine, *, isolation: IsolationLevel | None = None) -> Iterator[sa.Connection]:
    """One transaction: commits at the end, rolls back on any error.

    isolation: PostgreSQL's isolation level, where not the default (read committed).

    Raises:
        WarehouseError: the database refused; one sentence with the remedy, without the statement's values.
    """
    with refusals():
        target = engine.execution_options(isolation_level=isolation) if isolation else engine
        with target.begin() as connection:
            yield connection


@contextmanager
def refusals() -> Iterator[None]:
    """Driver errors as WarehouseError, without their cause: PostgreSQL quotes rows in what it says, and causes are logged."""
    try:
        yield
    except DBAPIError as error:
        raise refusal(error.orig) from None
    except psycopg.Error as error:
        raise refusal(error) from None


def refusal(error: BaseException | None) -> WarehouseError:
    """What a driver error means to an operator."""
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.InsufficientResources):
        return WarehouseError(
            "The warehouse's disk is full.",
            sqlstate=state,
            remedy="Free or add disk space, then run again: nothing half-done was kept and the cursor has not moved.",
        )
    if isinstance(error, psycopg.OperationalError):
        return WarehouseError(
            f"The warehouse cannot be reached or ended the connection ({type(error).__name__}).",
            sqlstate=state,
            remedy="Check that PostgreSQL runs and SMARKETING_WAREHOUSE_URL is right, then run again: nothing half-done was kept.",
        )
    # PostgreSQL's own message may quote the value; names of tables, columns and constraints do not.
    diagnosis = getattr(error, "diag", None)
    names = ("schema_name", "table_name", "column_name", "constraint_name", "datatype_name")
    return WarehouseError(
        f"The warehouse refused a statement (SQLSTATE {state or type(error).__name__}).",
        sqlstate=state,
        remedy="Run `smarketing warehouse migrate`; if it stays, report it with this line.",
        detail=".".join(word for name in names if (word := getattr(diagnosis, name, None))),
    )
