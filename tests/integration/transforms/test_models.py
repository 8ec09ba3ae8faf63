"""Every model of the shipped glossary on small paths with known answers, and what a path is."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from itertools import chain, permutations
from math import factorial
from random import Random
from typing import Any

import pytest

from glossary import load
from glossary.model import AttributionPath
from tests.support.staging_rows import at, settings

HUB, DEAL, ACCOUNT = "hubspot:contacts:1", "salesforce:opportunity:1", "salesforce:account:1"
CHANNELS: dict[str, dict[str, str]] = {
    "email": {"type": "email_click"},
    "direct": {"type": "page_visit"},
    "paid_search": {"type": "page_visit", "utm_medium": "cpc"},
    "organic_search": {"type": "page_visit", "referrer": "https://www.google.com/"},
    "referral": {"type": "page_visit", "referrer": "https://blog.example.org/"},
}
"""channel -> a touch that is of it, by the rules of the test settings."""


def with_models(world: Any, path: AttributionPath) -> None:
    """Take the models of the shipped glossary."""
    world.settings = settings(attribution=replace(load().attribution, path=path))


def touches(world: Any, *days: float, person: str = HUB, **values: Any) -> None:
    for day in days:
        plain = {"type": "page_visit", "occurred_at": at(day), "person_source_id": person}
        world.put("touch", f"hubspot:visits:{person[-1]}-{day}", **(plain | values))


def becomes_lead(world: Any, day: float, person: str = HUB) -> None:
    world.put("stage_change", f"hubspot:contact_history:{person[-1]}#lead", subject_type="person", subject_source_id=person,
              occurred_at=at(day), to_stage="lead")  # fmt: skip


def wins(world: Any, created: float, closed: float, amount: str = "10000", **values: Any) -> None:
    plain = {
        "status": "won",
        "created_at": at(created),
        "closed_at": at(closed),
        "currency": "USD",
        "amount": Decimal(amount),
    }
    world.put("opportunity", DEAL, **(plain | {"primary_person_source_id": HUB} | values))


def credit(world: Any, model: str) -> list[float]:
    rows = [r for r in world.table("core.attribution", "position") if r["model"] == model]
    by_place = {r["position"]: float(r["amount_reporting"]) for r in rows}
    return [by_place.get(n, 0) for n in range(1, rows[0]["path_length"] + 1)]


@pytest.fixture
def roles(world: Any) -> Any:
    """A world with all models, where the deal's own people count."""
    with_models(world, AttributionPath("roles"))
    world.put("person", HUB)
    return world


EACH_PLACE = {
    "first": [10000, 0, 0, 0, 0],
    "last": [0, 0, 0, 0, 10000],
    "linear": [2000, 2000, 2000, 2000, 2000],
    "position": [4000, 666.67, 666.67, 666.66, 4000],
    "u_shaped_hubspot": [4000, 666.67, 4000, 666.67, 666.66],
    "u_shaped_measure": [5000, 0, 5000, 0, 0],
    "w_shaped": [3000, 500, 3000, 3000, 500],
    "full_path": [2250, 1000, 2250, 2250, 2250],
    "j_shaped": [2000, 666.67, 6000, 666.67, 666.66],
    "inverse_j_shaped": [6000, 666.67, 2000, 666.67, 666.66],
}


def test_each_place_is_another_touch(roles: Any) -> None:
    touches(roles, 0, 1, 2, 3, 4)
    becomes_lead(roles, 2.5)
    wins(roles, 3.5, 5)
    roles.build()
    assert {model: credit(roles, model) for model in EACH_PLACE} == EACH_PLACE


def test_a_place_that_no_touch_holds_gives_its_weight_to_the_others_pro_rata(roles: Any) -> None:
    becomes_lead(roles, -1)  # before any touch
    touches(roles, 0, 1, 2, 3)
    wins(roles, 2.5, 5)
    roles.build()
    assert credit(roles, "w_shaped") == [4500, 500, 4500, 500]
    assert credit(roles, "u_shaped_measure") == [10000, 0, 0, 0]
    assert credit(roles, "full_path") == [3000, 1000, 3000, 3000]


