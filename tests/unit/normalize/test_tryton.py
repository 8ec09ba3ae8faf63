"""Tryton's records, as the connector composes them, as staging rows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.unit.normalize.conftest import One, Run


def test_a_person(run: Run) -> None:
    party: dict[str, Any] = {
        "id": 12, "name": "Ana Souza", "is_company": False, "email": "ana@x.example", "create_date": "2024-01-01T00:00:00Z",
        "contact_mechanisms": [
            {"type": "email", "value": "ana@x.example", "active": True},
            {"type": "email", "value": "Ana@home.example", "active": True},
            {"type": "email", "value": "old@x.example", "active": False},
            {"type": "mobile", "value": "(11) 98765-4321", "active": True},
        ],
        "addresses": [{"city": "São Paulo", "country": {"id": 3, "code": "BR"}, "active": True}],
    }  # fmt: skip
    result = run("tryton", "party", party)
    (row,) = result.frames["person"].to_dicts()
    assert (row["email"], row["other_emails"], row["mobile_phone"]) == (
        "ana@x.example",
        ["ana@home.example"],
        "+5511987654321",
    )
    assert (row["country"], row["city"], row["is_company"]) == ("BR", "São Paulo", False)
    assert result.frames["account"].height == 0


def test_a_company_by_evidence_or_by_its_legal_form(run: Run) -> None:
    def company(name: str, *, said: object) -> dict[str, Any]:
        return {"id": 1, "name": name, "is_company": said, "website": "https://www.amber.example/"}

    for payload, expected in (
        (company("Amber", said=True), 1),
        (company("Amber Ltda.", said=None), 1),
        (company("Amber", said=None), 0),
        (company("Amber Ltda.", said=False), 0),
    ):
        result = run("tryton", "party", payload)
        assert result.frames["account"].height == expected
        assert result.frames["person"]["is_company"].to_list() == [bool(expected)]
    assert run("tryton", "party", company("A", said=True)).frames["account"]["domain"].to_list() == ["amber.example"]


def test_an_opportunity_with_its_states(run: Run) -> None:
    deal = {
        "id": 4, "state": "lost", "party": 12, "contact": {"id": 9, "party": 13}, "amount": "1500.50", "employee": 2,
        "currency": {"id": 1, "code": "EUR"}, "conversion_probability": "0.25", "lost_reason": "Price too high",
        "marketing_source": {"id": 1, "name": "feira local"}, "end_date": "2024-02-01", "create_date": "2024-01-01T00:00:00Z",
        "state_changes": [
            {"at": "2024-01-01T00:00:00Z", "state": "lead"},
            {"at": "2024-01-05T00:00:00Z", "state": "opportunity"},
            {"at": "2024-02-01T00:00:00Z", "state": "lost"},
        ],
    }  # fmt: skip
    result = run("tryton", "opportunity", deal)
    assert result.rejects == []
    (row,) = result.frames["opportunity"].to_dicts()
    assert (row["status"], row["amount"], row["currency"], row["probability"]) == (
        "lost", Decimal("1500.5"), "EUR", Decimal("0.25"),
    )  # fmt: skip
    assert (row["account_source_id"], row["primary_person_source_id"]) == ("tryton:party:12", "tryton:party:13")
    assert (row["lead_source"], row["loss_reason"], row["owner_source_id"]) == (
        "unmapped",
        "price",
        "tryton:employee:2",
    )
    changes = result.frames["stage_change"].to_dicts()
    assert [(c["subject_type"], c["from_stage"], c["to_stage"]) for c in changes] == [
        ("opportunity", None, "discovery"),
        ("opportunity", "discovery", "qualification"),
        ("opportunity", "qualification", "lost"),
        ("person", None, "lead"),
    ]
    assert changes[3]["subject_source_id"] == "tryton:party:13"
    assert len({c["source_id"] for c in changes}) == 4


@pytest.mark.parametrize(
    ("state", "status", "stage", "reason"),
    [
        ("lead", "open", "discovery", None),
        ("opportunity", "open", "qualification", None),
        ("converted", "open", "proposal", None),
        ("won", "won", "won", None),
        ("lost", "lost", "lost", "price"),
        ("cancelled", "lost", "lost", "price"),
        ("of a module of theirs", "open", "unmapped", None),
    ],
)
def test_what_each_state_says(run: Run, state: str, status: str, stage: str, reason: str | None) -> None:
    deal = {
        "id": 4, "state": state, "party": 12, "lost_reason": "Price too high", "create_date": "2024-01-01T00:00:00Z",
        "state_changes": [{"at": "2024-01-01T00:00:00Z", "state": state}],
    }  # fmt: skip
    result = run("tryton", "opportunity", deal)
    (row,) = result.frames["opportunity"].to_dicts()
    assert (row["status"], row["stage"], row["loss_reason"]) == (status, state, reason)
    changes = result.frames["stage_change"].filter(pl.col("subject_type") == "opportunity").to_dicts()
    assert [change["to_stage"] for change in changes] == [stage]


@pytest.mark.parametrize(
    ("end_date", "closed_at"),
    [
        ("2024-02-01", datetime(2024, 2, 1, 13, 5, tzinfo=UTC)),  # the day of the change: the moment is known
        ("2024-01-31", datetime(2024, 2, 1, 13, 5, tzinfo=UTC)),  # the day before, in the company's zone
        (None, datetime(2024, 2, 1, 13, 5, tzinfo=UTC)),
        ("2019-06-30", datetime(2019, 6, 30, tzinfo=UTC)),  # imported long after
    ],
)
def test_a_deal_closes_at_the_moment_that_the_history_knows(
    one: One, end_date: str | None, closed_at: datetime
) -> None:
    deal = {
        "id": 4, "state": "won", "party": 12, "create_date": "2024-02-01T13:00:00Z", "end_date": end_date,
        "state_changes": [
            {"at": "2024-02-01T13:00:00Z", "state": "lead"}, {"at": "2024-02-01T13:05:00Z", "state": "won"},
        ],
    }  # fmt: skip
    assert one("tryton", "opportunity", "opportunity", deal)["closed_at"] == closed_at


def test_a_deal_without_description_bears_its_number(one: One) -> None:
    deal = {"id": 4, "state": "lead", "party": 12, "description": None, "reference": "", "number": "17"}
    assert one("tryton", "opportunity", "opportunity", deal)["name"] == "17"


def test_lists_employees_and_scenarios(one: One, run: Run) -> None:
    row = one("tryton", "mailing_list_email", "person", {"id": 1, "email": "a@x.example", "active": False, "party": 12})
    assert (row["funnel_stage"], row["is_opted_out"], row["same_as"]) == ("subscriber", True, ["tryton:party:12"])
    who = {"id": 2, "party": {"id": 5, "name": "Bo", "email": "bo@x.example", "active": True}, "end_date": None}
    assert one("tryton", "employee", "team_member", who)["full_name"] == "Bo"
    scenario = {"id": 3, "name": "Welcome", "state": "running"}
    assert one("tryton", "scenario", "campaign", scenario)["source_id"] == "tryton:scenario:3"
    way = {"id": 6, "record": "party.party,12", "party": 12, "scenario": {"id": 3, "name": "Welcome"}}
    member = one("tryton", "automation_record", "campaign_member", way)
    assert (member["campaign_source_id"], member["person_source_id"]) == ("tryton:scenario:3", "tryton:party:12")
    other = run("tryton", "automation_record", {"id": 7, "record": "sale.sale,1", "party": None, "scenario": 3})
    assert (other.frames["campaign_member"].height, other.rejects) == (0, [])
    step = {
        "id": 8, "state": "done", "at": "2024-01-01T00:00:00Z", "write_date": "2024-01-02T00:00:00Z", "party": 12,
        "record": way, "activity": {"id": 1, "action": "send_email"}, "email_opened": True, "email_clicked": False,
    }  # fmt: skip
    touches = run("tryton", "automation_activity", step).frames["touch"].to_dicts()
    assert [(t["type"], t["occurred_at"].day) for t in touches] == [("email_sent", 1), ("email_open", 2)]
    assert {t["campaign_source_id"] for t in touches} == {"tryton:scenario:3"}


def test_tryton_own_wrapping_of_values_is_read(one: One) -> None:
    deal = {
        "id": 4, "state": "won", "party": {"id": 12, "rec_name": "A"}, "amount": {"__class__": "Decimal", "decimal": "0.10"},
        "end_date": {"__class__": "date", "year": 2024, "month": 2, "day": 3},
        "create_date": {"__class__": "datetime", "year": 2024, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5, "microsecond": 6},
    }  # fmt: skip
    row = one("tryton", "opportunity", "opportunity", deal)
    assert (row["amount"], row["status"]) == (Decimal("0.1"), "won")
    assert row["closed_at"] == datetime(2024, 2, 3, tzinfo=UTC)
    assert row["created_at"] == datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
