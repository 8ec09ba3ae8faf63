"""The open-source client marketorestpython, unchanged, reads all that the truth says Marketo holds."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from marketorestpython.client import MarketoClient
from marketorestpython.helper.exceptions import MarketoException

from sandbox.marketo.activity_types import ACTIVITY_TYPES
from sandbox.serve import Sandbox
from sandbox.store import Record
from tests.contract.sandbox_marketo.conftest import PAST, months, span

Live = Callable[[str], dict[str, Record]]
START = PAST.strftime("%Y-%m-%dT%H:%M:%SZ")


def told(box: Sandbox, kind: str) -> dict[str, dict[str, Any]]:
    """The truth's live records of a kind: id -> key fields."""
    return {
        row["record_id"]: json.loads(row["fields"])
        for row in box.world.truth.rows("vendor_record")
        if (row["vendor"], row["kind"], row["state"]) == ("marketo", kind, "live")
    }


def unique(ids: list[Any]) -> set[str]:
    """The ids as text, none of which may come twice."""
    assert len(ids) == len(set(ids))
    return set(map(str, ids))


def exported(client: MarketoClient, kind: str, filters: dict[str, Any], **more: Any) -> Iterator[dict[str, str]]:
    job = client.execute(method=f"create_{kind}_export_job", filters=filters, **more)[0]["exportId"]
    client.execute(method=f"enqueue_{kind}_export_job", job_id=job)
    for _ in range(5):
        info = client.execute(method=f"get_{kind}_export_job_status", job_id=job)[0]
        if info["status"] == "Completed":
            break
    file = client.execute(method=f"get_{kind}_export_job_file", job_id=job)
    assert len(file) == info["fileSize"]
    rows = list(csv.DictReader(io.StringIO(file.decode(), newline="")))
    assert len(rows) == info["numberOfRecords"]
    yield from rows


def test_it_logs_in_and_is_told_whose_the_token_is(client: MarketoClient) -> None:
    client.authenticate()
    assert (client.token_type, client.scope) == ("bearer", "integration@smart-demo.example")
    assert 0 < client.expires_in < 3_600


def test_leads_by_id_are_those_of_the_truth(client: MarketoClient, box: Sandbox) -> None:
    truth = told(box, "leads")
    found: dict[str, Any] = {}
    ids = list(truth)
    names = next(iter(truth.values())).keys()
    for at in range(0, len(ids), 50):
        rows = client.execute(
            method="get_multiple_leads_by_filter_type",
            filterType="id",
            filterValues=ids[at : at + 50],
            fields=",".join(names),
        )
        found |= {str(row.pop("id")): row for row in rows}
    assert found == truth
    assert len(truth) > 40


def test_a_lead_by_id_and_by_address(client: MarketoClient, live: Live) -> None:
    record = next(r for r in live("leads").values() if "@" in r.fields["email"] and r.fields["email"].isascii())
    row = client.execute(method="get_lead_by_id", id=record.id, fields="email,leadScore")[0]
    assert row == {"id": int(record.id), "email": record.fields["email"], "leadScore": record.fields["leadScore"]}
    same = client.execute(
        method="get_multiple_leads_by_filter_type", filterType="email", filterValues=[record.fields["email"].strip()]
    )
    assert int(record.id) in {row["id"] for row in same}
    with pytest.raises(MarketoException, match="1004"):
        client.get_lead_by_id(999)


def test_activities_of_all_types_are_those_of_the_truth(client: MarketoClient, box: Sandbox) -> None:
    types = [str(t["id"]) for t in client.execute(method="get_activity_types")]
    assert set(map(int, types)) == set(ACTIVITY_TYPES)
    found: list[dict[str, Any]] = []
    for at in range(0, len(types), 10):
        found += client.execute(method="get_lead_activities", activityTypeIds=types[at : at + 10], sinceDatetime=START)
    here = told(box, "activities")
    deletes = told(box, "deleted_leads")
    assert unique([row["marketoGUID"] for row in found]) == here.keys() | deletes.keys()
    for row in found:
        if row["marketoGUID"] in here:
            assert {name: row.get(name) for name in here[row["marketoGUID"]]} == here[row["marketoGUID"]]
    assert len({row["id"] for row in found}) < len(found), "integer ids are not unique at Marketo"


def test_deleted_leads_are_those_of_the_last_fortnight(client: MarketoClient, box: Sandbox) -> None:
    since = box.world.now() - timedelta(days=14)
    recent = {r.id: r.fields["leadId"] for r in box.world.marketo.live("deleted_leads") if r.created_at >= since}
    found = client.execute(method="get_deleted_leads", sinceDatetime=START)
    assert {row["marketoGUID"]: row["leadId"] for row in found} == recent
    assert recent
    assert {str(lead) for lead in recent.values()} <= box.world.marketo.gone["leads"].keys()


def test_lead_changes_are_the_changes_of_the_fields_asked_for(client: MarketoClient, live: Live) -> None:
    found = client.execute(method="get_lead_changes", fields=["title", "leadStatus"], sinceDatetime=START)
    wanted = {
        id_
        for id_, r in live("activities").items()
        if r.fields["activityTypeId"] == 12
        or (r.fields["activityTypeId"] == 13 and r.fields["primaryAttributeValue"] in {"Job Title", "Lead Status"})
    }
    assert unique([row["marketoGUID"] for row in found]) == wanted
    assert {change["name"] for row in found for change in row["fields"]} <= {"title", "leadStatus"}
    assert any(row["fields"] for row in found)
    assert any(not row["fields"] for row in found)