def test_one_touch_in_several_places_takes_their_weights_together(roles: Any) -> None:
    touches(roles, 0, 3)
    becomes_lead(roles, 0.5)
    wins(roles, 3.5, 5)
    roles.build()
    assert credit(roles, "w_shaped") == [6666.67, 3333.33]
    assert credit(roles, "full_path") == [5000, 5000]
    assert credit(roles, "j_shaped") == [8000, 2000]
    roles.drop("touch", "hubspot:visits:1-3")
    roles.build()
    assert {tuple(credit(roles, model)) for model in roles.settings.attribution.models} == {(10000,)}


def test_open_deals_have_no_winning_touch(roles: Any) -> None:
    touches(roles, 0, 1, 2, 3)
    becomes_lead(roles, 1.5)
    wins(roles, 2.5, 9, status="open")
    roles.build()
    assert credit(roles, "full_path") == [3000, 3000, 3000, 1000]


def test_time_decay_as_published(roles: Any) -> None:
    touches(roles, 0, 5, 12, 30, 38)
    wins(roles, 20, 40, "12000")
    roles.build()
    assert [round(amount, 1) for amount in credit(roles, "time_decay")] == [175.2, 287.4, 574.9, 3417.0, 7545.4]


def test_shapley_is_the_shapley_value(roles: Any, seed: int) -> None:
    chance = Random(seed)
    won: dict[frozenset[str], Decimal] = defaultdict(Decimal)
    for n in range(12):
        person = f"hubspot:contacts:9{n}"
        roles.put("person", person)
        path = [chance.choice(list(CHANNELS)) for _ in range(chance.randrange(1, 5))]
        for place, channel in enumerate(path):
            roles.put(
                "touch",
                f"hubspot:visits:{n}-{place}",
                occurred_at=at(place),
                person_source_id=person,
                **CHANNELS[channel],
            )
        amount = Decimal(chance.randrange(1, 10**6)) / 100
        won[frozenset(path)] += amount
        roles.put("opportunity", f"salesforce:opportunity:9{n}", status="won", created_at=at(10), closed_at=at(20),
                  amount=amount, currency="USD", primary_person_source_id=person)  # fmt: skip
    roles.build()
    credited: dict[str, Decimal] = defaultdict(Decimal)
    for row in roles.table("core.attribution"):
        if row["model"] == "shapley":
            credited[row["channel"]] += row["amount_reporting"]
    for channel in CHANNELS:
        assert float(credited[channel]) == pytest.approx(_shapley(channel, won), abs=0.5)  # cents of 12 deals


def _shapley(channel: str, won: dict[frozenset[str], Decimal]) -> float:
    """Mean of what a channel adds to a coalition, over all orders in which the channels may join."""
    names = sorted(set(chain.from_iterable(won)) | {channel})

    def worth(coalition: frozenset[str]) -> float:
        return float(sum(amount for path, amount in won.items() if path <= coalition))

    total = 0.0
    for order in permutations(names):
        before = frozenset(order[: order.index(channel)])
        total += worth(before | {channel}) - worth(before)
    return total / factorial(len(names))


def test_markov_as_published(roles: Any) -> None:
    paths = (("webinar", "email", "referral"), "won"), (("webinar",), "lost"), (("email", "referral"), "lost")
    for n, (sources, status) in enumerate(paths):
        person = f"hubspot:contacts:9{n}"
        roles.put("person", person)
        for place, source in enumerate(sources):
            roles.put("touch", f"hubspot:visits:{n}-{place}", type="page_visit", occurred_at=at(place), lead_source=source,
                      person_source_id=person)  # fmt: skip
        roles.put("opportunity", f"salesforce:opportunity:9{n}", status=status, created_at=at(10), closed_at=at(20),
                  amount=Decimal(1000), currency="USD", primary_person_source_id=person)  # fmt: skip
    roles.build()
    shown = {r["value"]: r for r in roles.table("marts.markov_attribution") if r["dimension"] == "lead_source"}
    assert {v: (float(r["removal_effect"]), float(r["share"]), r["revenue_amount"]) for v, r in shown.items()} == {
        "webinar": (0.5, 0.2, 200),
        "email": (1, 0.4, 400),
        "referral": (1, 0.4, 400),
    }
    assert {v: r["deal_count"] for v, r in shown.items()} == {"webinar": 2, "email": 2, "referral": 2}


