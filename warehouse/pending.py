"""What is begun at vendors (ops.pending_job): noted in transactions of its own, taken away in the transaction of the load."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import transaction
from warehouse.tables import ops

KEPT = timedelta(days=7)
"""Notes older than this are not taken up: no vendor keeps its jobs for longer."""


class Begun(NamedTuple):
    """A window for which something is begun."""

    kind: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one window: what a connector is given as its `Memory`.

    Each call is a transaction of its own, so that a note stays whatever becomes of the load. May be used by several
    threads.

    Raises:
        WarehouseError: the database cannot be reached.
    """

    engine: sa.Engine
    vendor: str
    stream: str
    kind: str
    start_at: datetime
    end_at: datetime

    @property
    def _window(self) -> dict[str, object]:
        return {
            "vendor": self.vendor,
            "stream": self.stream,
            "kind": self.kind,
            "start_at": self.start_at,
            "end_at": self.end_at,
        }

    def _is(self, key: str) -> sa.ColumnElement[bool]:
        columns = ops.pending_job.c
        return sa.and_(columns.name == key, *(columns[name] == value for name, value in self._window.items()))

    def remember(self, key: str, value: str) -> None:
        """Note `value` under `key`, in place of what was noted before."""
        statement = insert(ops.pending_job).values(**self._window, name=key, value=value)
        with transaction(self.engine) as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[c.name for c in ops.pending_job.primary_key],
                    set_={"value": statement.excluded.value, "noted_at": sa.func.now()},
                )
            )

    def recall(self, key: str) -> str | None:
        """What was noted under `key`, perhaps by a process that is no more."""
        columns = ops.pending_job.c
        with transaction(self.engine) as connection:
            value: str | None = connection.scalar(
                sa.select(columns.value).where(self._is(key), columns.noted_at > sa.func.now() - KEPT)
            )
        return value

    def forget(self, key: str) -> None:
        """Take a note away."""
        with transaction(self.engine) as connection:
            connection.execute(sa.delete(ops.pending_job).where(self._is(key)))


def begun(connection: sa.Connection, vendor: str, stream: str) -> list[Begun]:
    """Windows of a stream for which something was begun and not finished, the latest first."""
    c = ops.pending_job.c
    last = sa.func.max(c.noted_at)
    statement = (
        sa.select(c.kind, c.start_at, c.end_at)
        .where(c.vendor == vendor, c.stream == stream)
        .group_by(c.kind, c.start_at, c.end_at)
        .having(last > sa.func.now() - KEPT)
        .order_by(last.desc())
    )
    return [Begun(*row) for row in connection.execute(statement)]


def finish(connection: sa.Connection, vendor: str, stream: str, window: Begun) -> None:
    """Take away the notes that a load makes needless: its window's, and where it moves the cursor all but backfills'."""
    c = ops.pending_job.c
    ours = sa.and_(c.kind == window.kind, c.start_at == window.start_at, c.end_at == window.end_at)
    connection.execute(
        sa.delete(ops.pending_job).where(
            c.vendor == vendor, c.stream == stream, ours if window.kind == "backfill" else c.kind != "backfill"
        )
    )
