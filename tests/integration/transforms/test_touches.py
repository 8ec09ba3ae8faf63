"""Touches: whose they are by record or address, which of them count, and the channel and source that the rules give."""

import random
from typing import Any

from glossary import classify, load, referrer_host
from tests.support.staging_rows import at, id_of, settings

HUB = "hubspot:contacts:1"


def test_a_touch_by_address_waits_for_its_person_and_follows_the_address(world: Any) -> None:
    world.put("touch", "hubspot:email_events:1", type="email_click", occurred_at=at(1), person_email="ana@acme.test")
    world.build()
    assert world.table("core.touchpoint") == []
    world.put("person", HUB, other_emails=["ana@acme.test"])
    world.build()
    assert world.one("core.touchpoint")["person_id"] == world.people()[HUB]
    world.put("person", HUB, other_emails=[])
    world.put("person", "hubspot:contacts:2", email="ana@acme.test")
    world.build()
    assert world.one("core.touchpoint")["person_id"] == world.people()["hubspot:contacts:2"]


def test_a_touch_by_a_shared_mailbox_is_nobodys(world: Any) -> None:
    world.put("touch", "hubspot:email_events:1", type="email_click", occurred_at=at(1), person_email="info@acme.test")
    world.put("person", HUB, email="info@acme.test")
    world.build()
    assert world.one("core.touchpoint")["person_id"] == world.people()[HUB]
    world.put("person", "hubspot:contacts:2", email="info@acme.test")
    world.build()
    assert world.table("core.touchpoint") == []


def test_a_touch_by_address_finds_who_has_it_alone_when_others_lose_it_move_or_go(world: Any) -> None:
    def holder() -> list[Any]:
        world.build()
        return [row["person_id"] for row in world.table("core.touchpoint")]

    other, third = "hubspot:contacts:2", "salesforce:lead:3"
    world.put("touch", "hubspot:email_events:1", type="email_click", occurred_at=at(1), person_email="info@acme.test")
    world.put("person", HUB, email="info@acme.test", created_at=at(0))
    world.put("person", other, email="info@acme.test", created_at=at(1))
    assert holder() == []
    world.put("person", other, email="bo@acme.test", created_at=at(1))
    assert holder() == [id_of("person", HUB)]
    world.put("person", third, email="info@acme.test", created_at=at(2))
    assert holder() == []
    # The third record turns out to be the first person.
    world.put("person", third, email="info@acme.test", same_as=[HUB], created_at=at(2))
    assert holder() == [id_of("person", HUB)]
    world.drop("person", HUB)
    assert holder() == [id_of("person", third)]
    world.put("person", HUB, email="info@acme.test", created_at=at(0))
    assert holder() == [id_of("person", HUB)]


def test_mails_sent_and_machine_opens_are_events_but_no_touchpoints(world: Any) -> None:
    world.put("person", HUB, email="ana@acme.test")
    for n, (kind, machine) in enumerate(
        (("email_sent", False), ("email_open", True), ("email_open", False), ("email_bounce", False))
    ):
        world.put(
            "touch", f"hubspot:email_events:{n}", type=kind, occurred_at=at(n), person_source_id=HUB, is_machine=machine
        )
    world.put(
        "touch", "hubspot:email_events:9", type="page_visit", occurred_at=at(9), person_source_id=HUB, is_deleted=True
    )
    world.build()
    assert [t["source_id"] for t in world.table("core.touchpoint")] == ["hubspot:email_events:2"]
    events = [r["event_type"] for r in world.table("marts.customer_journey", "sequence_number")]
    assert sorted(events) == sorted(["first_seen", "email_sent", "email_open", "email_open", "email_bounce"])


