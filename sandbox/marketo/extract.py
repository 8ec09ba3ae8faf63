"""What a bulk extract holds: the request checked, and its rows.

Source: developer guide of Marketo Engage, "Bulk Extract" and its three kinds.

Null is the word `null`, an empty text is empty; a cell is quoted where it has the delimiter, a quote or a line break. The
attributes of an activity are a JSON object in one cell.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sandbox.marketo.activity_types import ACTIVITY_TYPES, DELETE_LEAD
from sandbox.marketo.answers import ApiError, mistyped, moment_of, stamp
from sandbox.marketo.files import DELIMITERS, Row
from sandbox.marketo.instance import Instance, lead_value, member_value
from sandbox.marketo.schema import MEMBER_FIELDS
from sandbox.store import Record

LONGEST_SPAN = timedelta(days=31)
MOST_PROGRAMS = 10
KINDS = ("leads", "activities", "program/members")
_ACTIVITY_COLUMNS = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId", "primaryAttributeValueId",
    "primaryAttributeValue", "attributes",
)  # fmt: skip
_LEAD_FILTERS = {"createdAt", "updatedAt", "staticListId", "staticListName", "smartListId", "smartListName"}
_MEMBER_FILTERS = {"programId", "programIds", "isExhausted", "nurtureCadence", "statusNames", "updatedAt"}
_ACTIVITY_FILTERS = {"createdAt", "activityTypeIds", "primaryAttributeValueIds", "primaryAttributeValues"}


@dataclass(frozen=True, slots=True)
class Extract:
    """A checked request. columns: as they are asked for; headers: as the file names them; filter: as given."""

    kind: str
    format: str
    columns: tuple[str, ...]
    headers: tuple[str, ...]
    filter: dict[str, Any]
    programs: tuple[int, ...] = field(default=())


def checked(instance: Instance, kind: str, body: Any) -> Extract:
    """The request of a job.

    Raises:
        ApiError: 1001 to 1003 and 1035, for what is wrong or not available to this subscription.
    """
    if not isinstance(body, dict):
        raise ApiError("609", "Invalid JSON")
    format_ = body.get("format") or "CSV"
    if format_ not in DELIMITERS:
        raise ApiError("1003", "Invalid value for 'format'")
    filter_ = body.get("filter")
    if not isinstance(filter_, dict) or not filter_:
        raise ApiError("1003", "Invalid value specified for attribute 'filter'")
    {"leads": _check_leads, "activities": _check_activities, "program/members": _check_members}[kind](instance, filter_)
    columns = _columns(instance, kind, body.get("fields"))
    programs: tuple[int, ...] = ()
    if kind == "program/members":
        many = filter_.get("programIds")
        programs = tuple(many if many is not None else [filter_["programId"]])
        if many is not None:
            columns = ("programId", *(name for name in columns if name != "programId"))
    renamed = body.get("columnHeaderNames") or {}
    return Extract(kind, format_, columns, tuple(renamed.get(name, name) for name in columns), filter_, programs)


def _columns(instance: Instance, kind: str, fields: Any) -> tuple[str, ...]:
    known = {
        "leads": set(instance.lead_fields()),
        "activities": {*_ACTIVITY_COLUMNS, "actionResult"},
        "program/members": {*MEMBER_FIELDS, *instance.lead_fields()},
    }[kind]
    if not fields:
        if kind == "activities":
            return _ACTIVITY_COLUMNS
        raise ApiError("1003", "Invalid value specified for attribute 'fields'")
    if not isinstance(fields, list) or any(name not in known for name in fields):
        raise ApiError("1003", "Invalid value specified for attribute 'fields'")
    return tuple(dict.fromkeys(fields))


def _known(filter_: dict[str, Any], names: set[str]) -> None:
    if unknown := set(filter_) - names:
        raise ApiError("1003", f"Unknown filter '{min(unknown)}'")


def _span(filter_: dict[str, Any], name: str) -> tuple[datetime, datetime]:
    given = filter_[name]
    if not isinstance(given, dict) or not given.get("startAt") or not given.get("endAt"):
        raise ApiError("1003", f"Filter '{name}' needs startAt and endAt")
    start, end = (moment_of(str(given[part]), part) for part in ("startAt", "endAt"))
    if not start <= end:
        raise ApiError("1003", f"Filter '{name}': startAt is after endAt")
    if end - start > LONGEST_SPAN:
        raise ApiError("1003", f"Filter '{name}': the range must be 31 days or fewer")
    return start, end


def _check_leads(instance: Instance, filter_: dict[str, Any]) -> None:
    _known(filter_, _LEAD_FILTERS)
    if len(filter_) != 1:
        raise ApiError("1003", "Only one filter type may be specified")
    name = next(iter(filter_))
    if name.startswith("smartList") or (name == "updatedAt" and not instance.context.marketo_updated_at):
        raise unsupported()
    if name in {"createdAt", "updatedAt"}:
        _span(filter_, name)
    elif _list_of(instance, name, filter_[name]) is None:
        raise ApiError("1003", f"There is no list of filter '{name}'")


def _check_activities(_instance: Instance, filter_: dict[str, Any]) -> None:
    _known(filter_, _ACTIVITY_FILTERS)
    if "createdAt" not in filter_:
        raise ApiError("1003", "Filter 'createdAt' is required")
    _span(filter_, "createdAt")
    types = filter_.get("activityTypeIds", [])
    if not isinstance(types, list) or any(type_ not in ACTIVITY_TYPES for type_ in types):
        raise ApiError("1003", "Invalid value specified for filter 'activityTypeIds'")
    if DELETE_LEAD in types:
        raise ApiError("1003", "Activity type 37 is not supported, use Get Deleted Leads")


def _check_members(instance: Instance, filter_: dict[str, Any]) -> None:
    _known(filter_, _MEMBER_FILTERS)
    if ("programId" in filter_) == ("programIds" in filter_):
        raise ApiError("1003", "Either programId or programIds is required")
    ids = filter_.get("programIds", [filter_.get("programId")])
    if not isinstance(ids, list) or not ids or len(ids) > MOST_PROGRAMS:
        raise ApiError("1003", f"programIds needs 1 to {MOST_PROGRAMS} ids")
    for id_ in ids:
        if isinstance(id_, bool) or not isinstance(id_, int):
            raise mistyped(str(id_), "Integer")
        if instance.get("programs", str(id_)) is None:
            raise ApiError("1003", f"Program {id_} not found")
    if "updatedAt" in filter_:
        if not instance.context.marketo_updated_at:
            raise unsupported()
        _span(filter_, "updatedAt")


def unsupported() -> ApiError:
    """1035: the subscription lacks what a filter needs."""
    return ApiError("1035", "Unsupported filter type for target subscription")


def _list_of(instance: Instance, name: str, value: Any) -> Record | None:
    if name == "staticListId":
        return instance.get("lists", str(value))
    return next((r for r in instance.live("lists") if r.fields["name"] == value), None)


def rows(instance: Instance, extract: Extract) -> list[Row]:
    """The rows as they are now, in order of id."""
    return {"leads": _leads, "activities": _activities, "program/members": _members}[extract.kind](instance, extract)


def _leads(instance: Instance, extract: Extract) -> list[Row]:
    name, value = next(iter(extract.filter.items()))
    found: Iterable[Record]
    if name in {"createdAt", "updatedAt"}:
        start, end = _span(extract.filter, name)
        found = instance.live("leads")
        found = [r for r in found if start <= (r.created_at if name == "createdAt" else r.modified_at) <= end]
    else:
        chosen = _list_of(instance, name, value)
        on_list = instance.live("list_members") if chosen is not None else []
        ids = [str(r.fields["leadId"]) for r in on_list if chosen and str(r.fields["listId"]) == chosen.id]
        found = instance.many("leads", ids)
    return [[lead_value(record, column) for column in extract.columns] for record in found]


def _activities(instance: Instance, extract: Extract) -> list[Row]:
    start, end = _span(extract.filter, "createdAt")
    types = set(extract.filter.get("activityTypeIds") or ACTIVITY_TYPES)
    ids, values = extract.filter.get("primaryAttributeValueIds"), extract.filter.get("primaryAttributeValues")
    log, _ = instance.log()
    return [
        [_activity_value(record, column) for column in extract.columns]
        for record in log
        if start <= record.created_at <= end
        and record.fields["activityTypeId"] in types
        and record.fields["activityTypeId"] != DELETE_LEAD
        and (ids is None or record.fields["primaryAttributeValueId"] in ids)
        and (values is None or record.fields["primaryAttributeValue"] in values)
    ]


def _activity_value(record: Record, column: str) -> Any:
    match column:
        case "marketoGUID":
            return record.id
        case "activityDate":
            return stamp(record.created_at)
        case "attributes":
            return msgspec.json.encode(record.fields["attributes"]).decode()
        case "actionResult":
            return "succeeded"
        case _:
            return record.fields[column]


def _members(instance: Instance, extract: Extract) -> list[Row]:
    keep = _member_filter(extract.filter)
    found = (r for r in instance.live("program_members") if r.fields["programId"] in extract.programs and keep(r))
    return [[_member_cell(instance, record, column) for column in extract.columns] for record in found]


def _member_filter(filter_: dict[str, Any]) -> Callable[[Record], bool]:
    span = _span(filter_, "updatedAt") if "updatedAt" in filter_ else None
    names = filter_.get("statusNames")

    def keep(record: Record) -> bool:
        fields = record.fields
        return (
            (span is None or span[0] <= record.modified_at <= span[1])
            and (names is None or fields.get("statusName") in names)
            and all(fields.get(name) == filter_[name] for name in ("isExhausted", "nurtureCadence") if name in filter_)
        )

    return keep


def _member_cell(instance: Instance, record: Record, column: str) -> Any:
    if column in MEMBER_FIELDS:
        return member_value(record, column)
    lead = instance.get("leads", str(record.fields["leadId"]))
    return None if lead is None else lead_value(lead, column)
