"""Each fault does what its name says, strikes as often as asked, and leaves the next answer alone."""

import gzip
import hashlib

import pytest
import requests

from sandbox import transport
from sandbox.drift import ADDED
from sandbox.serve import Sandbox
from tests.contract.sandbox_marketo.conftest import PAST, Marketo, error_of, months

TYPES = "/rest/v1/activities/types.json"
CREATE = "/bulk/v1/activities/export/create.json"


def once(box: Sandbox, fault: str) -> None:
    box.context.faults.switch(f"marketo.{fault}", count=1)


@pytest.mark.parametrize("code", ["604", "606", "607", "608", "615"])
def test_refusals_in_http_200(marketo: Marketo, box: Sandbox, code: str) -> None:
    once(box, code)
    assert marketo.code(TYPES) == code
    assert marketo.rows(TYPES)


@pytest.mark.parametrize("code", ["601", "602"])
def test_the_token_is_lost_until_a_new_one_is_taken(marketo: Marketo, box: Sandbox, code: str) -> None:
    before = marketo.headers["Authorization"]
    once(box, code)
    assert marketo.code(TYPES) == code
    assert marketo.code(TYPES) == code
    marketo.login()
    assert marketo.headers["Authorization"] != before
    assert marketo.rows(TYPES)


def test_502_is_http(marketo: Marketo, box: Sandbox) -> None:
    once(box, "502")
    assert marketo.get(TYPES).status_code == 502
    assert marketo.rows(TYPES)


def test_an_empty_page_says_that_there_is_more(marketo: Marketo, box: Sandbox) -> None:
    token = marketo.since(PAST)
    query = {"nextPageToken": token, "activityTypeIds": "12", "batchSize": "5"}
    once(box, "empty_page")
    empty = marketo.get("/rest/v1/activities.json", params=query).json()
    assert (empty["success"], empty["moreResult"], "result" in empty) == (True, True, False)
    again = {**query, "nextPageToken": empty["nextPageToken"]}
    assert (
        marketo.get("/rest/v1/activities.json", params=again).json()["result"]
        == marketo.get("/rest/v1/activities.json", params=query).json()["result"]
    )
    box.context.faults.switch("marketo.empty_page", rate=0.5, seed=3)
    whole = marketo.feed("/rest/v1/activities.json", activityTypeIds="12,13", batchSize="100")
    box.context.faults.off()
    assert whole == marketo.feed("/rest/v1/activities.json", activityTypeIds="12,13")


@pytest.mark.parametrize(
    ("fault", "message"), [("1029", "Too many jobs in queue"), ("1029_quota", "Export daily quota exceeded")]
)
def test_1029_at_create_and_at_enqueue(marketo: Marketo, box: Sandbox, fault: str, message: str) -> None:
    body = {"filter": {"createdAt": months(box.world.now())[0]}}
    once(box, fault)
    answer = marketo.post(CREATE, json=body)
    assert (error_of(answer), answer.json()["errors"][0]["message"]) == ("1029", message)
    id_ = marketo.post(CREATE, json=body).json()["result"][0]["exportId"]
    once(box, fault)
    assert error_of(marketo.post(f"/bulk/v1/activities/export/{id_}/enqueue.json")) == "1029"
    assert marketo.post(f"/bulk/v1/activities/export/{id_}/enqueue.json").json()["success"]
    marketo.done("activities", id_)


