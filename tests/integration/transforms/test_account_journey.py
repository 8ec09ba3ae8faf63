"""One account in one row: its people and their roles, touches of both teams, stages, deals; and who follows whom when it changes."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from expectations.published import check_published, gate
from tests.support.staging_rows import at

ACME, BETA = "salesforce:account:1", "hubspot:companies:2"
ANA, BOB, CY = "hubspot:contacts:1", "hubspot:contacts:2", "hubspot:contacts:3"
DEAL, OTHER = "salesforce:opportunity:1", "salesforce:opportunity:2"


def touch(world: Any, number: int, person: str, days: float, **values: Any) -> None:
    plain = {"type": "form_submission", "occurred_at": at(days), "person_source_id": person}
    world.put("touch", f"hubspot:form_submissions:{number}", **(plain | values))


def meet(world: Any, number: int, days: float, *people: str) -> None:
    meeting = f"hubspot:meetings:{number}"
    world.put("engagement", meeting, type="meeting", occurred_at=at(days), is_completed=True)
    for place, person in enumerate(people):
        link = f"hubspot:meeting_to_contact:{number}#{place}"
        world.put("engagement_link", link, engagement_source_id=meeting, person_source_id=person)


def take_part(world: Any, number: int, deal: str, person: str, role: str | None = None) -> None:
    link = f"salesforce:opportunity_contact_role:{number}"
    world.put("opportunity_person", link, opportunity_source_id=deal, person_source_id=person, role=role)


@pytest.fixture
def acme(world: Any) -> Any:
    """An account of Ana's and Bob's, and a won deal in which Ana and Cy, who is from nowhere, take part."""
    world.put("account", ACME, name="Acme", domain="acme.test", owner_source_id="salesforce:user:9")
    world.put("person", ANA, email="ana@acme.test", account_source_id=ACME, owner_source_id="hubspot:owners:1")
    world.put("person", BOB, email="bob@acme.test", account_source_id=ACME)
    world.put("person", CY, email="cy@elsewhere.test")
    touch(world, 1, CY, 1, lead_source="webinar")
    touch(world, 2, BOB, 2, utm_medium="cpc", utm_source="google")
    meet(world, 1, 4, ANA, BOB, CY)
    world.put(
        "stage_change", "hubspot:history:1#1", subject_type="person", subject_source_id=ANA, occurred_at=at(3),
        to_stage="mql",
    )  # fmt: skip
    world.put(
        "opportunity", DEAL, name="Big", account_source_id=ACME, status="won", amount=Decimal(100), currency="USD",
        created_at=at(5), closed_at=at(20), primary_person_source_id=ANA,
    )  # fmt: skip
    take_part(world, 1, DEAL, ANA, "Decision Maker")
    take_part(world, 2, DEAL, CY, "Evaluator")
    world.build()
    return world


def row(world: Any, name: str = "Acme") -> dict[str, Any]:
    return next(r for r in world.table("marts.account_journey") if r["name"] == name)


def test_the_buying_group_is_told_in_one_row(acme: Any) -> None:
    found = row(acme)
    wanted = {
        "domain": "acme.test",
        "owner_id": "salesforce:user:9",
        "owner_ids": ["hubspot:owners:1", "salesforce:user:9"],
        "systems": ["hubspot", "salesforce"],
        "person_count": 3,
        "engaged_person_count": 3,
        "buying_group_count": 2,
        "people_by_role": {"Decision Maker": 1, "Evaluator": 1},
        "first_touch_at": at(1),
        "first_touch_source": "webinar",
        "first_touch_channel": "webinar",
        "touch_count": 3,
        "marketing_touch_count": 2,
        "sales_touch_count": 1,
        "last_marketing_touch_at": at(2),
        "last_sales_touch_at": at(4),
        "last_activity_at": at(20),
        "funnel_stage": "customer",
        "funnel_stage_at": at(20),
        "handed_over_at": at(3),
        "first_sales_touch_at": at(4),
        "outcome": "customer",
        "deal_count": 1,
        "open_deal_count": 0,
        "won_deal_count": 1,
        "lost_deal_count": 0,
        "pipeline_amount": 0,
        "revenue_amount": 100,
        "first_deal_at": at(5),
        "first_won_at": at(20),
        "last_won_at": at(20),
        "is_deleted": False,
    }
    assert {k: found[k] for k in wanted} == wanted


def test_a_deal_without_people_still_tells_how_far_the_account_is(world: Any) -> None:
    world.put("account", ACME, name="Acme")
    world.put(
        "opportunity", DEAL, account_source_id=ACME, status="open", amount=Decimal(7), currency="USD", created_at=at(2)
    )
    world.build()
    found = row(world)
    assert (found["person_count"], found["people_by_role"], found["event_count"]) == (0, {}, 0)
    assert (found["funnel_stage"], found["funnel_stage_at"]) == ("opportunity", at(2))
    assert (found["outcome"], found["pipeline_amount"], found["revenue_amount"]) == ("open", 7, 0)


def test_an_account_that_nothing_happened_with_has_a_row(world: Any) -> None:
    world.put("account", ACME, name="Acme")
    world.build()
    found = row(world)
    assert (found["outcome"], found["funnel_stage"], found["owner_ids"], found["systems"]) == (
        "none", None, [], ["salesforce"])  # fmt: skip


@pytest.mark.parametrize("status", ["open", "won", "lost"])
def test_a_deal_that_moves_leaves_the_old_account_and_comes_to_the_new(acme: Any, status: str) -> None:
    acme.put("account", BETA, name="Beta")
    acme.build()
    assert row(acme, "Beta")["outcome"] == "none"
    acme.put(
        "opportunity", DEAL, account_source_id=BETA, status=status, amount=Decimal(100), currency="USD",
        created_at=at(5), closed_at=at(20), primary_person_source_id=ANA,
    )  # fmt: skip
    acme.build()
    old, new = row(acme), row(acme, "Beta")
    assert (old["deal_count"], old["person_count"], old["touch_count"], old["outcome"]) == (0, 2, 2, "none")
    assert (new["deal_count"], new["person_count"], new["outcome"]) == (1, 2, {"won": "customer"}.get(status, status))
    assert new["people_by_role"] == {"Decision Maker": 1, "Evaluator": 1}


def test_a_person_who_moves_takes_the_touches_along(acme: Any) -> None:
    acme.put("account", BETA, name="Beta")
    acme.put("person", BOB, email="bob@acme.test", account_source_id=BETA)
    acme.build()
    old, new = row(acme), row(acme, "Beta")
    assert (old["person_count"], old["touch_count"]) == (2, 2)  # Ana and Cy; the meeting, and what Cy did
    assert (new["person_count"], new["touch_count"]) == (1, 2)  # the meeting was his as well


def test_what_somebody_from_elsewhere_does_counts_for_the_deal_s_account(acme: Any) -> None:
    touch(acme, 9, CY, 6)
    acme.build()
    assert row(acme)["marketing_touch_count"] == 3
    acme.drop("opportunity_person", "salesforce:opportunity_contact_role:2")
    acme.build()
    assert (row(acme)["person_count"], row(acme)["marketing_touch_count"]) == (2, 1)


def test_the_gate_lets_pass_what_a_touch_alone_changes(acme: Any) -> None:
    touch(acme, 9, ANA, 6)
    acme.build()
    assert acme.connection.scalar(sa.text("SELECT count(*) FROM pg_temp.affected_account")) == 0
    outcomes = check_published(acme.connection, full=False)
    gate(outcomes)
    assert all(o.is_success for o in outcomes["marts.account_journey"])


def test_merged_accounts_have_one_journey(acme: Any) -> None:
    acme.put("account", BETA, name="Beta")
    acme.put("opportunity", OTHER, account_source_id=BETA, status="lost", created_at=at(1), closed_at=at(2))
    acme.build()
    assert len(acme.table("marts.account_journey")) == 2
    acme.put("account", BETA, name="Beta", is_deleted=True, merged_into_source_id=ACME)
    acme.build()
    assert acme.one("marts.account_journey")["deal_count"] == 2


def test_nothing_is_written_for_accounts_that_nothing_reaches(acme: Any) -> None:
    acme.put("account", BETA, name="Beta")
    acme.build()
    before = acme.connection.execute(sa.text("SELECT ctid FROM marts.account_journey WHERE name = 'Beta'")).scalar()
    touch(acme, 9, ANA, 6)
    counts = acme.build()
    assert next(step.rows for step in counts.steps if step.name == "account_journey") == 2  # Acme's row, out and in
    after = acme.connection.execute(sa.text("SELECT ctid FROM marts.account_journey WHERE name = 'Beta'")).scalar()
    assert before == after
