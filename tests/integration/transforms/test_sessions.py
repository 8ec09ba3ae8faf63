"""Page views that are one visit to the website are one touch."""

from typing import Any

import pytest

from tests.support.staging_rows import at, settings

HUB = "hubspot:contacts:1"
INSIDE = {"referrer": "https://www.acme.test/", "url": "https://acme.test/pricing"}
SEARCH = {"referrer": "https://www.google.com/", "url": "https://acme.test/"}
AD = {"utm_source": "google", "utm_medium": "cpc", "url": "https://acme.test/"}


def view(world: Any, number: int, minutes: float, system: str = "marketo", **more: Any) -> None:
    touch = {"type": "page_visit", "occurred_at": at(1, minutes=minutes), "person_source_id": HUB, **more}
    world.put("touch", f"{system}:activities:{number}", **touch)


def touches(world: Any) -> list[tuple[str, str, int]]:
    """Number of the first view, channel, views of each session."""
    found = world.table("core.touchpoint", "occurred_at")
    return [(t["source_id"].rpartition(":")[2], t["channel"], t["page_views"]) for t in found]


def test_views_within_half_an_hour_of_each_other_are_one_session(world: Any) -> None:
    world.put("person", HUB)
    for number, minutes in enumerate((0, 29, 59, 89.1)):
        view(world, number, minutes, **(SEARCH if number == 0 else INSIDE))
    world.build()
    assert touches(world) == [("0", "organic_search", 3), ("3", "direct", 1)]
    views = [r for r in world.table("marts.customer_journey", "sequence_number") if r["event_type"] == "page_visit"]
    assert [(r["channel"], r["is_touchpoint"]) for r in views] == [
        ("organic_search", True), ("organic_search", False), ("organic_search", False), ("direct", True),
    ]  # fmt: skip
    assert [r["session_id"] == r["event_id"] for r in views] == [True, False, False, True]
    assert len({r["session_id"] for r in views}) == 2


@pytest.mark.parametrize(
    ("views", "sessions"),
    [
        ([SEARCH, INSIDE, AD], [("0", "organic_search", 2), ("2", "paid_search", 1)]),
        ([SEARCH, INSIDE, SEARCH], [("0", "organic_search", 3)]),
        ([INSIDE, AD, INSIDE, AD, SEARCH, AD], [
            ("0", "direct", 1), ("1", "paid_search", 3), ("4", "organic_search", 1), ("5", "paid_search", 1),
        ]),
        ([AD, INSIDE, {**AD, "utm_campaign": "spring"}], [("0", "paid_search", 2), ("2", "paid_search", 1)]),
    ],
)  # fmt: skip
def test_who_comes_back_from_elsewhere_begins_a_session(
    world: Any, views: list[dict[str, str]], sessions: list[tuple[str, str, int]]
) -> None:
    world.put("person", HUB)
    for number, each in enumerate(views):
        view(world, number, number, **each)
    world.build()
    assert touches(world) == sessions


def test_after_a_pause_the_same_campaign_begins_a_session_anew(world: Any) -> None:
    world.put("person", HUB)
    view(world, 0, 0, **AD)
    view(world, 1, 45, **INSIDE)
    view(world, 2, 50, **AD)
    world.build()
    assert touches(world) == [("0", "paid_search", 1), ("1", "direct", 1), ("2", "paid_search", 1)]


def test_a_view_that_arrives_late_ties_two_sessions_together_and_a_deleted_one_parts_them(world: Any) -> None:
    world.put("person", HUB)
    view(world, 0, 0, **SEARCH)
    view(world, 2, 50, **INSIDE)
    world.build()
    assert touches(world) == [("0", "organic_search", 1), ("2", "direct", 1)]
    view(world, 1, 25, **INSIDE)
    world.build()
    assert touches(world) == [("0", "organic_search", 3)]
    view(world, 1, 25, is_deleted=True, **INSIDE)
    world.build()
    assert touches(world) == [("0", "organic_search", 1), ("2", "direct", 1)]


def test_systems_and_machines_have_no_part_in_a_session(world: Any) -> None:
    world.put("person", HUB)
    view(world, 0, 0, **SEARCH)
    view(world, 1, 5, is_machine=True, **INSIDE)
    view(world, 2, 10, system="hubspot", **INSIDE)
    world.build()
    assert touches(world) == [("0", "organic_search", 1), ("2", "direct", 1)]


@pytest.mark.parametrize(
    ("host", "is_wanted"),
    [("acme.test", False), ("pay.acme.test", False), ("www.acme.test", False), ("myacme.test", True), ("acme.test.br", True)],
)  # fmt: skip
def test_who_comes_from_a_host_of_ones_own_goes_on_in_the_session(world: Any, host: str, is_wanted: bool) -> None:  # noqa: FBT001
    """A page that the vendor tells without its host cannot show that a referrer is its own."""
    world.settings = settings(unwanted_referrals=("acme.test",))
    world.put("person", HUB)
    view(world, 0, 0, url="/lp/1?utm_medium=cpc", utm_medium="cpc")
    view(world, 1, 5, url="/lp/2", referrer=f"https://{host}/lp/1")
    world.build()
    assert touches(world) == (
        [("0", "paid_search", 1), ("1", "referral", 1)] if is_wanted else [("0", "paid_search", 2)]
    )