def test_a_failed_job(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("activities", {"createdAt": months(box.world.now())[0]})
    once(box, "failed_job")
    info = marketo.done("activities", id_)
    assert (info["status"], "fileSize" in info, bool(info["errorMsg"])) == ("Failed", False, True)
    assert marketo.get(f"/bulk/v1/activities/export/{id_}/file.json").status_code == 404


def test_fields_drift_for_one_page(marketo: Marketo, box: Sandbox) -> None:
    path = "/rest/v1/leads.json"
    ids = ",".join(record.id for record in list(box.world.marketo.live("leads"))[:20])
    query = {"filterType": "id", "filterValues": ids, "fields": "city,leadScore"}
    leads = marketo.rows(path, **query)
    once(box, "field_added")
    assert marketo.rows(path, **query) == [{**row, ADDED: "1"} for row in leads]
    once(box, "field_removed")
    assert marketo.rows(path, **query) == [{k: v for k, v in row.items() if k != "city"} for row in leads]
    once(box, "field_retyped")
    assert marketo.rows(path, **query) == [{**row, "leadScore": str(row["leadScore"])} for row in leads]
    assert marketo.rows(path, **query) == leads


def test_completed_but_no_file(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("activities", {"createdAt": months(box.world.now())[0]})
    once(box, "completed_but_404")
    assert marketo.done("activities", id_)["status"] == "Completed"
    answer = marketo.get(f"/bulk/v1/activities/export/{id_}/file.json")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (404, "text/plain")
    assert marketo.get(f"/bulk/v1/activities/export/{id_}/file.json").ok


def test_a_truncated_file_and_a_wrong_checksum(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("activities", {"createdAt": months(box.world.now())[0]})
    info = marketo.done("activities", id_)
    path = f"/bulk/v1/activities/export/{id_}/file.json"
    once(box, "truncated_file")
    half = marketo.get(path).content
    whole = marketo.get(path).content
    assert (len(half), len(whole)) == (info["fileSize"] // 2, info["fileSize"])
    assert info["fileChecksum"] == f"sha256:{hashlib.sha256(whole).hexdigest()}"
    once(box, "checksum_mismatch")
    other = marketo.job("activities", {"createdAt": months(box.world.now())[0]})
    wrong = marketo.done("activities", other)
    assert marketo.get(f"/bulk/v1/activities/export/{other}/file.json").content == whole
    assert wrong["fileChecksum"] != info["fileChecksum"]
    assert wrong["fileSize"] == info["fileSize"]


def test_a_file_with_fewer_rows_than_are_counted(marketo: Marketo, box: Sandbox) -> None:
    filter_ = {"createdAt": months(box.world.now())[0]}
    once(box, "short_file")
    short, whole = (marketo.job("activities", filter_) for _ in range(2))
    told, right = (marketo.done("activities", id_) for id_ in (short, whole))
    assert told["numberOfRecords"] == right["numberOfRecords"]
    files = [marketo.get(f"/bulk/v1/activities/export/{id_}/file.json").content for id_ in (short, whole)]
    assert [len(file) for file in files] == [told["fileSize"], right["fileSize"]]
    assert files[1].startswith(files[0])
    assert told["fileSize"] < right["fileSize"]
    assert told["fileChecksum"] == f"sha256:{hashlib.sha256(files[0]).hexdigest()}"


def test_a_missing_field(marketo: Marketo, box: Sandbox) -> None:
    def names() -> tuple[set[str], set[str], set[str]]:
        described = {field["rest"]["name"] for field in marketo.rows("/rest/v1/leads/describe.json")}
        again = {field["name"] for field in marketo.rows("/rest/v1/leads/describe2.json")[0]["fields"]}
        return described, again, {field["name"] for field in marketo.rows("/rest/v1/leads/schema/fields.json")}

    before = names()
    box.context.faults.switch("marketo.missing_field")
    assert [was - now for was, now in zip(before, names(), strict=True)] == [{"productInterest"}] * 3
    lead = next(iter(box.world.marketo.live("leads"))).id
    assert marketo.code(f"/rest/v1/lead/{lead}.json", fields="id,productInterest") == "1006"
    query = {"filterType": "productInterest", "filterValues": "CRM"}
    assert marketo.code("/rest/v1/leads.json", **query) == "1011"
    body = {"filter": {"createdAt": months(box.world.now())[0]}, "fields": ["id", "productInterest"]}
    assert error_of(marketo.post("/bulk/v1/leads/export/create.json", json=body)) == "1003"
    box.context.faults.off()
    assert names() == before
    assert marketo.rows("/rest/v1/leads.json", **query)


def test_unreachable(marketo: Marketo, box: Sandbox) -> None:
    once(box, "unreachable")
    with pytest.raises(requests.ConnectionError):
        marketo.get(TYPES)
    assert marketo.rows(TYPES)


def test_5xx(marketo: Marketo, box: Sandbox) -> None:
    once(box, "5xx")
    assert marketo.get(TYPES).status_code == 503
    assert marketo.rows(TYPES)


def test_malformed_json(marketo: Marketo, box: Sandbox) -> None:
    once(box, "malformed_json")
    with pytest.raises(requests.JSONDecodeError):
        marketo.get(TYPES).json()
    assert marketo.rows(TYPES)


def test_reset_mid_body(marketo: Marketo, box: Sandbox) -> None:
    once(box, "reset_mid_body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        marketo.get(TYPES)
    assert marketo.rows(TYPES)


def test_truncated_gzip(marketo: Marketo, box: Sandbox) -> None:
    once(box, "truncated_gzip")
    with marketo.get(TYPES, stream=True) as answer:
        body = answer.raw.read(decode_content=False)
    with pytest.raises(EOFError):
        gzip.decompress(body)
    assert marketo.rows(TYPES)


def test_slow_drip(marketo: Marketo, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DRIP_PAUSE", 0.005)
    once(box, "slow_drip")
    assert marketo.rows(TYPES) == marketo.rows(TYPES)
