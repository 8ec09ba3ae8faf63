"""From raw to staging: the touched records of one stream, in bounded batches, in the caller's transaction."""

from collections.abc import Collection, Sequence
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


def normalize_touched(connection: sa.Connection, vendor: str, stream: str, glossary: Glossary, load_id: int) -> Staged:
    """Normalise what was noted in this transaction's `touched`, and put it in place of what was in staging."""
    rows = set_aside = 0
    for states in raw.touched_states(connection, raw_table(vendor, stream), BATCH):
        staged = normalize_states(connection, vendor, stream, glossary, load_id, states)
        rows, set_aside = rows + staged.rows, set_aside + staged.set_aside
    return Staged(rows, set_aside)


def normalize_states(
    connection: sa.Connection,
    vendor: str,
    stream: str,
    glossary: Glossary,
    load_id: int,
    states: Sequence[raw.State],
    *,
    staged_before: Collection[str] | None = None,
) -> Staged:
    """Normalise one batch of records, and put it in place of what was in staging.

    staged_before: ids of those that can have rows in staging or lines in quarantine; None: all.
    """
    table = raw_table(vendor, stream)
    prefix = f"{vendor}:{stream}:"
    records = [
        RawRecord(s.record_id, s.version_at, load_id, s.record, s.is_deleted, s.deleted_at, s.merged_into)
        for s in states
    ]
    result = normalize(records, vendor, stream, glossary)
    lines = [_line(reject, table) for reject in result.rejects]
    before = [prefix + id_ for id_ in ((s.record_id for s in states) if staged_before is None else staged_before)]
    rows = staging.replace(connection, before, entities_of(glossary, vendor, stream), result.frames, load_id)
    staging.set_aside(connection, before, lines)
    return Staged(rows, len(lines))


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
