"""Who is who: what ties records, what does not, and what an id outlives."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.staging_rows import at, id_of, settings
from transforms.build import build

HUB, LEAD, CONTACT = "hubspot:contacts:1", "salesforce:lead:1", "salesforce:contact:1"


def test_cross_ids_mails_and_merges_make_one_person_anchored_by_the_earliest_record(world: Any) -> None:
    world.put("person", HUB, email="ana@acme.test", created_at=at(0), same_as=[LEAD])
    world.put("person", LEAD, full_name="Ana Souza", created_at=at(1), same_as=[CONTACT])
    world.put("person", CONTACT, created_at=at(2))
    world.put("person", "hubspot:contacts:2", other_emails=["ana@acme.test"], created_at=at(3))
    world.put(
        "person", "hubspot:contacts:3", merged_into_source_id="hubspot:contacts:2", is_deleted=True, created_at=None
    )
    world.put("person", "hubspot:contacts:9", email="bob@acme.test")
    world.build()
    everyone = {HUB, LEAD, CONTACT, "hubspot:contacts:2", "hubspot:contacts:3"}
    assert world.groups() == {frozenset(everyone), frozenset({"hubspot:contacts:9"})}
    assert {world.people()[s] for s in everyone} == {id_of("person", HUB)}
    reasons = {row["source_id"]: (row["rule"], row["value"]) for row in world.table("core.identity_link")}
    assert reasons == {
        HUB: ("anchor", HUB),
        LEAD: ("cross_id", LEAD),
        CONTACT: ("cross_id", CONTACT),
        "hubspot:contacts:2": ("email", "ana@acme.test"),
        "hubspot:contacts:3": ("merge", "hubspot:contacts:2"),
        "hubspot:contacts:9": ("anchor", "hubspot:contacts:9"),
    }
    aliases = {row["alias_id"]: row["person_id"] for row in world.table("core.person_alias")}
    assert aliases == {id_of("person", s): p for s, p in world.people().items()}


def test_what_was_found_out_keeps_the_time_at_which_it_was(world: Any) -> None:
    """Whether a build is a full one or not: until it is another finding."""

    def found(table: str, *key: str) -> dict[tuple[str, ...], Any]:
        return {tuple(str(row[column]) for column in key): row["found_at"] for row in world.table(table)}

    def all_evidence() -> dict[tuple[str, ...], Any]:
        return found("core.identity_evidence", "source_id", "rule", "value")

    world.put("person", HUB, email="ana@acme.test", created_at=at(0))
    world.put("person", LEAD, email="bob@acme.test", created_at=at(1))
    world.build()
    for table in ("core.person_alias", "core.identity_evidence"):  # all builds of a test are in one transaction
        world.connection.execute(sa.text(f"UPDATE {table} SET found_at = found_at - interval '1 day'"))
    aliases, evidence = found("core.person_alias", "alias_id"), all_evidence()
    world.put("person", LEAD, email="bob@acme.test", created_at=at(1), same_as=[HUB])
    world.build()
    later = found("core.person_alias", "alias_id")
    hub, lead = ((str(id_of("person", each)),) for each in (HUB, LEAD))
    assert later[hub] == aliases[hub]
    assert later[lead] > aliases[lead]
    build(world.connection, settings(), full=True)
    assert found("core.person_alias", "alias_id") == later
    assert evidence.items() <= all_evidence().items()


@pytest.mark.parametrize("address", ["info@acme.test", "noreply@acme.test", "sales+x@acme.test", "test@test.com"])
def test_role_mailboxes_and_placeholders_tie_nobody(world: Any, address: str) -> None:
    world.put("person", HUB, email=address)
    world.put("person", LEAD, email=address)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD})}


def test_an_address_ties_up_to_the_cap_and_nobody_beyond_it_and_again_when_one_goes(world: Any) -> None:
    world.settings = settings(shared_value_cap=3)
    ids = [f"hubspot:contacts:{n}" for n in range(4)]
    for source_id in ids[:3]:
        world.put("person", source_id, email="team@gamma.test")
    world.put("person", ids[0], email="shared@acme.test")
    for source_id in ids[1:3]:
        world.put("person", source_id, email="shared@acme.test")
    world.build()
    assert world.groups() == {frozenset(ids[:3])}
    world.put("person", ids[3], email="shared@acme.test")
    world.build()
    assert world.groups() == {frozenset({i}) for i in ids}
    world.drop("person", ids[0])
    world.build()
    assert world.groups() == {frozenset(ids[1:])}


@pytest.mark.parametrize(
    ("email", "name"), [("bob@beta.test", "Bob Lee"), (None, "Bob Lee"), ("kim@beta.test", "김민준")]
)
def test_a_wrong_cross_id_is_not_trusted(world: Any, email: str | None, name: str) -> None:
    world.put("person", HUB, email="ana@acme.test", full_name="Ana Souza", same_as=[LEAD])
    world.put("person", LEAD, email=email, full_name=name)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD})}


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("bob@beta.test", "ana  SOUZA"),
        ("ana@beta.test", "Bob Lee"),
        (None, "ana souza"),
        ("bob@beta.test", None),
        (None, "김민준"),
        (None, None),
        ("x@b.test", "A. Souza"),
    ],
)
def test_a_cross_id_is_trusted_when_anything_agrees_or_is_missing(
    world: Any, email: str | None, name: str | None
) -> None:
    world.put("person", HUB, email="ana@acme.test", full_name="Ana Souza", same_as=[LEAD])
    world.put("person", LEAD, email=email, full_name=name)
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD})}


def test_of_two_that_name_one_record_the_one_with_better_reason_is_trusted(world: Any) -> None:
    world.put("person", HUB, full_name="Ana Souza", same_as=[LEAD])
    world.put("person", "hubspot:contacts:2", full_name="김민준", same_as=[LEAD])
    world.put("person", LEAD, full_name="Ana Souza")
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD}), frozenset({"hubspot:contacts:2"})}
    world.put("person", HUB, full_name="Ana Souza", same_as=[])
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({"hubspot:contacts:2", LEAD})}


def test_a_record_that_shares_a_number_has_better_reason_than_one_that_names_it_silently(world: Any) -> None:
    other, phone = "hubspot:contacts:2", "+819085907722"
    world.put("person", HUB, full_name="Aoi Suzuki", email="aoi@acme.test", same_as=[LEAD])
    world.put("person", LEAD, full_name="鈴木 直樹", phone=phone)
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD})}
    world.put("person", other, full_name="鈴木 直樹", phone=phone)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD, other})}
    conflict = world.one("core.identity_conflict")
    assert (conflict["value"], conflict["conflict"], conflict["source_ids"]) == (LEAD, "names_disagree", [HUB])
    world.put("person", other, full_name="鈴木 直樹")
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD}), frozenset({other})}
    assert world.table("core.identity_conflict") == []
    world.put("person", "marketo:leads:3", full_name="鈴木 直樹", phone=phone)  # of another system: both may be right
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD, "marketo:leads:3"}), frozenset({other})}


def test_an_address_with_a_tag_is_the_address(world: Any) -> None:
    world.put("person", HUB, email="ana+news@acme.test")
    world.put("person", LEAD, email="ana@acme.test")
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD})}


@pytest.mark.parametrize(
    ("name", "phone", "is_one"),
    [
        ("ANA de Souzá", "+5511999998888", True),
        ("Ana de Souza 😀", "+5511999998888", True),
        ("Bia de Souza", "+5511999998888", False),
        ("Ana de Souza", "+5511999998889", False),
        (None, "+5511999998888", False),
    ],
)
def test_a_number_ties_with_the_same_name_only(world: Any, name: str | None, phone: str, is_one: bool) -> None:  # noqa: FBT001
    world.put("person", HUB, full_name="Ana de Souza", phone="+5511999998888", email="ana@acme.test", created_at=at(0))
    world.put("person", LEAD, full_name=name, mobile_phone=phone, email="ana@gmail.com", created_at=at(1))
    world.build()
    assert world.groups() == ({frozenset({HUB, LEAD})} if is_one else {frozenset({HUB}), frozenset({LEAD})})
    if is_one:
        link = next(row for row in world.table("core.identity_link") if row["source_id"] == LEAD)
        assert (link["rule"], link["value"]) == ("phone", "+5511999998888 ana de souza")


def test_a_name_ties_at_one_companys_domain_by_address_or_account(world: Any) -> None:
    world.put("account", "salesforce:account:1", domain="acme.test")
    world.put("person", HUB, full_name="Ana Souza", email="ana@acme.test", created_at=at(0))
    world.put("person", LEAD, full_name="SOUZA", email="souza@acme.test", created_at=at(1))
    world.put("person", CONTACT, full_name="Ana SOUZA", account_source_id="salesforce:account:1", created_at=at(2))
    world.put("person", "hubspot:contacts:2", full_name="Ana Souza", email="ana.souza@gmail.com")
    world.build()
    apart = frozenset({LEAD}), frozenset({"hubspot:contacts:2"})
    assert world.groups() == {frozenset({HUB, CONTACT}), *apart}
    world.put("account", "salesforce:account:1", domain="beta.test")
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({CONTACT}), *apart}
    world.put("account", "salesforce:account:1", domain="acme.test")
    world.build()
    assert world.groups() == {frozenset({HUB, CONTACT}), *apart}


@pytest.mark.parametrize("address", ["a.souza@acme.test", "info@acme.test", "ana@south.acme.test"])
def test_one_name_with_two_mailboxes_at_work_may_be_two_people_and_is_shown(world: Any, address: str) -> None:
    world.put("account", "salesforce:account:1", domain="acme.test")
    mine = {"full_name": "Ana Souza", "account_source_id": "salesforce:account:1"}
    world.put("person", HUB, **mine, email="ana@acme.test")
    world.put("person", LEAD, **mine, email=address)
    world.build()
    assert world.groups() == {frozenset({HUB}), frozenset({LEAD})}
    conflict = world.one("core.identity_conflict")
    assert (conflict["rule"], conflict["value"], conflict["conflict"]) == (
        "name_domain", "ana souza @acme.test", "several_mailboxes",
    )  # fmt: skip
    assert conflict["source_ids"] == [HUB, LEAD]
    world.put("person", LEAD, **mine, email="ana@gmail.com")
    world.build()
    assert world.groups() == {frozenset({HUB, LEAD})}
    assert world.table("core.identity_conflict") == []


def test_what_is_not_trusted_is_shown_until_it_is_mended(world: Any) -> None:
    world.settings = settings(shared_value_cap=2)
    for n in range(3):
        world.put("person", f"hubspot:contacts:{n}", email="crew@acme.test", full_name=f"Nr{n} Some")
    world.put("person", LEAD, email="bob@beta.test", full_name="Bob Lee", same_as=["hubspot:contacts:0"])
    for n in (1, 2):
        world.put("account", f"salesforce:account:{n}", domain="acme.test")
    world.build()
    found = {
        row["conflict"]: (row["kind"], row["rule"], row["source_ids"]) for row in world.table("core.identity_conflict")
    }
    assert found == {
        "shared_by_many": ("person", "email", [f"hubspot:contacts:{n}" for n in range(3)]),
        "names_disagree": ("person", "cross_id", [LEAD]),
        "several_accounts": ("account", "domain", ["salesforce:account:1", "salesforce:account:2"]),
    }
    world.put("person", "hubspot:contacts:0", email="bob@beta.test", full_name="Bob Lee")
    world.put("account", "salesforce:account:2", domain="acme.test", is_deleted=True)
    world.build()
    assert world.table("core.identity_conflict") == []


def test_a_group_that_became_large_is_shown_under_its_earliest_record(world: Any) -> None:
    world.settings = settings(group_size_cap=3)
    for n, emails in enumerate((["a0"], ["a0", "a1"], ["a1", "a2"], ["b"])):
        addresses = [f"{email}@acme.test" for email in emails]
        world.put("person", f"hubspot:contacts:{n}", other_emails=addresses, created_at=at(n))
    world.build()
    assert world.table("core.identity_conflict") == []
    world.put("person", "hubspot:contacts:3", other_emails=["a2@acme.test"], created_at=at(3))
    world.build()
    row = world.one("core.identity_conflict")
    assert (row["kind"], row["rule"], row["conflict"]) == ("person", "group", "large_group")
    assert (row["value"], row["source_ids"]) == ("hubspot:contacts:0", [f"hubspot:contacts:{n}" for n in range(4)])
    world.put("person", "hubspot:contacts:1", other_emails=["c@acme.test"], created_at=at(1))
    world.build()
    assert world.table("core.identity_conflict") == []


def test_a_long_chain_of_merges_is_one_person(world: Any) -> None:
    ids = [f"hubspot:contacts:{n}" for n in range(60)]
    for before, after in pairwise(ids):
        world.put("person", before, merged_into_source_id=after, is_deleted=True)
    world.put("person", ids[-1], created_at=at(5))
    world.build()
    assert world.groups() == {frozenset(ids)}


def test_undoing_a_merge_splits_the_person_and_gives_the_old_ids_back(world: Any) -> None:
    world.put("person", HUB, created_at=at(0))
    world.put("person", "hubspot:contacts:2", created_at=at(1))
    world.put(
        "touch", "hubspot:email_events:7", type="email_open", occurred_at=at(2), person_source_id="hubspot:contacts:2"
    )
    world.build()
    before = world.people()
    world.put("person", "hubspot:contacts:2", created_at=at(1), merged_into_source_id=HUB, is_deleted=True)
    world.build()
    assert set(world.people().values()) == {before[HUB]}
    assert world.one("core.touchpoint")["person_id"] == before[HUB]
    event = world.one("core.touchpoint")["event_id"]
    world.put("person", "hubspot:contacts:2", created_at=at(1))
    world.build()
    assert world.people() == before
    assert world.one("core.touchpoint")["person_id"] == before["hubspot:contacts:2"]
    assert world.one("core.touchpoint")["event_id"] == event


def test_survivorship_takes_the_crm_then_the_latest_and_never_an_empty_value(world: Any) -> None:
    shared = {"email": "ana@acme.test"}
    world.put(
        "person",
        HUB,
        **shared,
        full_name="A. Souza",
        job_title="CTO",
        phone="+15550100",
        funnel_stage="sql",
        lead_source="offline",
        is_opted_out=True,
        created_at=at(0),
        version_at=at(9),
    )
    world.put(
        "person",
        LEAD,
        **shared,
        full_name="Ana Souza",
        job_title="",
        funnel_stage="mql",
        lead_source="webinar",
        owner_source_id="salesforce:user:1",
        is_opted_out=False,
        created_at=at(2),
        version_at=at(3),
    )
    world.put(
        "person",
        CONTACT,
        **shared,
        full_name="Ana S. Lima",
        lead_source="paid_search",
        created_at=at(4),
        version_at=at(5),
    )
    world.build()
    person = world.one("core.person")
    assert (person["full_name"], person["job_title"], person["phone"]) == ("Ana S. Lima", "CTO", "+15550100")
    assert (person["funnel_stage"], person["lead_source"]) == ("sql", "webinar")
    assert (person["is_opted_out"], person["is_deleted"]) == (True, False)
    assert (person["record_count"], person["system_count"], person["owner_source_id"]) == (3, 2, "salesforce:user:1")


def test_a_deal_and_its_copy_without_a_cross_id_are_one_by_name_and_amount(world: Any) -> None:
    deal = {
        "name": "Acme - 20 seats",
        "amount": Decimal("1000.50"),
        "currency": "EUR",
        "status": "won",
        "closed_at": at(3),
    }
    world.put("opportunity", "hubspot:deals:1", **deal, created_at=at(1))
    world.put("opportunity", "salesforce:opportunity:1", **deal | {"name": "ACME – 20 Seats"}, created_at=at(0))
    world.put("opportunity", "salesforce:opportunity:2", **deal | {"amount": Decimal(2000)}, created_at=at(0))
    world.build()
    assert len(world.table("core.opportunity")) == 2
    world.put("opportunity", "salesforce:opportunity:2", **deal, created_at=at(0))
    world.build()
    assert len(world.table("core.opportunity")) == 3, "two live ones of one system: which is the copy of which?"
    world.put("opportunity", "salesforce:opportunity:2", **deal, created_at=at(0), is_deleted=True)
    world.build()
    assert len(world.table("core.opportunity")) == 1
