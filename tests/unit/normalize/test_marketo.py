"""Marketo's records as staging rows: the same from REST (typed values) and from exports (text)."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from glossary import load
from tests.unit.normalize.conftest import AT, One, Run
from transforms.normalize import KNOWN_COLUMNS, KNOWN_FUNCTIONS, RawRecord, normalize

LEAD: dict[str, Any] = {
    "id": 1001,
    "email": " Ana.Souza@Acme.example ",
    "firstName": "Ana",
    "lastName": "Souza",
    "title": "Head of Ops",
    "company": "Acme",
    "phone": "+1 415 555 2671",
    "mobilePhone": None,
    "country": "Brasil",
    "city": "Recife",
    "leadStatus": "Working - Contacted",
    "leadSource": "Trade Show",
    "leadScore": 42,
    "unsubscribed": True,
    "sfdcLeadId": "00QAA0000000abc",
    "sfdcContactId": None,
    "sfdcAccountId": "001AA0000000abcAAA",
    "originalSourceType": "Web form fill-out",
    "originalSourceInfo": "page 3",
    "createdAt": "2024-01-01T00:00:00Z",
    "updatedAt": "2024-02-01T00:00:00Z",
}


def exported(record: dict[str, Any]) -> dict[str, Any]:
    """The same record as an export writes it."""
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in record.items()}
    return {name: None if value is None else str(value) for name, value in texts.items()}


@pytest.mark.parametrize("form", [dict, exported])
def test_a_lead(one: One, form: Any) -> None:
    row = one("marketo", "leads", "person", form(LEAD), account="https://app-ab01.marketo.com")
    assert row == {
        "source_id": "marketo:leads:1001",
        "source_key": "marketo:leads:1001",
        "source_system": "marketo",
        "source_stream": "leads",
        "source_record_id": "1001",
        "source_url": "https://app-ab01.marketo.com/leadDatabase/loadLeadDetail?leadId=1001",
        "email": "ana.souza@acme.example",
        "other_emails": None,
        "phone": "+14155552671",
        "mobile_phone": None,
        "full_name": "Ana Souza",
        "first_name": "Ana",
        "last_name": "Souza",
        "job_title": "Head of Ops",
        "company_name": "Acme",
        "country": "BR",
        "city": "Recife",
        "funnel_stage": "sal",
        "funnel_stage_raw": "Working - Contacted",
        "lead_source": "event",
        "lead_source_raw": "Trade Show",
        "lead_source_detail": "Web form fill-out / page 3",
        "disqualified_reason": None,
        "disqualified_reason_raw": None,
        "score": Decimal("42.00"),
        "account_source_id": "salesforce:account:001AA0000000abcAAA",
        "owner_source_id": None,
        "same_as": ["salesforce:lead:00QAA0000000abc2AA"],
        "is_opted_out": True,
        "first_seen_at": None,
        "became_lead_at": datetime(2024, 1, 1, tzinfo=UTC),
        "is_company": False,
        "custom": None,
        "created_at": datetime(2024, 1, 1, tzinfo=UTC),
        "version_at": AT,
        "is_deleted": False,
        "deleted_at": None,
        "merged_into_source_id": None,
        "load_id": 7,
    }


def test_a_custom_field_of_an_overlay(tmp_path: Any) -> None:
    (tmp_path / "field_maps").mkdir()
    (tmp_path / "field_maps" / "marketo.yml").write_text(
        "streams:\n  leads:\n    maps:\n      person:\n        fields:\n"
        "          custom.interest: {path: productInterest, type: text}\n"
    )
    words = load(tmp_path, known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS)
    text = json.dumps({**LEAD, "productInterest": "Bridges"})
    result = normalize([RawRecord("1001", AT, 7, text)], "marketo", "leads", words)
    assert result.frames["person"]["custom"].to_list() == ['{"interest":"Bridges"}']


def test_a_merged_lead_points_to_its_winner(run: Run) -> None:
    record = RawRecord("5", AT, 7, json.dumps(LEAD), is_deleted=True, deleted_at=AT, merged_into="1")
    (row,) = run("marketo", "leads", record).frames["person"].to_dicts()
    assert (row["is_deleted"], row["merged_into_source_id"]) == (True, "marketo:leads:1")


def activity(type_: int, primary: Any = None, name: str | None = None, **attributes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "marketoGUID": "9",
        "leadId": 1001,
        "activityDate": "2024-03-05T10:00:00Z",
        "activityTypeId": type_,
        "campaignId": 31,
        "primaryAttributeValueId": primary,
        "primaryAttributeValue": name,
        "attributes": attributes,
    }


def as_rest(record: dict[str, Any]) -> dict[str, Any]:
    pairs = [{"name": name.replace("_", " "), "value": value} for name, value in record["attributes"].items()]
    return {**record, "attributes": pairs}


def as_export(record: dict[str, Any]) -> dict[str, Any]:
    attributes = {name.replace("_", " "): value for name, value in record["attributes"].items()}
    return exported({**record, "attributes": json.dumps(attributes)})


FORMS = pytest.mark.parametrize("form", [as_rest, as_export])


def touch_of(run: Run, record: dict[str, Any]) -> dict[str, Any]:
    result = run("marketo", "activities", record)
    assert result.rejects == []
    assert result.frames["stage_change"].height == 0
    (row,) = result.frames["touch"].to_dicts()
    return dict(row)


@FORMS
def test_a_visit_with_its_utm(run: Run, form: Any) -> None:
    query = "utm_source=Google&utm_medium=cpc&utm_campaign=Caf%C3%A9&gclid=a%2Bb"
    web = {"Webpage_URL": "/p.html", "Query_Parameters": query, "Referrer_URL": "https://www.google.com/"}
    row = touch_of(run, form(activity(1, 71, "www.firm.example/p.html", **web)))
    assert row["source_id"] == "marketo:activities:7"
    assert (row["type"], row["occurred_at"]) == ("page_visit", datetime(2024, 3, 5, 10, tzinfo=UTC))
    assert row["person_source_id"] == "marketo:leads:1001"
    assert row["campaign_source_id"] == "marketo:campaigns:31"
    assert row["content_asset_source_id"] == "marketo:landing_pages:71"
    assert row["url"] == f"www.firm.example/p.html?{query}"
    assert [row[f"utm_{n}"] for n in ("source", "medium", "campaign", "term")] == ["Google", "cpc", "Café", None]
    assert (row["click_id"], row["referrer"], row["is_machine"]) == ("gclid=a+b", "https://www.google.com/", False)


@FORMS
def test_a_form_a_page_of_marketos_own_and_a_click(run: Run, form: Any) -> None:
    row = touch_of(run, form(activity(2, 12, "Contact", Query_Parameters="?utm_source=x")))
    assert (row["type"], row["content_asset_source_id"], row["utm_source"]) == (
        "form_submission", "marketo:forms:12", "x",
    )  # fmt: skip
    row = touch_of(run, form(activity(1, 5, "Webinar LP", Webpage_URL="/lp/webinar.html")))
    assert row["url"] == "/lp/webinar.html"
    row = touch_of(run, form(activity(11, 40, "Mail", Link="https://f.example/?utm_source=m", Is_Bot_Activity=True)))
    assert (row["type"], row["content_asset_source_id"], row["utm_source"], row["is_machine"]) == (
        "email_click", "marketo:emails:40", "m", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "kind"),
    [(6, "sent"), (7, "delivered"), (8, "bounce"), (27, "bounce"), (9, "unsubscribe"), (10, "open"), (11, "click")],
)
def test_what_happens_to_a_mail(run: Run, type_: int, kind: str) -> None:
    row = touch_of(run, as_rest(activity(type_, 40, "Mail")))
    assert (row["type"], row["content_asset_source_id"]) == (f"email_{kind}", "marketo:emails:40")


@pytest.mark.parametrize("type_", [12, 13, 22, 24, 25, 32, 46, 104, 123])
def test_what_is_no_interaction_is_no_touch(run: Run, type_: int) -> None:
    result = run("marketo", "activities", as_rest(activity(type_, 3, "x")))
    assert result.rejects == []
    assert [frame.height for frame in result.frames.values()] == [0, 0]


def test_a_custom_activity_waits_for_its_word(run: Run) -> None:
    result = run("marketo", "activities", as_rest(activity(100_001, None, "Fair")))
    assert [(reject.entity, reject.rule, reject.is_fatal) for reject in result.rejects] == [
        ("touch", "word_unknown", True)
    ]


@FORMS
def test_a_change_of_revenue_stage(run: Run, form: Any) -> None:
    stages = {"Old_Stage": "Engaged", "New_Stage": "Marketing Qualified", "New_Stage_ID": 3}
    result = run("marketo", "activities", form(activity(101, 1, "Success Path", **stages)))
    assert result.rejects == []
    (row,) = result.frames["stage_change"].to_dicts()
    assert (row["subject_type"], row["subject_source_id"]) == ("person", "marketo:leads:1001")
    assert (row["from_stage"], row["to_stage"], row["to_stage_raw"]) == ("lead", "mql", "Marketing Qualified")
    assert row["occurred_at"] == datetime(2024, 3, 5, 10, tzinfo=UTC)


@FORMS
def test_a_change_of_lead_status(run: Run, form: Any) -> None:
    values = {"Old_Value": "Open - Not Contacted", "New_Value": "Qualified"}
    (row,) = (
        run("marketo", "activities", form(activity(13, 64, "Lead Status", **values))).frames["stage_change"].to_dicts()
    )
    assert (row["from_stage"], row["to_stage"]) == ("mql", "sql")
    other = run("marketo", "activities", form(activity(13, 29, "First Name", **values)))
    assert other.frames["stage_change"].height == 0


def test_an_activity_whose_attributes_cannot_be_read_is_set_aside(run: Run) -> None:
    broken = {**exported(activity(1)), "attributes": '{"cut'}
    result = run("marketo", "activities", broken, as_export({**activity(10, 40), "id": 8}))
    assert {reject.rule for reject in result.rejects} == {"record_unreadable"}
    assert result.frames["touch"]["source_record_id"].to_list() == ["8"]


def test_a_program_with_its_costs(run: Run, one: One) -> None:
    program = {
        "id": 9,
        "name": "Spring webinar",
        "channel": "Webinar",
        "status": "",
        "createdAt": "2024-05-21T22:45:13Z+0000",
        "startDate": None,
        "costs": [{"startDate": "2024-06-01", "cost": 1000.5}, {"startDate": "2024-05-01", "cost": 500, "note": "x"}],
    }
    row = one("marketo", "programs", "campaign", program)
    assert (row["channel"], row["channel_raw"], row["cost_amount"]) == ("webinar", "Webinar", Decimal("1500.5"))
    assert (row["started_on"], row["created_at"]) == (date(2024, 5, 1), datetime(2024, 5, 21, 22, 45, 13, tzinfo=UTC))
    bare = one("marketo", "programs", "campaign", {**program, "costs": None, "channel": "Escuela"})
    assert (bare["cost_amount"], bare["channel"]) == (None, "unmapped")
    assert run("marketo", "programs", {**program, "costs": [{"cost": "many"}]}).frames["campaign"].height == 1


def test_a_smart_campaign_is_part_of_its_program(one: One) -> None:
    record = {"id": 31, "name": "01 Invite", "type": "batch", "programName": "Spring webinar", "programId": 9}
    row = one("marketo", "campaigns", "campaign", record)
    assert (row["name"], row["parent_source_id"]) == ("Spring webinar / 01 Invite", "marketo:programs:9")


@pytest.mark.parametrize("form", [dict, exported])
def test_a_member(one: One, form: Any) -> None:
    member = {
        "programId": 9,
        "leadId": 1001,
        "statusName": "Attended",
        "reachedSuccess": True,
        "reachedSuccessDate": "2024-06-02T10:00:00Z",
        "membershipDate": "2024-06-01T10:00:00Z",
    }
    row = one("marketo", "program_members", "campaign_member", form(member))
    assert (row["campaign_source_id"], row["person_source_id"]) == ("marketo:programs:9", "marketo:leads:1001")
    assert (row["status"], row["has_responded"]) == ("Attended", True)
    assert row["responded_at"] == datetime(2024, 6, 2, 10, tzinfo=UTC)
    assert row["created_at"] == datetime(2024, 6, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stream", "kind"), [("emails", "email"), ("landing_pages", "landing_page"), ("forms", "form")]
)
def test_an_asset_and_its_program(one: One, stream: str, kind: str) -> None:
    record = {"id": 4, "name": "A", "URL": "https://f.example/lp.html", "createdAt": "2024-05-21T22:45:13Z+0000"}
    row = one("marketo", stream, "content_asset", {**record, "folder": {"type": "Program", "value": 9}})
    assert (row["type"], row["name"], row["campaign_source_id"]) == (kind, "A", "marketo:programs:9")
    assert row["published_at"] == datetime(2024, 5, 21, 22, 45, 13, tzinfo=UTC)
    assert row["url"] == ("https://f.example/lp.html" if stream == "landing_pages" else None)
    plain = one("marketo", stream, "content_asset", {**record, "folder": {"type": "Folder", "value": 9}})
    assert plain["campaign_source_id"] is None


@pytest.mark.parametrize("stream", ["lists", "list_members", "activity_types"])
def test_what_is_kept_in_raw_only(run: Run, stream: str) -> None:
    result = run("marketo", stream, {"id": 1, "name": "x"})
    assert (dict(result.frames), result.rejects) == ({}, [])
