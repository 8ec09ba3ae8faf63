"""Checks what loads brought to staging: failing rows go to quarantine, with the reason and the way back to the raw record."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from errors import GateError
from expectations.at_once import broken_rows
from expectations.model import Outcome
from expectations.results import record
from expectations.runner import checker
from expectations.suites import staging_suite
from glossary import Glossary
from warehouse import ledger
from warehouse.tables.staging import ENTITIES


class Validated(NamedTuple):
    """Rows looked at, rows set aside, and expectations that warn."""

    rows: int
    quarantined: int
    warnings: int


def validate_loads(connection: sa.Connection, glossary: Glossary, vendor: str | None = None) -> Validated:
    """Check the staging rows of all loads that no suite has seen, set failing rows aside, and note the loads as validated.

    Raises:
        GateError: a blocking expectation failed, or one could not be computed.
    """
    load_ids = list(ledger.unvalidated_loads(connection, vendor))
    if not load_ids:
        return Validated(0, 0, 0)
    rows = quarantined = warnings = 0
    with_rows = [(entity, n) for entity in ENTITIES if (n := _make_view(connection, entity, load_ids))]
    if with_rows:
        with checker(connection) as check:
            for entity, count in with_rows:
                outcomes = check.run(f"check_{entity}", staging_suite(entity, glossary))
                record(connection, load_ids[-1], f"staging.{entity}", outcomes)
                _stop_if_blocked(entity, outcomes)
                rows += count
                quarantined += _quarantine(connection, entity, outcomes)
                warnings += sum(not o.is_success and o.expectation.severity == "warn" for o in outcomes)
    for entity, _ in with_rows:
        connection.execute(sa.text(f"DROP VIEW pg_temp.check_{entity}"))
    ledger.mark_validated(connection, load_ids)
    return Validated(rows, quarantined, warnings)


def _make_view(connection: sa.Connection, entity: str, load_ids: Sequence[int]) -> int:
    """A view of the rows to check, for a suite knows tables only; dropped again where it is empty."""
    ids = ", ".join(str(int(i)) for i in load_ids)
    where = f"FROM {ENTITIES[entity].fullname} WHERE load_id IN ({ids})"
    count = connection.scalar(sa.text(f"SELECT count(*) {where}")) or 0
    if count:
        connection.execute(sa.text(f"CREATE TEMP VIEW check_{entity} AS SELECT * {where}"))
    return int(count)


def _stop_if_blocked(entity: str, outcomes: Sequence[Outcome]) -> None:
    blocked = [o for o in outcomes if o.error or (not o.is_success and o.expectation.severity == "block")]
    if blocked:
        rules = ", ".join(f"{o.expectation.rule} ({o.error or f'{o.failed} rows'})" for o in blocked)
        raise GateError(
            f"staging.{entity} fails what must always hold: {rules}.",
            remedy="Nothing was published; run `smarketing quarantine` and read ops.validation_result.",
        )


def _quarantine(connection: sa.Connection, entity: str, outcomes: Sequence[Outcome]) -> int:
    """Set the rows aside that break a rule, all of them (GX itself names no more than twenty), each under every rule it breaks."""
    broken = [o.expectation for o in outcomes if not o.is_success and o.expectation.severity == "quarantine"]
    if not broken:
        return 0
    for expectation in broken:
        connection.execute(
            sa.text(
                f"""
                WITH checked AS (SELECT * FROM check_{entity})
                INSERT INTO ops.quarantine
                    (source_key, entity, rule, reason, column_name, raw_table, record_id, raw_load_id, is_loaded)
                SELECT DISTINCT source_key, :entity, :rule, :reason, CAST(:column AS text),
                       'raw.' || source_system || '__' || source_stream, source_record_id, load_id, false
                FROM ({broken_rows(expectation)}) broken
                ON CONFLICT (source_key, entity, rule) DO UPDATE SET reason = excluded.reason, raw_load_id = excluded.raw_load_id
                """
            ),
            {
                "entity": entity,
                "rule": expectation.rule,
                "reason": f"{expectation.column or expectation.rule}: {expectation.why}; "
                "mend it at the vendor or in the field map, then run `smarketing replay`.",
                "column": expectation.column,
            },
        )
    failing = " UNION ".join(f"SELECT source_id FROM ({broken_rows(expectation)}) broken" for expectation in broken)
    removed = connection.execute(
        sa.text(
            f"""
            WITH checked AS (
                SELECT * FROM check_{entity}
            ), failing AS (
                DELETE FROM {ENTITIES[entity].fullname} WHERE source_id IN ({failing}) RETURNING source_key, load_id
            ), queued AS (
                INSERT INTO ops.staging_change (entity, source_key, load_id) SELECT DISTINCT :entity, source_key, load_id FROM failing
            )
            SELECT count(*) FROM failing
            """
        ),
        {"entity": entity},
    )
    return int(removed.scalar_one())
