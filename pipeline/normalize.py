"""From raw to staging: the touched records of one stream, in bounded batches, in the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from glossary import Glossary
from transforms.normalize import RawRecord, Reject, entities_of, normalize
from warehouse import raw, staging
from warehouse.tables.raw import raw_table

BATCH = 20_000
"""Records normalised at once: bounds memory, long enough for columns to pay."""


class Staged(NamedTuple):
    """Staging rows written, and lines put into quarantine."""

    rows: int
    set_aside: int


class Normalized(NamedTuple):
    """One batch, ready for staging.

    before: source_keys of records that can have rows in staging or lines in quarantine, which go.
    """

    load_id: int
    before: list[str]
    entities: tuple[str, ...]
    rows: Mapping[str, staging.Rows]
    lines: list[staging.SetAside]


def normalize_touched(connection: sa.Connection, vendor: str, stream: str, glossary: Glossary, load_id: int) -> Staged:
    """Normalise what was noted in this transaction's `touched`, and put it in place of what was in staging."""
    rows = set_aside = 0
    for states in raw.touched_states(connection, raw_table(vendor, stream), BATCH):
        staged = put(connection, normalize_states(vendor, stream, glossary, load_id, states))
        rows, set_aside = rows + staged.rows, set_aside + staged.set_aside
    return Staged(rows, set_aside)


def normalize_states(
    vendor: str,
    stream: str,
    glossary: Glossary,
    load_id: int,
    states: Sequence[raw.State],
    *,
    staged_before: Collection[str] | None = None,
) -> Normalized:
    """Normalise one batch of records.

    staged_before: ids of those that can have rows in staging or lines in quarantine; None: all.
    """
    table = raw_table(vendor, stream)
    prefix = f"{vendor}:{stream}:"
    records = [
        RawRecord(s.record_id, s.version_at, load_id, s.record, s.is_deleted, s.deleted_at, s.merged_into)
        for s in states
    ]
    result = normalize(records, vendor, stream, glossary)
    before = [prefix + id_ for id_ in ((s.record_id for s in states) if staged_before is None else staged_before)]
    lines = [_line(reject, table) for reject in result.rejects]
    rows = {entity: staging.ready(entity, frame) for entity, frame in result.frames.items()}
    return Normalized(load_id, before, entities_of(glossary, vendor, stream), rows, lines)


def put(connection: sa.Connection, ready: Normalized) -> Staged:
    """Put a batch in place of what was in staging and in quarantine."""
    rows = staging.replace(connection, ready.before, ready.entities, ready.rows, ready.load_id)
    staging.set_aside(connection, ready.before, ready.lines)
    return Staged(rows, len(ready.lines))


def come_due(connection: sa.Connection, vendor: str, stream: str, glossary: Glossary, load_id: int) -> None:
    """Where a stream tells of engagements, take those as done whose time has come and of which the vendor says no more."""
    if "engagement" in entities_of(glossary, vendor, stream):
        staging.come_due(connection, vendor, stream, load_id)


def _line(reject: Reject, table: sa.Table) -> staging.SetAside:
    return staging.SetAside(
        source_key=reject.source_key,
        entity=reject.entity,
        rule=reject.rule,
        reason=reject.reason,
        column_name=reject.column_name,
        raw_table=table.fullname,
        record_id=reject.record_id,
        raw_load_id=reject.load_id,
        is_loaded=not reject.is_fatal,
    )