def test_a_won_deal_without_touches_is_unattributed_in_the_chain_too(roles: Any) -> None:
    wins(roles, 1, 2)
    roles.build()
    rows = roles.table("marts.markov_attribution")
    assert {(r["value"], r["share"], r["revenue_amount"]) for r in rows} == {("unattributed", None, 10000)}


@pytest.mark.parametrize(
    ("eligible", "people"), [("account", {"1", "2", "3"}), ("roles", {"1", "2"}), ("primary", {"1"})]
)
def test_whose_touches_count_is_a_setting(world: Any, eligible: str, people: set[str]) -> None:
    with_models(world, AttributionPath(eligible))
    world.put("account", ACCOUNT)
    for number in "1234":
        person = f"hubspot:contacts:{number}"
        world.put("person", person, account_source_id=None if number == "4" else ACCOUNT)
        touches(world, 1, person=person)
    world.put("opportunity_person", "hubspot:deal_to_contact:1#2", opportunity_source_id=DEAL,
              person_source_id="hubspot:contacts:2")  # fmt: skip
    wins(world, 2, 3, account_source_id=ACCOUNT)
    world.build()
    ids = {person: source[-1] for source, person in world.people().items()}
    assert {ids[r["person_id"]] for r in world.table("core.opportunity_touch")} == people


def test_a_person_who_joins_or_leaves_the_account_changes_the_path(world: Any) -> None:
    with_models(world, AttributionPath("account"))
    world.put("account", ACCOUNT)
    for number in "12":
        world.put("person", f"hubspot:contacts:{number}", account_source_id=ACCOUNT if number == "1" else None)
        touches(world, 1, person=f"hubspot:contacts:{number}")
    wins(world, 2, 3, account_source_id=ACCOUNT)
    for account, expected in ((None, 1), (ACCOUNT, 2), (None, 1)):
        world.put("person", "hubspot:contacts:2", account_source_id=account)
        world.build()
        assert len(world.table("core.opportunity_touch")) == expected


def test_touches_long_before_the_lead_do_not_count(world: Any) -> None:
    with_models(world, AttributionPath("roles", days_before_lead=90, days_before_opportunity=95))
    world.put("person", HUB)
    touches(world, 0, 9, 10, 12, 100)
    becomes_lead(world, 100)
    wins(world, 106, 120)
    world.build()
    assert [r["occurred_at"] for r in world.table("core.opportunity_touch", "occurred_at")] == [at(12), at(100)]


def test_sourced_in_three_readings_and_influenced_twice(world: Any) -> None:
    world.put("person", HUB)
    wins(world, 3, 6, lead_source="webinar")
    world.put("engagement", "hubspot:meetings:1", type="meeting", occurred_at=at(2), is_completed=True)
    world.put(
        "engagement_link", "hubspot:meetings:1#1", engagement_source_id="hubspot:meetings:1", person_source_id=HUB
    )
    world.build()

    def shown(*names: str) -> tuple[Any, ...]:
        row = world.one("marts.opportunity_influence")
        return tuple(row[name] for name in names)

    claims = ("is_marketing_sourced", "is_influenced_before_creation", "is_influenced_before_close")
    assert shown(*claims) == (False, False, False)
    touches(world, 4, lead_source="email")
    world.build()
    assert shown(*claims) == (False, False, True)
    touches(world, 2.5, lead_source="referral")
    world.build()
    assert shown(*claims) == (False, True, True)
    touches(world, 1, lead_source="paid_search")
    touches(world, 7, lead_source="paid_search")  # after the close
    world.build()
    assert shown(*claims, "field_source", "first_touch_source", "marketing_touch_count", "sales_touch_count") == (
        True, True, True, "webinar", "paid_search", 3, 1)  # fmt: skip
