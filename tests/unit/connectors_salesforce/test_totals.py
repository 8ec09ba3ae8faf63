"""Salesforce's sums, led back from the corporate currency to that of the deals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.base.model import Total
from connectors.salesforce.answers import Unproved
from connectors.salesforce.client import Answer
from connectors.salesforce.soql import Query
from connectors.salesforce.totals import totals
from errors import ScopeError

DEALS = Query("Opportunity", ("Id",), "SystemModstamp", condition="IsDeleted = false")
RATES = [
    {"IsoCode": "USD", "ConversionRate": 1, "IsCorporate": True},
    {"IsoCode": "EUR", "ConversionRate": 0.8, "IsCorporate": False},
]
GROUPS = [
    {"CurrencyIsoCode": "USD", "records": 2, "amount": 10.1},
    {"CurrencyIsoCode": "EUR", "records": 3, "amount": 100},
    {"CurrencyIsoCode": "JPY", "records": 1, "amount": None},
]


class Org:
    """Answers as an org with these objects would; notes what it was asked."""

    def __init__(self, fields: Mapping[str, set[str]], answers: Mapping[str, list[Any]]) -> None:
        self._fields = fields
        self._answers = answers
        self.asked: list[str] = []

    def fields(self, thing: str) -> set[str]:
        if thing not in self._fields:
            raise ScopeError(f"no {thing}")
        return self._fields[thing]

    def ask(self, query: Query, soql: str) -> Answer:
        self.asked.append(soql)
        rows = self._answers[query.thing]
        return Answer(len(rows), [msgspec.Raw(msgspec.json.encode(row)) for row in rows])

    def count(self, query: Query) -> int:
        return len(self._answers[query.thing])


def org(*more: str, fields: set[str] | None = None, groups: list[Any] | None = None) -> Any:
    known = {"Opportunity": fields or {"Amount", "CurrencyIsoCode"}, **{name: {"Id"} for name in more}}
    return Org(known, {"Opportunity": GROUPS if groups is None else groups, "CurrencyType": RATES, "Lead": [1, 2]})


def test_sums_are_led_back_at_the_orgs_own_rate() -> None:
    asked = org()
    assert totals(asked, DEALS) == [
        Total("USD", 2, Decimal("10.1"), Decimal(0)),
        Total("EUR", 3, Decimal(80), Decimal("0.012")),
        Total("JPY", 1),
    ]
    assert asked.asked[-1] == (
        "SELECT CurrencyIsoCode, COUNT(Id) records, SUM(Amount) amount FROM Opportunity WHERE IsDeleted = false "
        "GROUP BY CurrencyIsoCode"
    )


def test_where_rates_are_dated_only_the_corporate_currency_is_summed() -> None:
    assert totals(org("DatedConversionRate"), DEALS)[:2] == [Total("USD", 2, Decimal("10.1")), Total("EUR", 3)]


def test_one_currency_is_one_sum_and_nothing_is_zero() -> None:
    found = totals(org(fields={"Amount"}, groups=[{"records": 0, "amount": None}]), DEALS)
    assert found == [Total("", 0, Decimal(0))]


@pytest.mark.parametrize("thing", ["Lead", "Opportunity"])
def test_without_an_amount_records_are_counted(thing: str) -> None:
    org_ = Org({"Opportunity": {"Id"}, "Lead": {"Id"}}, {"Lead": [1, 2], "Opportunity": [1, 2]})
    assert totals(org_, Query(thing, ("Id",), "SystemModstamp")) == [Total("", 2)]  # type: ignore[arg-type]


def test_an_answer_that_cannot_be_read_proves_nothing() -> None:
    with pytest.raises(Unproved):
        totals(org(groups=[{"records": "many"}]), DEALS)
