"""Replay: staging anew from `raw`, without calling any API; for a mended field map, or what quarantine holds."""

from typing import NamedTuple

import sqlalchemy as sa

from glossary import Glossary
from pipeline.normalize import come_due, normalize_touched
from pipeline.progress import Progress, to_log
from warehouse import ledger, locks, raw
from warehouse.engine import transaction
from warehouse.tables import ops


class Replayed(NamedTuple):
    """Records normalised again, staging rows written, lines in quarantine afterwards."""

    vendor: str
    stream: str
    records: int
    staged: int
    set_aside: int


def streams_in_raw(engine: sa.Engine) -> list[tuple[str, str]]:
    """Vendor and stream of all raw tables."""
    names = sa.inspect(engine).get_table_names(schema="raw")
    return sorted((vendor, stream) for vendor, _, stream in (name.partition("__") for name in names))


def quarantined(engine: sa.Engine) -> dict[tuple[str, str], list[str]]:
    """Record ids in quarantine, by vendor and stream."""
    found: dict[tuple[str, str], list[str]] = {}
    with engine.connect() as connection:
        c = ops.quarantine.c
        for raw_name, record_id in connection.execute(
            sa.select(c.raw_table, c.record_id).distinct().order_by(c.raw_table, c.record_id)
        ):
            vendor, _, stream = raw_name.removeprefix("raw.").partition("__")
            found.setdefault((vendor, stream), []).append(record_id)
    return found


def replay_stream(
    engine: sa.Engine,
    glossary: Glossary,
    vendor: str,
    stream: str,
    record_ids: list[str] | None = None,
    *,
    run_id: str | None = None,
    progress: Progress = to_log,
) -> Replayed:
    """Normalise records of one stream again from raw (None: all of them), in one transaction."""
    with transaction(engine) as connection:
        locks.lock(connection, "stream", vendor, stream)
        table = raw.ensure_table(connection, vendor, stream)
        load_id = ledger.open_load(connection, "replay", vendor, stream, run_id)
        records = raw.touch(connection, table, record_ids)
        staged = normalize_touched(connection, vendor, stream, glossary, load_id)
        come_due(connection, vendor, stream, glossary, load_id)
        ledger.close_load(connection, load_id, read_rows=records, staged_rows=staged.rows)
    progress(f"{vendor} {stream}", records)
    return Replayed(vendor, stream, records, staged.rows, staged.set_aside)
