"""Outcomes as rows of `ops.validation_result`."""

from collections.abc import Sequence

import sqlalchemy as sa

from expectations.model import Outcome
from warehouse.tables import ops


def record(connection: sa.Connection, load_id: int, suite: str, outcomes: Sequence[Outcome]) -> None:
    """Write one row per outcome; never record contents."""
    if not outcomes:
        return
    connection.execute(
        sa.insert(ops.validation_result),
        [
            {
                "load_id": load_id,
                "suite": suite,
                "expectation": o.expectation.rule,
                "severity": o.expectation.severity,
                "is_success": o.is_success,
                "checked_rows": o.checked,
                "failed_rows": o.failed,
                "detail": {"why": o.expectation.why, **({"error": o.error} if o.error else {})},
            }
            for o in outcomes
        ],
    )
