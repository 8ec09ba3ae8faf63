"""Credit, assists and the aggregates: exact on small worlds, conserved to the cent on random ones."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.support.staging_rows import at

HUB = "hubspot:contacts:1"
DEAL = "salesforce:opportunity:1"


def deal(world: Any, amount: str = "10000", **values: Any) -> None:
    plain = {"status": "won", "created_at": at(40), "closed_at": at(50), "amount": Decimal(amount), "currency": "USD"}
    world.put("opportunity", DEAL, **(plain | {"primary_person_source_id": HUB} | values))


def path(world: Any, *lead_sources: str, days: int = 1) -> None:
    for n, source in enumerate(lead_sources):
        world.put(
            "touch",
            f"hubspot:visits:{n}",
            type="page_visit",
            occurred_at=at(n * days),
            person_source_id=HUB,
            lead_source=source,
            content_asset_source_id=f"hubspot:forms:{source}",
        )


def credit(world: Any, model: str) -> list[Decimal]:
    rows = [r for r in world.table("core.attribution", "position") if r["model"] == model]
    by_place = {r["position"]: r["amount_reporting"] for r in rows}
    return [by_place.get(n, Decimal(0)) for n in range(1, rows[0]["path_length"] + 1)]


def test_the_published_path_gets_its_published_credit(world: Any) -> None:
    world.put("person", HUB)
    path(world, "paid_search", "referral", "paid_search", "other")
    deal(world)
    world.build()
    assert credit(world, "first") == [10000, 0, 0, 0]
    assert credit(world, "last") == [0, 0, 0, 10000]
    assert credit(world, "linear") == [2500, 2500, 2500, 2500]
    assert credit(world, "position") == [4000, 1000, 1000, 4000]
    by_source = {
        r["lead_source"]: (r["revenue_amount"], r["conversion_share"])
        for r in world.table("marts.attribution")
        if r["model"] == "linear"
    }
    assert by_source == {
        "paid_search": (5000, Decimal("0.5")),
        "referral": (2500, Decimal("0.25")),
        "other": (2500, Decimal("0.25")),
    }


def test_two_touches_one_touch_and_direct_ones(world: Any) -> None:
    world.put("person", HUB)
    path(world, "paid_search", "direct")
    deal(world)
    world.build()
    assert credit(world, "position") == [5000, 5000]
    assert credit(world, "last_non_direct") == [10000]
    world.drop("touch", "hubspot:visits:0")
    world.build()
    assert credit(world, "position") == credit(world, "last_non_direct") == [10000]


def test_cents_that_do_not_divide_go_to_the_earlier_touches(world: Any) -> None:
    world.put("person", HUB)
    path(world, "paid_search", "referral", "other")
    deal(world, "100.01")
    world.build()
    assert credit(world, "linear") == [Decimal("33.34"), Decimal("33.34"), Decimal("33.33")]
    weights = [r["weight"] for r in world.table("core.attribution") if r["model"] == "linear"]
    assert sum(weights) == 1


def test_a_touch_at_the_close_counts_and_one_after_it_does_not(world: Any) -> None:
    world.put("person", HUB)
    for n, days in enumerate((50, 51)):
        world.put("touch", f"hubspot:visits:{n}", type="page_visit", occurred_at=at(days), person_source_id=HUB)
    deal(world)
    world.build()
    assert credit(world, "linear") == [10000]


def test_a_deal_without_a_touch_is_unattributed_in_full(world: Any) -> None:
    world.put("person", HUB)
    deal(world)
    world.build()
    rows = world.table("core.attribution")
    assert {(r["model"], r["amount_reporting"], r["weight"]) for r in rows} == {
        (m, Decimal(10000), Decimal(1)) for m in world.settings.attribution.models
    }
    assert {(r["event_id"], r["person_id"]) for r in rows} == {(r["opportunity_id"], None) for r in rows}
    assert {r["lead_source"] for r in world.table("marts.attribution")} == {"unattributed"}


def test_a_deal_without_people_is_credited_to_those_of_its_account(world: Any) -> None:
    world.put("account", "salesforce:account:1", name="Acme")
    world.put("person", HUB, account_source_id="salesforce:account:1")
    path(world, "paid_search")
    deal(world, primary_person_source_id=None, account_source_id="salesforce:account:1")
    world.build()
    assert credit(world, "first") == [10000]
    world.put("person", "hubspot:contacts:2")
    world.put(
        "opportunity_person",
        "hubspot:deal_to_contact:1#2",
        opportunity_source_id=DEAL,
        person_source_id="hubspot:contacts:2",
    )
    world.build()
    assert {r["lead_source"] for r in world.table("marts.attribution")} == {"unattributed"}


def test_a_meeting_with_two_people_of_a_deal_counts_once(world: Any) -> None:
    people = (HUB, "hubspot:contacts:2")
    world.put("engagement", "hubspot:meetings:1", type="meeting", occurred_at=at(3), is_completed=True)
    for n, person in enumerate(people):
        world.put("person", person)
        world.put(
            "engagement_link",
            f"hubspot:meeting_to_contact:1#{n}",
            engagement_source_id="hubspot:meetings:1",
            person_source_id=person,
        )
        world.put(
            "opportunity_person", f"hubspot:deal_to_contact:1#{n}", opportunity_source_id=DEAL, person_source_id=person
        )
    deal(world)
    world.build()
    assert len(world.table("core.touchpoint")) == 2
    assert credit(world, "linear") == [10000]


def test_lost_deals_get_no_credit_and_open_ones_are_pipeline(world: Any) -> None:
    world.put("person", HUB)
    path(world, "paid_search")
    deal(world, status="lost")
    world.build()
    assert world.table("core.attribution") == []
    deal(world, status="open")
    world.build()
    assert {(r["pipeline_amount"], r["revenue_amount"]) for r in world.table("marts.attribution")} == {(10000, 0)}


def test_credit_of_every_deal_and_model_adds_up_to_the_cent(world: Any, seed: int) -> None:
    random = Random(seed)
    for n in range(40):
        person = f"hubspot:contacts:{n}"
        world.put("person", person)
        for t in range(random.randrange(8)):
            world.put(
                "touch",
                f"hubspot:visits:{n}-{t}",
                type="page_visit",
                occurred_at=at(random.randrange(30)),
                person_source_id=person,
            )
        world.put("opportunity", f"salesforce:opportunity:{n}", status=random.choice(("won", "open")), created_at=at(1),
                  closed_at=at(random.randrange(30)), amount=Decimal(random.randrange(-10**6, 10**9)) / 100, currency="USD",
                  primary_person_source_id=person)  # fmt: skip
    world.build()
    amounts = {r["opportunity_id"]: r["amount_reporting"] for r in world.table("core.opportunity")}
    credited: dict[Any, Decimal] = defaultdict(Decimal)
    weights: dict[Any, Decimal] = defaultdict(Decimal)
    for row in world.table("core.attribution"):
        assert row["amount_reporting"] == round(row["amount_reporting"], 2)
        credited[row["opportunity_id"], row["model"]] += row["amount_reporting"]
        weights[row["opportunity_id"], row["model"]] += row["weight"]
    assert credited == {(o, m): a for o, a in amounts.items() for m in world.settings.attribution.models}
    assert set(weights.values()) == {Decimal(1)}


def test_assists_count_once_per_conversion_and_leave_out_the_last_touch(world: Any) -> None:
    world.put("person", HUB)
    path(world, "paid_search", "paid_search", "referral")
    deal(world)
    world.build()
    rows = {
        (r["conversion"], r["value"]): (r["assist_count"], r["last_touch_count"], r["assisted_amount"])
        for r in world.table("marts.conversion_assists")
        if r["dimension"] == "lead_source"
    }
    assert rows == {
        ("opportunity", "paid_search"): (1, 0, 0),
        ("opportunity", "referral"): (0, 1, 0),
        ("customer", "paid_search"): (1, 0, 10000),
        ("customer", "referral"): (0, 1, 0),
    }


@pytest.mark.parametrize("extra_roles", [0, 3])
def test_customers_by_source_counts_an_account_once_and_does_not_fan_out(world: Any, extra_roles: int) -> None:
    world.put("account", "salesforce:account:1", name="Acme")
    world.put("campaign", "salesforce:campaign:1", name="Spring", channel="webinar", started_on=at(40).date(),
              cost_amount=Decimal(1000), currency="USD")  # fmt: skip
    for n, (status, days) in enumerate((("won", 45), ("won", 50), ("lost", 51))):
        world.put("opportunity", f"salesforce:opportunity:{n}", account_source_id="salesforce:account:1", status=status,
                  created_at=at(days - 10), closed_at=at(days), amount=Decimal(3000), currency="USD", lead_source="webinar",
                  campaign_source_id="salesforce:campaign:1")  # fmt: skip
        for role in range(extra_roles):
            world.put("person", f"salesforce:contact:{role}")
            world.put("opportunity_person", f"salesforce:opportunity_contact_role:{n}{role}",
                      opportunity_source_id=f"salesforce:opportunity:{n}", person_source_id=f"salesforce:contact:{role}")  # fmt: skip
    world.build()
    row = world.one("marts.customers_by_source")
    assert (row["customer_count"], row["deal_count"], row["lost_deal_count"]) == (1, 2, 1)
    assert (row["revenue_amount"], row["average_deal_amount"], row["cycle_days"]) == (6000, 3000, 10)
    assert (row["win_rate"], row["cost_amount"], row["roi"]) == (Decimal("0.66667"), 1000, 5)
    assert (row["lead_source"], row["campaign_name"]) == ("webinar", "Spring")


def test_a_deal_without_a_source_takes_that_of_its_main_contact(world: Any) -> None:
    world.put("person", HUB)
    path(world, "referral")
    deal(world, lead_source="unmapped", lead_source_raw="Feira local")
    world.build()
    assert world.one("marts.customers_by_source")["lead_source"] == "referral"
    gap = world.one("marts.glossary_gap")
    assert (gap["vocabulary"], gap["vendor_value"], gap["row_count"]) == ("lead_source.salesforce", "Feira local", 1)
    assert gap["example_source_ids"] == [DEAL]


def test_unknown_words_are_reported_with_the_nearest_term(world: Any) -> None:
    world.put("person", "salesforce:lead:1", lead_source="unmapped", lead_source_raw="Webinars")
    world.build()
    assert world.one("marts.glossary_gap")["nearest_term"] == "webinar"
    world.put("person", "salesforce:lead:1", lead_source="webinar", lead_source_raw="Webinars")
    world.build()
    assert world.table("marts.glossary_gap") == []


def test_both_readings_of_the_funnel(world: Any) -> None:
    for n, told in enumerate((("lead", "mql", "sal"), ("lead", "sal"), ("lead",))):
        person = f"hubspot:contacts:{n}"
        world.put("person", person, lead_source="webinar")
        for days, stage in enumerate(told):
            world.put("stage_change", f"hubspot:contact_history:{n}#{stage}", subject_type="person", subject_source_id=person,
                      occurred_at=at(days * 2), to_stage=stage)  # fmt: skip
    world.build()
    counts = {
        (r["reading"], r["stage"]): (r["entered_count"], r["converted_count"], r["median_days"])
        for r in world.table("marts.funnel_conversion")
    }
    assert counts == {
        ("any_stage", "lead"): (3, 2, Decimal(2)),
        ("any_stage", "mql"): (1, 1, Decimal(2)),
        ("any_stage", "sal"): (2, 0, None),
        ("all_stages", "lead"): (3, 1, Decimal(2)),
        ("all_stages", "mql"): (1, 1, Decimal(2)),
        ("all_stages", "sal"): (1, 0, None),
    }
