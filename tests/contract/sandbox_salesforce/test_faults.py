"""Each fault does what its name says, strikes as often as asked, and leaves the next answer alone."""

import gzip
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import requests

from sandbox import transport
from sandbox.context import Context
from sandbox.salesforce.gate import Calls
from sandbox.store import Store
from tests.contract.sandbox_salesforce.conftest import DATA, NOW, START, Clock, Http, id_of, lead

QUERY = "SELECT Id, Email, Company FROM Lead"


@pytest.fixture(autouse=True)
def many_leads(store: Store) -> None:
    for n in range(100, 2_600):
        store.create("Lead", id_of("Lead", n), START + timedelta(seconds=n), lead(n))


def once(context: Context, fault: str) -> None:
    context.faults.switch(f"salesforce.{fault}", count=1)


def whole(http: Http) -> None:
    assert len(set(http.all_ids(QUERY))) == 2_504


def test_unreachable(http: Http, context: Context) -> None:
    once(context, "unreachable")
    with pytest.raises(requests.ConnectionError):
        http.soql(QUERY)
    whole(http)


def test_5xx(http: Http, context: Context) -> None:
    once(context, "5xx")
    answer = http.soql(QUERY)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
    whole(http)


def test_malformed_json(http: Http, context: Context) -> None:
    once(context, "malformed_json")
    answer = http.soql(QUERY)
    assert (answer.status_code, answer.text[:13]) == (200, '{"totalSize":')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    whole(http)


def test_reset_mid_body(http: Http, context: Context) -> None:
    once(context, "reset_mid_body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        http.soql(QUERY)
    whole(http)


def test_truncated_gzip(http: Http, context: Context) -> None:
    once(context, "truncated_gzip")
    with http.soql(QUERY, stream=True) as answer:
        body = answer.raw.read(decode_content=False)
    assert (answer.headers["Content-Encoding"], int(answer.headers["Content-Length"])) == ("gzip", len(body))
    with pytest.raises(EOFError):
        gzip.decompress(body)
    whole(http)


def test_slow_drip(http: Http, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DRIP_PAUSE", 0.02)
    once(context, "slow_drip")
    start = time.monotonic()
    with http.soql(QUERY, stream=True) as answer:
        first = time.monotonic() - start
        body = answer.content
    took = time.monotonic() - start
    assert len(msgspec.json.decode(body)["records"]) == 2_000
    assert took - first > 0.02 * transport.DRIP_PIECES * 0.8
    whole(http)


def test_session_expired_mid_page(http: Http, context: Context) -> None:
    first = http.soql(QUERY).json()
    once(context, "session_expired")
    for _ in range(2):
        answer = http.get(first["nextRecordsUrl"])
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    http.login()
    assert len(http.get(first["nextRecordsUrl"]).json()["records"]) == 504


def test_request_limit(http: Http, context: Context) -> None:
    once(context, "request_limit")
    answer = http.soql(QUERY)
    assert answer.status_code == 403
    assert answer.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert "Retry-After" not in answer.headers
    whole(http)


def test_the_real_limit_is_a_rolling_day(http: Http, context: Context, calls: Calls, clock: Clock) -> None:
    calls.most = 5
    for used in range(1, 6):
        assert http.get(f"{DATA}/limits").headers["Sforce-Limit-Info"] == f"api-usage={used}/5"
    assert http.get(f"{DATA}/limits").status_code == 200
    context.limits = True
    assert http.get(f"{DATA}/limits").json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    clock.now = NOW + timedelta(hours=24)
    http.login()
    assert http.get(f"{DATA}/limits").json()["DailyApiRequests"] == {"Max": 5, "Remaining": 4}


def test_short_page(http: Http, context: Context) -> None:
    context.faults.switch("salesforce.short_page")
    first = http.soql(QUERY).json()
    assert (first["totalSize"], len(first["records"]), first["done"]) == (2_504, 1_350, False)
    assert first["nextRecordsUrl"].endswith("-1350")
    whole(http)


def test_locator_expired(http: Http, context: Context) -> None:
    first = http.soql(QUERY).json()
    once(context, "locator_expired")
    for _ in range(2):
        answer = http.get(first["nextRecordsUrl"])
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    whole(http)


def test_missing_field(http: Http, context: Context) -> None:
    def names() -> set[Any]:
        return {f["name"] for f in http.get(f"{DATA}/sobjects/Lead/describe").json()["fields"]}

    before = names()
    context.faults.switch("salesforce.missing_field")
    assert before - names() == {"Rating"}
    for text in ("SELECT Rating FROM Lead", "SELECT Id FROM Lead WHERE Rating = 'Hot'"):
        answer = http.soql(text)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert "Rating" not in http.get(f"{DATA}/sobjects/Lead/{id_of('Lead', 1)}").json()
    context.faults.off()
    assert names() == before
