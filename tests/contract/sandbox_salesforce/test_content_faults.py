"""Faults of queries and of what an answer holds: each does what its line says, and the next answer is as it was."""

from typing import Any

import pytest

from sandbox.context import Context
from sandbox.drift import ADDED
from tests.contract.sandbox_salesforce.conftest import Http

QUERY = "SELECT Id, Rating FROM Lead"
DEALS = "SELECT Id, Probability FROM Opportunity"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("query_timeout", 500, "QUERY_TIMEOUT"),
        ("field_lost", 400, "INVALID_FIELD"),
        ("concurrent_limit", 403, "REQUEST_LIMIT_EXCEEDED"),
    ],
)
def test_a_query_is_refused_once(http: Http, context: Context, fault: str, status: int, code: str) -> None:
    context.faults.switch(f"salesforce.{fault}", count=1)
    answer = http.soql(QUERY)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert http.soql(QUERY).status_code == 200


def test_too_many_at_once_and_too_many_in_a_day_differ_by_their_message(http: Http, context: Context) -> None:
    context.faults.switch("salesforce.concurrent_limit", count=1)
    assert http.soql(QUERY).json()[0]["message"].startswith("ConcurrentRequests")


def rows(http: Http, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.soql(query).json()["records"]
    return found


def test_fields_drift_for_one_page(http: Http, context: Context) -> None:
    leads, deals = rows(http, QUERY), rows(http, DEALS)
    context.faults.switch("salesforce.field_added", count=1)
    assert rows(http, QUERY) == [{**row, ADDED: "1"} for row in leads]
    context.faults.switch("salesforce.field_removed", count=1)
    assert rows(http, QUERY) == [{k: v for k, v in row.items() if k != "Rating"} for row in leads]
    context.faults.switch("salesforce.field_retyped", count=1)
    texts = [None if row["Probability"] is None else str(row["Probability"]) for row in deals]
    assert [row["Probability"] for row in rows(http, DEALS)] == texts
    assert any(texts)
    assert rows(http, DEALS) == deals
