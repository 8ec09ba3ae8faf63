"""Bulk API 2.0 query jobs over HTTP."""

import csv
import gzip
import io
from datetime import timedelta
from typing import Any

import pytest

from sandbox.context import Context
from sandbox.salesforce import app as salesforce_app
from sandbox.store import Store
from tests.contract.sandbox_salesforce.conftest import DATA, HOSTILE, NOW, START, Clock, Http, id_of, lead

JOBS = f"{DATA}/jobs/query"


def start(http: Http, query: str, **options: str) -> str:
    answer = http.post(JOBS, json={"operation": "query", "query": query, **options})
    assert answer.status_code == 200
    return str(answer.json()["id"])


def finished(http: Http, query: str, **options: str) -> str:
    job = start(http, query, **options)
    states = [http.get(f"{JOBS}/{job}").json()["state"] for _ in range(2)]
    assert states == ["InProgress", "JobComplete"]
    return job


def leads(store: Store, count: int) -> set[str]:
    for n in range(100, 100 + count):
        store.create("Lead", id_of("Lead", n), START + timedelta(seconds=n), lead(n))
    return {id_of("Lead", n) for n in range(100, 100 + count)} | {id_of("Lead", n) for n in (1, 2, 3, 4)}


def test_a_job_goes_through_its_states(http: Http) -> None:
    query = "SELECT Id, Email FROM Lead"
    created = http.post(JOBS, json={"operation": "queryAll", "query": query}).json()
    assert (created["state"], created["operation"], created["object"]) == ("UploadComplete", "queryAll", "Lead")
    assert (created["apiVersion"], created["columnDelimiter"], created["lineEnding"]) == (66.0, "COMMA", "LF")
    assert created["id"].startswith("750")
    url = f"{JOBS}/{created['id']}"
    early = http.get(f"{url}/results")
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert http.delete(url).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    looks = [http.get(url).json() for _ in range(3)]
    assert [look["state"] for look in looks] == ["InProgress", "JobComplete", "JobComplete"]
    assert [look["numberRecordsProcessed"] for look in looks] == [0, 6, 6]
    assert looks[0]["jobType"] == "V2Query"
    assert http.patch(url, json={"state": "Aborted"}).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert [job["id"] for job in http.get(JOBS).json()["records"]] == [created["id"]]
    assert http.delete(url).status_code == 204
    assert http.get(url).status_code == 404
    assert http.get(JOBS).json() == {"done": True, "records": [], "nextRecordsUrl": None}