def test_programs_members_lists_and_assets_are_those_of_the_truth(client: MarketoClient, box: Sandbox) -> None:
    programs = client.execute(method="browse_programs", maxReturn=20)
    assert unique([row["id"] for row in programs]) == told(box, "programs").keys()
    assert {str(row["id"]): row["name"] for row in programs} == {k: v["name"] for k, v in told(box, "programs").items()}
    campaigns = client.execute(method="get_multiple_campaigns")
    assert unique([row["id"] for row in campaigns]) == told(box, "campaigns").keys()
    for kind in ("forms", "landing_pages", "emails"):
        assert unique([row["id"] for row in client.execute(method=f"get_{kind}")]) == told(box, kind).keys()
    lists = client.execute(method="get_multiple_lists", batchSize=7)
    assert unique([row["id"] for row in lists]) == told(box, "lists").keys()


def test_members_of_a_list_and_of_a_program(client: MarketoClient, live: Live) -> None:
    on_list = {r.fields["listId"] for r in live("list_members").values()}
    for list_id in sorted(on_list)[:3]:
        rows = client.execute(method="get_multiple_leads_by_list_id", listId=list_id, batchSize=2)
        wanted = {str(r.fields["leadId"]) for r in live("list_members").values() if r.fields["listId"] == list_id}
        assert unique([row["id"] for row in rows]) == wanted
        asked = [*sorted(wanted)[:5], "999999999"]
        told = {
            str(row["id"]): row["status"] for row in client.execute(method="member_of_list", listId=list_id, id=asked)
        }
        assert told == {**dict.fromkeys(asked, "memberof"), "999999999": "skipped"}
    rows = client.execute(method="get_multiple_leads_by_program_id", programId=1001, batchSize=9)
    status = {
        r.fields["leadId"]: r.fields["statusName"]
        for r in live("program_members").values()
        if r.fields["programId"] == 1001
    }
    assert {row["id"]: row["membership"]["progressionStatus"] for row in rows} == status
    assert len(status) > 10


def test_bulk_extracts_of_leads_are_those_of_the_truth(client: MarketoClient, box: Sandbox) -> None:
    truth = told(box, "leads")
    fields = ["id", *next(iter(truth.values()))]
    rows = [
        row
        for month in months(box.world.now())
        for row in exported(client, "leads", {"createdAt": month}, fields=fields)
    ]
    assert unique([row["id"] for row in rows]) == truth.keys()
    for row in rows:
        wanted = truth[row.pop("id")]
        assert row == {name: _cell(value) for name, value in wanted.items()}


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def test_bulk_extracts_of_activities_are_those_of_the_truth(client: MarketoClient, box: Sandbox, live: Live) -> None:
    records = live("activities")
    rows = [row for month in months(box.world.now()) for row in exported(client, "activities", {"createdAt": month})]
    assert unique([row["marketoGUID"] for row in rows]) == told(box, "activities").keys()
    for row in rows:
        assert json.loads(row["attributes"]) == records[row["marketoGUID"]].fields["attributes"]


def test_bulk_extracts_of_program_members_are_those_of_the_truth(client: MarketoClient, box: Sandbox) -> None:
    programs = list(map(int, told(box, "programs")))
    fields = ["leadId", "statusName", "reachedSuccess", "email"]
    rows = [
        row
        for at in range(0, len(programs), 10)
        for row in exported(client, "program_members", {"programIds": programs[at : at + 10]}, fields=fields)
    ]
    assert all(next(iter(row)) == "programId" for row in rows)
    found = {f"{row['programId']}-{row['leadId']}": row["statusName"] for row in rows}
    assert len(found) == len(rows)
    assert found == {id_: fields["statusName"] for id_, fields in told(box, "program_members").items()}


def test_what_changed_on_a_day_comes_by_updated_at(client: MarketoClient, box: Sandbox, live: Live) -> None:
    now = box.world.now()
    start = now - timedelta(days=1)
    rows = list(exported(client, "leads", {"updatedAt": span(start, now)}, fields=["id", "updatedAt"]))
    assert unique([row["id"] for row in rows]) == {i for i, r in live("leads").items() if r.modified_at >= start}
    assert rows


def test_usage_and_jobs(client: MarketoClient, box: Sandbox) -> None:
    before = client.execute(method="get_daily_usage")[0]
    client.execute(method="describe")
    after = client.execute(method="get_daily_usage")[0]
    assert after["total"] - before["total"] == 2
    assert after["users"] == [{"userId": "integration@smart-demo.example", "count": after["total"]}]
    assert len(client.execute(method="get_last_7_days_usage")) == 7
    assert client.execute(method="get_daily_errors")[0].keys() == {"date", "total", "errors"}
    job = client.execute(
        method="create_leads_export_job", fields=["id"], filters={"createdAt": months(box.world.now())[-1]}
    )[0]
    jobs = client.execute(method="get_leads_export_jobs_list")
    assert job["exportId"] in {each["exportId"] for each in jobs}
    assert client.execute(method="cancel_leads_export_job", job_id=job["exportId"])[0]["status"] == "Cancelled"
