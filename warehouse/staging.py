"""Schema `staging`: putting normalised frames in place of the rows of the same raw records, and what was set aside.

A record's staging rows are a function of its newest raw version, so they are replaced whole. Every replaced record is put on
the queue `ops.staging_change`, from which the build takes what it has to redo.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl
import sqlalchemy as sa

from warehouse import copy
from warehouse.tables import ops
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
        source_keys: `system:stream:record` of the records.
        entities: the entities that their stream feeds.
        frames: entity -> rows, with exactly the entity's columns.
        load_id: the load that writes them.
    """
    keys = list(source_keys)
    written = 0
    for entity in entities:
        table = ENTITIES[entity]
        gone = connection.execute(
            sa.text(
                f"WITH gone AS (DELETE FROM {table.fullname} WHERE source_key = ANY(:keys) RETURNING source_key) "
                "SELECT DISTINCT source_key FROM gone"
            ),
            {"keys": keys},
        ).scalars()
        changed = set(gone)
        frame = frames.get(entity)
        if frame is not None:
            columns = [c.name for c in table.columns]
            written += copy.copy_frame(connection, table.fullname, frame.select(columns))
            changed.update(frame["source_key"].unique().to_list())
        if changed:
            connection.execute(
                sa.text(
                    "INSERT INTO ops.staging_change (entity, source_key, load_id) "
                    "SELECT :entity, unnest(CAST(:keys AS text[])), :load_id"
                ),
                {"entity": entity, "keys": sorted(changed), "load_id": load_id},
            )
    return written


def set_aside(connection: sa.Connection, source_keys: Sequence[str], lines: Sequence[SetAside]) -> None:
    """Replace the quarantine lines of these records by `lines`: what is mended leaves quarantine."""
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
