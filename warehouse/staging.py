"""Schema `staging`: putting normalised frames in place of the rows of the same raw records, and what was set aside.

A record's staging rows are a function of its newest raw version, so they are replaced whole; but for meetings of vendors that
do not say whether they took place, which depend on how far the stream is read (`come_due`). Every replaced record is put on the
queue `ops.staging_change`, from which the build takes what it has to redo.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl
import sqlalchemy as sa

from warehouse import copy
from warehouse.tables import ops
from warehouse.tables.raw import raw_table
from warehouse.tables.staging import ENTITIES


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


def replace(
    connection: sa.Connection,
    source_keys: Sequence[str],
    entities: Iterable[str],
    frames: Mapping[str, pl.DataFrame],
    load_id: int,
) -> int:
    """Replace all staging rows of these raw records by the frames' rows; returns the rows written.

    Args:
        connection: the caller's transaction.
        source_keys: `system:stream:record` of the records that may have rows; the frames may hold more.
        entities: the entities that their stream feeds.
        frames: entity -> rows, with exactly the entity's columns.
        load_id: the load that writes them.
    """
    written = 0
    queued: list[pl.DataFrame] = []
    for entity in entities:
        table = ENTITIES[entity]
        changed: list[pl.Series] = []
        if source_keys:
            gone = connection.execute(
                sa.text(f"DELETE FROM {table.fullname} WHERE source_key = ANY(:keys) RETURNING source_key"),
                {"keys": list(source_keys)},
            )
            changed.append(pl.Series("source_key", gone.scalars().all(), dtype=pl.String))
        frame = frames.get(entity)
        if frame is not None:
            written += copy.copy_frame(connection, table.fullname, frame.select([c.name for c in table.columns]))
            changed.append(frame["source_key"])
        keys = pl.concat(changed).to_frame() if changed else pl.DataFrame(schema={"source_key": pl.String})
        queued.append(keys.with_columns(pl.lit(entity).alias("entity"), pl.lit(load_id).alias("load_id")))
    if queued:
        # A build asks which records changed, not in how many tables.
        changes = pl.concat(queued).unique("source_key", keep="first", maintain_order=True)
        copy.copy_frame(connection, ops.staging_change.fullname, changes)
    return written


_COME_DUE = sa.text("""
WITH due AS (
  UPDATE staging.engagement AS e SET is_completed = true FROM ops.cursor AS c
  WHERE c.vendor = :vendor AND c.stream = :stream AND e.source_system = c.vendor AND e.source_stream = c.stream
    AND e.is_completed IS NULL AND e.type IN ('meeting', 'call', 'email') AND e.occurred_at < c.position_at
  RETURNING e.source_key
)
INSERT INTO ops.staging_change (entity, source_key, load_id) SELECT DISTINCT 'engagement', source_key, CAST(:load_id AS bigint) FROM due
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
