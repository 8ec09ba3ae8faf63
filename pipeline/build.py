"""The build job: from staging to published marts, in one transaction, for what changed.

    queue -> identity -> journey -> attribution -> marts -> gate -> commit

Readers see the old state or the new one, never anything between.
"""

import logging
from dataclasses import dataclass

import sqlalchemy as sa
import tenacity

from errors import GateError, WarehouseError
from expectations.published import Suites, check_published, gate
from expectations.results import record
from expectations.runner import imported_meanwhile
from expectations.staging import validate_loads
from glossary import Glossary
from pipeline.progress import Progress, to_log
from transforms.build import build as transform
from transforms.work import Step
from warehouse import ledger, locks
from warehouse.engine import transaction
from warehouse.glossary import publish

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildCounts:
    """What a build did: steps with rows and seconds, rows set aside by the suites, expectations that warn."""

    load_id: int
    steps: tuple[Step, ...]
    quarantined: int
    warnings: int

    def as_counts(self) -> dict[str, int]:
        """Rows by step, for Airflow's return value."""
        return {
            **{step.name: step.rows for step in self.steps},
            "quarantined": self.quarantined,
            "warnings": self.warnings,
        }


def build(
    engine: sa.Engine, glossary: Glossary, *, full: bool = False, run_id: str | None = None, progress: Progress = to_log
) -> BuildCounts:
    """Redo what the queued changes touch (full: everything), and publish it when the gate lets it pass.

    Raises:
        GateError: a blocking expectation failed; what was published stays, and ops.validation_result has the reasons.
        WarehouseError: the database refused; nothing changed.
    """
    with locks.held(engine, "build"):
        try:
            return _build(engine, glossary, full, run_id, progress)
        except _ShutError as shut:
            with transaction(engine) as connection:
                load_id = ledger.open_load(connection, "build", run_id=run_id)
                for suite, outcomes in shut.outcomes.items():
                    record(connection, load_id, suite, outcomes)
            raise GateError(shut.message, remedy=shut.remedy) from None


class _ShutError(GateError):
    """A shut gate with its outcomes, which outlive the transaction that is rolled back."""

    def __init__(self, error: GateError, outcomes: Suites) -> None:
        super().__init__(error.message, remedy=error.remedy)
        self.outcomes = outcomes


SERIALIZATION_FAILURE = "40001"


def _is_serialization_failure(error: BaseException) -> bool:
    return isinstance(error, WarehouseError) and error.sqlstate == SERIALIZATION_FAILURE


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_serialization_failure),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(max=5),
    reraise=True,
)
def _build(engine: sa.Engine, glossary: Glossary, full: bool, run_id: str | None, progress: Progress) -> BuildCounts:  # noqa: FBT001
    # One snapshot for all statements: a sync that commits meanwhile is the next build's work. Where both set the same rows
    # aside, PostgreSQL ends one of them, and it is tried again.
    with transaction(engine, isolation="REPEATABLE READ") as connection:
        validated = validate_loads(connection, glossary)
        # Other words may mean another journey for anybody.
        words_changed = publish(connection, glossary.version_id, glossary.published_rows())
        load_id = ledger.open_load(connection, "build", run_id=run_id)
        is_full = full or words_changed
        with imported_meanwhile():
            counts = transform(connection, glossary, full=is_full)
        for step in counts.steps:
            progress(step.name, step.rows)
        outcomes = check_published(connection, full=is_full)
        try:
            gate(outcomes)
        except GateError as error:
            raise _ShutError(error, outcomes) from None
        for suite, results in outcomes.items():
            record(connection, load_id, suite, results)
        warnings = validated.warnings + sum(not o.is_success for results in outcomes.values() for o in results)
        ledger.close_load(connection, load_id, staged_rows=sum(step.rows for step in counts.steps))
    return BuildCounts(load_id, tuple(counts.steps), validated.quarantined, warnings)
