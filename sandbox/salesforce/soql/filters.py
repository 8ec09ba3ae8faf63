"""What a WHERE clause lets through.

Salesforce compares text without regard to case, has two-valued logic (`!= 'x'` and NOT let null through, comparisons of
size do not), compares Ids by their first 15 characters, and demands that a literal fits the field's type.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rows import Getter, View, moment_of
from sandbox.salesforce.schema import Field, Kind
from sandbox.salesforce.soql.lexer import unescape
from sandbox.salesforce.soql.tree import Compare, Condition, Junction, Literal, Negation

Predicate = Callable[[View], bool]
Resolve = Callable[[str, int], tuple[Field, Getter]]
"""A path and its place in the query -> the field and how to read it."""

_SIZE = {"<": lt, "<=": le, ">": gt, ">=": ge}
_ID_LENGTHS = {15, 18}
_FITS = {
    Kind.TEXT: ("string", {"string"}),
    Kind.ID: ("id", {"string"}),
    Kind.NUMBER: ("double", {"number"}),
    Kind.INTEGER: ("int", {"number"}),
    Kind.BOOLEAN: ("boolean", {"boolean"}),
    Kind.DATE: ("date", {"date", "period"}),
    Kind.DATETIME: ("dateTime", {"datetime", "period"}),
}
_QUOTED = {Kind.TEXT, Kind.ID}
_NOT_FILTERED = {"anyType", "address"}


def compile_condition(condition: Condition, resolve: Resolve, now: datetime) -> Predicate:
    """The condition as a function of a record.

    Raises:
        ApiError: INVALID_FIELD or INVALID_QUERY_FILTER_OPERATOR where it does not fit the fields.
    """
    match condition:
        case Negation(term):
            inner = compile_condition(term, resolve, now)
            return lambda v: not inner(v)
        case Junction(op, terms):
            parts = [compile_condition(t, resolve, now) for t in terms]
            if op == "and" and len(parts) == 2:  # as most queries have it
                first, second = parts
                return lambda v: first(v) and second(v)
            if op == "and":
                return lambda v: all(p(v) for p in parts)
            return lambda v: any(p(v) for p in parts)
        case Compare():
            return _compare(condition, *resolve(condition.path, condition.at), now)


def _compare(node: Compare, field: Field, read: Getter, now: datetime) -> Predicate:
    if field.type in _NOT_FILTERED:
        raise ApiError(400, "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    for literal in node.literals:
        _check(field, literal)
    if node.op == "like":
        return _like(node, field, read)
    normal = normaliser(field)
    if node.op in {"in", "not in"}:
        tests = [_equals(literal, field, now) for literal in node.literals]
        wanted = node.op == "in"
        return lambda v: any(t(normal(read(v))) for t in tests) is wanted
    literal = node.literals[0]
    if node.op in {"=", "!="}:
        same, positive = _equals(literal, field, now), node.op == "="
        return lambda v: same(normal(read(v))) is positive
    if field.kind is Kind.BOOLEAN or literal.kind == "null":
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: {field.name}")
    compare, bound = _SIZE[node.op], _bound(node.op, literal, field, now)

    def test(view: View) -> bool:
        value = normal(read(view))
        return value is not None and bool(compare(value, bound))

    return test


def normaliser(field: Field) -> Callable[[Any], Any]:
    """Brings stored values of a field into the form in which they compare; None where there is none."""
    return {
        Kind.TEXT: lambda x: x.casefold() if isinstance(x, str) and x else None,
        Kind.ID: lambda x: x[:15] if x else None,
        Kind.BOOLEAN: bool,
        Kind.DATE: lambda x: x[:10] if x else None,
        Kind.DATETIME: moment_of,
    }.get(field.kind, _number)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _check(field: Field, literal: Literal) -> None:
    name, kinds = _FITS[field.kind]
    if literal.kind not in kinds and (literal.kind != "null" or field.kind is Kind.BOOLEAN):
        quotes = "should be" if field.kind in _QUOTED else "should not be"
        message = f"value of filter criterion for field '{field.name}' must be of type {name}"
        raise ApiError(400, "INVALID_FIELD", f"{message} and {quotes} enclosed in quotes")
    if field.kind is Kind.ID and literal.kind == "string":
        text = str(literal.value)
        if len(text) not in _ID_LENGTHS or not text.isalnum():
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")


def _like(node: Compare, field: Field, read: Getter) -> Predicate:
    if field.kind is not Kind.TEXT:
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: {field.name}")
    pattern = re.compile("".join(_like_pieces(node.literals[0].text)), re.IGNORECASE | re.DOTALL)

    def test(view: View) -> bool:
        value = read(view)
        return isinstance(value, str) and bool(value) and pattern.fullmatch(value) is not None

    return test


def _like_pieces(body: str) -> Iterable[str]:
    pieces = iter(body)
    for char in pieces:
        if char == "\\":
            yield re.escape(unescape(char + next(pieces)))
        else:
            yield {"%": ".*", "_": "."}.get(char) or re.escape(char)


def _equals(literal: Literal, field: Field, now: datetime) -> Callable[[Any], bool]:
    if literal.kind == "period":
        start, end = period(literal.value, now)
        low, high = (start, end) if field.kind is Kind.DATETIME else (_day(start), _day(end))
        return lambda x: x is not None and low <= x < high
    wanted = normaliser(field)(literal.value)
    return lambda x: bool(x == wanted)


def _bound(op: str, literal: Literal, field: Field, now: datetime) -> Any:
    """What a size is compared with; of a period its start for < and >=, its last moment for <= and >."""
    if literal.kind != "period":
        return normaliser(field)(literal.value)
    start, end = period(literal.value, now)
    if field.kind is Kind.DATETIME:
        return start if op in {"<", ">="} else end - timedelta(milliseconds=1)
    return _day(start) if op in {"<", ">="} else _day(end - timedelta(days=1))


def period(value: tuple[str, int], now: datetime) -> tuple[datetime, datetime]:
    """Start and end of a named period in UTC. LAST_N_DAYS:n ends with today, NEXT_N_DAYS:n starts tomorrow.

    (SOQL reference, date formats and date literals; the org's time zone is UTC.)
    """
    name, n = value
    today = now.astimezone(UTC).date()
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    start, end = {
        "today": (today, today + timedelta(1)),
        "yesterday": (today - timedelta(1), today),
        "tomorrow": (today + timedelta(1), today + timedelta(2)),
        "last_n_days": (today - timedelta(n), today + timedelta(1)),
        "next_n_days": (today + timedelta(1), today + timedelta(n + 1)),
        "this_month": (month, _next_month(month)),
        "last_month": ((month - timedelta(1)).replace(day=1), month),
        "next_month": (_next_month(month), _next_month(_next_month(month))),
        "this_year": (year, year.replace(year=year.year + 1)),
        "last_year": (year.replace(year=year.year - 1), year),
    }[name]
    return _midnight(start), _midnight(end)


def _next_month(first: date) -> date:
    return (first + timedelta(32)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def ranges(condition: Condition | None, name: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Bounds [start, end) that the top level of a condition sets to the datetime field `name`; None where none."""
    terms = condition.terms if isinstance(condition, Junction) and condition.op == "and" else (condition,)
    start: datetime | None = None
    end: datetime | None = None
    step = timedelta(milliseconds=1)
    for term in terms:
        if not isinstance(term, Compare) or term.path.lower() != name.lower() or term.op not in {*_SIZE, "="}:
            continue
        literal = term.literals[0]
        if literal.kind == "datetime":
            low, high = literal.value, literal.value + step
        elif literal.kind == "period":
            low, high = period(literal.value, now)
        else:
            continue
        if term.op in {"=", ">=", ">"}:
            bound = high if term.op == ">" else low
            start = bound if start is None else max(start, bound)
        if term.op in {"=", "<=", "<"}:
            bound = low if term.op == "<" else high
            end = bound if end is None else min(end, bound)
    return start, end
