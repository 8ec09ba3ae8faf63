"""Expectations as data, and their outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Severity = Literal["block", "quarantine", "warn"]
QUERY = "UnexpectedRowsExpectation"
"""The kind of business checks, in SQL."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold.

    rule: short name, unique in its suite; written to ops.validation_result and ops.quarantine.
    severity: block stops the publish, quarantine sets failing rows aside, warn reports.
    why: the reason, for the quality page and for the quarantined record's line.
    kind: GX expectation class; QUERY for business checks.
    arguments: its arguments; `unexpected_rows_query` selects the rows that break it from `checked`, the checked table.
    """

    rule: str
    severity: Severity
    why: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def column(self) -> str | None:
        """The column it is about, where it is one."""
        return self.arguments.get("column")


class Outcome(NamedTuple):
    """What one expectation said, and of how many rows."""

    expectation: Expectation
    is_success: bool
    checked: int | None
    failed: int
    error: str | None = None
