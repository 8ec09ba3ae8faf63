"""Lists, single records, batches: caps, archives, merges, cursors."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.hubspot.associations import default_link
from sandbox.store import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CONTACTS = 230
CONTACTS_URL = "/crm/v3/objects/contacts"


def listed(http: requests.Session, path: str = CONTACTS_URL, **params: Any) -> list[str]:
    ids: list[str] = []
    after: str | None = None
    while True:
        answer = http.get(path, params={**params, "after": after})
        assert answer.status_code == 200, answer.text
        ids += [r["id"] for r in answer.json()["results"]]
        if "paging" not in answer.json():
            return ids
        after = answer.json()["paging"]["next"]["after"]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_pages_end_where_they_should(http: requests.Session, store: Store, count: int) -> None:
    for n in range(count + 1, CONTACTS + 1):
        store.delete("contacts", str(n), NOW)
    assert listed(http, limit=100) == [str(n) for n in range(1, count + 1)]


def test_order_is_numeric(http: requests.Session, store: Store) -> None:
    store.create("contacts", "1000", NOW, {})
    store.create("contacts", "999", NOW, {})
    assert listed(http, limit=7) == [str(n) for n in range(1, CONTACTS + 1)] + ["999", "1000"]


def test_writes_between_pages_break_no_cursor(http: requests.Session, store: Store) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    ids: list[str] = []
    after: str | None = None
    touched: set[str] = set()
    while True:
        page = http.get(CONTACTS_URL, params={"limit": 20, "after": after}).json()
        ids += [r["id"] for r in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
        for id_ in chance.sample(sorted(store.records["contacts"]), 15):
            if chance.random() < 0.5:
                store.update("contacts", id_, NOW, {"firstname": "Changed"})
            elif store.records["contacts"][id_].archived_at is None:
                store.archive("contacts", id_, NOW)
                touched.add(id_)
    assert len(ids) == len(set(ids)), f"seed {seed}"
    assert set(map(str, range(1, CONTACTS + 1))) - set(ids) <= touched, f"seed {seed}"


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 100}, 200),
        ({"limit": 101}, 400),
        ({"limit": 0}, 400),
        ({"limit": "many"}, 400),
        ({"limit": 50, "propertiesWithHistory": "lifecyclestage"}, 200),
        ({"limit": 51, "propertiesWithHistory": "lifecyclestage"}, 400),
        ({"after": "no-cursor"}, 400),
        ({"associations": "planets"}, 400),
    ],
)
def test_caps_of_a_list(http: requests.Session, params: dict[str, Any], status: int) -> None:
    answer = http.get(CONTACTS_URL, params=params)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["category"] == "VALIDATION_ERROR"
        assert answer.json()["status"] == "error"


def test_shows_a_record_as_hubspot_does(http: requests.Session) -> None:
    answer = http.get(CONTACTS_URL, params={"limit": "1", "properties": "email,phone,city,no_such_property"})
    (record,) = answer.json()["results"]
    assert record == {
        "id": "1",
        "properties": {
            "city": None,
            "createdate": "2026-03-01T08:01:00.123Z",
            "email": "Person1@acme.example",
            "hs_object_id": "1",
            "lastmodifieddate": "2026-03-01T08:01:00.123Z",
            "phone": "",
        },
        "createdAt": "2026-03-01T08:01:00.123Z",
        "updatedAt": "2026-03-01T08:01:00.123Z",
        "archived": False,
    }
    assert list(record["properties"]) == sorted(record["properties"])


def test_archived_records_are_apart(http: requests.Session, store: Store) -> None:
    store.archive("contacts", "7", NOW)
    assert "7" not in listed(http, limit=100)
    (record,) = http.get(CONTACTS_URL, params={"archived": "true"}).json()["results"]
    assert (record["id"], record["archived"], record["archivedAt"]) == ("7", True, "2026-03-10T12:00:00.000Z")
    assert record["updatedAt"] == "2026-03-01T08:07:00.123Z", "archiving does not bump the date"
    assert http.get(f"{CONTACTS_URL}/7").status_code == 404
    assert http.get(f"{CONTACTS_URL}/7", params={"archived": "true"}).status_code == 200
    store.restore("contacts", "7", NOW)
    assert http.get(f"{CONTACTS_URL}/7").status_code == 200
    assert listed(http, limit=100, archived="true") == []


def test_a_merged_id_answers_with_the_survivor(http: requests.Session, store: Store) -> None:
    store.create("contacts", "5000", NOW, {"email": "one@acme.example", "hs_merged_object_ids": "3;4"})
    store.merge("contacts", "3", "5000", NOW)
    store.merge("contacts", "4", "5000", NOW)
    store.create("contacts", "5001", NOW, {"hs_merged_object_ids": "5000;9;3;4"})
    store.merge("contacts", "5000", "5001", NOW)
    store.merge("contacts", "9", "5001", NOW)
    assert {http.get(f"{CONTACTS_URL}/{id_}").json()["id"] for id_ in ("3", "4", "9", "5000", "5001")} == {"5001"}
    gone = {"3", "4", "9", "5000"}
    assert gone.isdisjoint(listed(http, limit=100))
    assert listed(http, limit=100, archived="true") == []
    body = {"inputs": [{"id": "3"}, {"id": "9"}, {"id": "8"}], "properties": ["hs_merged_object_ids"]}
    answer = http.post(f"{CONTACTS_URL}/batch/read", json=body)
    assert answer.status_code == 200
    assert [r["id"] for r in answer.json()["results"]] == ["5001", "8"]


def test_hard_deleted_is_gone(http: requests.Session, store: Store) -> None:
    store.delete("contacts", "3", NOW)
    answer = http.get(f"{CONTACTS_URL}/3")
    assert (answer.status_code, answer.json()["category"]) == (404, "OBJECT_NOT_FOUND")
    assert "3" not in listed(http, limit=100, archived="true")


def test_batch_read_names_what_is_missing(http: requests.Session) -> None:
    body = {"inputs": [{"id": "1"}, {"id": "777"}, {"id": "778"}, {"id": "2"}]}
    answer = http.post(f"{CONTACTS_URL}/batch/read", json=body)
    assert answer.status_code == 207
    assert [r["id"] for r in answer.json()["results"]] == ["1", "2"]
    assert answer.json()["numErrors"] == 1
    (error,) = answer.json()["errors"]
    assert (error["category"], error["context"]) == ("OBJECT_NOT_FOUND", {"ids": ["777", "778"]})


@pytest.mark.parametrize(
    ("count", "history", "status"), [(100, [], 200), (101, [], 400), (50, ["a"], 200), (51, ["a"], 400)]
)
def test_caps_of_a_batch(http: requests.Session, count: int, history: list[str], status: int) -> None:
    body = {"inputs": [{"id": str(n)} for n in range(1, count + 1)], "propertiesWithHistory": history}
    assert http.post(f"{CONTACTS_URL}/batch/read", json=body).status_code == status


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"{}", b'{"inputs":[1]}', b'{"inputs":[{}]}', b'{"inputs":[],"properties":3}']
)
def test_malformed_batches(http: requests.Session, body: bytes) -> None:
    assert http.post(f"{CONTACTS_URL}/batch/read", data=body).status_code == 400


def test_id_property(http: requests.Session, store: Store) -> None:
    store.update("contacts", "2", NOW, {"hs_additional_emails": "second@acme.example;third@acme.example"})
    body = {
        "idProperty": "email",
        "inputs": [{"id": "PERSON1@acme.example"}, {"id": "third@acme.example"}, {"id": "no"}],
    }
    answer = http.post(f"{CONTACTS_URL}/batch/read", json=body)
    assert answer.status_code == 207
    assert [r["id"] for r in answer.json()["results"]] == ["1", "2"]
    body["idProperty"] = "firstname"
    assert http.post(f"{CONTACTS_URL}/batch/read", json=body).status_code == 400


def test_history_is_newest_first(http: requests.Session, store: Store) -> None:
    store.update("contacts", "1", NOW - timedelta(hours=1), {"lifecyclestage": "opportunity"}, by="AUTOMATION_PLATFORM")
    params = {"propertiesWithHistory": "lifecyclestage,email"}
    record = http.get(f"{CONTACTS_URL}/1", params=params).json()
    assert record["propertiesWithHistory"]["lifecyclestage"] == [
        {"value": "opportunity", "timestamp": "2026-03-10T11:00:00.000Z", "sourceType": "AUTOMATION_PLATFORM"},
        {"value": "lead", "timestamp": "2026-03-01T08:01:00.123Z", "sourceType": "INTEGRATION"},
    ]
    assert [v["value"] for v in record["propertiesWithHistory"]["email"]] == ["Person1@acme.example"]


@pytest.mark.usefixtures("hub")
def test_inline_associations_repeat_types_and_end_at_a_hundred(http: requests.Session) -> None:
    params = {"associations": "contacts,deals"}
    shown = http.get("/crm/v3/objects/companies/7503", params=params).json()["associations"]
    rows = shown["contacts"]["results"]
    assert [r["id"] for r in rows[:3]] == ["10001", "10001", "10002"]
    assert {r["type"] for r in rows} == {"company_to_contact", "company_to_contact_unlabeled"}
    assert len(rows) == 100
    assert shown["contacts"]["paging"]["next"]["after"]
    assert "deals" not in shown
    assert "associations" not in http.get("/crm/v3/objects/companies/7501", params=params).json()


def test_associations_of_a_hub_are_paged_per_object(http: requests.Session, store: Store, hub: list[str]) -> None:
    store.link("companies", "7501", "contacts", "1", default_link("companies", "contacts"))
    url = "/crm/v4/associations/companies/contacts/batch/read"
    inputs: list[dict[str, str]] = [{"id": "7501"}, {"id": "7502"}, {"id": "7503"}]
    found: dict[str, list[str]] = {}
    pages = 0
    while inputs:
        answer = http.post(url, json={"inputs": inputs})
        if pages == 0:
            assert answer.status_code == 207
            assert [e["context"]["fromObjectId"] for e in answer.json()["errors"]] == [["7502"]]
        pages += 1
        inputs = []
        for result in answer.json()["results"]:
            found.setdefault(result["from"]["id"], []).extend(to["toObjectId"] for to in result["to"])
            if "paging" in result:
                inputs.append({"id": result["from"]["id"], "after": result["paging"]["next"]["after"]})
    assert pages == 3
    assert found == {"7501": ["1"], "7503": hub}
    by_get = listed_links(http, "/crm/v4/objects/companies/7503/associations/contacts")
    assert by_get == found["7503"]


def listed_links(http: requests.Session, path: str) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = http.get(path, params={"limit": 500, "after": after}).json()
        found += [to["toObjectId"] for to in page["results"]]
        if "paging" not in page:
            return found
        after = page["paging"]["next"]["after"]


def test_archived_ends_hide_links(http: requests.Session, store: Store) -> None:
    store.link("contacts", "1", "companies", "7501", default_link("contacts", "companies"))
    path = "/crm/v4/objects/contacts/1/associations/companies"
    assert listed_links(http, path) == ["7501"]
    store.archive("companies", "7501", NOW)
    assert listed_links(http, path) == []
    body = {"inputs": [{"id": "1"}]}
    assert http.post("/crm/v4/associations/contacts/companies/batch/read", json=body).status_code == 207
    store.restore("companies", "7501", NOW)
    assert listed_links(http, path) == ["7501"]


@pytest.mark.parametrize(("count", "status"), [(1_000, 207), (1_001, 400)])
def test_caps_of_association_batches(http: requests.Session, count: int, status: int) -> None:
    body = {"inputs": [{"id": str(n)} for n in range(count)]}
    assert http.post("/crm/v4/associations/contacts/companies/batch/read", json=body).status_code == status


def test_labels(http: requests.Session) -> None:
    labels = http.get("/crm/v4/associations/contacts/companies/labels").json()["results"]
    assert labels == [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
    ]
