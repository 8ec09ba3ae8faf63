"""Schema `staging`: putting normalised frames in place of the rows of the same raw records, and what was set aside.

A record's staging rows are a function of its newest raw version, so they are replaced whole; but for meetings of vendors that
do not say whether they took place, which depend on how far the stream is read (`come_due`). Every record whose rows changed is
put on the queue `ops.staging_change` with the columns that did, from which the build takes what it has to redo.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl
import sqlalchemy as sa

from warehouse import copy
from warehouse.tables import ops
from warehouse.tables.raw import raw_table
from warehouse.tables.staging import ENTITIES


class Rows(NamedTuple):
    """Rows of one staging table, ready for it. source_keys: the records that they are of, each once."""

    source_keys: list[str]
    packed: copy.Packed


class SetAside(NamedTuple):
    """One line of quarantine. is_loaded: only the value was set aside, the record is in staging."""

    source_key: str
    entity: str
    rule: str
    reason: str
    column_name: str | None
    raw_table: str
    record_id: str
    raw_load_id: int
    is_loaded: bool


def has_rows(connection: sa.Connection, entities: Iterable[str], vendor: str, stream: str) -> bool:
    """Whether staging holds anything of a stream, or quarantine does. It may read whole tables to find nothing."""
    asked = [
        f"EXISTS (SELECT FROM {ENTITIES[entity].fullname} WHERE source_system = :vendor AND source_stream = :stream)"
        for entity in entities
    ]
    asked.append("EXISTS (SELECT FROM ops.quarantine WHERE raw_table = :raw_table)")
    parameters = {"vendor": vendor, "stream": stream, "raw_table": raw_table(vendor, stream).fullname}
    return bool(connection.scalar(sa.text(f"SELECT {' OR '.join(asked)}"), parameters))


def ready(entity: str, frame: pl.DataFrame) -> Rows:
    """A frame of exactly the entity's columns, made ready for `replace`; needs no connection."""
    source_keys = frame["source_key"].unique(maintain_order=True).to_list()
    return Rows(source_keys, copy.pack(frame.select([c.name for c in ENTITIES[entity].columns])))


def replace(
    connection: sa.Connection,
    source_keys: Sequence[str],
    entities: Iterable[str],
    rows: Mapping[str, Rows],
    load_id: int,
) -> int:
    """Replace all staging rows of these raw records by `rows`; returns the rows written.

    Args:
        connection: the caller's transaction.
        source_keys: `system:stream:record` of the records that may have rows; `rows` may be of more.
        entities: the entities that their stream feeds.
        rows: entity -> rows.
        load_id: the load that writes them.
    """
    written = 0
    for entity in entities:
        table, new = ENTITIES[entity].fullname, rows.get(entity)
        if source_keys:
            keys = list(dict.fromkeys([*source_keys, *(new.source_keys if new else ())]))
            with noting(connection, entity, keys, load_id):
                connection.execute(sa.text(f"DELETE FROM {table} WHERE source_key = ANY(:keys)"), {"keys": keys})
                if new:
                    copy.copy_packed(connection, table, new.packed)
        elif new:
            copy.copy_packed(connection, table, new.packed)
            queued = pl.DataFrame({"source_key": new.source_keys})
            queued = queued.with_columns(entity=pl.lit(entity), load_id=pl.lit(load_id))
            copy.copy_packed(connection, ops.staging_change.fullname, copy.pack(queued))
        written += new.packed.rows if new else 0
    return written


_BEFORE = "CREATE TEMPORARY TABLE replaced ON COMMIT DROP AS SELECT * FROM {table} WHERE source_key = ANY(:keys)"
_CHANGES = """
INSERT INTO ops.staging_change (entity, source_key, load_id, changed_columns)
SELECT :entity, source_key, :load_id, CASE WHEN bool_and(is_there) THEN array_agg(DISTINCT column_name) END
FROM (
  SELECT coalesce(n.source_key, o.source_key) AS source_key, n.source_id IS NOT NULL AND o.source_id IS NOT NULL AS is_there,
    d.column_name
  FROM replaced AS o
  FULL JOIN (SELECT * FROM {table} WHERE source_key = ANY(:keys)) AS n ON n.source_id = o.source_id
  LEFT JOIN LATERAL unnest(ARRAY[{differences}]) AS d (column_name) ON d.column_name IS NOT NULL
) AS r
WHERE column_name IS NOT NULL OR NOT is_there
GROUP BY source_key ORDER BY source_key
"""


@contextmanager
def noting(connection: sa.Connection, entity: str, source_keys: Sequence[str], load_id: int) -> Iterator[None]:
    """Put on the queue what is other after the block than before it: which of these records, in which columns.

    A row that only another load has written again is the same row.
    """
    table = ENTITIES[entity]
    differences = ", ".join(
        f"CASE WHEN o.{c.name} IS DISTINCT FROM n.{c.name} THEN '{c.name}' END"
        for c in table.columns
        if c.name != "load_id"
    )
    connection.execute(sa.text(_BEFORE.format(table=table.fullname)), {"keys": list(source_keys)})
    yield
    connection.execute(
        sa.text(_CHANGES.format(table=table.fullname, differences=differences)),
        {"entity": entity, "keys": list(source_keys), "load_id": load_id},
    )
    connection.execute(sa.text("DROP TABLE pg_temp.replaced"))


_COME_DUE = sa.text("""
WITH due AS (
  UPDATE staging.engagement AS e SET is_completed = true FROM ops.cursor AS c
  WHERE c.vendor = :vendor AND c.stream = :stream AND e.source_system = c.vendor AND e.source_stream = c.stream
    AND e.is_completed IS NULL AND e.type IN ('meeting', 'call', 'email') AND e.occurred_at < c.position_at
  RETURNING e.source_key
)
INSERT INTO ops.staging_change (entity, source_key, load_id, changed_columns)
SELECT DISTINCT 'engagement', source_key, CAST(:load_id AS bigint), ARRAY['is_completed'] FROM due
""")


def come_due(connection: sa.Connection, vendor: str, stream: str, load_id: int) -> int:
    """Take engagements of which the vendor does not say whether they took place as done, once their time has come.

    Their time has come when the stream's cursor has passed it: then a cancellation, which is a delete, would have been read.
    Salesforce's events are such; nothing about them changes on the day itself.

    Returns:
        How many came due.
    """
    parameters = {"vendor": vendor, "stream": stream, "load_id": load_id}
    return connection.execute(_COME_DUE, parameters).rowcount


def set_aside(connection: sa.Connection, source_keys: Sequence[str], lines: Sequence[SetAside]) -> None:
    """Replace the quarantine lines of these records by `lines`: what is mended leaves quarantine."""
    if source_keys:
        connection.execute(
            sa.delete(ops.quarantine).where(
                ops.quarantine.c.source_key == sa.any_(sa.literal(list(source_keys), sa.ARRAY(sa.Text())))
            )
        )
    joined: dict[tuple[str, str, str], list[SetAside]] = {}
    for line in lines:
        joined.setdefault((line.source_key, line.entity, line.rule), []).append(line)
    if joined:
        connection.execute(sa.insert(ops.quarantine), [_joined(same)._asdict() for same in joined.values()])


def _joined(lines: Sequence[SetAside]) -> SetAside:
    """One line for all columns and parts of a record that fail by one rule."""
    columns = dict.fromkeys(line.column_name for line in lines if line.column_name)
    return lines[0]._replace(
        reason=" ".join(dict.fromkeys(line.reason for line in lines)),
        column_name=", ".join(columns) or None,
        is_loaded=all(line.is_loaded for line in lines),
    )
