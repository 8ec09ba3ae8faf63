"""From raw to staging: the touched records of one stream, in bounded batches, in the caller's transaction."""

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
    """Normalise what `raw.merge` or `raw.touch` noted in this transaction, and put it in place of what was in staging."""
    table = raw_table(vendor, stream)
    entities = entities_of(glossary, vendor, stream)
    rows = set_aside = 0
    for states in raw.touched_states(connection, table, BATCH):
        keys = [f"{vendor}:{stream}:{state.record_id}" for state in states]
        records = [
            RawRecord(s.record_id, s.version_at, load_id, s.record, s.is_deleted, s.deleted_at, s.merged_into)
            for s in states
        ]
        result = normalize(records, vendor, stream, glossary)
        lines = [_line(reject, table) for reject in result.rejects]
        rows += staging.replace(connection, keys, entities, result.frames, load_id)
        staging.set_aside(connection, keys, lines)
        set_aside += len(lines)
    return Staged(rows, set_aside)


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
