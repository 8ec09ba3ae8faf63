"""Between Airflow and the jobs: connections become credentials, intervals become windows, our errors become Airflow's.

Nothing of the project is imported at the top but its errors: DAG files must parse in a fraction of a second, without Polars,
Great Expectations or a connection.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowRescheduleException

from errors import ConfigurationError, QuotaError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from glossary import Glossary
    from pipeline.windows import Interval

log = logging.getLogger(__name__)

STAGED = {vendor: Asset(f"smarketing://staging/{vendor}") for vendor in ("hubspot", "salesforce", "marketo", "tryton")}
"""One asset per vendor: its records are in staging, checked."""

PUBLISHED = Asset("smarketing://marts")
"""The marts are published."""

# Airflow connection field -> name of the credential, per vendor. Extras keep their names.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "hubspot": {"host": "base_url", "password": "access_token"},
    "salesforce": {"host": "login_url", "login": "client_id", "password": "client_secret"},
    "marketo": {"host": "base_url", "login": "client_id", "password": "client_secret"},
    "tryton": {"host": "base_url", "schema": "database", "password": "key"},
}


def credentials(vendor: str) -> dict[str, str]:
    """The credentials in the Airflow connection named after the vendor.

    Raises:
        ConfigurationError: there is no such connection.
    """
    try:
        connection = Connection.get(vendor)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"There is no Airflow connection {vendor!r}.",
            remedy=f"Make one as connectors/{vendor}/README.md says, or pause the DAG sync_{vendor}.",
        ) from None
    given = {name: str(value) for field, name in FIELDS[vendor].items() if (value := getattr(connection, field, None))}
    if (
        connection.port
        and "://" in (url := given.get(FIELDS[vendor]["host"], ""))
        and not url.rsplit(":", 1)[1].isdigit()
    ):
        given[FIELDS[vendor]["host"]] = f"{url}:{connection.port}"
    extra = {str(k): str(v) for k, v in (connection.extra_dejson or {}).items() if v not in (None, "")}
    return {**given, **extra}


def is_connected(vendor: str) -> bool:
    """Whether there is an Airflow connection named after the vendor."""
    try:
        Connection.get(vendor)
    except AirflowNotFoundException:
        return False
    return True


@cache
def warehouse() -> "sa.Engine":
    """The warehouse: Airflow connection `warehouse`, else SMARKETING_WAREHOUSE_URL, else the embedded server; migrated.

    Made once a process: a worker's is one task, a run without a scheduler is many.
    """
    from warehouse import migrate  # noqa: PLC0415
    from warehouse.engine import connect  # noqa: PLC0415

    try:
        engine = connect(Connection.get("warehouse").get_uri())
    except AirflowNotFoundException:
        engine = connect()
    migrate.upgrade(engine)
    return engine


@cache
def glossary() -> "Glossary":
    """The shipped words, with those of the folder SMARKETING_GLOSSARY over them; loaded once a process."""
    from pipeline.words import words  # noqa: PLC0415

    return words()


def backfill_interval(context: Mapping[str, Any]) -> "Interval | None":
    """The interval of a backfill run; None for other runs, which read from the cursor on."""
    from pipeline.windows import Interval  # noqa: PLC0415

    if str(getattr(context["dag_run"].run_type, "value", context["dag_run"].run_type)) != "backfill":
        return None
    return Interval(plain(context["data_interval_start"]), plain(context["data_interval_end"]))


def plain(at: datetime) -> datetime:
    """Python's own datetime, in UTC: Airflow's are Pendulum's, whose differences do not divide as Python's do."""
    return datetime.fromisoformat(at.isoformat()).astimezone(UTC)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """What only a person can mend fails at once, a used-up quota waits until it is free; all else is Airflow's to retry."""
    try:
        yield
    except QuotaError as error:
        if error.until is None:
            raise
        log.warning("%s", error)
        raise AirflowRescheduleException(error.until) from None  # type: ignore[no-untyped-call]
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from None
