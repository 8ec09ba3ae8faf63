"""Schema `raw`: finding what is gone, and reading the state of records. `incoming` adds versions.

Versions are immutable; loading one again adds nothing. The newest version of a record is the one with the greatest
(version_at, load_id). All functions run in the caller's transaction, under the stream's lock.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from warehouse import locks
from warehouse.tables.raw import raw_table

Row = tuple[str, datetime | None, str, bytes, str | None]
"""record_id, version_at (None: observed now), op, exact JSON bytes (b"": none), merged_into."""


class State(NamedTuple):
    """A record as it is now.

    record: JSON of the newest version that carries fields, as text, or as the exact bytes where PostgreSQL cannot hold
        these as text; None where none does.
    deleted_at: when the newest version deleted or merged it away; None: it lives.
    """

    record_id: str
    version_at: datetime
    record: str | bytes | None
    is_deleted: bool
    deleted_at: datetime | None
    merged_into: str | None


def ensure_table(connection: sa.Connection, vendor: str, stream: str) -> sa.Table:
    """The raw table of a stream, created in the database when it is not there."""
    table = raw_table(vendor, stream)
    if not sa.inspect(connection).has_table(table.name, schema="raw"):
        locks.lock(connection, "ddl", table.fullname)
        table.create(connection, checkfirst=True)
    return table


def is_empty(connection: sa.Connection, table: sa.Table) -> bool:
    """Whether nothing of the stream has been loaded yet."""
    return not connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table.fullname})"))


def begin_keys(connection: sa.Connection) -> None:
    """Make the transaction's work table of live ids."""
    connection.execute(sa.text("CREATE TEMP TABLE live_key (record_id text PRIMARY KEY) ON COMMIT DROP"))


