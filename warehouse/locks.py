"""Advisory locks: two runs of one stream, or two builds, cannot interleave.

They end with their transaction or connection, whatever happens.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from warehouse.engine import refusals


def lock(connection: sa.Connection, *name: str) -> None:
    """Wait for the lock called `name`, and hold it until the transaction ends."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key(name)})


def try_lock(connection: sa.Connection, *name: str) -> bool:
    """As `lock`, but False at once where another transaction holds it."""
    return bool(connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(name)}))


@contextmanager
def held(engine: sa.Engine, *name: str) -> Iterator[None]:
    """Hold the lock called `name` on a connection of its own, for transactions whose snapshot must be younger than the lock.

    Raises:
        WarehouseError: it cannot be reached.
    """
    with refusals():
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with refusals():
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _key(name)})
        try:
            yield
        finally:
            # A connection that is gone has taken the lock with it.
            with suppress(DBAPIError):
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _key(name)})


def _key(name: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\x1f".join(name).encode(), digest_size=8, person=b"smarketing").digest()
    return int.from_bytes(digest, "big", signed=True)
