"""Queries over HTTP: pages, snapshots, late commits, formats, errors."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.context import Context
from sandbox.salesforce.rows import json_getter, view
from sandbox.salesforce.schema import SOBJECTS
from sandbox.store import Record, Store
from tests.contract.sandbox_salesforce.conftest import DATA, HOSTILE, NOW, START, Clock, Http, id_of, lead


def only_leads(store: Store, count: int) -> set[str]:
    """Replace all leads by `count` ones."""
    for id_ in list(store.records["Lead"]):
        store.delete("Lead", id_, START)
    store.gone["Lead"].clear()
    for n in range(count):
        store.create("Lead", id_of("Lead", n), START + timedelta(seconds=n // 3), lead(n))
    return {id_of("Lead", n) for n in range(count)}


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (2_000, 1), (2_001, 2), (4_000, 2)])
def test_pages_hold_all_rows(http: Http, store: Store, context: Context, count: int, pages: int) -> None:
    ids = only_leads(store, count)
    context.log.clear()
    found = http.all_ids("SELECT Id FROM Lead")
    assert (len(found), set(found)) == (count, ids)
    assert context.log.total == pages


def test_batch_size_is_kept_within_200_and_2000(http: Http, store: Store) -> None:
    ids = only_leads(store, 450)
    for asked, got in (("batchSize=300", 300), ("batchSize=1", 200), ("batchSize=9999", 450)):
        headers = {"Sforce-Query-Options": asked}
        assert len(http.soql("SELECT Id FROM Lead", headers=headers).json()["records"]) == got
        assert set(http.all_ids("SELECT Id FROM Lead", headers=headers)) == ids


def test_a_locator_serves_the_rows_of_the_first_call(http: Http, store: Store) -> None:
    only_leads(store, 2_500)
    first = http.soql("SELECT Id, City FROM Lead ORDER BY SystemModstamp, Id").json()
    for n in range(2_500):
        store.update("Lead", id_of("Lead", n), NOW, {"City": "Lisboa"})
    store.delete("Lead", id_of("Lead", 2_499), NOW)
    store.create("Lead", id_of("Lead", 9_999), NOW, lead(1))
    rest = http.get(first["nextRecordsUrl"]).json()
    assert (first["totalSize"], rest["totalSize"], rest["done"]) == (2_500, 2_500, True)
    assert [r["Id"] for r in first["records"] + rest["records"]] == [id_of("Lead", n) for n in range(2_500)]
    assert {r["City"] for r in rest["records"]} == {"São Paulo"}


def test_next_records_url_says_query_even_for_query_all(http: Http, store: Store) -> None:
    only_leads(store, 2_001)
    store.archive("Lead", id_of("Lead", 2_000), NOW)
    answer = http.soql("SELECT Id, IsDeleted FROM Lead", "queryAll").json()
    assert answer["nextRecordsUrl"].startswith(f"{DATA}/query/0r8")
    assert http.get(answer["nextRecordsUrl"]).json()["records"][0]["IsDeleted"]
    assert http.soql("SELECT COUNT() FROM Lead", "queryAll").json() == {"totalSize": 2_001, "done": True, "records": []}
    assert http.soql("SELECT COUNT() FROM Lead").json()["totalSize"] == 2_000


def test_count_of_a_field(http: Http) -> None:
    answer = http.soql("SELECT COUNT(LeadSource) filled, COUNT(Id) FROM Lead").json()
    assert answer["records"] == [{"attributes": {"type": "AggregateResult"}, "filled": 3, "expr0": 4}]


def test_sums_are_in_the_corporate_currency_whatever_they_are_grouped_by(http: Http, store: Store) -> None:
    for number, (amount, currency) in enumerate([(100.0, "EUR"), (50.0, "EUR"), (None, "EUR"), (10.0, "USD")], 50):
        fields = {"Amount": amount, "CurrencyIsoCode": currency, "StageName": "New"}
        store.create("Opportunity", id_of("Opportunity", number), NOW, fields)
    question = "SELECT CurrencyIsoCode, COUNT(Id) n, SUM(Amount) FROM Opportunity WHERE StageName = 'New' GROUP BY CurrencyIsoCode"
    answer = http.soql(question).json()
    [rate] = http.soql("SELECT ConversionRate FROM CurrencyType WHERE IsoCode = 'EUR'").json()["records"]
    told = {row["CurrencyIsoCode"]: (row["n"], row["expr0"]) for row in answer["records"]}
    assert answer["totalSize"] == 2
    assert told["EUR"] == (3, pytest.approx(150 / rate["ConversionRate"]))
    assert told["USD"] == (1, 10)


def test_a_sum_of_nothing_is_null(http: Http) -> None:
    answer = http.soql("SELECT SUM(Amount) s FROM Opportunity WHERE StageName = 'Nowhere'").json()
    assert answer["records"] == [{"attributes": {"type": "AggregateResult"}, "s": None}]


def test_locators_end(http: Http, store: Store, clock: Clock) -> None:
    only_leads(store, 2_001)
    urls = [http.soql("SELECT Id FROM Lead").json()["nextRecordsUrl"] for _ in range(11)]
    assert [http.get(url).status_code for url in urls] == [400] + [200] * 10
    for url in (urls[0], f"{DATA}/query/0r8000000000000AAA-2000", f"{urls[1]}00", f"{DATA}/query/nonsense"):
        answer = http.get(url)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    clock.now = NOW + timedelta(days=2, seconds=1)
    http.login()
    assert http.get(urls[5]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_late_commit_shows_after_its_timestamp(http: Http, store: Store, clock: Clock) -> None:
    since = NOW - timedelta(minutes=1)
    store.create("Lead", id_of("Lead", 50), since, lead(50), lag=NOW + timedelta(minutes=5))
    store.update("Lead", id_of("Lead", 1), since, {"City": "Lisboa"}, lag=NOW + timedelta(minutes=5))
    changed = f"SELECT Id, City FROM Lead WHERE SystemModstamp >= {since.isoformat()[:-6]}Z"
    old = f"SELECT Id, City FROM Lead WHERE SystemModstamp < {since.isoformat()[:-6]}Z AND Id = '{id_of('Lead', 1)}'"
    window = f"SELECT Id, City FROM Lead WHERE SystemModstamp = {START.isoformat()[:17]}00Z OR City = 'São Paulo'"
    assert http.all_ids(changed) == []
    assert [r["City"] for r in http.soql(old).json()["records"]] == ["São Paulo"]
    assert len(http.all_ids(window)) == 4
    span = {"start": (since - timedelta(minutes=5)).isoformat(), "end": NOW.isoformat()}
    updated = http.get(f"{DATA}/sobjects/Lead/updated/", params=span).json()
    assert updated == {"ids": [], "latestDateCovered": "2026-03-10T11:59:00.000+0000"}
    clock.now = NOW + timedelta(minutes=5)
    assert set(http.all_ids(changed)) == {id_of("Lead", 1), id_of("Lead", 50)}
    assert http.all_ids(old) == []
    updated = http.get(f"{DATA}/sobjects/Lead/updated/", params=span).json()
    assert (len(updated["ids"]), updated["latestDateCovered"]) == (2, "2026-03-10T12:00:00.000+0000")


def test_values_are_written_as_salesforce_does(http: Http) -> None:
    text = "SELECT Name, Amount, Probability, IsWon, IsClosed, CloseDate, SystemModstamp, NextStep FROM Opportunity"
    answer = http.soql(f"{text} WHERE IsWon = true")
    record = answer.json()["records"][0]
    del record["attributes"]
    assert record == {
        "Name": HOSTILE,
        "Amount": 1200.0,
        "Probability": 100.0,
        "IsWon": True,
        "IsClosed": False,
        "CloseDate": "2026-03-05",
        "SystemModstamp": "2026-03-01T08:00:00.123+0000",
        "NextStep": None,
    }
    assert '"Amount":1200.0' in answer.text
    assert '"AnnualRevenue":1.25E7' in http.soql("SELECT AnnualRevenue FROM Account").text
    address = http.soql("SELECT BillingAddress FROM Account").json()["records"][0]["BillingAddress"]
    assert address == {"city": HOSTILE, "countryCode": None}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_keeps_its_value(number: float) -> None:
    record = Record("x", "Account", START, START, {"AnnualRevenue": number})
    shown = view(record, NOW)
    assert shown is not None
    text = msgspec.json.encode(json_getter(SOBJECTS["Account"].fields["AnnualRevenue"])(shown))
    assert msgspec.json.decode(text, type=float) == number


def test_the_answer_has_the_vendors_clock_and_usage(http: Http, clock: Clock) -> None:
    clock.now = NOW + timedelta(minutes=7)
    answer = http.soql("SELECT COUNT() FROM Lead")
    assert answer.headers["Date"] == "Tue, 10 Mar 2026 12:07:30 GMT"
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/115000"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_a_long_url_is_refused(http: Http) -> None:
    names = ",".join(["LeadSource"] * 1_500)
    assert http.soql(f"SELECT {names} FROM Lead").status_code == 414
    assert http.soql(f"SELECT {'x' * 15_500} FROM Lead", headers={"x-long": "y" * 900}).status_code == 431
    assert http.soql(f"SELECT {'x' * 15_500} FROM Lead").json()[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{DATA}/query", 400, "MALFORMED_QUERY"),
        (f"{DATA}/query?q=SELECT+Nope+FROM+Lead", 400, "INVALID_FIELD"),
        (f"{DATA}/sobjects/Unicorn/describe", 404, "NOT_FOUND"),
        (f"{DATA}/sobjects/Lead/updated/?start=2026-03-01T00:00:00Z&end=nonsense", 400, "MALFORMED_QUERY"),
        (f"{DATA}/sobjects/Lead/updated/?start=2026-03-09T00:00:10Z&end=2026-03-09T00:00:50Z", 400, "INVALID_REPLICATION_DATE"),
        (f"{DATA}/sobjects/Lead/deleted/?start=2026-01-01T00:00:00Z&end=2026-03-09T00:00:00Z", 400, "INVALID_REPLICATION_DATE"),
        (f"{DATA}/nothing/here", 404, "NOT_FOUND"),
        ("/services/data/v12.0/limits", 404, "NOT_FOUND"),
        ("/elsewhere", 404, "NOT_FOUND"),
    ],
)  # fmt: skip
def test_errors_are_lists_of_code_and_message(http: Http, path: str, status: int, code: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, [sorted(e) for e in answer.json()]) == (status, [["errorCode", "message"]])
    assert answer.json()[0]["errorCode"] == code


def test_versions_need_no_session(http: Http) -> None:
    del http.headers["Authorization"]
    listed = http.get("/services/data").json()
    assert listed[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in listed
    assert http.get(f"{DATA}/limits").json()[0]["errorCode"] == "INVALID_SESSION_ID"
    assert http.get(f"{DATA}/limits").status_code == 401


def test_deleted_of_a_merge_and_of_more_than_15_days_ago(http: Http, store: Store, clock: Clock) -> None:
    span = {"start": (NOW - timedelta(days=1)).isoformat(), "end": (NOW + timedelta(days=20)).isoformat()}
    clock.now = NOW + timedelta(days=14, hours=20, minutes=30)
    http.login()
    answer = http.get(f"{DATA}/sobjects/Lead/deleted/", params=span).json()
    assert [r["id"] for r in answer["deletedRecords"]] == [id_of("Lead", 6)]
    assert answer["deletedRecords"][0]["deletedDate"] == "2026-03-10T09:00:30.000+0000"
    assert answer["earliestDateAvailable"] == "2026-03-10T08:30:30.000+0000"
    assert answer["latestDateCovered"] == "2026-03-25T08:30:00.000+0000"
    store.restore("Lead", id_of("Lead", 5), clock.now)
    assert id_of("Lead", 5) in http.all_ids("SELECT Id FROM Lead")
