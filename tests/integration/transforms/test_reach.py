"""How far a change reaches: links that vanish, campaigns renamed, accounts merged; and that nothing else is touched."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.staging_rows import at

HUB, DEAL, MEETING, ACCOUNT = "hubspot:contacts:1", "hubspot:deals:1", "hubspot:meetings:1", "hubspot:companies:1"
LINKS: dict[str, dict[str, Any]] = {
    "opportunity_person": {"opportunity_source_id": DEAL, "person_source_id": HUB, "is_primary": True},
    "person_account": {"person_source_id": HUB, "account_source_id": ACCOUNT},
    "opportunity_account": {"opportunity_source_id": DEAL, "account_source_id": ACCOUNT},
    "engagement_link": {"engagement_source_id": MEETING, "person_source_id": HUB},
}


def seen(world: Any) -> dict[str, Any]:
    """What the four links show as."""
    return {
        "opportunity_person": len(world.table("core.opportunity_person")),
        "person_account": world.one("core.person")["account_id"] is not None,
        "opportunity_account": world.one("core.opportunity")["account_id"] is not None,
        "engagement_link": len(world.table("core.touchpoint")),
    }


@pytest.mark.parametrize("gone", LINKS)
def test_a_link_that_vanishes_alone_is_followed(world: Any, gone: str) -> None:
    world.put("person", HUB)
    world.put("account", ACCOUNT)
    world.put("opportunity", DEAL, status="open", amount=Decimal(5), currency="USD")
    world.put("engagement", MEETING, type="meeting", occurred_at=at(1), is_completed=True)
    for entity, values in LINKS.items():
        world.put(entity, f"hubspot:{entity}:1#1", **values)
    world.build()
    assert seen(world) == dict.fromkeys(LINKS, 1)
    world.drop(gone, f"hubspot:{gone}:1#1")
    world.build()
    assert seen(world) == dict.fromkeys(LINKS, 1) | {gone: 0}


def test_a_campaign_that_is_renamed_or_gets_a_channel_reaches_its_events(world: Any) -> None:
    world.put("person", HUB)
    world.put("touch", "hubspot:responses:1", type="campaign_response", occurred_at=at(1), person_source_id=HUB,
              campaign_source_id="salesforce:campaign:1")  # fmt: skip
    world.build()
    world.put("campaign", "salesforce:campaign:1", name="Spring", channel="webinar")
    world.build()
    event = next(r for r in world.table("marts.customer_journey") if r["is_touchpoint"])
    assert (event["campaign_name"], event["channel"], event["lead_source"]) == ("Spring", "webinar", "webinar")
    world.put(
        "campaign", "salesforce:campaign:1", name="Summer", channel="webinar", cost_amount=Decimal(5), currency="USD"
    )
    world.build()
    assert next(r for r in world.table("marts.customer_journey") if r["is_touchpoint"])["campaign_name"] == "Summer"


def test_accounts_that_merge_move_their_people_and_deals(world: Any) -> None:
    for n in (1, 2):
        world.put("account", f"salesforce:account:{n}", created_at=at(n))
        world.put("person", f"salesforce:contact:{n}", account_source_id=f"salesforce:account:{n}")
        world.put(
            "opportunity", f"salesforce:opportunity:{n}", account_source_id=f"salesforce:account:{n}", status="open"
        )
    world.build()
    assert len({r["account_id"] for r in world.table("core.person")}) == 2
    world.put(
        "account",
        "salesforce:account:2",
        created_at=at(2),
        merged_into_source_id="salesforce:account:1",
        is_deleted=True,
    )
    counts = world.build()
    account = world.one("core.account")["account_id"]
    assert {r["account_id"] for r in world.table("core.person") + world.table("core.opportunity")} == {account}
    assert counts.changed_records == 1


def test_only_those_whom_a_change_reaches_are_looked_at(world: Any) -> None:
    for n in range(20):
        world.put("person", f"hubspot:contacts:{n}", email=f"p{n}@d{n}.test")
        world.put(
            "touch",
            f"hubspot:visits:{n}",
            type="page_visit",
            occurred_at=at(n),
            person_source_id=f"hubspot:contacts:{n}",
        )
    first = world.build()
    assert (first.changed_records, first.persons) == (40, 20)
    world.put("person", "hubspot:contacts:3", email="p3@d3.test", job_title="CTO")
    world.put("touch", "hubspot:visits:7", type="page_visit", occurred_at=at(30), person_source_id="hubspot:contacts:8")
    second = world.build()
    assert (second.changed_records, second.persons, second.accounts) == (2, 3, 0)
    third = world.build()
    assert (third.changed_records, third.persons, sum(s.rows for s in third.steps)) == (0, 0, 0)
