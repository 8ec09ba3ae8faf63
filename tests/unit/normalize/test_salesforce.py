"""Salesforce's records as staging rows, as REST gives them and as Bulk's text gives them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.normalize.conftest import One, Run

LEAD = "00QAA0000000001AAA"
CONTACT = "003AA0000000001AAA"
ACCOUNT = "001AA0000000001AAA"
OPPORTUNITY = "006AA0000000001AAA"


def as_bulk(record: dict[str, Any]) -> dict[str, Any]:
    """Bulk gives every value as text."""
    return {k: v if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in record.items()}


@pytest.mark.parametrize("form", [dict, as_bulk])
def test_a_lead_and_its_conversion(run: Run, form: Any) -> None:
    lead = {
        "Id": LEAD, "Email": "A@x.example", "FirstName": "A", "LastName": "B", "Name": "A B", "Phone": "+49 30 1234567",
        "CountryCode": "DE", "Status": "Closed - Converted", "LeadSource": "Trade Show", "IsConverted": True,
        "ConvertedDate": "2024-05-06", "ConvertedContactId": CONTACT, "ConvertedAccountId": ACCOUNT,
        "HasOptedOutOfEmail": False, "CreatedDate": "2024-01-01T00:00:00.000+0000", "OwnerId": "005AA0000000001AAA",
    }  # fmt: skip
    result = run("salesforce", "lead", form(lead), account="https://acme.my.salesforce.com/")
    assert result.rejects == []
    (row,) = result.frames["person"].to_dicts()
    assert (row["funnel_stage"], row["lead_source"], row["phone"], row["country"]) == (
        "opportunity",
        "event",
        "+49301234567",
        "DE",
    )
    assert row["same_as"] == [f"salesforce:contact:{CONTACT}"]
    assert (row["is_opted_out"], row["full_name"]) == (False, "A B")
    assert row["source_url"] == f"https://acme.my.salesforce.com/{LEAD}"
    assert row["created_at"] == datetime(2024, 1, 1, tzinfo=UTC)
    (change,) = result.frames["stage_change"].to_dicts()
    assert change["source_id"] == f"salesforce:lead:{LEAD}#converted"
    assert (change["to_stage"], change["occurred_at"]) == (
        "opportunity",
        datetime(2024, 5, 6, 23, 59, 59, 999999, tzinfo=UTC),
    )
    assert run("salesforce", "lead", form(lead | {"ConvertedDate": None})).frames["stage_change"].height == 0


@pytest.mark.parametrize("form", [dict, as_bulk])
def test_an_opportunity(one: One, form: Any) -> None:
    record = {
        "Id": OPPORTUNITY, "Name": "Big", "AccountId": ACCOUNT, "Amount": 1234.56, "CurrencyIsoCode": "JPY",
        "StageName": "Closed Lost", "Probability": 12.5, "IsClosed": True, "IsWon": False, "CloseDate": "2024-05-06",
        "Loss_Reason__c": "Preço", "CampaignId": "701AA0000000001AAA",
    }  # fmt: skip
    row = one("salesforce", "opportunity", "opportunity", form(record))
    assert (row["status"], row["probability"], row["amount"]) == ("lost", Decimal("0.125"), Decimal("1234.56"))
    assert (row["loss_reason"], row["account_source_id"], row["stage"]) == (
        "price",
        f"salesforce:account:{ACCOUNT}",
        "Closed Lost",
    )


def test_histories(one: One, run: Run) -> None:
    at = "2024-01-01T10:00:00.000+0000"
    change = {
        "Id": "017x",
        "LeadId": LEAD,
        "Field": "Status",
        "OldValue": "Open - Not Contacted",
        "NewValue": "Working - Contacted",
    }
    other = change | {"Id": "017y", "Field": "Owner", "OldValue": "a", "NewValue": "b", "CreatedDate": at}
    result = run("salesforce", "lead_history", change | {"CreatedDate": at}, other)
    (row,) = result.frames["stage_change"].to_dicts()
    assert (row["from_stage"], row["to_stage"], row["subject_source_id"]) == ("mql", "sal", f"salesforce:lead:{LEAD}")
    assert result.rejects == []
    past = {"Id": "008x", "OpportunityId": OPPORTUNITY, "StageName": "Qualification", "Amount": "10", "CreatedDate": at}
    row = one("salesforce", "opportunity_history", "stage_change", past)
    assert (row["from_stage"], row["to_stage"], row["amount"]) == (None, "qualification", Decimal(10))


def test_campaign_members_and_their_responses(run: Run) -> None:
    base = {"CampaignId": "701AA0000000001AAA", "Status": "Sent", "CreatedDate": "2024-01-01T10:00:00.000+0000"}
    result = run(
        "salesforce",
        "campaign_member",
        base | {"Id": "00v1", "LeadId": LEAD, "HasResponded": False},
        base
        | {
            "Id": "00v2",
            "LeadId": LEAD,
            "ContactId": CONTACT,
            "HasResponded": True,
            "FirstRespondedDate": "2024-01-02",
        },
        base | {"Id": "00v3", "HasResponded": False},
    )
    assert result.frames["campaign_member"]["person_source_id"].to_list() == [
        f"salesforce:lead:{LEAD}", f"salesforce:contact:{CONTACT}",
    ]  # fmt: skip
    (touch,) = result.frames["touch"].to_dicts()
    assert (touch["type"], touch["person_source_id"]) == ("campaign_response", f"salesforce:contact:{CONTACT}")
    assert touch["occurred_at"] == datetime(2024, 1, 2, tzinfo=UTC)
    assert [(r.rule, r.record_id, r.is_fatal) for r in result.rejects] == [("person_source_id_missing", "00v3", True)]


def test_tasks_and_their_parties(run: Run) -> None:
    base = {"CreatedDate": "2024-01-01T10:00:00.000+0000", "IsClosed": True}
    result = run(
        "salesforce",
        "task",
        base | {"Id": "00T1", "WhoId": LEAD, "TaskSubtype": "Call", "CallType": "Inbound"},
        base | {"Id": "00T2", "WhoId": CONTACT, "WhatId": OPPORTUNITY, "TaskSubtype": "Task", "Type": "Email"},
        base | {"Id": "00T3", "WhatId": ACCOUNT, "Type": "Coffee", "ActivityDate": "2024-02-03"},
    )
    assert result.rejects == []
    rows = result.frames["engagement"].to_dicts()
    assert [(r["type"], r["direction"], r["account_source_id"]) for r in rows] == [
        ("call", "inbound", None), ("email", None, None), ("task", None, f"salesforce:account:{ACCOUNT}"),
    ]  # fmt: skip
    assert rows[2]["occurred_at"] == datetime(2024, 2, 3, tzinfo=UTC)
    links = result.frames["engagement_link"].to_dicts()
    assert [(x["engagement_source_id"], x["person_source_id"], x["opportunity_source_id"]) for x in links] == [
        ("salesforce:task:00T1", f"salesforce:lead:{LEAD}", None),
        ("salesforce:task:00T2", f"salesforce:contact:{CONTACT}", f"salesforce:opportunity:{OPPORTUNITY}"),
    ]


def test_users_accounts_campaigns_roles(one: One) -> None:
    user = one(
        "salesforce",
        "user",
        "team_member",
        {"Id": "005x", "Name": "N", "Department": "Inside Sales", "IsActive": False},
    )
    assert (user["team"], user["is_active"]) == ("sales", False)
    account = one(
        "salesforce", "account", "account", {"Id": ACCOUNT, "Website": "br.acme.example", "AnnualRevenue": 1e6}
    )
    assert (account["domain"], account["revenue_amount"]) == ("acme.example", Decimal(1_000_000))
    campaign = one(
        "salesforce", "campaign", "campaign", {"Id": "701x", "Type": "Search Ads", "ActualCost": "12.345678"}
    )
    assert (campaign["channel"], campaign["cost_amount"]) == ("paid_search", Decimal("12.3457"))
    role = {
        "Id": "00Kx",
        "OpportunityId": OPPORTUNITY,
        "ContactId": CONTACT,
        "Role": "Decision Maker",
        "IsPrimary": True,
    }
    row = one("salesforce", "opportunity_contact_role", "opportunity_person", role)
    assert (row["person_source_id"], row["is_primary"]) == (f"salesforce:contact:{CONTACT}", True)
