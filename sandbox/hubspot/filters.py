"""Search filters: from the JSON of a `filterGroups` to a test of a record. Source: HubSpot, Search the CRM.

Semantics that cost readers data and are kept: text of IN and NOT_IN must be given in lower case; NEQ and NOT_IN do not
find records without a value; an empty text counts as no value; the epoch itself as a date is a server error.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from sandbox.hubspot.answers import ApiError, invalid, millis
from sandbox.hubspot.catalog import ObjectType
from sandbox.hubspot.properties import TYPE_OF
from sandbox.store import Record

MOST_GROUPS, MOST_FILTERS, MOST_TOGETHER = 5, 6, 18

Test = Callable[[Record], bool]
Get = Callable[[Record], Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
}


class Group(NamedTuple):
    """One filter group: all tests must hold.

    start, end: bounds of the date of last change in ms, both inclusive, that follow from the filters; None: no bound.
    asks_more: whether the filters say more than these bounds.
    """

    tests: list[Test]
    start: int | None
    end: int | None
    asks_more: bool

    def holds(self, record: Record) -> bool:
        """Whether the record is found by this group."""
        return all(test(record) for test in self.tests)


def getter(type_: ObjectType, name: str) -> Get:
    """How to read a property for comparing: dates as ms, numbers as float, all else as text; None for no value."""
    if name == type_.modified:
        return lambda r: millis(r.modified_at)
    kind = TYPE_OF.get(name, ("string", ""))[0]
    if name == type_.created:
        return lambda r: _typed("datetime", r.fields.get(name)) or millis(r.created_at)
    if name == "hs_object_id":
        return lambda r: float(r.id) if r.id.isdecimal() else None
    return lambda r: _typed(kind, r.fields.get(name))


def _typed(kind: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    try:
        if kind == "datetime":
            return date_of(str(value))
        if kind == "number":
            return float(value)
    except ValueError:
        return None
    return str(value)


def date_of(text: str) -> int:
    """A date as ms since 1970, from ms or ISO 8601 (a day means its start in UTC).

    Raises:
        ValueError: it is neither.
    """
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    at = datetime.fromisoformat(text)
    return millis(at if at.tzinfo else at.replace(tzinfo=UTC))


def groups_of(body: Mapping[str, Any], type_: ObjectType, known: frozenset[str]) -> list[Group]:
    """The filter groups of a search body; at least one of them must hold.

    Raises:
        ApiError: 400 on a malformed filter, an unknown property or operator, or too many filters.
    """
    groups = body.get("filterGroups") or []
    if isinstance(body.get("filters"), list) and not groups:
        groups = [{"filters": body["filters"]}]
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        raise invalid("Invalid input JSON: filterGroups must be a list of objects")
    lists = [group.get("filters") or [] for group in groups]
    if not all(isinstance(f, list) and all(isinstance(each, dict) for each in f) for f in lists):
        raise invalid("Invalid input JSON: filters must be a list of objects")
    if len(lists) > MOST_GROUPS or any(len(f) > MOST_FILTERS for f in lists) or sum(map(len, lists)) > MOST_TOGETHER:
        raise invalid(
            f"Too many filters: at most {MOST_GROUPS} groups, {MOST_FILTERS} filters in each, {MOST_TOGETHER} together"
        )
    return [_group(filters, type_, known) for filters in lists]


def _group(filters: list[dict[str, Any]], type_: ObjectType, known: frozenset[str]) -> Group:
    tests: list[Test] = []
    starts: list[int] = []
    ends: list[int] = []
    asks_more = False
    for each in filters:
        name, operator = each.get("propertyName"), each.get("operator")
        if name not in known:
            raise invalid(f"There was a problem with the request: {type_.name} has no property {name}")
        tests.append(_test(each, type_, str(name), str(operator)))
        if name == type_.modified:
            low, high = _bounds(each, str(operator))
            starts += [low] if low is not None else []
            ends += [high] if high is not None else []
            asks_more |= low is None and high is None
        else:
            asks_more = True
    return Group(tests, max(starts, default=None), min(ends, default=None), asks_more)


def _bounds(each: Mapping[str, Any], operator: str) -> tuple[int | None, int | None]:
    if operator == "BETWEEN":
        return date_of(str(each["value"])), date_of(str(each["highValue"]))
    if operator not in _COMPARE or operator == "NEQ":
        return None, None
    at = date_of(str(each["value"]))
    return {
        "EQ": (at, at),
        "GT": (at + 1, None),
        "GTE": (at, None),
        "LT": (None, at - 1),
        "LTE": (None, at),
    }[operator]


def _test(each: Mapping[str, Any], type_: ObjectType, name: str, operator: str) -> Test:
    get = getter(type_, name)
    kind = "datetime" if name in (type_.created, type_.modified) else TYPE_OF.get(name, ("string", ""))[0]
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda r: (get(r) is None) is (operator == "NOT_HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        return _among(each, get, kind, wanted=operator == "IN")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        has = _token(_operand(each, "value", "string"), get)
        return has if operator == "CONTAINS_TOKEN" else lambda r: get(r) is not None and not has(r)
    if operator == "BETWEEN":
        low, high = _operand(each, "value", kind), _operand(each, "highValue", kind)
        return lambda r: (value := get(r)) is not None and low <= value <= high
    compare = _COMPARE.get(operator)
    if compare is None:
        raise invalid(f"Invalid operator: {operator}")
    operand = _operand(each, "value", kind)
    if kind == "string":
        operand = operand.lower()
        return lambda r: (value := get(r)) is not None and compare(value.lower(), operand)
    return lambda r: (value := get(r)) is not None and compare(value, operand)


def _operand(each: Mapping[str, Any], member: str, kind: str) -> Any:
    value = each.get(member)
    if value is None or isinstance(value, (list, dict)):
        raise invalid(f"A filter with operator {each.get('operator')} needs {member}")
    return _operand_of(value, kind)


def _operand_of(value: Any, kind: str) -> Any:
    text = str(value)
    try:
        if kind == "number":
            return float(text)
        operand = date_of(text) if kind == "datetime" else text
    except ValueError:
        raise invalid(f"Invalid value: a {kind} is expected") from None
    if operand == 0:
        raise ApiError(500, "INTERNAL_ERROR", "internal error")
    return operand


def _among(each: Mapping[str, Any], get: Get, kind: str, *, wanted: bool) -> Test:
    values = each.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"A filter with operator {each.get('operator')} needs values")
    operands = frozenset(_operand_of(value, kind) for value in values)

    def test(record: Record) -> bool:
        value = get(record)
        if value is None:
            return False
        return ((value.lower() if kind == "string" else value) in operands) is wanted

    return test


def _token(pattern: str, get: Get) -> Test:
    """Words are parted by anything but letters and digits; `*` stands for any part of one. Case does not matter."""
    pattern = pattern.lower()
    plain = re.findall(r"[\w*]+", pattern)

    def test(record: Record) -> bool:
        value = get(record)
        if value is None:
            return False
        text = str(value).lower()
        words = re.findall(r"\w+", text)
        whole = fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
        return whole or (bool(plain) and all(any(fnmatchcase(w, p) for w in words) for p in plain))

    return test
