"""Salesforce's own totals: how many records it counts, and what their amounts come to by its sum.

In a multi-currency org a SUM is in the corporate currency, whatever its rows are grouped by (SOQL reference, Querying Currency
Fields in Multi-Currency Orgs); it is converted back at the org's own rate. Where advanced currency management converts deals at
dated rates, there is no one rate, and only the sum of the corporate currency says anything.
"""

import contextlib
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from connectors.base.model import Total
from connectors.salesforce.answers import unproved
from connectors.salesforce.client import Client
from connectors.salesforce.soql import Query
from errors import ScopeError

T = TypeVar("T")

AMOUNTS = {"Opportunity": "Amount"}
"""Object -> the amount that the warehouse holds of it."""

CURRENCY = "CurrencyIsoCode"
HALF_A_CENT = Decimal("0.005")


class _Sum(msgspec.Struct):
    records: int
    amount: Decimal | None = None
    currency: str = msgspec.field(default="", name=CURRENCY)


class _CurrencyType(msgspec.Struct):
    code: str = msgspec.field(name="IsoCode")
    rate: Decimal = msgspec.field(name="ConversionRate")
    is_corporate: bool = msgspec.field(name="IsCorporate")


class _Rate(NamedTuple):
    """Units of a currency for one of the corporate currency, and how far off one converted amount may be."""

    rate: Decimal
    precision: Decimal


def totals(client: Client, query: Query) -> list[Total]:
    """The totals of a query's rows, by currency in a multi-currency org; without amounts for objects that have none.

    Raises:
        Unproved: Salesforce does not answer for the moment.
        ScopeError, VendorError: it does not at all.
    """
    fields, amount = client.fields(query.thing), AMOUNTS.get(query.thing)
    if amount is None or amount not in fields:
        return [Total("", client.count(query))]
    if CURRENCY not in fields:
        [row] = _decoded(client, query, query.summed(amount), _Sum)
        return [Total("", row.records, row.amount or Decimal(0))]
    rates = _rates(client)
    return [
        _total(row, rates.get(row.currency)) for row in _decoded(client, query, query.summed(amount, CURRENCY), _Sum)
    ]


def _total(row: _Sum, rate: _Rate | None) -> Total:
    if rate is None:
        return Total(row.currency, row.records)
    return Total(row.currency, row.records, (row.amount or Decimal(0)) * rate.rate, rate.precision * row.records)


def _rates(client: Client) -> dict[str, _Rate]:
    """The rate of each currency that has just one."""
    query = Query("CurrencyType", ("IsoCode", "ConversionRate", "IsCorporate"), "SystemModstamp")
    has_dated = _has_dated_rates(client)
    return {
        # Each amount may have been rounded when it was converted.
        row.code: _Rate(row.rate, Decimal(0) if row.is_corporate else HALF_A_CENT * row.rate)
        for row in _decoded(client, query, query.select, _CurrencyType)
        if row.is_corporate or not has_dated
    }


def _has_dated_rates(client: Client) -> bool:
    with contextlib.suppress(ScopeError):
        return bool(client.fields("DatedConversionRate"))
    return False


def _decoded(client: Client, query: Query, soql: str, kind: type[T]) -> list[T]:
    rows = client.ask(query, soql).records
    try:
        return [msgspec.json.decode(raw, type=kind) for raw in rows]
    except msgspec.MsgspecError:
        raise unproved(f"Salesforce's totals of {query} cannot be read.", again=False) from None