def test_a_job_can_be_aborted_and_is_forgotten_after_a_week(http: Http, clock: Clock) -> None:
    job = start(http, "SELECT Id FROM Lead")
    assert http.patch(f"{JOBS}/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert http.get(f"{JOBS}/{job}").json()["state"] == "Aborted"
    clock.now = NOW + timedelta(days=7, seconds=1)
    http.login()
    assert http.get(f"{JOBS}/{job}").status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        ({"query": "SELECT Id FROM Lead"}, "INVALIDJOB", "operation"),
        ({"operation": "query"}, "INVALIDJOB", "query is required"),
        ({"operation": "query", "query": "SELECT Id FROM Lead", "columnDelimiter": "DOT"}, "INVALIDJOB", "Delimiter"),
        ({"operation": "query", "query": "SELECT Id FROM Lead", "contentType": "JSON"}, "INVALIDJOB", "ContentType"),
        ({"operation": "query", "query": "SELECT Id FORM Lead"}, "MALFORMED_QUERY", "unexpected token"),
        ({"operation": "query", "query": "SELECT Nope FROM Lead"}, "INVALID_FIELD", "No such column"),
        ({"operation": "query", "query": "SELECT COUNT() FROM Lead"}, "API_ERROR", "Aggregate"),
        ({"operation": "query", "query": "SELECT COUNT(Id) FROM Lead"}, "API_ERROR", "Aggregate"),
        ({"operation": "query", "query": "SELECT Id FROM Lead OFFSET 3"}, "API_ERROR", "OFFSET"),
        ({"operation": "query", "query": "SELECT Address FROM Lead"}, "API_ERROR", "Selecting compound data"),
        ([], "JSON_PARSER_ERROR", "JSON"),
    ],
)
def test_what_bulk_does_not_take(http: Http, body: Any, code: str, part: str) -> None:
    answer = http.post(JOBS, json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert part in answer.json()[0]["message"]


@pytest.mark.parametrize(
    ("count", "most", "sizes"),
    [(0, 10, [4]), (6, 10, [10]), (7, 10, [10, 1]), (16, 10, [10, 10])],
)
def test_pages_by_locator_hold_all_rows(http: Http, store: Store, count: int, most: int, sizes: list[int]) -> None:
    ids = leads(store, count)
    url = f"{JOBS}/{finished(http, 'SELECT Id FROM Lead')}/results"
    found: list[str] = []
    got: list[int] = []
    locator = None
    while locator != "null":
        page = http.get(url, params={"maxRecords": most} | ({"locator": locator} if locator else {}))
        rows = list(csv.DictReader(io.StringIO(page.text)))
        assert page.headers["Sforce-NumberOfRecords"] == str(len(rows))
        got.append(len(rows))
        found += [row["Id"] for row in rows]
        locator = page.headers["Sforce-Locator"]
    assert (got, len(found), set(found)) == (sizes, len(ids), ids)


def test_no_rows_leave_the_header(http: Http) -> None:
    job = finished(http, "SELECT Id, Name FROM Contact")
    page = http.get(f"{JOBS}/{job}/results")
    assert (page.text, page.headers["Sforce-NumberOfRecords"]) == ('"Id","Name"\n', "0")
    assert page.headers["Sforce-Locator"] == "null"
    assert page.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("delimiter", "mark"),
    [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")],
)
@pytest.mark.parametrize(("ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_csv_keeps_what_is_in_the_values(http: Http, delimiter: str, mark: str, ending: str, end: str) -> None:
    query = "SELECT Name, Amount, IsWon, CloseDate, SystemModstamp, NextStep, Account.AnnualRevenue FROM Opportunity"
    job = finished(http, f"{query} ORDER BY Amount", columnDelimiter=delimiter, lineEnding=ending)
    text = http.get(f"{JOBS}/{job}/results").content.decode()
    lines = text.removesuffix(end)
    assert lines.startswith(mark.join(f'"{name}"' for name in ("Name", "Amount", "IsWon", "CloseDate")))
    assert text.endswith(f'"{end}')
    rows = list(csv.reader(io.StringIO(text.replace("\x00", "NUL"), newline=""), delimiter=mark))
    # An unset checkbox is false, an unset number is empty; a null cannot be told from an empty text.
    assert rows[1:] == [
        ["No account", "", "false", "", "2026-03-01T08:00:00.123Z", "", ""],
        [HOSTILE.replace("\x00", "NUL"), "1200.0", "true", "2026-03-05", "2026-03-01T08:00:00.123Z", "", "1.25E7"],
    ]
    assert "\x00" in text


def test_results_are_compressed_where_accepted(http: Http, store: Store) -> None:
    leads(store, 300)
    url = f"{JOBS}/{finished(http, 'SELECT Id, Email FROM Lead')}/results"
    with http.get(url, headers={"Accept-Encoding": "gzip"}, stream=True) as packed:
        body = packed.raw.read(decode_content=False)
    with http.get(url, headers={"Accept-Encoding": "identity"}, stream=True) as plain:
        text = plain.raw.read(decode_content=False)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(body) == text
    assert len(body) < len(text) / 3


def test_results_need_the_version_of_the_job(http: Http) -> None:
    job = finished(http, "SELECT Id FROM Lead")
    for part in ("results", "resultPages"):
        assert http.get(f"/services/data/v65.0/jobs/query/{job}/{part}").status_code == 409
    assert http.get(f"/services/data/v57.0/jobs/query/{job}/resultPages").status_code == 404


def test_parallel_pages_hold_all_rows(http: Http, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce_app, "PAGE_ROWS", 4)
    ids = leads(store, 21)
    url = f"{JOBS}/{finished(http, 'SELECT Id FROM Lead')}/resultPages"
    listed = http.get(url).json()
    assert (len(listed["resultPages"]), listed["done"]) == (5, False)
    rest = http.get(listed["nextRecordsUrl"]).json()
    assert (len(rest["resultPages"]), rest["done"], "nextRecordsUrl" in rest) == (2, True, False)
    found: list[str] = []
    for page in listed["resultPages"] + rest["resultPages"]:
        found += [row["Id"] for row in csv.DictReader(io.StringIO(http.get(page["resultUrl"]).text))]
    assert (len(found), set(found)) == (25, ids)


def test_a_bad_locator_or_size_is_refused(http: Http) -> None:
    url = f"{JOBS}/{finished(http, 'SELECT Id FROM Lead')}/results"
    assert http.get(url, params={"locator": "!!"}).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert http.get(url, params={"maxRecords": "0"}).json()[0]["errorCode"] == "INVALID_QUERY_PARAMETER"


def test_rows_are_those_of_the_moment_of_completion(http: Http, store: Store) -> None:
    job = finished(http, "SELECT Id, City FROM Lead")
    store.update("Lead", id_of("Lead", 1), NOW, {"City": "Lisboa"})
    assert "Lisboa" not in http.get(f"{JOBS}/{job}/results").text


def test_jobs_count_against_the_daily_limit(http: Http) -> None:
    before = http.get(f"{DATA}/limits").json()["DailyBulkV2QueryJobs"]
    start(http, "SELECT Id FROM Lead")
    after = http.get(f"{DATA}/limits").json()["DailyBulkV2QueryJobs"]
    assert (before, after) == ({"Max": 10_000, "Remaining": 10_000}, {"Max": 10_000, "Remaining": 9_999})


@pytest.mark.parametrize(("fault", "state"), [("bulk_failed", "Failed"), ("bulk_aborted", "Aborted")])
def test_a_job_ends_badly(http: Http, context: Context, fault: str, state: str) -> None:
    context.faults.switch(f"salesforce.{fault}", count=1)
    job = start(http, "SELECT Id FROM Lead")
    http.get(f"{JOBS}/{job}")
    info = http.get(f"{JOBS}/{job}").json()
    assert (info["state"], "errorMessage" in info) == (state, state == "Failed")
    assert http.get(f"{JOBS}/{job}/results").status_code == 400
    assert finished(http, "SELECT Id FROM Lead")


def test_a_short_page_does_not_hold_what_its_header_counts(http: Http, context: Context) -> None:
    url = f"{JOBS}/{finished(http, 'SELECT Id FROM Lead')}/results"
    context.faults.switch("salesforce.bulk_short_page", count=1)
    pages = [http.get(url) for _ in range(2)]
    assert [page.headers["Sforce-NumberOfRecords"] for page in pages] == ["4", "4"]
    assert [len(list(csv.DictReader(io.StringIO(page.text)))) for page in pages] == [2, 4]


def test_a_job_can_stand_still_and_vanish(http: Http, context: Context) -> None:
    job = start(http, "SELECT Id FROM Lead")
    context.faults.switch("salesforce.bulk_stuck", count=3)
    states = [http.get(f"{JOBS}/{job}").json()["state"] for _ in range(5)]
    assert states == ["UploadComplete"] * 3 + ["InProgress", "JobComplete"]
    context.faults.switch("salesforce.bulk_vanished", count=1)
    assert [http.get(f"{JOBS}/{job}/{part}").status_code for part in ("results", "resultPages", "")] == [404] * 3


def test_a_page_can_be_refused_and_the_list_of_pages_be_short_or_missing(http: Http, context: Context) -> None:
    url = f"{JOBS}/{finished(http, 'SELECT Id FROM Lead')}"
    context.faults.switch("salesforce.bulk_locator_expired", count=1)
    assert http.get(f"{url}/results").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert http.get(f"{url}/results").status_code == 200
    context.faults.switch("salesforce.bulk_lost_page", count=1)
    assert [len(http.get(f"{url}/resultPages").json()["resultPages"]) for _ in range(2)] == [0, 1]
    context.faults.switch("salesforce.no_result_pages")
    assert http.get(f"{url}/resultPages").status_code == 404


def test_a_formula_changes_without_a_new_stamp(http: Http, context: Context, clock: Clock) -> None:
    query = "SELECT Id, Age_Days__c, SystemModstamp FROM Lead WHERE Age_Days__c > 3"
    assert http.soql(query).json()[0]["errorCode"] == "INVALID_FIELD"
    context.faults.switch("salesforce.formula_field")
    fields = {each["name"]: each for each in http.get(f"{DATA}/sobjects/Lead/describe").json()["fields"]}
    assert [name for name, each in fields.items() if each["calculated"]] == ["Age_Days__c"]
    before = {each["Id"]: each for each in http.soql(query).json()["records"]}
    clock.now += timedelta(days=2)
    http.login()
    after = {each["Id"]: each for each in http.soql(query).json()["records"]}
    assert before
    for id_, row in before.items():
        assert after[id_]["Age_Days__c"] == row["Age_Days__c"] + 2
        assert after[id_]["SystemModstamp"] == row["SystemModstamp"]


def test_a_field_can_be_given_another_type(http: Http, context: Context) -> None:
    def kind() -> str:
        fields = http.get(f"{DATA}/sobjects/Lead/describe").json()["fields"]
        return next(str(each["type"]) for each in fields if each["name"] == "Rating")

    assert kind() == "picklist"
    context.faults.switch("salesforce.retyped_field")
    assert kind() == "textarea"
