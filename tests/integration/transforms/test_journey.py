"""What each person did: meetings and calls, one event told twice, stages and cycles, deals."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.staging_rows import at

HUB, LEAD = "hubspot:contacts:1", "salesforce:lead:1"


def meet(world: Any, source_id: str, minutes: float, person: str, kind: str = "meeting") -> None:
    system, _, number = source_id.split(":")
    world.put("engagement", source_id, type=kind, occurred_at=at(0, minutes=minutes), is_completed=True, subject="Demo")
    world.put(
        "engagement_link",
        f"{system}:{kind}_link:{number}",
        engagement_source_id=source_id,
        person_source_id=person,
    )


def stages(world: Any) -> list[tuple[str, int, bool]]:
    return [
        (r["to_stage"], r["cycle_number"], r["is_inferred"]) for r in world.table("core.stage_change", "occurred_at")
    ]


def tell(world: Any, days: float, stage: str, system: str = "hubspot", person: str = HUB) -> None:
    source_id = f"{system}:history:1#{days}-{stage}"
    world.put(
        "stage_change",
        source_id,
        subject_type="person",
        subject_source_id=person,
        occurred_at=at(days),
        to_stage=stage,
        to_stage_raw=stage,
    )


def test_one_meeting_in_two_systems_is_one_event_with_the_crm_row_kept(world: Any) -> None:
    world.put("person", HUB, same_as=[LEAD])
    world.put("person", LEAD)
    meet(world, "hubspot:meetings:1", 0, HUB)
    meet(world, "salesforce:event:1", 14, LEAD)
    meet(world, "hubspot:meetings:2", 60, HUB)
    meet(world, "hubspot:calls:3", 61, HUB, kind="call")
    world.build()
    kept = {r["source_id"]: r["also_source_ids"] for r in world.table("marts.customer_journey") if r["is_touchpoint"]}
    assert kept == {"salesforce:event:1": ["hubspot:meetings:1"], "hubspot:meetings:2": None, "hubspot:calls:3": None}
    world.drop("engagement", "salesforce:event:1")
    world.build()
    kept = {r["source_id"]: r["also_source_ids"] for r in world.table("marts.customer_journey") if r["is_touchpoint"]}
    assert kept == {"hubspot:meetings:1": None, "hubspot:meetings:2": None, "hubspot:calls:3": None}


def test_a_telling_that_is_gone_for_good_leaves_the_event_of_the_other_system(world: Any) -> None:
    world.put("person", HUB, same_as=[LEAD])
    world.put("person", LEAD)
    meet(world, "hubspot:meetings:1", 0, HUB)
    meet(world, "salesforce:event:1", 14, LEAD)
    world.build()
    world.drop("engagement", "hubspot:meetings:1")
    world.build()
    kept = {r["source_id"]: r["also_source_ids"] for r in world.table("marts.customer_journey") if r["is_touchpoint"]}
    assert kept == {"salesforce:event:1": None}


def test_two_calls_of_one_system_ten_minutes_apart_stay_two(world: Any) -> None:
    world.put("person", HUB, same_as=[LEAD])
    world.put("person", LEAD)
    for n, minutes in enumerate((0, 10)):
        meet(world, f"hubspot:calls:{n}", minutes, HUB, kind="call")
    meet(world, "salesforce:task:1", 5, LEAD, kind="call")
    world.build()
    assert {t["source_id"] for t in world.table("core.touchpoint")} == {"salesforce:task:1", "hubspot:calls:1"}


@pytest.mark.parametrize(
    ("hubspot", "salesforce", "pairs"),
    [
        ((0, 10), (12,), {1: 0}),
        ((0, 10), (1,), {0: 0}),
        ((0, 10, 20), (12, 21), {1: 0, 2: 1}),
        ((0, 10, 20), (4, 14), {0: 0, 1: 1}),
        ((0, 5), (4, 9), {0: 0, 1: 1}),
        ((7,), (0, 6, 14), {0: 1}),
    ],
)
def test_a_telling_is_that_of_the_event_it_is_nearest_to(
    world: Any, hubspot: tuple[float, ...], salesforce: tuple[float, ...], pairs: dict[int, int]
) -> None:
    world.put("person", HUB, same_as=[LEAD])
    world.put("person", LEAD)
    for n, minutes in enumerate(hubspot):
        meet(world, f"hubspot:meetings:{n}", minutes, HUB)
    for n, minutes in enumerate(salesforce):
        meet(world, f"salesforce:event:{n}", minutes, LEAD)
    world.build()
    events = [r for r in world.table("marts.customer_journey") if r["is_touchpoint"]]
    assert len(events) == len(hubspot) + len(salesforce) - len(pairs)
    together = {(r["source_id"], *r["also_source_ids"]) for r in events if r["also_source_ids"]}
    assert together == {(f"salesforce:event:{s}", f"hubspot:meetings:{h}") for h, s in pairs.items()}


def test_planned_meetings_are_no_events_and_notes_no_touchpoints(world: Any) -> None:
    world.put("person", HUB)
    meet(world, "hubspot:meetings:1", 0, HUB)
    meet(world, "hubspot:notes:2", 5, HUB, kind="note")
    world.put("engagement", "hubspot:meetings:1", type="meeting", occurred_at=at(0), is_completed=False)
    world.build()
    assert world.table("core.touchpoint") == []
    assert {r["event_type"] for r in world.table("marts.customer_journey")} == {"first_seen", "note"}


def test_several_hops_a_day_are_kept_and_a_second_system_tells_nothing_new(world: Any) -> None:
    world.put("person", HUB, same_as=[LEAD])
    world.put("person", LEAD)
    for days, stage in ((0.0, "lead"), (0.1, "mql"), (0.2, "sal"), (0.3, "mql"), (0.4, "sal"), (0.5, "sql")):
        tell(world, days, stage)
    for days, stage in ((0.15, "mql"), (0.25, "sal"), (0.6, "sql")):
        tell(world, days, stage, "salesforce", LEAD)
    world.build()
    assert [s for s, _, _ in stages(world)] == ["lead", "mql", "sal", "mql", "sal", "sql"]
    assert not any(inferred for _, _, inferred in stages(world))


def test_skipped_stages_are_inferred_in_order_and_flagged(world: Any) -> None:
    world.put("person", HUB)
    tell(world, 1, "lead")
    tell(world, 5, "sql")
    world.build()
    assert stages(world) == [("lead", 1, False), ("mql", 1, True), ("sal", 1, True), ("sql", 1, False)]
    journey = world.one("marts.person_journey")
    assert journey["inferred_stages"] == ["mql", "sal"]
    assert journey["handed_over_at"] is None
    assert journey["mql_at"] < journey["sal_at"] < journey["sql_at"] == at(5)
    assert at(5) - journey["mql_at"] < timedelta(milliseconds=1)
    told = [r for r in world.table("marts.customer_journey", "sequence_number") if r["event_type"] == "stage_change"]
    assert [r["funnel_stage"] for r in told] == ["lead", "mql", "sal", "sql"]


def test_a_new_pass_begins_after_recycling_and_after_buying(world: Any) -> None:
    world.put("person", HUB)
    for days, stage in (
        (1, "lead"),
        (2, "mql"),
        (3, "recycled"),
        (90, "mql"),
        (91, "sal"),
        (95, "customer"),
        (96, "advocate"),
        (200, "sql"),
    ):
        tell(world, days, stage)
    world.build()
    told = [(s, c) for s, c, inferred in stages(world) if not inferred]
    assert told == [
        ("lead", 1), ("mql", 1), ("recycled", 1), ("mql", 2), ("sal", 2), ("customer", 2), ("advocate", 2), ("sql", 3),
    ]  # fmt: skip
    hand_overs = [
        r["occurred_at"] for r in world.table("marts.customer_journey", "occurred_at") if r["event_type"] == "hand_over"
    ]
    assert hand_overs == [at(2), at(90)]


def test_the_first_stage_of_a_record_is_the_one_before_its_first_change(world: Any) -> None:
    world.put("person", LEAD, created_at=at(0), funnel_stage="sal")
    world.put(
        "stage_change",
        "salesforce:lead_history:1",
        subject_type="person",
        subject_source_id=LEAD,
        occurred_at=at(4),
        from_stage="mql",
        to_stage="sal",
    )
    world.build()
    told = [
        (r["occurred_at"], r["to_stage"])
        for r in world.table("core.stage_change", "occurred_at")
        if not r["is_inferred"]
    ]
    assert told == [(at(0), "mql"), (at(4), "sal")]


def test_a_lead_record_opened_late_does_not_set_the_person_back(world: Any) -> None:
    world.put("person", HUB, same_as=[LEAD])
    tell(world, 0, "mql")
    tell(world, 3, "sql")
    world.put("person", LEAD, created_at=at(10), funnel_stage="mql")
    world.build()
    assert [s for s, _, inferred in stages(world) if not inferred] == ["mql", "sql"]


def test_a_deal_makes_its_people_opportunities_and_customers(world: Any) -> None:
    world.put("person", HUB, created_at=at(0))
    world.put("person", "hubspot:contacts:2", created_at=at(0))
    world.put(
        "opportunity",
        "salesforce:opportunity:1",
        name="Big",
        status="won",
        created_at=at(5),
        closed_at=at(20),
        amount=Decimal("100.555"),
        currency="BRL",
        primary_person_source_id=HUB,
    )
    world.put(
        "opportunity_person",
        "salesforce:opportunity_contact_role:1",
        opportunity_source_id="salesforce:opportunity:1",
        person_source_id="hubspot:contacts:2",
        role="Buyer",
    )
    world.build()
    deal = world.one("core.opportunity")
    assert deal["amount_reporting"] == Decimal("20.11")
    assert deal["primary_person_id"] == world.people()[HUB]
    for person in world.table("marts.person_journey"):
        assert (person["opportunity_at"], person["customer_at"], person["outcome"]) == (at(5), at(20), "customer")
    revenue = {r["person_id"]: r["revenue_amount"] for r in world.table("marts.person_journey")}
    assert revenue == {world.people()[HUB]: Decimal("20.11"), world.people()["hubspot:contacts:2"]: Decimal(0)}
    events = [r["event_type"] for r in world.table("marts.customer_journey") if r["event_type"].startswith("deal")]
    assert sorted(events) == ["deal_created", "deal_created", "deal_won", "deal_won"]


def test_money_without_a_rate_is_empty_never_guessed(world: Any) -> None:
    world.put(
        "opportunity", "salesforce:opportunity:1", status="won", closed_at=at(1), amount=Decimal(10), currency="XXX"
    )
    world.put(
        "opportunity", "salesforce:opportunity:2", status="won", closed_at=at(-90), amount=Decimal(10), currency="BRL"
    )
    world.put(
        "opportunity", "salesforce:opportunity:3", status="won", closed_at=at(31), amount=Decimal(10), currency="BRL"
    )
    world.put(
        "opportunity", "salesforce:opportunity:4", status="won", closed_at=at(1), amount=Decimal(10), currency="USD"
    )
    world.build()
    amounts = {r["source_id"]: r["amount_reporting"] for r in world.table("core.opportunity")}
    assert [amounts[f"salesforce:opportunity:{n}"] for n in (1, 2, 3, 4)] == [None, None, Decimal("1.90"), Decimal(10)]


def test_a_marketing_copy_of_a_deal_is_one_deal_with_the_crms_figures(world: Any) -> None:
    world.put(
        "opportunity",
        "hubspot:deals:1",
        name="Copy",
        status="open",
        amount=Decimal(1),
        currency="USD",
        same_as=["salesforce:opportunity:1"],
        lead_source="webinar",
        version_at=at(9),
    )
    world.put(
        "opportunity",
        "salesforce:opportunity:1",
        name="Real",
        status="won",
        amount=Decimal(2),
        currency="USD",
        closed_at=at(3),
        created_at=at(1),
        lead_source="unmapped",
    )
    world.build()
    deal = world.one("core.opportunity")
    assert (deal["source_id"], deal["status"], deal["amount"], deal["lead_source"]) == (
        "salesforce:opportunity:1", "won", Decimal(2), "webinar")  # fmt: skip
    world.put("opportunity", "salesforce:opportunity:1", status="won", is_deleted=True)
    world.build()
    assert world.one("core.opportunity")["source_id"] == "hubspot:deals:1"