def test_the_channel_is_that_of_the_first_rule_that_fires(world: Any) -> None:
    told: list[tuple[dict[str, str], tuple[str, int | None, str]]] = [
        ({"utm_medium": " CPC ", "utm_source": "google"}, ("paid_search", 5, "paid_search")),
        ({"click_id": "gclid=abc"}, ("paid_search", 5, "paid_search")),
        ({"referrer": "https://www.google.com.br/"}, ("organic_search", 15, "organic_search")),
        ({"referrer": "https://blog.test/a"}, ("referral", 22, "referral")),
        ({"referrer": "https://acme.test/other", "url": "https://www.acme.test/x"}, ("direct", 2, "direct")),
        ({"lead_source": "webinar"}, ("webinar", 0, "webinar")),
        ({"lead_source": "webinar", "utm_medium": "cpc"}, ("paid_search", 5, "webinar")),
        ({"utm_medium": "strange"}, ("unassigned", None, "other")),
        ({"type": "email_click"}, ("email", 1, "email")),
        ({"type": "campaign_response", "campaign_source_id": "salesforce:campaign:1"}, ("webinar", 0, "webinar")),
        ({"type": "campaign_response"}, ("unassigned", 0, "other")),
    ]
    world.put("campaign", "salesforce:campaign:1", name="Spring webinar", channel="webinar")
    for n, (touch, _) in enumerate(told):
        person = f"hubspot:contacts:{n}"
        world.put("person", person)
        visit = {"type": "page_visit", "occurred_at": at(1), "person_source_id": person}
        world.put("touch", f"hubspot:visits:{n}", **(visit | touch))
    world.build()
    found = {
        t["source_id"]: (t["channel"], t["channel_rule"], t["lead_source"]) for t in world.table("core.touchpoint")
    }
    assert found == {f"hubspot:visits:{n}": wanted for n, (_, wanted) in enumerate(told)}


def test_both_lists_of_rules_say_of_any_touch_what_their_reading_says(world: Any, seed: int) -> None:
    """The shipped rules in SQL against the same rules in Python, on visits, forms and mails drawn at random."""
    rng, models = random.Random(seed), load().channel_models
    world.settings = settings(channel_model=models["ga4"], original_source_model=models["hubspot"])
    hosts = ("google.com", "br.search.yahoo.com", "mail.google.com", "linkedin.com", "chatgpt.com", "blog.example")
    words = {
        "utm_source": ("google", "LinkedIn", "newsletter", "chatgpt.com", " x ", "PaidSocial"),
        "utm_medium": ("CPC", "social", "email", "organic", "referral", "strange"),
        "utm_campaign": ("spring", "email_spring", "cross-network"),
        "click_id": ("gclid=1", "li_fat_id=1"),
        "referrer": tuple(f"https://{host}/" for host in hosts),
    }
    world.put("person", HUB)
    for number in range(200):
        touch = {name: rng.choice(known) for name, known in words.items() if rng.random() < 0.4}
        kind = rng.choice(("page_visit", "form_submission", "email_click"))
        world.put("touch", f"hubspot:visits:{number}", type=kind, occurred_at=at(number), person_source_id=HUB, **touch)
    world.build()
    touches = {row["source_id"]: row for row in world.table("staging.touch")}
    found = world.table("core.touchpoint")
    assert len(found) == 200
    for row in found:
        told = touches[row["source_id"]]
        seen = told | {"touch_type": told["type"], "referrer_host": referrer_host(told["referrer"])}
        assert (row["channel"], row["channel_rule"]) == classify(models["ga4"], seen), told
        assert (row["original_source"], row["original_source_rule"]) == classify(models["hubspot"], seen), told
    assert {row["original_source"] for row in found} >= {
        "paid_social",
        "email_marketing",
        "other_campaigns",
        "direct_traffic",
    }


def test_what_is_no_visit_is_offline_to_hubspot(world: Any) -> None:
    world.put("person", HUB)
    world.put("touch", "hubspot:visits:1", type="campaign_response", occurred_at=at(1), person_source_id=HUB)
    world.put("engagement", "hubspot:meetings:1", type="meeting", occurred_at=at(0), is_completed=True, subject="Demo")
    world.put("engagement_link", "hubspot:links:1", engagement_source_id="hubspot:meetings:1", person_source_id=HUB)
    world.build()
    found = {row["touch_type"]: row["original_source"] for row in world.table("core.touchpoint")}
    assert found == {"campaign_response": "offline", "meeting": None}
