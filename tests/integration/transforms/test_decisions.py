"""What somebody decides of who is who: the next build goes by it, and all is as it was when it is taken back."""

from typing import Any

import pytest

from errors import SmarketingError
from tests.support.staging_rows import at, id_of
from warehouse import decisions

HUB, LEAD, CONTACT = "hubspot:contacts:1", "salesforce:lead:1", "salesforce:contact:1"


def test_a_record_is_split_off_stays_apart_and_comes_back_when_that_is_undone(world: Any) -> None:
    world.put("person", HUB, full_name="Ana Souza", email="ana@acme.test", created_at=at(0))
    world.put("person", LEAD, full_name="Ana Souza", email="ana@acme.test", same_as=[HUB], created_at=at(1))
    world.put("person", CONTACT, full_name="Ana Souza", email="ana@acme.test", same_as=[LEAD], created_at=at(2))
    world.put("touch", "hubspot:email_events:1", type="email_open", occurred_at=at(3), person_source_id=LEAD)
    world.put("touch", "hubspot:email_events:2", type="email_open", occurred_at=at(3), person_email="ana@acme.test")
    world.build()
    before = world.people()
    closed = decisions.split(world.connection, LEAD, "another Ana")
    assert {(row.source_id, row.rule) for row in closed} == {
        (LEAD, "email"), (LEAD, "name_domain"), (LEAD, "cross_id"), (CONTACT, "cross_id"),
    }  # fmt: skip
    world.build()
    assert world.groups() == {frozenset({HUB, CONTACT}), frozenset({LEAD})}
    touched = {row["source_id"]: row["person_id"] for row in world.table("core.touchpoint")}
    assert touched == {
        "hubspot:email_events:1": id_of("person", LEAD), "hubspot:email_events:2": id_of("person", HUB),
    }  # fmt: skip
    world.put("person", LEAD, full_name="Ana Souza", email="ana@acme.test", same_as=[HUB], created_at=at(1), score=7)
    world.build()
    assert world.groups() == {frozenset({HUB, CONTACT}), frozenset({LEAD})}
    for row in closed:
        decisions.withdraw(world.connection, row.decision_id)
    world.build()
    assert world.people() == before
    assert {row["person_id"] for row in world.table("core.touchpoint")} == {id_of("person", HUB)}


def test_records_are_joined_by_decision_and_come_apart_when_it_is_withdrawn(world: Any) -> None:
    world.put("person", HUB, full_name="Ana Souza", created_at=at(0))
    world.put("person", LEAD, full_name="A. Lima", created_at=at(1))
    world.build()
    number = decisions.join(world.connection, LEAD, HUB, "married")
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD})}
    assert next(r["rule"] for r in world.table("core.identity_link") if r["source_id"] == LEAD) == "decision"
    with pytest.raises(SmarketingError, match="one already"):
        decisions.join(world.connection, LEAD, HUB, None)
    decisions.withdraw(world.connection, number)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD})}
    decisions.join(world.connection, LEAD, HUB, None)
    world.build()
    decisions.split(world.connection, HUB, None)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD})}


def test_what_cannot_be_decided_is_said(world: Any) -> None:
    world.put("person", HUB)
    world.put("account", "salesforce:account:1")
    world.build()
    with pytest.raises(SmarketingError, match="No record x is known"):
        decisions.split(world.connection, "x", None)
    with pytest.raises(SmarketingError, match="Nothing ties"):
        decisions.split(world.connection, HUB, None)
    with pytest.raises(SmarketingError, match="not of one kind"):
        decisions.join(world.connection, HUB, "salesforce:account:1", None)
    with pytest.raises(SmarketingError, match="no decision 77"):
        decisions.withdraw(world.connection, 77)
