"""Faults that are events of the world: they happen, the truth knows of them, and a world without them stays as it is."""

from collections.abc import Callable

import pytest

from sandbox.context import Context
from sandbox.store import Record
from sandbox.world import World
from sandbox.world.mischief import NASTY
from tests.support.worlds import digest, disagreements

DAYS = 3
EVENTS = [
    "hubspot.hub",
    "hubspot.gdpr_delete",
    "hubspot.short_lists",
    "salesforce.hard_delete",
    "world.bulk_edit",
    "world.nasty_text",
    "world.rare_changes",
]


SMALL = 120


def world(seed: int, *faults: str, people: int = 500) -> World:
    made = World(seed, people, history_days=120, context=Context())
    for fault in faults:
        made.context.faults.switch(fault)
    made.advance(DAYS)
    return made


def links_of_a_deal(made: World) -> int:
    return max((len(others) for others in made.hubspot.links["deals", "contacts"].values()), default=0)


def in_one_moment(made: World) -> int:
    moments = [r.modified_at for r in made.hubspot.records["contacts"].values() if r.fields.get("hubspotscore") == "2"]
    return max((moments.count(at) for at in set(moments)), default=0)


def count(made: World, vendor: str, kind: str, has: Callable[[Record], bool]) -> int:
    return sum(map(has, getattr(made, vendor).records[kind].values()))


def test_each_event_happens_every_day_it_is_on(seed: int) -> None:
    plain = world(seed)
    assert links_of_a_deal(world(seed, "hubspot.hub")) > max(80, 2 * links_of_a_deal(plain))
    assert in_one_moment(world(seed, "world.bulk_edit")) > max(60, 2 * in_one_moment(plain))
    nasty = world(seed, "world.nasty_text")
    assert count(nasty, "hubspot", "contacts", lambda r: NASTY in str(r.fields.get("lastname"))) >= 5
    # Which accounts and people sales knows is for chance to say.
    assert any(
        NASTY in str(record.fields.get(name))
        for kind, name in {"Account": "Name", "Contact": "LastName", "Lead": "Company"}.items()
        for record in nasty.salesforce.records[kind].values()
    )


@pytest.mark.parametrize(
    ("fault", "vendor", "kinds"),
    [("hubspot.gdpr_delete", "hubspot", ["contacts"]), ("salesforce.hard_delete", "salesforce", ["Lead", "Contact"])],
)
def test_records_are_deleted_for_good(seed: int, fault: str, vendor: str, kinds: list[str]) -> None:
    gone = [sum(len(getattr(w, vendor).gone[k]) for k in kinds) for w in (world(seed), world(seed, fault))]
    assert gone[1] > gone[0]


def test_rare_changes_happen_in_small_worlds_too(seed: int) -> None:
    plain, changed = world(seed, people=SMALL), world(seed, "world.rare_changes", people=SMALL)
    archived = [count(w, "hubspot", "contacts", lambda r: r.archived_at is not None) for w in (plain, changed)]
    assert archived[1] > archived[0]


def test_a_formula_changes_without_a_new_date(seed: int) -> None:
    plain, changed = world(seed), world(seed, "salesforce.formula_change")
    before, after = (w.salesforce.records["Account"] for w in (plain, changed))
    differ = {i for i in before if before[i].fields != after[i].fields}
    assert differ
    assert {i: before[i].modified_at for i in differ} == {i: after[i].modified_at for i in differ}


@pytest.mark.parametrize("fault", EVENTS)
def test_the_truth_knows_of_it_and_the_same_seed_gives_the_same_world(seed: int, fault: str) -> None:
    made = world(seed, fault)
    assert disagreements(made) == []
    assert digest(made) == digest(world(seed, fault))


def test_lags_hold_back_the_share_of_writes_that_is_asked_for(seed: int) -> None:
    some, all_ = Context(), Context()
    for context, rate in ((some, 0.5), (all_, 1.0)):
        made = World(seed, 400, history_days=120, context=context)
        context.faults.switch("hubspot.search_lag", rate=rate, seed=seed)
        made.advance(DAYS)
    struck = [context.faults.switched()["hubspot.search_lag"].struck for context in (some, all_)]
    four_deviations = 4 * (struck[1] / 4) ** 0.5
    assert abs(struck[0] - struck[1] / 2) < four_deviations < struck[1] / 2


def test_a_touch_is_an_edit_that_the_truth_knows_of(seed: int) -> None:
    made = world(seed)
    id_ = next(r.id for r in made.hubspot.live("contacts"))
    assert made.context.touch is not None
    made.context.touch("hubspot", "contacts", id_)
    assert made.hubspot.records["contacts"][id_].modified_at == made.now()
    assert disagreements(made) == []
