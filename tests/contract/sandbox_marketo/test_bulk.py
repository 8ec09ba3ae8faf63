"""Bulk extracts: what is accepted, how files are written, ranges, what is kept how long."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.marketo.bulk import MOST_QUEUED
from sandbox.serve import Sandbox
from tests.contract.sandbox_marketo.conftest import Marketo, error_of, months, span

MAY = {"startAt": "2026-05-01T00:00:00Z", "endAt": "2026-05-31T00:00:00Z"}
HOSTILE = 'Ana "a" O\'Neil,\r\nsecond line\ttab \x00 李 🎉; null'


def create(marketo: Marketo, kind: str, filter_: Any, **more: Any) -> str:
    """The code with which a job is refused, "" where it is not."""
    answer = marketo.post(f"/bulk/v1/{kind}/export/create.json", json={"filter": filter_, **more})
    return "" if answer.json()["success"] else error_of(answer)


def test_windows_have_31_days_at_most(marketo: Marketo, box: Sandbox) -> None:
    now = box.world.now()
    day = timedelta(days=1)
    for days, more, code in ((31, timedelta(), ""), (31, timedelta(seconds=1), "1003"), (-1, timedelta(), "1003")):
        window = span(now - days * day - more, now)
        assert create(marketo, "activities", {"createdAt": window}) == code
        assert create(marketo, "leads", {"createdAt": window}, fields=["id"]) == code
        assert create(marketo, "leads", {"updatedAt": window}, fields=["id"]) == code
        assert create(marketo, "program/members", {"programId": 1001, "updatedAt": window}, fields=["leadId"]) == code


@pytest.mark.parametrize(
    ("kind", "filter_", "fields", "code"),
    [
        ("leads", None, ["id"], "1003"),
        ("leads", {}, ["id"], "1003"),
        ("leads", {"createdAt": {"startAt": "2026-05-01T00:00:00Z"}}, ["id"], "1003"),
        ("leads", {"createdAt": {"startAt": "May", "endAt": "June"}}, ["id"], "704"),
        ("leads", {"staticListId": 5001, "staticListName": "x"}, ["id"], "1003"),
        ("leads", {"staticListId": 1}, ["id"], "1003"),
        ("leads", {"smartListId": 1}, ["id"], "1035"),
        ("leads", {"staticListId": 5001}, [], "1003"),
        ("leads", {"staticListId": 5001}, ["id", "nothing"], "1003"),
        ("activities", {"activityTypeIds": [1]}, [], "1003"),
        ("activities", {"createdAt": MAY, "activityTypeIds": [37]}, [], "1003"),
        ("activities", {"createdAt": MAY, "activityTypeIds": [4711]}, [], "1003"),
        ("activities", {"createdAt": MAY, "whatever": 1}, [], "1003"),
        ("activities", {"createdAt": MAY}, ["nothing"], "1003"),
        ("program/members", {"isExhausted": True}, ["leadId"], "1003"),
        ("program/members", {"programId": 1001, "programIds": [1001]}, ["leadId"], "1003"),
        ("program/members", {"programId": 1}, ["leadId"], "1003"),
        ("program/members", {"programId": "1001"}, ["leadId"], "1001"),
        ("program/members", {"programIds": list(range(1001, 1012))}, ["leadId"], "1003"),
        ("program/members", {"programId": 1001}, [], "1003"),
    ],
)
def test_what_is_refused(marketo: Marketo, kind: str, filter_: Any, fields: list[str], code: str) -> None:
    assert create(marketo, kind, filter_, fields=fields) == code


def test_updated_at_is_refused_where_the_subscription_lacks_it(marketo: Marketo, box: Sandbox) -> None:
    box.context.marketo_updated_at = False
    assert create(marketo, "leads", {"updatedAt": MAY}, fields=["id"]) == "1035"
    assert create(marketo, "program/members", {"programId": 1001, "updatedAt": MAY}, fields=["leadId"]) == "1035"
    assert create(marketo, "leads", {"createdAt": MAY}, fields=["id"]) == ""


def made(box: Sandbox, **fields: Any) -> str:
    return box.world.act("marketo", "create", "leads", None, {"email": "hostile@acted.example", **fields})


def today(box: Sandbox) -> dict[str, Any]:
    now = box.world.now()
    return {"createdAt": span(now - timedelta(hours=1), now)}


def test_null_is_a_word_and_hostile_text_survives(marketo: Marketo, box: Sandbox) -> None:
    box.advance(1)
    marketo.login()
    id_ = made(box, firstName=HOSTILE, lastName="", company=None, leadScore=7)
    fields = ["id", "firstName", "lastName", "company", "unsubscribed", "leadScore", "createdAt"]
    file = marketo.file("leads", today(box), fields=fields)
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(file.decode(), newline=""))}
    assert list(rows[id_]) == fields
    assert rows[id_] == {
        "id": id_,
        "firstName": HOSTILE,
        "lastName": "",
        "company": "null",
        "unsubscribed": "false",
        "leadScore": "7",
        "createdAt": box.world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@pytest.mark.parametrize(("format_", "delimiter"), [("CSV", ","), ("TSV", "\t"), ("SSV", ";")])
def test_formats_and_names_of_columns(marketo: Marketo, box: Sandbox, format_: str, delimiter: str) -> None:
    box.advance(1)
    marketo.login()
    id_ = made(box, firstName=HOSTILE)
    names = {"firstName": "First Name"}
    file = marketo.file("leads", today(box), fields=["id", "firstName"], format=format_, columnHeaderNames=names)
    header, *rows = csv.reader(io.StringIO(file.decode(), newline=""), delimiter=delimiter)
    assert header == ["id", "First Name"]
    assert [id_, HOSTILE] in rows


def test_activities_are_filtered_by_type_and_primary_attribute(marketo: Marketo, box: Sandbox) -> None:
    def rows(**more: Any) -> list[dict[str, str]]:
        found = []
        for month in months(box.world.now()):
            file = marketo.file("activities", {"createdAt": month, **more})
            found += list(csv.DictReader(io.StringIO(file.decode(), newline="")))
        return found

    box.world.act("marketo", "update", "leads", made(box), {"title": "Head of Tests"})
    every = rows()
    assert "37" not in {row["activityTypeId"] for row in every}
    some = rows(activityTypeIds=[13, 104])
    assert some == [row for row in every if row["activityTypeId"] in {"13", "104"}]
    titles = rows(activityTypeIds=[13], primaryAttributeValueIds=[38])
    assert titles == [r for r in every if (r["activityTypeId"], r["primaryAttributeValue"]) == ("13", "Job Title")]
    assert titles == rows(activityTypeIds=[13], primaryAttributeValues=["Job Title"])
    assert json.loads(titles[0]["attributes"])["New Value"]


def test_leads_of_a_static_list(marketo: Marketo, box: Sandbox) -> None:
    members = box.world.marketo.live("list_members")
    list_id = min(r.fields["listId"] for r in members)
    on_it = {str(r.fields["leadId"]) for r in box.world.marketo.live("list_members") if r.fields["listId"] == list_id}
    name = box.world.marketo.records["lists"][str(list_id)].fields["name"]
    for filter_ in ({"staticListId": list_id}, {"staticListName": name}):
        file = marketo.file("leads", filter_, fields=["id"])
        assert sorted(file.decode().splitlines()[1:]) == sorted(on_it)


def test_members_are_filtered_by_status(marketo: Marketo, box: Sandbox) -> None:
    engaged = {
        str(r.fields["leadId"])
        for r in box.world.marketo.live("program_members")
        if (r.fields["programId"], r.fields["statusName"]) == (1001, "Engaged")
    }
    file = marketo.file("program/members", {"programId": 1001, "statusNames": ["Engaged"]}, fields=["leadId"])
    assert sorted(file.decode().splitlines()[1:]) == sorted(engaged)
    assert engaged


def test_a_file_comes_in_ranges(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("activities", {"createdAt": months(box.world.now())[-2]})
    size = marketo.done("activities", id_)["fileSize"]
    path = f"/bulk/v1/activities/export/{id_}/file.json"
    whole = marketo.get(path)
    assert (whole.status_code, whole.headers["Accept-Ranges"], len(whole.content)) == (200, "bytes", size)
    parts = b""
    for start, asked in ((0, "bytes=0-1999"), (2_000, "bytes=2000-")):
        part = marketo.get(path, headers={"Range": asked})
        assert part.status_code == 206
        assert "Content-Encoding" not in part.headers
        end = start + len(part.content) - 1
        assert part.headers["Content-Range"] == f"bytes {start}-{end}/{size}"
        parts += part.content
    assert parts == whole.content
    for wrong in (f"bytes={size}-", "bytes=-5", "lines=0-1"):
        assert marketo.get(path, headers={"Range": wrong}).status_code == 416
    assert len(marketo.get(path, headers={"Range": f"bytes={size - 1}-{size + 50}"}).content) == 1


def test_the_checksum_is_of_the_file_as_it_was_made(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("leads", {"createdAt": months(box.world.now())[0]}, fields=["id", "email"])
    info = marketo.done("leads", id_)
    box.advance(1)
    marketo.login()
    file = marketo.get(f"/bulk/v1/leads/export/{id_}/file.json").content
    assert info["fileChecksum"] == f"sha256:{hashlib.sha256(file).hexdigest()}"
    assert info["numberOfRecords"] == len(file.decode().splitlines()) - 1


def test_files_are_kept_for_seven_days_and_states_for_thirty(marketo: Marketo, box: Sandbox) -> None:
    id_ = marketo.job("leads", {"createdAt": months(box.world.now())[0]}, fields=["id"])
    marketo.done("leads", id_)
    status, file = (f"/bulk/v1/leads/export/{id_}/{what}.json" for what in ("status", "file"))
    box.advance(7)
    marketo.login()
    assert marketo.get(file).ok
    assert id_ in {job["exportId"] for job in marketo.rows("/bulk/v1/leads/export.json", status="Completed")}
    box.advance(0.1)
    marketo.login()
    assert marketo.get(file).status_code == 404
    assert id_ not in {job["exportId"] for job in marketo.rows("/bulk/v1/leads/export.json")}
    assert marketo.rows(status)[0]["status"] == "Completed"
    box.advance(23)
    marketo.login()
    assert marketo.code(status) == "1013"


def test_a_job_can_be_cancelled_until_it_ends(marketo: Marketo, box: Sandbox) -> None:
    filter_ = {"createdAt": months(box.world.now())[0]}
    id_ = marketo.job("activities", filter_)
    path = f"/bulk/v1/activities/export/{id_}"
    assert marketo.rows(f"{path}/status.json")[0]["status"] == "Processing"
    assert marketo.get(f"{path}/file.json").status_code == 404
    assert marketo.post(f"{path}/cancel.json").json()["result"][0]["status"] == "Cancelled"
    assert marketo.done("activities", id_)["status"] == "Cancelled"
    assert error_of(marketo.post(f"{path}/cancel.json")) == "1003"
    assert marketo.code(f"/bulk/v1/leads/export/{id_}/status.json") == "1013"
    assert id_ in {job["exportId"] for job in marketo.rows("/bulk/v1/activities/export.json", status="Canceled")}


def test_a_full_queue_moves_on_though_nobody_asks_for_its_jobs(marketo: Marketo, box: Sandbox) -> None:
    filter_ = {"createdAt": months(box.world.now())[0]}
    left = [marketo.job("activities", filter_) for _ in range(MOST_QUEUED)]
    body = {"filter": filter_}
    id_ = marketo.post("/bulk/v1/activities/export/create.json", json=body).json()["result"][0]["exportId"]
    path = f"/bulk/v1/activities/export/{id_}/enqueue.json"
    tries = [marketo.post(path).json()["success"] for _ in range(3)]
    assert tries == [False, False, True], "one look for each step from Queued to Completed"
    assert {marketo.done("activities", one)["status"] for one in (*left, id_)} == {"Completed"}
