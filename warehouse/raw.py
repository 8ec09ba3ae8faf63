"""Schema `raw`: finding what is gone, and reading the state of records. `incoming` adds versions.

Versions are immutable; loading one again adds nothing. The newest version of a record is the one with the greatest
(version_at, load_id). A delete that was noticed by comparing bears the time of that, and a merge may be told later that is
older: of what came after a record's last life, a merge says more than a delete, so it is the record's state, whichever came
first. All functions run in the caller's transaction, under the stream's lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from warehouse import locks, work_tables
from warehouse.copy import driver
from warehouse.tables.raw import raw_table

Row = tuple[str, datetime | None, str, bytes, str | None]
"""record_id, version_at (None: observed now), op, exact JSON bytes (b"": none), merged_into."""


class State(NamedTuple):
    """A record as it is now.

    record: JSON of the newest version that carries fields, as text, or as the exact bytes where PostgreSQL cannot hold
        these as text; None where none does.
    deleted_at: when it was deleted or merged away; None: it lives.
    """

    record_id: str
    version_at: datetime
    record: str | bytes | None
    is_deleted: bool
    deleted_at: datetime | None
    merged_into: str | None


class Known(NamedTuple):
    """Some fields of a record's newest version: each as text, None where it is null or not there."""

    record_id: str
    version_at: datetime
    load_id: int
    values: list[str | None]


def ensure_table(connection: sa.Connection, vendor: str, stream: str) -> sa.Table:
    """The raw table of a stream, created in the database when it is not there."""
    table = raw_table(vendor, stream)
    if connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": table.fullname}) is None:
        locks.lock(connection, "ddl", table.fullname)
        table.create(connection, checkfirst=True)
    return table


def is_empty(connection: sa.Connection, table: sa.Table) -> bool:
    """Whether nothing of the stream has been loaded yet."""
    return not connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table.fullname})"))


def newest_hashes(connection: sa.Connection, table: sa.Table, most: int) -> dict[str, bytes]:
    """Id -> content_hash of the newest version of each record; none where the table has more than `most` rows."""
    few = sa.text(f"SELECT count(*) FROM (SELECT FROM {table.fullname} LIMIT :most + 1) n")
    if int(connection.scalar(few, {"most": most}) or 0) > most:
        return {}
    with driver(connection).cursor(binary=True) as cursor:
        newest = (
            f"SELECT DISTINCT ON (record_id) record_id, content_hash FROM {table.fullname} "
            "ORDER BY record_id, version_at DESC, load_id DESC, content_hash"
        )
        return dict(cursor.execute(newest))


