"""What the vendors count and sum by themselves, beside what the warehouse holds."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.app import app
from sandbox.salesforce.errors import ApiError
from sandbox.serve import running_sandbox
from tests.support.nights import credentials, night, sync_all, unhurried
from tests.support.truth import settle

pytestmark = pytest.mark.slow

PEOPLE = 500
COUNTED = {
    "hubspot": {"contacts", "companies", "deals", "calls", "emails", "meetings", "tasks", "notes"},
    "salesforce": {"account", "campaign", "contact", "event", "lead", "opportunity", "task"},
}


@pytest.fixture
def box(seed: int) -> Iterator[Any]:
    with running_sandbox(seed=seed, people=PEOPLE) as running:
        unhurried(running)
        settle(running)
        yield running


@pytest.fixture
def keys(box: Any) -> Mapping[str, Mapping[str, str]]:
    return {vendor: given for vendor, given in credentials(box).items() if vendor in COUNTED}


def test_staging_counts_and_sums_as_each_crm_does_night_after_night(
    box: Any, keys: Mapping[str, Mapping[str, str]], warehouse: sa.Engine
) -> None:
    for _ in range(2):
        night(warehouse, keys)
        rows = totals(warehouse)
        assert {(row.vendor, row.stream) for row in rows} == {(v, s) for v, names in COUNTED.items() for s in names}
        assert [row for row in rows if row.vendor_rows - row.staged_rows not in {0, row.set_aside_rows}] == []
        deals = [row for row in rows if row.stream == "opportunity"]
        assert len({row.currency for row in deals}) > 1
        assert sum(row.vendor_rows for row in deals) > 1
        for row in deals:
            assert abs(row.vendor_amount - row.staged_amount) <= Decimal("0.01") + row.amount_precision
            assert row.amount_precision == 0 or row.currency != "USD"
        assert said(warehouse) == {"staging_counts_as_the_vendor": True, "staging_sums_as_the_vendor": True}
        box.advance(days=1)
        settle(box)


def test_an_org_of_one_currency_is_summed_as_a_whole(
    box: Any, keys: Mapping[str, Mapping[str, str]], warehouse: sa.Engine
) -> None:
    box.context.multi_currency = False
    sync_all(warehouse, keys, only=["opportunity"])
    [row] = totals(warehouse)
    assert (row.currency, row.amount_precision) == ("", 0)
    assert row.vendor_rows == row.staged_rows > 0
    assert row.vendor_amount == row.staged_amount > 0


def test_a_lost_deal_and_a_wrong_amount_are_told_and_harm_nothing(
    box: Any, keys: Mapping[str, Mapping[str, str]], warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(warehouse, keys)
    with warehouse.begin() as connection:
        first, second = connection.scalars(
            sa.text("""
            SELECT source_id FROM staging.opportunity o WHERE source_stream = 'opportunity' AND NOT is_deleted AND amount > 0
            AND source_id = (SELECT min(source_id) FROM staging.opportunity x WHERE x.currency = o.currency
                             AND x.source_stream = 'opportunity' AND NOT x.is_deleted AND x.amount > 0)
            ORDER BY 1 LIMIT 2""")
        )
        connection.execute(sa.text("DELETE FROM staging.opportunity WHERE source_id = :id"), {"id": first})
        connection.execute(
            sa.text("UPDATE staging.opportunity SET amount = amount + 100 WHERE source_id = :id"), {"id": second}
        )
    box.advance(days=timedelta(minutes=30) / timedelta(days=1))
    night(warehouse, keys)
    assert said(warehouse) == {"staging_counts_as_the_vendor": False, "staging_sums_as_the_vendor": False}
    monkeypatch.setattr("cli.ledger.open_warehouse", lambda: warehouse)
    told = CliRunner().invoke(app, ["windows", "--totals"])
    assert told.exit_code == 0, told.output
    assert "opportunity" in told.output


def test_a_vendor_that_does_not_count_for_the_moment_harms_no_load(
    keys: Mapping[str, Mapping[str, str]], warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ApiError(500, "QUERY_TIMEOUT", "Your query request was running for too long.")

    monkeypatch.setattr("sandbox.salesforce.query._groups", refuse)
    counts = sync_all(warehouse, keys, only=["opportunity"])
    assert counts[0].new > 0
    assert totals(warehouse) == []


def totals(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT * FROM ops.vendor_total ORDER BY vendor, stream, currency")))


def said(engine: sa.Engine) -> dict[str, bool]:
    """What the last build's suite of the totals said."""
    statement = """
        SELECT DISTINCT ON (expectation) expectation, is_success FROM ops.validation_result
        WHERE suite = 'ops.vendor_total' AND expectation LIKE 'staging%' ORDER BY expectation, result_id DESC
    """
    with engine.connect() as connection:
        return {row.expectation: row.is_success for row in connection.execute(sa.text(statement))}
