"""The search endpoint: filters, caps, order, lag."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.context import Context
from sandbox.store import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
START = datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)
CONTACTS = 230
URL = "/crm/v3/objects/contacts/search"


def search(http: requests.Session, *filters: dict[str, Any], **body: Any) -> list[str]:
    groups = [{"filters": list(filters)}] if filters else []
    answer = http.post(URL, json={"filterGroups": groups, "limit": 200, **body})
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] >= len(answer.json()["results"])
    return [r["id"] for r in answer.json()["results"]]


def one(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"values" if isinstance(value, list) else "value": value}
    return {"propertyName": name, "operator": operator, **given, **more}


FIRST_FOUR = ["1", "2", "3", "4"]
MS = int(START.timestamp() * 1000)
MINUTE = 60_000


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (one("email", "EQ", "PERSON7@ACME.example"), ["7"]),
        (one("email", "IN", ["person7@acme.example", "person8@acme.example"]), ["7", "8"]),
        (one("email", "IN", ["Person7@acme.example"]), []),
        (one("hs_object_id", "IN", ["7", "8", "9999"]), ["7", "8"]),
        (one("hs_object_id", "LT", "5"), FIRST_FOUR),
        (one("hs_object_id", "LTE", 4), FIRST_FOUR),
        (one("hs_object_id", "BETWEEN", "1", highValue="4"), FIRST_FOUR),
        (one("hs_object_id", "GT", "228"), ["229", "230"]),
        (one("hs_object_id", "GTE", "229"), ["229", "230"]),
        (one("lifecyclestage", "EQ", "customer"), ["5"]),
        (one("lifecyclestage", "NEQ", "lead"), ["5"]),
        (one("lifecyclestage", "NOT_IN", ["lead"]), ["5"]),
        (one("lifecyclestage", "EQ", "CUSTOMER"), []),
        (one("phone", "HAS_PROPERTY"), []),
        (one("hs_lastmodifieddate", "GTE", str(MS)), []),
        (one("firstname", "CONTAINS_TOKEN", "given5"), ["5"]),
        (one("email", "CONTAINS_TOKEN", "person5*"), ["5", *[str(n) for n in range(50, 60)]]),
        (one("lastmodifieddate", "GTE", str(MS + 229 * MINUTE)), ["5", "229", "230"]),
        (one("lastmodifieddate", "GT", "2026-03-01T11:49:00.123Z"), ["5", "230"]),
        (one("lastmodifieddate", "LTE", "2026-03-01T08:01:00.123Z"), ["1"]),
        (one("lastmodifieddate", "LT", MS + MINUTE), []),
        (one("lastmodifieddate", "EQ", MS + 2 * MINUTE), ["2"]),
        (one("lastmodifieddate", "BETWEEN", MS + MINUTE, highValue=MS + 4 * MINUTE), FIRST_FOUR),
        (one("createdate", "BETWEEN", MS + MINUTE, highValue=MS + 4 * MINUTE), FIRST_FOUR),
    ],
)
def test_operators(http: requests.Session, condition: dict[str, Any], found: list[str]) -> None:
    assert search(http, condition) == found


def test_property_without_value(http: requests.Session) -> None:
    assert len(search(http, one("lastname", "HAS_PROPERTY"))) == CONTACTS // 2
    assert search(http, one("lastname", "NOT_HAS_PROPERTY"))[:2] == ["2", "4"]
    assert search(http, one("lastname", "NEQ", "x"))[:2] == ["1", "3"], "no value is not unequal"


def test_groups_are_alternatives(http: requests.Session) -> None:
    groups = [
        {"filters": [one("hs_object_id", "LT", "5"), one("hubspotscore", "GT", "2")]},
        {"filters": [one("email", "EQ", "person9@acme.example")]},
    ]
    assert search(http, filterGroups=groups) == ["3", "4", "9"]


def test_dates_of_groups_do_not_hide_alternatives(http: requests.Session) -> None:
    dated = {"filters": [one("lastmodifieddate", "LTE", MS + MINUTE)]}
    later = {"filters": [one("lastmodifieddate", "GTE", MS + 230 * MINUTE)]}
    other = {"filters": [one("hs_object_id", "EQ", "100")]}
    assert search(http, filterGroups=[dated, later]) == ["1", "5", "230"]
    assert search(http, filterGroups=[dated, other]) == ["1", "100"]


def test_query_and_sorts(http: requests.Session) -> None:
    assert search(http, query="given23") == ["23", "230"]
    rule = {"propertyName": "hs_object_id", "direction": "DESCENDING"}
    assert search(http, one("hs_object_id", "LT", "4"), sorts=[rule]) == ["3", "2", "1"]
    assert search(http, one("hs_object_id", "LT", "4"), sorts=["-hs_object_id"]) == ["1", "2", "3"]


def test_pages(http: requests.Session) -> None:
    found: list[str] = []
    body: dict[str, Any] = {"limit": 100}
    while True:
        answer = http.post(URL, json=body).json()
        assert answer["total"] == CONTACTS
        found += [r["id"] for r in answer["results"]]
        if "paging" not in answer:
            break
        body["after"] = answer["paging"]["next"]["after"]
    assert found == [str(n) for n in range(1, CONTACTS + 1)]


def test_the_10001st_row_cannot_be_reached(http: requests.Session, store: Store) -> None:
    bulk = START - timedelta(days=1)
    for n in range(20_000, 32_000):
        store.create("contacts", str(n), bulk, {})
    same = one("lastmodifieddate", "EQ", str(int(bulk.timestamp() * 1000)))
    body = {"filterGroups": [{"filters": [same]}], "limit": 200, "after": 9_800}
    last = http.post(URL, json=body).json()
    assert last["total"] == 12_000
    assert [r["id"] for r in last["results"]] == [str(n) for n in range(29_800, 30_000)]
    assert last["paging"]["next"]["after"] == "10000"
    for beyond in ({"after": "10000", "limit": 1}, {"after": 9_801, "limit": 200}):
        answer = http.post(URL, json=body | beyond)
        assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    rest = search(http, same, one("hs_object_id", "GTE", "31900"))
    assert rest == [str(n) for n in range(31_900, 32_000)]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"after": "x"},
        {"query": "x" * 3_001},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [one("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [one("email", "HAS_PROPERTY")] * 5}] * 4},
        {"filterGroups": [{"filters": [one("email", "LIKE", "x")]}]},
        {"filterGroups": [{"filters": [one("email", "EQ")]}]},
        {"filterGroups": [{"filters": [one("email", "IN", "x")]}]},
        {"filterGroups": [{"filters": [one("no_such_property", "EQ", "x")]}]},
        {"filterGroups": [{"filters": [one("lastmodifieddate", "GTE", "yesterday")]}]},
        {"filterGroups": [{"filters": [one("lastmodifieddate", "BETWEEN", "1")]}]},
        {"filterGroups": {"filters": []}},
        {"filterGroups": ["x"]},
        {"sorts": [{"propertyName": "no_such_property"}]},
    ],
)
def test_refuses(http: requests.Session, body: dict[str, Any]) -> None:
    answer = http.post(URL, json=body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_epoch_is_a_server_error(http: requests.Session) -> None:
    body = {"filterGroups": [{"filters": [one("lastmodifieddate", "GTE", "0")]}]}
    assert http.post(URL, json=body).status_code == 500


def test_archived_and_merged_are_not_found(http: requests.Session, store: Store) -> None:
    store.archive("contacts", "1", NOW)
    store.merge("contacts", "2", "3", NOW)
    assert search(http, one("hs_object_id", "LT", "5")) == ["3", "4"]


def test_lag(http: requests.Session, store: Store, context: Context) -> None:
    late = NOW + timedelta(minutes=5)
    store.create("contacts", "9000", NOW, {"firstname": "New"}, lag=late)
    store.update("contacts", "1", NOW, {"firstname": "Changed"}, lag=late)
    assert "9000" not in search(http, one("hs_object_id", "GTE", "229"))
    assert search(http, one("firstname", "EQ", "Given1")) == ["1"], "found as it was before"
    assert search(http, one("lastmodifieddate", "GTE", NOW.isoformat())) == []
    assert http.get("/crm/v3/objects/contacts/9000").status_code == 200, "only the index lags"
    context.clock = lambda: late
    assert search(http, one("firstname", "IN", ["new", "changed"])) == ["1", "9000"]
    assert search(http, one("lastmodifieddate", "GTE", NOW.isoformat())) == ["1", "9000"]


def test_milliseconds_are_the_grain(http: requests.Session, store: Store) -> None:
    at = datetime(2026, 3, 2, 1, 2, 3, 456_789, tzinfo=UTC)
    store.create("contacts", "9001", at, {})
    for operator, is_found in {"EQ": True, "GTE": True, "LTE": True, "GT": False, "LT": False}.items():
        condition = one("lastmodifieddate", operator, "2026-03-02T01:02:03.456Z")
        assert ("9001" in search(http, condition, one("hs_object_id", "EQ", "9001"))) is is_found


def test_a_search_asked_again_sees_writes(http: requests.Session, store: Store) -> None:
    stage = one("lifecyclestage", "EQ", "customer")
    assert search(http, stage) == ["5"]
    store.update("contacts", "6", NOW, {"lifecyclestage": "customer"})
    assert search(http, stage) == ["5", "6"]
    store.archive("contacts", "5", NOW)
    assert search(http, stage) == ["6"]
