"""Functions that Marketo's field map names under `rows`: activities, programs, assets.

An activity comes in two forms: from REST its attributes are a list of names and values, from an export a text of JSON with
names as keys. Both give the same sub-record.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

Record = Mapping[str, Any]

_VISIT, _FORM, _CLICK, _DATA_VALUE, _REVENUE_STAGE = "1", "2", "11", "13", "101"
_MAILS: Final = {"6", "7", "8", "9", "10", "11", "27"}
_LEAD_STATUS: Final = {"lead status", "leadstatus"}
"""The field's label as shipped, and its REST name."""


def _attributes(record: Record) -> Mapping[str, Any]:
    given = record.get("attributes")
    if isinstance(given, str):
        given = msgspec.json.decode(given)
    if isinstance(given, Mapping):
        return given
    pairs = given if isinstance(given, list) else []
    return {str(p["name"]): p.get("value") for p in pairs if isinstance(p, Mapping) and "name" in p}


def _head(record: Record) -> dict[str, Any]:
    type_ = record.get("activityTypeId")
    return {
        "type": None if type_ is None else str(type_),
        "lead": record.get("leadId"),
        "at": record.get("activityDate"),
    }


def activity_touch(record: Record) -> Iterator[dict[str, Any]]:
    """What an activity tells of an interaction: type, lead, at, the asset by its kind, addresses, whether software did it."""
    row = _head(record)
    attributes = _attributes(record)
    asset = record.get("primaryAttributeValueId")
    kind = {_VISIT: "page", _FORM: "form"}.get(row["type"] or "", "mail" if row["type"] in _MAILS else None)
    if kind:
        row[kind] = asset
    page = attributes.get("Webpage URL")
    if row["type"] == _VISIT:
        name = record.get("primaryAttributeValue")
        page = name if _is_address(name) else page or name
    elif row["type"] == _CLICK:
        page = attributes.get("Link")
    yield {
        **row,
        "campaign": record.get("campaignId"),
        "url": _with_query(page, attributes.get("Query Parameters")),
        "referrer": attributes.get("Referrer URL"),
        "is_bot": attributes.get("Is Bot Activity"),
    }


def _is_address(text: object) -> bool:
    """Whether a page's name is its host and path, as that of a page which Marketo did not make."""
    return isinstance(text, str) and "." in text.partition("/")[0] and " " not in text


def _with_query(page: object, query: object) -> str | None:
    """A page's address with the parameters that Marketo keeps beside it."""
    address = page if isinstance(page, str) and page else None
    parameters = query.lstrip("?&") if isinstance(query, str) else ""
    if not parameters or (address and "?" in address):
        return address
    return f"{address or '/'}?{parameters}"


def revenue_stage_changes(record: Record) -> Iterator[dict[str, Any]]:
    """Activity 101, Change Revenue Stage: lead, at, model, from, to."""
    row = _head(record)
    if row["type"] == _REVENUE_STAGE:
        attributes = _attributes(record)
        yield {
            **row,
            "model": record.get("primaryAttributeValue"),
            "from": attributes.get("Old Stage"),
            "to": attributes.get("New Stage"),
        }


def lead_status_values(record: Record) -> Iterator[dict[str, Any]]:
    """Activity 13, Change Data Value, of the field Lead Status: lead, at, from, to."""
    row = _head(record)
    if row["type"] == _DATA_VALUE and str(record.get("primaryAttributeValue")).strip().lower() in _LEAD_STATUS:
        attributes = _attributes(record)
        yield {**row, "from": attributes.get("Old Value"), "to": attributes.get("New Value")}


def program_with_costs(record: Record) -> Iterator[dict[str, Any]]:
    """A program with the sum of its period costs (None where it has none) and the first month that has one."""
    costs = [cost for cost in record.get("costs") or () if isinstance(cost, Mapping)]
    amounts = [_amount(cost.get("cost")) for cost in costs]
    given = [amount for amount in amounts if amount is not None]
    months = sorted(str(cost["startDate"]) for cost in costs if cost.get("startDate"))
    yield {
        **record,
        "cost": format(sum(given), "f") if given else None,
        "first_month": months[0] if months else None,
    }


def _amount(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def asset_in_program(record: Record) -> Iterator[dict[str, Any]]:
    """An asset with the program whose folder it lies in."""
    folder = record.get("folder")
    inside = folder if isinstance(folder, Mapping) and str(folder.get("type")).lower() == "program" else {}
    yield {**record, "program": inside.get("value", inside.get("id"))}


MARKETO_ROWS: Mapping[str, Callable[[Record], Iterator[dict[str, Any]]]] = {
    "activity_touch": activity_touch,
    "asset_in_program": asset_in_program,
    "lead_status_values": lead_status_values,
    "program_with_costs": program_with_costs,
    "revenue_stage_changes": revenue_stage_changes,
}
