"""HubSpot's records as staging rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.unit.normalize.conftest import AT, One, Run
from transforms.normalize import RawRecord


def contact(**properties: Any) -> dict[str, Any]:
    return {"id": "101", "properties": properties, "createdAt": "2024-01-02T03:04:05Z", "archived": False}


def test_a_contact(one: One) -> None:
    row = one(
        "hubspot",
        "contacts",
        "person",
        contact(
            email=" Ana.Souza@Acme.example ",
            hs_additional_emails="ana@home.example;ANA@home.example",
            firstname="Ana",
            lastname="Souza",
            phone="(11) 98765-4321",
            mobilephone="+1 415 555 2671",
            country="Brasil",
            lifecyclestage="marketingqualifiedlead",
            hubspotscore="42",
            hubspot_owner_id="9",
            associatedcompanyid="55",
            createdate="2024-01-01T00:00:00.123Z",
            hs_analytics_source="OFFLINE",
            hs_analytics_source_data_1="IMPORT",
            hs_analytics_source_data_2="list 3",
            hs_email_optout="true",
            salesforceleadid="00QAA0000000abc",
            hs_merged_object_ids="7;8",
            hs_calculated_merged_vids="8:1700000000000;9:1700000000001",
            disqualification_reason="Sem interesse",
        ),
        account="12345",
    )
    assert row == {
        "source_id": "hubspot:contacts:101",
        "source_key": "hubspot:contacts:101",
        "source_system": "hubspot",
        "source_stream": "contacts",
        "source_record_id": "101",
        "source_url": "https://app.hubspot.com/contacts/12345/record/0-1/101",
        "email": "ana.souza@acme.example",
        "other_emails": ["ana@home.example"],
        "phone": "+5511987654321",
        "mobile_phone": "+14155552671",
        "full_name": "Ana Souza",
        "first_name": "Ana",
        "last_name": "Souza",
        "job_title": None,
        "company_name": None,
        "country": "BR",
        "city": None,
        "funnel_stage": "mql",
        "funnel_stage_raw": "marketingqualifiedlead",
        "lead_source": "offline",
        "lead_source_raw": "OFFLINE",
        "lead_source_detail": "IMPORT / list 3",
        "disqualified_reason": "no_need",
        "disqualified_reason_raw": "Sem interesse",
        "score": Decimal("42.00"),
        "account_source_id": "hubspot:companies:55",
        "owner_source_id": "hubspot:owners:9",
        "same_as": [
            "salesforce:lead:00QAA0000000abc2AA",
            "hubspot:contacts:7",
            "hubspot:contacts:8",
            "hubspot:contacts:9",
        ],
        "is_opted_out": True,
        "first_seen_at": None,
        "became_lead_at": datetime(2024, 1, 1, 0, 0, 0, 123000, tzinfo=UTC),
        "is_company": False,
        "custom": None,
        "created_at": datetime(2024, 1, 1, 0, 0, 0, 123000, tzinfo=UTC),
        "version_at": AT,
        "is_deleted": False,
        "deleted_at": None,
        "merged_into_source_id": None,
        "load_id": 7,
    }


def test_an_unknown_word_is_unmapped_and_kept(one: One) -> None:
    row = one("hubspot", "contacts", "person", contact(lifecyclestage="prospecto", hs_analytics_source="TV"))
    assert (row["funnel_stage"], row["funnel_stage_raw"]) == ("unmapped", "prospecto")
    assert (row["lead_source"], row["lead_source_raw"]) == ("unmapped", "TV")
    known = one("hubspot", "contacts", "person", contact(lifecyclestage="other"))
    assert (known["funnel_stage"], known["funnel_stage_raw"]) == (None, "other")


def test_the_first_visit_is_a_touch_with_its_utm(run: Run) -> None:
    url = "https://x.example/p?utm_source=Google&utm_medium=cpc%20&utm_campaign=Caf%C3%A9+2&gclid=a%2Bb#utm_term=no"
    result = run(
        "hubspot",
        "contacts",
        contact(
            hs_analytics_first_timestamp="1700000000000", hs_analytics_source="PAID_SEARCH", hs_analytics_first_url=url
        ),
        contact(hs_analytics_first_timestamp="1700000000000", hs_analytics_source="OFFLINE"),
        contact(),
    )
    assert result.frames["person"].height == 3
    (touch,) = result.frames["touch"].to_dicts()
    assert touch["source_id"] == "hubspot:contacts:101#first_visit"
    assert touch["type"] == "first_visit"
    assert touch["occurred_at"] == datetime.fromtimestamp(1_700_000_000, UTC)
    assert touch["person_source_id"] == "hubspot:contacts:101"
    assert [touch[f"utm_{n}"] for n in ("source", "medium", "campaign", "term", "content")] == [
        "Google", "cpc", "Café 2", None, None,
    ]  # fmt: skip
    assert (touch["click_id"], touch["lead_source"], touch["is_machine"]) == ("gclid=a+b", "paid_search", False)


def test_lifecycle_and_lead_status_histories(run: Run) -> None:
    history = {
        "lifecyclestage": [
            {"value": "salesqualifiedlead", "timestamp": "2024-01-03T00:00:00Z"},
            {"value": "lead", "timestamp": "2024-01-02T00:00:00Z"},
            {"value": "lead", "timestamp": "2024-01-01T12:00:00Z"},
            {"value": "subscriber", "timestamp": "2024-01-01T00:00:00Z"},
        ],
        "hs_lead_status": [
            {"value": "UNQUALIFIED", "timestamp": "2024-01-05T00:00:00Z"},
            {"value": "CONNECTED", "timestamp": "2024-01-04T00:00:00Z"},
            {"value": "NEW", "timestamp": "2024-01-03T12:00:00Z"},
        ],
    }
    result = run("hubspot", "contact_history", {"id": "5", "propertiesWithHistory": history})
    assert result.rejects == []
    changes = result.frames["stage_change"].sort("occurred_at")
    assert list(zip(changes["from_stage"], changes["to_stage"], strict=True)) == [
        (None, "subscriber"), ("subscriber", "lead"), ("lead", "sql"), (None, "sal"), ("sal", "disqualified"),
    ]  # fmt: skip
    assert set(changes["subject_source_id"]) == {"hubspot:contacts:5"}
    assert changes["source_id"].n_unique() == 5
    assert changes["source_id"][0] == "hubspot:contact_history:5#lifecyclestage:2024-01-01T00:00:00Z"


def test_deal_history_has_amount_and_pipeline_of_its_time(run: Run) -> None:
    history = {
        "dealstage": [
            {"value": "closedwon", "timestamp": "2024-03-01T00:00:00Z"},
            {"value": "94321001", "timestamp": "2024-02-01T00:00:00Z"},
            {"value": "appointmentscheduled", "timestamp": "2024-01-01T00:00:00Z"},
        ],
        "amount": [
            {"value": "1200.50", "timestamp": "2024-02-15T00:00:00Z"},
            {"value": "1000", "timestamp": "2024-01-01T00:00:00Z"},
        ],
        "pipeline": [{"value": "default", "timestamp": "2024-01-01T00:00:00Z"}],
    }
    rows = (
        run("hubspot", "deal_history", {"id": "9", "propertiesWithHistory": history}).frames["stage_change"].to_dicts()
    )
    assert [(r["from_stage"], r["to_stage"], r["to_stage_raw"], r["amount"], r["pipeline"]) for r in rows] == [
        (None, "discovery", "appointmentscheduled", Decimal(1000), "default"),
        ("discovery", "unmapped", "94321001", Decimal(1000), "default"),
        ("unmapped", "won", "closedwon", Decimal("1200.5"), "default"),
    ]
    assert {r["subject_type"] for r in rows} == {"opportunity"}


def test_a_deal(one: One) -> None:
    properties = {
        "dealname": "Big",
        "amount": "1234567890123.4567",
        "deal_currency_code": "brl",
        "dealstage": "closedwon",
        "pipeline": "default",
        "closedate": "2024-03-05",
        "hs_is_closed": "true",
        "hs_is_closed_won": "true",
        "hs_deal_stage_probability": "1.0",
        "hs_campaign": "guid-1",
        "hs_salesforceopportunityid": "006AA0000000001AAA",
    }
    row = one("hubspot", "deals", "opportunity", {"id": "9", "properties": properties})
    assert row["amount"] == Decimal("1234567890123.4567")
    assert (row["currency"], row["status"], row["probability"]) == ("BRL", "won", Decimal(1))
    assert row["closed_at"] == datetime(2024, 3, 5, tzinfo=UTC)
    assert row["campaign_source_id"] == "hubspot:campaigns:guid-1"
    assert row["same_as"] == ["salesforce:opportunity:006AA0000000001AAA"]


def test_a_company(one: One) -> None:
    properties = {
        "name": "Müller",
        "domain": "https://www.Müller.co.uk/about",
        "numberofemployees": "1,200",
        "annualrevenue": "1.5E6",
        "hs_parent_company_id": 12,
        "country": "Deutschland",
        "phone": "030 1234567",
    }
    row = one("hubspot", "companies", "account", {"id": "3", "properties": properties})
    assert (row["domain"], row["employee_count"], row["revenue_amount"]) == (
        "xn--mller-kva.co.uk",
        1200,
        Decimal(1_500_000),
    )
    assert (row["parent_source_id"], row["country"], row["phone"]) == ("hubspot:companies:12", "DE", "+49301234567")


def test_engagements(one: One) -> None:
    call = {
        "hs_timestamp": "2024-01-01T10:00:00Z", "hs_call_title": "Hi", "hs_call_direction": "INBOUND",
        "hs_call_status": "COMPLETED", "hs_call_duration": "90500",
    }  # fmt: skip
    row = one("hubspot", "calls", "engagement", {"id": "1", "properties": call})
    assert (row["type"], row["direction"], row["is_completed"]) == ("call", "inbound", True)
    assert row["ended_at"] - row["occurred_at"] == timedelta(seconds=90.5)
    email = {"hs_timestamp": "2024-01-01", "hs_email_direction": "INCOMING_EMAIL", "hs_email_status": "SENT"}
    assert one("hubspot", "emails", "engagement", {"id": "1", "properties": email})["direction"] == "inbound"
    meeting = {"hs_meeting_start_time": "2024-01-01T10:00:00Z", "hs_meeting_outcome": "NO_SHOW"}
    assert one("hubspot", "meetings", "engagement", {"id": "1", "properties": meeting})["is_completed"] is False
    task = {"hs_timestamp": "2024-01-01T10:00:00Z", "hs_task_status": "COMPLETED"}
    assert one("hubspot", "tasks", "engagement", {"id": "1", "properties": task})["is_completed"] is True
    assert one("hubspot", "notes", "engagement", {"id": "1", "properties": {}})["type"] == "note"


def test_associations_are_one_row_per_link(run: Run) -> None:
    kinds = [
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
    ]
    payload: dict[str, Any] = {
        "from": {"id": "5"},
        "to": [
            {"toObjectId": 7, "associationTypes": kinds},
            {"toObjectId": "8", "associationTypes": kinds[:1]},
            {"toObjectId": 7, "associationTypes": kinds[:1]},
        ],
    }
    rows = run("hubspot", "contact_to_company", payload).frames["person_account"].to_dicts()
    assert [(r["source_id"], r["account_source_id"], r["is_primary"], r["role"]) for r in rows] == [
        ("hubspot:contact_to_company:0#7", "hubspot:companies:7", True, "Primary"),
        ("hubspot:contact_to_company:0#8", "hubspot:companies:8", False, None),
    ]
    none = run("hubspot", "contact_to_company", {"from": {"id": "5"}, "to": []})
    assert (none.frames["person_account"].height, none.rejects) == (0, [])
    (link,) = run("hubspot", "note_to_deal", payload | {"to": payload["to"][:1]}).frames["engagement_link"].to_dicts()
    assert (link["engagement_source_id"], link["person_source_id"], link["opportunity_source_id"]) == (
        "hubspot:notes:5", None, "hubspot:deals:7",
    )  # fmt: skip


def test_mail_events(run: Run) -> None:
    def event(id_: str, type_: str, **more: Any) -> dict[str, Any]:
        return {"id": id_, "created": 1_700_000_000_123, "type": type_, "recipient": "Ana@x.example", **more}

    result = run(
        "hubspot",
        "email_events",
        event("a", "OPEN", filteredEvent=True, emailCampaignId=12),
        event("b", "CLICK", url="https://x.example/?utm_source=hs_email"),
        event("c", "DEFERRED"),
        event("d", "BRANDNEW"),
    )
    rows = result.frames["touch"].to_dicts()
    assert [(r["type"], r["is_machine"], r["utm_source"]) for r in rows] == [
        ("email_open", True, None),
        ("email_click", False, "hs_email"),
    ]
    assert rows[0]["person_email"] == "ana@x.example"
    assert rows[0]["content_asset_source_id"] == "hubspot:email_campaigns:12"
    assert rows[0]["occurred_at"] == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    assert [(r.rule, r.record_id, r.is_fatal) for r in result.rejects] == [("word_unknown", "d", True)]


def test_form_submissions_forms_owners_campaigns_pipelines(one: One, run: Run) -> None:
    sent = {
        "submittedAt": 1_700_000_000_000,
        "values": [{"name": "Email", "value": " ANA@x.example"}, {"name": "firstname", "value": "Ana"}],
        "pageUrl": "https://x.example/demo?utm_campaign=c",
    }
    touch = one("hubspot", "form_submissions", "touch", {"formGuid": "g", "submission": sent})
    assert (touch["person_email"], touch["content_asset_source_id"], touch["utm_campaign"]) == (
        "ana@x.example", "hubspot:forms:g", "c",
    )  # fmt: skip
    form = one("hubspot", "forms", "content_asset", {"id": "g", "name": "Demo", "createdAt": "2024-01-01T00:00:00Z"})
    assert (form["type"], form["name"]) == ("form", "Demo")
    teams = [{"id": "1", "name": "Support", "primary": False}, {"id": "2", "name": "Vendas", "primary": True}]
    owner = one("hubspot", "owners", "team_member", {"id": "1", "firstName": "Bo", "archived": False, "teams": teams})
    assert (owner["full_name"], owner["team"], owner["team_raw"], owner["is_active"]) == ("Bo", "sales", "Vendas", True)
    budget = {
        "hs_name": "C",
        "hs_start_date": "2024-01-05",
        "hs_budget_items_sum_amount": "10.5",
        "hs_currency_code": "EUR",
    }
    campaign = one("hubspot", "campaigns", "campaign", {"id": "g", "properties": budget})
    assert (campaign["started_on"], campaign["budget_amount"], campaign["currency"]) == (
        date(2024, 1, 5), Decimal("10.5"), "EUR",
    )  # fmt: skip
    stages = [
        {"id": "a", "label": "A", "displayOrder": 0, "metadata": {"isClosed": "false", "probability": "0.2"}},
        {"id": "closedwon", "label": "Won", "displayOrder": 1, "metadata": {"isClosed": "true", "probability": "1.0"}},
        {
            "id": "closedlost",
            "label": "Lost",
            "displayOrder": 2,
            "metadata": {"isClosed": "true", "probability": "0.0"},
        },
    ]
    rows = (
        run("hubspot", "pipelines", {"id": "default", "label": "P", "stages": stages})
        .frames["pipeline_stage"]
        .to_dicts()
    )
    assert [(r["stage"], r["position"], r["probability"], r["status"]) for r in rows] == [
        ("a", 0, Decimal("0.2"), "open"), ("closedwon", 1, Decimal(1), "won"), ("closedlost", 2, Decimal(0), "lost"),
    ]  # fmt: skip


def test_deleted_and_merged_records_say_so(run: Run) -> None:
    gone = RawRecord("1", AT, 3, b'{"id":"1","properties":{"firstname":"A"}}', is_deleted=True, deleted_at=AT)
    merged = gone._replace(record_id="2", merged_into="9")
    rows = run("hubspot", "contacts", gone, merged).frames["person"].to_dicts()
    assert [(r["is_deleted"], r["deleted_at"], r["merged_into_source_id"], r["load_id"]) for r in rows] == [
        (True, AT, None, 3),
        (True, AT, "hubspot:contacts:9", 3),
    ]
