"""Each fault breaks what it says, and nothing else; without it the next request works."""

import json
import time

import pytest
import requests

from sandbox.context import Context
from sandbox.store import Store

URL = "/crm/v3/objects/contacts"
SEARCH = f"{URL}/search"
PAGE = {"limit": 100}


@pytest.fixture(autouse=True)
def works_again(http: requests.Session, context: Context) -> object:
    assert len(http.get(URL, params=PAGE).json()["results"]) == 100
    yield
    assert not any(context.faults.active(name) for name in context.faults.switched()), "the fault struck"
    assert len(http.get(URL, params=PAGE).json()["results"]) == 100


def test_unreachable(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.unreachable", count=1)
    with pytest.raises(requests.ConnectionError):
        http.get(URL)


def test_server_error(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.5xx", count=1)
    assert http.get(URL).status_code == 503


def test_too_many_requests(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.429", count=1)
    answer = http.get(URL)
    assert (answer.status_code, answer.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert answer.headers["Retry-After"] == "1"
    context.faults.switch("hubspot.429_no_retry_after", count=1)
    answer = http.get(URL)
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    context.faults.switch("hubspot.429_daily", count=1)
    assert http.get(URL).json()["policyName"] == "DAILY"


def test_refused(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.401", count=1)
    assert http.get(URL).json()["category"] == "INVALID_AUTHENTICATION"
    context.faults.switch("hubspot.missing_scope", count=1)
    assert http.get(URL).json()["category"] == "MISSING_SCOPES"


def test_malformed_json(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.malformed_json", count=1)
    answer = http.get(URL, params=PAGE)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_reset_mid_body(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.reset_mid_body", count=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        http.get(URL, params=PAGE)


def test_truncated_gzip(http: requests.Session, context: Context) -> None:
    whole = http.get(URL, params=PAGE).content
    context.faults.switch("hubspot.truncated_gzip", count=1)
    try:
        content = http.get(URL, params=PAGE).content
    except requests.exceptions.ContentDecodingError:
        content = b""
    assert len(content) < len(whole)


def test_slow_drip(http: requests.Session, context: Context) -> None:
    whole = http.get(URL, params=PAGE)
    context.faults.switch("hubspot.slow_drip", count=1)
    started = time.monotonic()
    assert http.get(URL, params=PAGE).content == whole.content
    assert time.monotonic() - started > 0.5


def found(http: requests.Session, **body: object) -> list[str]:
    return [r["id"] for r in http.post(SEARCH, json={"limit": 200, **body}).json()["results"]]


def test_unsorted_search(http: requests.Session, context: Context) -> None:
    by_date = {"sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]}
    right = found(http, **by_date)
    context.faults.switch("hubspot.unsorted_search", count=2)
    wrong = found(http, **by_date)
    assert found(http, **by_date) == wrong, "the same disorder on every page"
    assert wrong != right
    assert len(set(wrong)) == 200


def test_search_lag(http: requests.Session, context: Context, store: Store) -> None:
    now = context.clock()
    for n in range(9_000, 9_040):
        store.create("contacts", str(n), now, {})
    recent = {"filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": "9000"}]}]}
    assert len(found(http, **recent)) == 40
    context.faults.switch("hubspot.search_lag")
    assert found(http, **recent) == []
    assert http.get(f"{URL}/9000").status_code == 200
    context.faults.off("hubspot.search_lag")
    assert len(found(http, **recent)) == 40


def test_updated_while_paged_moves_rows_out_of_a_window(http: requests.Session, context: Context, store: Store) -> None:
    now = context.clock()
    before = {"propertyName": "lastmodifieddate", "operator": "LT", "value": now.isoformat()}
    body = {"filterGroups": [{"filters": [before]}], "limit": 100}
    context.faults.switch("hubspot.updated_while_paged", count=1)
    first = http.post(SEARCH, json=body).json()
    second = http.post(SEARCH, json=body | {"after": first["paging"]["next"]["after"]}).json()
    assert (first["total"], second["total"]) == (230, 228)
    shown = {r["id"] for page in (first, second) for r in page["results"]}
    skipped = set(map(str, range(1, 201))) - shown
    assert skipped, "paging by offset loses a row"
    changed = {r.id for r in store.records["contacts"].values() if r.modified_at == now}
    assert len(changed) == 2


def test_updated_while_paged_does_not_break_lists(http: requests.Session, context: Context, store: Store) -> None:
    context.faults.switch("hubspot.updated_while_paged", count=2)
    ids: list[str] = []
    after = None
    while True:
        page = http.get(URL, params={"limit": 100, "after": after}).json()
        ids += [r["id"] for r in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
    assert ids == [str(n) for n in range(1, 231)]
    assert {r.id for r in store.records["contacts"].values() if r.modified_at == context.clock()} == {
        "1",
        "101",
        "201",
    }
