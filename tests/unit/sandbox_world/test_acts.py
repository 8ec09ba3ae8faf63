"""Each targeted act changes the store and the truth alike."""

import pytest

from sandbox.world import World
from tests.support.worlds import disagreements


@pytest.fixture
def small(seed: int) -> World:
    return World(seed, 150)


def ids(world: World, vendor: str, kind: str) -> list[str]:
    return [r.id for r in (world.hubspot if vendor == "hubspot" else world.salesforce).live(kind)]


@pytest.mark.parametrize(
    ("vendor", "kind", "field"), [("hubspot", "contacts", "firstname"), ("salesforce", "Lead", "City")]
)
def test_update(small: World, vendor: str, kind: str, field: str) -> None:
    id_ = ids(small, vendor, kind)[0]
    small.act(vendor, "update", kind, id_, {field: "new"})
    store = small.hubspot if vendor == "hubspot" else small.salesforce
    record = store.get(kind, id_)
    assert record is not None
    assert record.fields[field] == "new"
    assert record.modified_at == small.now()
    assert disagreements(small) == []


@pytest.mark.parametrize(("vendor", "kind"), [("hubspot", "deals"), ("salesforce", "Task")])
def test_archive_and_restore(small: World, vendor: str, kind: str) -> None:
    id_ = ids(small, vendor, kind)[0]
    small.act(vendor, "archive", kind, id_)
    assert id_ not in ids(small, vendor, kind)
    assert disagreements(small) == []
    small.advance(1)
    small.act(vendor, "restore", kind, id_)
    assert id_ in ids(small, vendor, kind)
    assert disagreements(small) == []


def test_delete_leaves_nothing_but_the_truth(small: World) -> None:
    id_ = ids(small, "hubspot", "contacts")[0]
    small.act("hubspot", "delete", "contacts", id_)
    assert small.hubspot.get("contacts", id_) is None
    entry = small.truth.entry("hubspot", "contacts", id_)
    assert entry is not None
    assert entry.state == "deleted"
    assert disagreements(small) == []


def test_merge_at_hubspot_gives_a_new_record_of_the_same_person(small: World) -> None:
    winner, loser = ids(small, "hubspot", "contacts")[:2]
    new = small.act("hubspot", "merge", "contacts", loser, {"into": winner})
    assert new not in {winner, loser}
    owner = {r["record_id"]: r["person_id"] for r in small.truth.rows("person") if r["kind"] == "contacts"}
    assert owner[new] == owner[winner]
    record = small.hubspot.get("contacts", new)
    assert record is not None
    assert record.fields["hs_merged_object_ids"] == f"{winner};{loser}"
    again = small.act("hubspot", "merge", "contacts", ids(small, "hubspot", "contacts")[0], {"into": new})
    merged = small.hubspot.get("contacts", again)
    assert merged is not None
    assert {winner, loser, new} <= set(merged.fields["hs_merged_object_ids"].split(";"))
    small.advance(3)
    assert disagreements(small) == []


def test_merge_at_salesforce_points_at_the_master_and_moves_what_hangs_on_it(small: World) -> None:
    open_leads = [r.id for r in small.salesforce.live("Lead") if not r.fields["IsConverted"]]
    winner, loser = open_leads[:2]
    tasks = [r.id for r in small.salesforce.live("Task") if r.fields["WhoId"] == loser]
    small.act("salesforce", "merge", "Lead", loser, {"into": winner})
    record = small.salesforce.get("Lead", loser)
    assert record is not None
    assert record.merged_into == winner
    assert record.archived_at == small.now()
    assert all(small.salesforce.records["Task"][t].fields["WhoId"] == winner for t in tasks)
    assert disagreements(small) == []


def test_create_link_and_unlink(small: World) -> None:
    company = small.act("hubspot", "create", "companies", None, {"name": "Nova"})
    contact = small.act("hubspot", "create", "contacts", None, {"email": "a@nova.example", "person_id": "P1"})
    ends = {"to_kind": "companies", "to_id": company}
    small.act("hubspot", "link", "contacts", contact, {**ends, "type_id": 279, "back_type_id": 280})
    there = small.hubspot.links["contacts", "companies"][contact][company]
    back = small.hubspot.links["companies", "contacts"][company][contact]
    assert {link.type_id for link in there} == {279}
    assert {link.type_id for link in back} == {280}
    small.act("hubspot", "unlink", "contacts", contact, ends)
    assert company not in small.hubspot.links["contacts", "companies"][contact]
    assert contact not in small.hubspot.links["companies", "contacts"][company]
    rows = [r for r in small.truth.rows("person") if r["record_id"] == contact and r["kind"] == "contacts"]
    assert [(r["person_id"], r["undecidable"]) for r in rows] == [("P1", False)]


def test_a_lead_that_is_created_gets_an_id_of_its_kind(small: World) -> None:
    id_ = small.act("salesforce", "create", "Lead", None, {"LastName": "Silva", "Company": "Nova"})
    assert id_.startswith("00Q")
    assert len(id_) == 18
    assert disagreements(small) == []


def test_what_does_not_exist_or_is_in_another_state_is_refused(small: World) -> None:
    id_ = ids(small, "salesforce", "Lead")[0]
    with pytest.raises(ValueError, match="does not exist"):
        small.act("salesforce", "update", "Lead", "00Q", {})
    with pytest.raises(ValueError, match="restore is not possible"):
        small.act("salesforce", "restore", "Lead", id_)
    with pytest.raises(ValueError, match="not another live record"):
        small.act("salesforce", "merge", "Lead", id_, {"into": id_})
    first, second = ids(small, "salesforce", "Task")[:2]
    with pytest.raises(ValueError, match="does not merge Task"):
        small.act("salesforce", "merge", "Task", first, {"into": second})
    with pytest.raises(ValueError, match="exists or did exist"):
        small.act("salesforce", "create", "Lead", id_, {})
    with pytest.raises(ValueError, match="no verb"):
        small.act("salesforce", "paint", "Lead", id_)
    assert disagreements(small) == []