def receive_keys(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Add ids that are live at the vendor."""
    connection.execute(
        sa.text("INSERT INTO live_key SELECT unnest(CAST(:keys AS text[])) ON CONFLICT DO NOTHING"),
        {"keys": list(keys)},
    )


def keys_from_incoming(connection: sa.Connection) -> None:
    """For streams read in full: what was just read is what lives."""
    connection.execute(
        sa.text(
            "INSERT INTO live_key SELECT DISTINCT record_id FROM incoming WHERE op = 'upsert' ON CONFLICT DO NOTHING"
        )
    )


def delete_absent(connection: sa.Connection, table: sa.Table, load_id: int, observed_at: datetime) -> int:
    """Add a delete for each record that lives here but not among the live ids; returns how many."""
    return int(
        connection.execute(
            sa.text(
                f"""
                WITH gone AS (
                    INSERT INTO {table.fullname} (record_id, version_at, content_hash, op, load_id)
                    SELECT n.record_id, greatest(CAST(:observed_at AS timestamptz), n.version_at),
                           decode(md5('delete'), 'hex'), 'delete', :load_id
                    FROM ({_newest(table)}) n
                    WHERE n.op = 'upsert' AND NOT EXISTS (SELECT FROM live_key k WHERE k.record_id = n.record_id)
                    ON CONFLICT DO NOTHING
                    RETURNING record_id
                ), noted AS (
                    INSERT INTO touched SELECT record_id FROM gone ON CONFLICT DO NOTHING
                )
                SELECT count(*) FROM gone
                """
            ),
            {"load_id": load_id, "observed_at": observed_at},
        ).scalar_one()
    )


def missing_keys(connection: sa.Connection, table: sa.Table) -> tuple[list[str], list[str]]:
    """Live ids that are unknown here, and live ids that are held as deleted: both to be read by id."""
    rows = connection.execute(
        sa.text(
            f"""
            SELECT k.record_id, n.op FROM live_key k
            LEFT JOIN ({_newest(table)}) n USING (record_id)
            WHERE n.op IS NULL OR n.op = 'delete' ORDER BY 1
            """
        )
    ).all()
    return [r[0] for r in rows if r[1] is None], [r[0] for r in rows if r[1] is not None]


def deleted_since(connection: sa.Connection, table: sa.Table, since: datetime) -> list[str]:
    """Records held as deleted since `since` that this transaction did not receive as deleted again: perhaps restored.

    Call after `incoming.receive`.
    """
    return list(
        connection.scalars(
            sa.text(
                f"""
                SELECT record_id
                FROM (SELECT DISTINCT record_id FROM {table.fullname} WHERE op = 'delete' AND version_at >= :since) c
                WHERE NOT EXISTS (SELECT FROM incoming i WHERE i.record_id = c.record_id)
                  AND NOT {_LIVES.format(table=table.fullname)} ORDER BY 1
                """
            ),
            {"since": since},
        )
    )


def live_ids(connection: sa.Connection, table: sa.Table) -> Iterator[str]:
    """The ids of all records that live, in order."""
    yield from connection.scalars(sa.text(f"SELECT record_id FROM ({_newest(table)}) n WHERE op = 'upsert' ORDER BY 1"))


def count_live(connection: sa.Connection, table: sa.Table) -> int:
    """How many records live."""
    return int(connection.scalar(sa.text(f"SELECT count(*) FROM ({_newest(table)}) n WHERE op = 'upsert'")) or 0)


def count_keys(connection: sa.Connection) -> int:
    """How many live ids `receive_keys` got."""
    return int(connection.scalar(sa.text("SELECT count(*) FROM live_key")) or 0)


def last_load(connection: sa.Connection, table: sa.Table) -> int | None:
    """The last load that added a version to the stream; None where there is none."""
    load_id: int | None = connection.scalar(sa.text(f"SELECT max(load_id) FROM {table.fullname}"))
    return load_id


def ids_loaded(connection: sa.Connection, table: sa.Table, after_load_id: int) -> list[str]:
    """The live records with a version from loads after `after_load_id`."""
    return list(
        connection.scalars(
            sa.text(
                f"""
                SELECT record_id FROM (SELECT DISTINCT record_id FROM {table.fullname} WHERE load_id > :after) c
                WHERE {_LIVES.format(table=table.fullname)} ORDER BY 1
                """
            ),
            {"after": after_load_id},
        )
    )


def ids_between(connection: sa.Connection, table: sa.Table, start: datetime, end: datetime) -> list[str]:
    """The live records with a version dated in [start, end)."""
    return list(
        connection.scalars(
            sa.text(
                f"""
                SELECT record_id
                FROM (SELECT DISTINCT record_id FROM {table.fullname} WHERE version_at >= :start AND version_at < :end) c
                WHERE {_LIVES.format(table=table.fullname)} ORDER BY 1
                """
            ),
            {"start": start, "end": end},
        )
    )


def touch(connection: sa.Connection, table: sa.Table, record_ids: Sequence[str] | None = None) -> int:
    """Note records to be normalised again: these, or all of the stream."""
    where = "" if record_ids is None else " WHERE record_id = ANY(:ids)"
    parameters = {} if record_ids is None else {"ids": list(record_ids)}
    connection.execute(
        sa.text(f"INSERT INTO touched SELECT DISTINCT record_id FROM {table.fullname}{where} ON CONFLICT DO NOTHING"),
        parameters,
    )
    return int(connection.scalar(sa.text("SELECT count(*) FROM touched")) or 0)


def touched_states(connection: sa.Connection, table: sa.Table, batch: int) -> Iterator[list[State]]:
    """The present state of the touched records, in batches, in order of id."""
    after = ""
    statement = sa.text(
        f"""
        SELECT t.record_id, n.version_at, CAST(coalesce(n.record, p.record) AS text), n.op <> 'upsert',
               CASE WHEN n.op <> 'upsert' THEN n.version_at END, n.merged_into, coalesce(n.record_bytes, p.record_bytes)
        FROM (SELECT record_id FROM touched WHERE record_id > :after ORDER BY record_id LIMIT :batch) t
        CROSS JOIN LATERAL (
            SELECT r.version_at, r.record, r.record_bytes, r.op, r.merged_into FROM {table.fullname} r
            WHERE r.record_id = t.record_id ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) n
        LEFT JOIN LATERAL (
            SELECT r.record, r.record_bytes FROM {table.fullname} r
            WHERE r.record_id = t.record_id AND r.record IS NOT NULL
            ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) p ON n.record IS NULL
        ORDER BY t.record_id
        """
    )
    while rows := connection.execute(statement, {"after": after, "batch": batch}).all():
        yield [State(*state) if exact is None else State(*state)._replace(record=exact) for *state, exact in rows]
        after = rows[-1][0]


# Whether candidate `c` lives by its newest version.
_LIVES = (
    "(SELECT r.op = 'upsert' FROM {table} r WHERE r.record_id = c.record_id "
    "ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1)"
)


def _newest(table: sa.Table) -> str:
    return (
        f"SELECT DISTINCT ON (record_id) record_id, version_at, op FROM {table.fullname} "
        "ORDER BY record_id, version_at DESC, load_id DESC, content_hash"
    )