def receive_keys(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Add ids that are live at the vendor."""
    work_tables.need(connection, "live_key")
    connection.execute(
        sa.text("INSERT INTO live_key SELECT unnest(CAST(:keys AS text[])) ON CONFLICT DO NOTHING"),
        {"keys": list(keys)},
    )


def keys_from_incoming(connection: sa.Connection) -> None:
    """For streams read in full: what was just read is what lives."""
    work_tables.need(connection, "live_key", "incoming")
    connection.execute(
        sa.text(
            "INSERT INTO live_key SELECT DISTINCT record_id FROM incoming WHERE op = 'upsert' ON CONFLICT DO NOTHING"
        )
    )


def absent(connection: sa.Connection, table: sa.Table) -> list[str]:
    """The records that live here but not among the live ids, in order."""
    work_tables.need(connection, "live_key")
    return list(connection.scalars(sa.text(f"SELECT record_id FROM ({_absent(table)}) n ORDER BY 1")))


def delete_absent(connection: sa.Connection, table: sa.Table, load_id: int, observed_at: datetime) -> int:
    """Add a delete for each record that lives here but not among the live ids; returns how many."""
    work_tables.need(connection, "live_key")
    return _delete(connection, table, _absent(table), load_id=load_id, observed_at=observed_at)


def delete_gone_with(
    connection: sa.Connection,
    table: sa.Table,
    other: sa.Table,
    loads: Sequence[int],
    *,
    load_id: int,
    observed_at: datetime,
) -> int:
    """Add a delete for each record here whose id ends in that of a record of `other` that is gone; returns how many.

    Looks at what these loads deleted or merged there, and at the touched records here.
    """
    touched = f"""
            UNION
            SELECT t.record_id FROM touched t CROSS JOIN LATERAL (SELECT split_part(t.record_id, '-', 2) AS record_id) c
            WHERE NOT {_LIVES.format(table=other.fullname)}
    """
    gone = f"""
        WITH gone AS (
            SELECT DISTINCT c.record_id FROM {other.fullname} c
            WHERE c.load_id = ANY(:loads) AND c.op <> 'upsert' AND NOT {_LIVES.format(table=other.fullname)}
        ), hanging AS (
            SELECT h.record_id FROM {table.fullname} h JOIN gone g ON split_part(h.record_id, '-', 2) = g.record_id
            {touched if work_tables.has(connection, "touched") else ""}
        )
        SELECT n.record_id, n.version_at FROM hanging
        CROSS JOIN LATERAL (
            SELECT r.record_id, r.version_at, r.op FROM {table.fullname} r WHERE r.record_id = hanging.record_id
            ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) n WHERE n.op = 'upsert'
    """
    return _delete(connection, table, gone, load_id=load_id, observed_at=observed_at, loads=list(loads))


def _delete(
    connection: sa.Connection,
    table: sa.Table,
    gone: str,
    *,
    load_id: int,
    observed_at: datetime,
    **parameters: object,
) -> int:
    """Add a delete, as of now, for what a query (record_id, version_at) names."""
    statement = f"""
        INSERT INTO {table.fullname} (record_id, version_at, content_hash, op, load_id)
        SELECT record_id, greatest(CAST(:observed_at AS timestamptz), version_at), decode(md5('delete'), 'hex'), 'delete', :load_id
        FROM ({gone}) g
        ON CONFLICT DO NOTHING
    """
    values = {"load_id": load_id, "observed_at": observed_at, **parameters}
    count = int(connection.execute(sa.text(statement), values).rowcount)
    if count:
        _touch(connection, f"SELECT record_id FROM {table.fullname} WHERE load_id = :load_id AND op = 'delete'", values)
    return count


def missing_keys(connection: sa.Connection, table: sa.Table) -> tuple[list[str], list[str]]:
    """Live ids that are unknown here, and live ids that are held as deleted: both to be read by id."""
    work_tables.need(connection, "live_key")
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


def count_dated_before(connection: sa.Connection, table: sa.Table, ids: Sequence[str], end: datetime) -> int:
    """How many of these records have a version dated before `end`."""
    statement = sa.text(
        f"SELECT count(DISTINCT record_id) FROM {table.fullname} WHERE record_id = ANY(:ids) AND version_at < :end"
    )
    return int(connection.scalar(statement, {"ids": list(ids), "end": end}) or 0) if ids else 0


def deleted_since(connection: sa.Connection, table: sa.Table, since: datetime) -> list[str]:
    """Records held as deleted since `since` that this transaction did not receive as deleted again: perhaps restored.

    One that was received as live may be among them: in the version from before its delete. Call after `incoming.receive`.
    """
    again = "EXISTS (SELECT FROM incoming i WHERE i.record_id = c.record_id AND i.op <> 'upsert')"
    return list(
        connection.scalars(
            sa.text(
                f"""
                SELECT record_id
                FROM (SELECT DISTINCT record_id FROM {table.fullname} WHERE op = 'delete' AND version_at >= :since) c
                WHERE NOT {again if work_tables.has(connection, "incoming") else "false"}
                  AND NOT {_LIVES.format(table=table.fullname)} ORDER BY 1
                """
            ),
            {"since": since},
        )
    )


def newest_values(
    connection: sa.Connection, table: sa.Table, ids: Sequence[str], fields: Sequence[str]
) -> Iterator[Known]:
    """These top-level fields of the newest version of those of the records that are known here."""
    statement = sa.text(
        f"""
        SELECT n.record_id, n.version_at, n.load_id,
               ARRAY(SELECT n.record ->> f FROM unnest(CAST(:fields AS text[])) WITH ORDINALITY AS u (f, i) ORDER BY i)
        FROM unnest(CAST(:ids AS text[])) AS i (record_id)
        CROSS JOIN LATERAL (
            SELECT r.record_id, r.version_at, r.load_id, r.record FROM {table.fullname} r
            WHERE r.record_id = i.record_id ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) n
        """
    )
    for row in connection.execute(statement, {"ids": list(ids), "fields": list(fields)}):
        yield Known(*row)


def all_ids(connection: sa.Connection, table: sa.Table) -> list[str]:
    """The ids of all records that there ever were, in order."""
    return list(connection.scalars(sa.text(f"SELECT DISTINCT record_id FROM {table.fullname} ORDER BY 1")))


def live_ids(connection: sa.Connection, table: sa.Table) -> Iterator[str]:
    """The ids of all records that live, in order."""
    found = connection.scalars(sa.text(f"SELECT record_id FROM ({_newest(table)}) n WHERE op = 'upsert' ORDER BY 1"))
    for some in found.partitions(10_000):  # one by one, fetching takes three times as long
        yield from some


def count_live(connection: sa.Connection, table: sa.Table) -> int:
    """How many records live."""
    return int(connection.scalar(sa.text(f"SELECT count(*) FROM ({_newest(table)}) n WHERE op = 'upsert'")) or 0)


def count_keys(connection: sa.Connection) -> int:
    """How many live ids `receive_keys` got."""
    work_tables.need(connection, "live_key")
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


def ids_come_back(connection: sa.Connection, table: sa.Table, loads: Sequence[int]) -> list[str]:
    """The live records that these loads brought back from a delete, or into which they merged another."""
    return list(
        connection.scalars(
            sa.text(
                f"""
                SELECT record_id FROM (
                    SELECT r.record_id FROM {table.fullname} r WHERE r.load_id = ANY(:loads) AND r.op = 'upsert'
                    AND EXISTS (SELECT FROM {table.fullname} d WHERE d.record_id = r.record_id AND d.op = 'delete')
                    UNION SELECT merged_into FROM {table.fullname} WHERE load_id = ANY(:loads) AND op = 'merge'
                ) c
                WHERE {_LIVES.format(table=table.fullname)} ORDER BY 1
                """
            ),
            {"loads": list(loads)},
        )
    )


def living(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> list[str]:
    """Those of these records that live, in order."""
    return list(
        connection.scalars(
            sa.text(
                f"SELECT record_id FROM (SELECT DISTINCT unnest(CAST(:ids AS text[])) AS record_id) c "
                f"WHERE {_LIVES.format(table=table.fullname)} ORDER BY 1"
            ),
            {"ids": list(ids)},
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
    _touch(connection, f"SELECT DISTINCT record_id FROM {table.fullname}{where}", parameters)
    return int(connection.scalar(sa.text("SELECT count(*) FROM touched")) or 0)


def _touch(connection: sa.Connection, records: str, parameters: Mapping[str, object]) -> None:
    work_tables.need(connection, "touched")
    connection.execute(sa.text(f"INSERT INTO touched {records} ON CONFLICT DO NOTHING"), parameters)


def touched_states(connection: sa.Connection, table: sa.Table, batch: int) -> Iterator[list[State]]:
    """The present state of the touched records, in batches, in order of id."""
    if not work_tables.has(connection, "touched"):
        return
    after = ""
    statement = sa.text(
        f"""
        SELECT t.record_id, coalesce(m.version_at, n.version_at), CAST(coalesce(n.record, p.record) AS text),
               n.op <> 'upsert', CASE WHEN n.op <> 'upsert' THEN coalesce(m.version_at, n.version_at) END,
               coalesce(m.merged_into, n.merged_into), coalesce(n.record_bytes, p.record_bytes)
        FROM (SELECT record_id FROM touched WHERE record_id > :after ORDER BY record_id LIMIT :batch) t
        CROSS JOIN LATERAL (
            SELECT r.version_at, r.record, r.record_bytes, r.op, r.merged_into FROM {table.fullname} r
            WHERE r.record_id = t.record_id ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) n
        LEFT JOIN LATERAL (
            SELECT r.op, r.version_at, r.merged_into FROM {table.fullname} r
            WHERE n.op = 'delete' AND r.record_id = t.record_id AND r.op <> 'delete'
            ORDER BY r.version_at DESC, r.load_id DESC, r.content_hash LIMIT 1
        ) m ON m.op = 'merge'
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


def _absent(table: sa.Table) -> str:
    return (
        f"SELECT n.record_id, n.version_at FROM ({_newest(table)}) n "
        "WHERE n.op = 'upsert' AND NOT EXISTS (SELECT FROM live_key k WHERE k.record_id = n.record_id)"
    )


def _newest(table: sa.Table) -> str:
    return (
        f"SELECT DISTINCT ON (record_id) record_id, version_at, op FROM {table.fullname} "
        "ORDER BY record_id, version_at DESC, load_id DESC, content_hash"
    )
