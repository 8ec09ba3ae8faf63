"""The ledger: loads, windows (coverage) and cursors. Always written in the transaction of the data they speak of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from warehouse.tables import ops


class Position(NamedTuple):
    """How far a stream is complete. recalculated_at: when its calculated fields were last compared."""

    at: datetime
    parent_load_id: int | None
    recalculated_at: datetime | None


class Unfinished(NamedTuple):
    """A window whose read was cut short, with what is known of the part that was read; see `ops.unfinished`."""

    vendor: str
    stream: str
    kind: str
    start_at: datetime
    end_at: datetime
    place: str
    expected_rows: int | None
    counted_rows: int | None
    read_rows: int


class Gap(NamedTuple):
    """An interval of a stream that no window covers."""

    vendor: str
    stream: str
    start_at: datetime
    end_at: datetime


def open_load(
    connection: sa.Connection,
    kind: str,
    vendor: str | None = None,
    stream: str | None = None,
    run_id: str | None = None,
) -> int:
    """Begin a load and return its id. Call it under the stream's lock: then ids of one stream grow in order of commit."""
    statement = sa.insert(ops.load).values(kind=kind, vendor=vendor, stream=stream, run_id=run_id)
    return int(connection.execute(statement.returning(ops.load.c.load_id)).scalar_one())


def close_load(connection: sa.Connection, load_id: int, **counts: int) -> None:
    """Write the counts (read_rows, new_rows, staged_rows) and the end of a load."""
    connection.execute(
        sa.update(ops.load).where(ops.load.c.load_id == load_id).values(finished_at=sa.func.clock_timestamp(), **counts)
    )


def position(connection: sa.Connection, vendor: str, stream: str) -> Position | None:
    """Where the stream's cursor stands; None before its first load."""
    c = ops.cursor.c
    row = connection.execute(
        sa.select(c.position_at, c.parent_load_id, c.recalculated_at).where(c.vendor == vendor, c.stream == stream)
    ).first()
    return Position(*row) if row else None


def loads_since_cursor(connection: sa.Connection, vendor: str, stream: str, other: str) -> Sequence[int]:
    """Loads of `other` that may not have been committed yet when the load began that moved the stream's cursor last.

    A load notes its end shortly before its commit; an hour is more than any commit takes.
    """
    return connection.scalars(
        sa.text(
            """
            SELECT load_id FROM ops.load WHERE vendor = :vendor AND stream = :other AND finished_at > (
                SELECT l.started_at - interval '1 hour' FROM ops.cursor c JOIN ops.load l USING (load_id)
                WHERE c.vendor = :vendor AND c.stream = :stream
            ) ORDER BY load_id
            """
        ),
        {"vendor": vendor, "stream": stream, "other": other},
    ).all()


def move_cursor(
    connection: sa.Connection, vendor: str, stream: str, at: datetime, load_id: int, parent_load_id: int | None
) -> None:
    """Move the cursor forwards; it never moves back."""
    statement = insert(ops.cursor).values(
        vendor=vendor, stream=stream, position_at=at, load_id=load_id, parent_load_id=parent_load_id
    )
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["vendor", "stream"],
            set_={
                "position_at": sa.func.greatest(ops.cursor.c.position_at, new.position_at),
                "parent_load_id": sa.func.greatest(ops.cursor.c.parent_load_id, new.parent_load_id),
                "load_id": new.load_id,
            },
        )
    )


def note_recalculated(connection: sa.Connection, vendor: str, stream: str, at: datetime) -> None:
    """Note that calculated fields were compared; call after `move_cursor`."""
    c = ops.cursor.c
    connection.execute(sa.update(ops.cursor).where(c.vendor == vendor, c.stream == stream).values(recalculated_at=at))


def record_window(connection: sa.Connection, **values: Any) -> None:
    """Note that a window is in: vendor, stream, start_at, end_at, kind, expected_rows, counted_rows, read_rows, load_id."""
    statement = insert(ops.window).values(**values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["vendor", "stream", "start_at", "end_at"],
            set_={
                name: statement.excluded[name]
                for name in ("kind", "expected_rows", "counted_rows", "read_rows", "load_id")
            }
            | {"read_at": sa.func.now()},
        )
    )


def stop_at(connection: sa.Connection, window: Unfinished, load_id: int) -> None:
    """Note where a read of a window was cut short."""
    statement = insert(ops.unfinished).values(**window._asdict(), load_id=load_id)
    names = ("place", "expected_rows", "counted_rows", "read_rows", "load_id")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["vendor", "stream", "kind", "start_at", "end_at"],
            set_={name: statement.excluded[name] for name in names} | {"stopped_at": sa.func.now()},
        )
    )


def unfinished(
    connection: sa.Connection, vendor: str, stream: str, backfill: tuple[datetime, datetime] | None = None
) -> Unfinished | None:
    """The window of a stream whose read was cut short: this backfill's, or that of the nights."""
    c = ops.unfinished.c
    columns = [c[name] for name in Unfinished._fields]
    statement = sa.select(*columns).where(c.vendor == vendor, c.stream == stream)
    if backfill is None:
        statement = statement.where(c.kind != "backfill").order_by(c.stopped_at.desc()).limit(1)
    else:
        statement = statement.where(c.kind == "backfill", c.start_at == backfill[0], c.end_at == backfill[1])
    row = connection.execute(statement).first()
    return Unfinished(*row) if row else None


def finish(
    connection: sa.Connection, vendor: str, stream: str, kind: str, start_at: datetime, end_at: datetime
) -> None:
    """A window was read to its end, and with a night's all that nights before it left."""
    c = ops.unfinished.c
    statement = sa.delete(ops.unfinished).where(c.vendor == vendor, c.stream == stream)
    if kind == "backfill":
        statement = statement.where(c.kind == kind, c.start_at == start_at, c.end_at == end_at)
    else:
        statement = statement.where(c.kind != "backfill")
    connection.execute(statement)


def gaps(connection: sa.Connection) -> list[Gap]:
    """Intervals between a stream's first window and its cursor that no window covers."""
    statement = sa.text(
        """
        WITH covered AS (
            SELECT vendor, stream,
                   range_agg(tstzrange(start_at, end_at)) AS ranges,
                   tstzrange(min(start_at), max(end_at)) AS whole
            FROM ops."window" WHERE end_at > start_at GROUP BY vendor, stream
        )
        SELECT vendor, stream, lower(gap), upper(gap)
        FROM covered, unnest(tstzmultirange(whole) - ranges) AS gap
        ORDER BY 1, 2, 3
        """
    )
    return [Gap(*row) for row in connection.execute(statement)]


def unvalidated_loads(connection: sa.Connection, vendor: str | None = None) -> Sequence[int]:
    """Loads whose staging rows no suite has seen yet, oldest first."""
    c = ops.load.c
    statement = sa.select(c.load_id).where(c.validated_at.is_(None), c.kind != "build", c.finished_at.is_not(None))
    if vendor:
        statement = statement.where(c.vendor == vendor)
    return connection.scalars(statement.order_by(c.load_id)).all()


def mark_validated(connection: sa.Connection, load_ids: Sequence[int]) -> None:
    """Note that the suites have seen these loads."""
    connection.execute(
        sa.update(ops.load).where(ops.load.c.load_id.in_(load_ids)).values(validated_at=sa.func.clock_timestamp())
    )
