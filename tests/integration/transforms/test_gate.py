"""The gate after a build: whatever a build may have written wrongly shuts it, after an incremental build as after a full one."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from errors import GateError
from expectations.published import BUSINESS, check_published, gate
from tests.support.staging_rows import at

HUB, DEAL, ACCOUNT = "hubspot:contacts:1", "hubspot:deals:1", "hubspot:companies:1"
DAMAGE = {
    "record_is_one_person": "INSERT INTO core.identity_link SELECT gen_random_uuid(), source_id, {rest} FROM core.identity_link",
    "no_person_record_is_lost": "DELETE FROM core.identity_link",
    "alias_leads_to_a_person": "UPDATE core.person_alias SET person_id = {other}",
    "revenue_is_that_of_the_crm": "UPDATE core.opportunity SET amount = amount + 1",
    "touch_is_known": "UPDATE core.opportunity_touch SET event_id = gen_random_uuid()",
    "credit_is_conserved": "UPDATE core.attribution SET amount_reporting = amount_reporting + 0.01",
    "weights_add_up": "UPDATE core.attribution SET weight = weight / 2",
    "event_has_a_person": "DELETE FROM core.person",
    "sequence_is_gapless": "DELETE FROM marts.customer_journey WHERE sequence_number = 1",
    "every_person_has_a_journey": "DELETE FROM marts.person_journey",
    "counts_agree_with_events": "UPDATE marts.person_journey SET event_count = event_count + 1",
    "every_account_has_a_journey": "DELETE FROM marts.account_journey",
    "account_journey_is_of_an_account": "DELETE FROM core.account",
    "account_counts_agree_with_people": "UPDATE marts.account_journey SET engaged_person_count = person_count + 1",
    "account_counts_agree_with_touches": "UPDATE marts.account_journey SET touch_count = touch_count + 1",
    "account_money_is_that_of_its_deals": "UPDATE marts.account_journey SET revenue_amount = revenue_amount * 2",
    "won_revenue_is_all_there": "UPDATE marts.customers_by_source SET revenue_amount = revenue_amount + 1",
    "rates_are_rates": "UPDATE marts.customers_by_source SET win_rate = 2",
    "every_deal_can_be_claimed": "DELETE FROM marts.opportunity_influence",
    "shares_add_up": "UPDATE marts.markov_attribution SET share = share / 2",
    "won_revenue_is_shared": "UPDATE marts.markov_attribution SET revenue_amount = revenue_amount + 1",
    "nobody_converts_who_did_not_enter": "UPDATE marts.funnel_conversion SET converted_count = entered_count + 1",
}
"""rule -> what a build that breaks it would leave."""
_TOTAL = """
INSERT INTO ops.vendor_total (vendor, stream, currency, until_at, vendor_rows, staged_rows, set_aside_rows, unsettled_rows,
  vendor_amount, staged_amount, amount_precision, load_id) VALUES ('salesforce', 'opportunity', 'EUR', now(), {}, 1)
"""
NOTED = {
    "staging_counts_as_the_vendor": _TOTAL.format("9, 7, 1, 0, NULL, NULL, NULL"),
    "staging_sums_as_the_vendor": _TOTAL.format("9, 9, 0, 0, 100.04, 100, 0.02"),
}
"""rule -> what breaks one that tells, and shuts nothing."""


@pytest.fixture(scope="module")
def built(open_world: Any) -> Iterator[Any]:
    """A customer, somebody else, and a build after a change of the customer alone; tests put back what they damage."""
    with open_world() as world:
        world.put("person", "hubspot:contacts:2", email="two@example.org", created_at=at(1))
        world.put("person", HUB, email="one@example.org", created_at=at(1))
        world.build()
        world.put("person", "salesforce:lead:1", email="one@example.org", created_at=at(0))
        world.put("account", ACCOUNT, name="Acme")
        won = {"status": "won", "amount": Decimal(90), "currency": "USD", "created_at": at(3), "closed_at": at(5)}
        world.put("opportunity", DEAL, account_source_id=ACCOUNT, **won)
        world.put("opportunity_person", "hubspot:deal_to_contact:1#1", opportunity_source_id=DEAL, person_source_id=HUB)
        world.put(
            "touch", "hubspot:form_submissions:1", type="form_submission", occurred_at=at(2), person_source_id=HUB
        )
        world.build()
        yield world


@contextmanager
def damaged(world: Any, statement: str) -> Iterator[None]:
    savepoint = world.connection.begin_nested()
    try:
        assert world.connection.execute(sa.text(statement)).rowcount > 0
        yield
    finally:
        savepoint.rollback()


@pytest.mark.parametrize("full", [False, True])
def test_what_a_build_makes_passes(built: Any, full: bool) -> None:  # noqa: FBT001
    outcomes = check_published(built.connection, full=full)
    gate(outcomes)
    assert outcomes.keys() == BUSINESS.keys()
    assert all(o.is_success for results in outcomes.values() for o in results)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("rule", DAMAGE)
def test_each_rule_shuts_the_gate(built: Any, rule: str, full: bool) -> None:  # noqa: FBT001
    with damaged(built, _filled(built, DAMAGE[rule])), pytest.raises(GateError, match=rule):
        gate(check_published(built.connection, full=full))


@pytest.mark.parametrize("rule", NOTED)
def test_what_only_tells_shuts_nothing(built: Any, rule: str) -> None:
    with damaged(built, NOTED[rule]):
        outcomes = check_published(built.connection, full=False)
        gate(outcomes)
        assert [o.expectation.rule for suite in outcomes.values() for o in suite if not o.is_success] == [rule]


@pytest.mark.parametrize(
    "numbers",
    [
        "9, 8, 1, 0, NULL, NULL, NULL",
        "9, 7, 1, 1, NULL, NULL, NULL",
        "9, 9, 0, 0, 100.03, 100, 0.02",
        "9, 8, 1, 0, 2, 1, 0",
    ],
)
def test_totals_may_differ_by_what_is_set_aside_or_unsettled_and_by_what_conversion_rounds(
    built: Any, numbers: str
) -> None:
    with damaged(built, _TOTAL.format(numbers)):
        assert all(o.is_success for suite in check_published(built.connection, full=False).values() for o in suite)


def test_every_rule_is_tried() -> None:
    rules = {each.rule: each.severity for suite in BUSINESS.values() for each in suite}
    assert set(DAMAGE) == {rule for rule, severity in rules.items() if severity == "block"}
    assert set(NOTED) == {rule for rule, severity in rules.items() if severity == "warn"}


def test_a_published_word_outside_its_list_shuts_the_gate(built: Any) -> None:
    with (
        damaged(built, "UPDATE marts.customer_journey SET team = 'finance'"),
        pytest.raises(GateError, match="team_known"),
    ):
        gate(check_published(built.connection, full=False))


def _filled(world: Any, statement: str) -> str:
    columns = [c["name"] for c in sa.inspect(world.connection).get_columns("identity_link", schema="core")]
    rest = ", ".join(c for c in columns if c not in ("person_id", "source_id"))
    return statement.format(rest=rest, other="gen_random_uuid()")
