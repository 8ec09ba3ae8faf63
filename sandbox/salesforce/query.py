"""Runs a SOQL query over the org's records."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sandbox.salesforce.currencies import CORPORATE, RATES
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import MULTI_CURRENCY_FIELD, Org
from sandbox.salesforce.rows import Getter, View, csv_getter, getter, is_sent_as_stored, is_stored_flag, json_getter
from sandbox.salesforce.schema import Field, Kind, SObject
from sandbox.salesforce.soql.filters import compile_condition, normaliser, ranges
from sandbox.salesforce.soql.lexer import complain
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.tree import Compare, Condition, Junction, Query

_HINT = (
    "If you are attempting to use a custom {thing}, be sure to append the '__{suffix}' after the {place}."
    " Please reference your WSDL or the describe call for the appropriate names."
)
_FULL_ID = 18


class Column(NamedTuple):
    """One selected column.

    parent: relation name and object, for a field of a parent; the getters then read the parent's view.
    """

    name: str
    field: Field
    parent: tuple[str, SObject, Callable[[View], View | None]] | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a query found: rows as of now; for COUNT() none, but their number. `groups` holds what was counted and summed."""

    sobject: SObject
    columns: list[Column]
    rows: list[View]
    total: int
    groups: list[dict[str, Any]] | None = None


class Planner:
    """Finds the fields that one query names.

    Raises:
        ApiError: INVALID_TYPE for an unknown object.
    """

    def __init__(self, org: Org, query: Query) -> None:
        sobject = org.sobject(query.sobject)
        if sobject is None:
            message = f"sObject type '{query.sobject}' is not supported. " + _HINT.format(
                thing="object", suffix="c", place="entity name"
            )
            raise complain("INVALID_TYPE", query.text, query.sobject_at, message)
        self.org = org
        self.query = query
        self.sobject = sobject

    def column(self, path: str, at: int) -> Column:
        """The column for a field path.

        Raises:
            ApiError: INVALID_FIELD for an unknown or hidden field, an unknown relationship, or two steps up.
        """
        first, _, rest = path.partition(".")
        if rest and first.lower() == self.sobject.name.lower():
            first, _, rest = rest.partition(".")
        if not rest:
            field = self._field(self.sobject, first, at)
            return Column(field.name, field, None)
        reference = self.sobject.by_relation.get(first.lower())
        if reference is None or not self.org.may_see(self.sobject, reference) or "." in rest:
            message = f"Didn't understand relationship '{first}' in field path. " + _HINT.format(
                thing="relationship", suffix="r", place="custom relationship name"
            )
            raise complain("INVALID_FIELD", self.query.text, at, message)
        parent = self.org.named(reference.refers[0])
        read, find, kind = getter(reference), self.org.find, parent.name
        field = self._field(parent, rest, at)
        relation = str(reference.relation)
        return Column(
            f"{relation}.{field.name}", field, (relation, parent, lambda v: find(kind, i) if (i := read(v)) else None)
        )

    def resolve(self, path: str, at: int) -> tuple[Field, Getter]:
        """A path of WHERE or ORDER BY: its field and how to read it from the row."""
        column = self.column(path, at)
        read = getter(column.field)
        if column.parent is None:
            return column.field, read
        up = column.parent[2]
        return column.field, lambda v: None if (p := up(v)) is None else read(p)

    def _field(self, sobject: SObject, name: str, at: int) -> Field:
        field = sobject.by_word.get(name.lower())
        if field is None or not self.org.may_see(sobject, field):
            hint = _HINT.format(thing="field", suffix="c", place="custom field name")
            message = f"No such column '{name}' on entity '{sobject.name}'. {hint}"
            raise complain("INVALID_FIELD", self.query.text, at, message)
        return field


def run(org: Org, text: str, *, deleted: bool) -> Result:
    """Run a query.

    Args:
        org: whose records.
        text: SOQL.
        deleted: whether deleted and merged records take part (queryAll).

    Raises:
        ApiError: MALFORMED_QUERY, INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR,
            NUMBER_OUTSIDE_VALID_RANGE.
    """
    query = parse(text)
    planner = Planner(org, query)
    columns = _columns(planner)
    keep = _keep(planner, deleted=deleted)
    start, end = ranges(query.where, "SystemModstamp", org.now())
    created, _ = ranges(query.where, "CreatedDate", org.now())
    # The store's index is over modified_at, which is never before the creation.
    start = max(filter(None, (start, created)), default=None)
    rows = org.views(planner.sobject, keep, start=start, end=end, ids=_ids(query.where))
    for term in reversed(query.order):
        rows = _sorted(rows, *planner.resolve(term.path, term.at), descending=term.descending, last=term.nulls_last)
    if query.is_aggregate:
        groups = _groups(planner, rows)
        return Result(planner.sobject, [], [], len(groups), groups)
    rows = rows[query.offset :][: query.limit]
    return Result(planner.sobject, columns, [] if query.count else rows, len(rows))


def _columns(planner: Planner) -> list[Column]:
    columns = [planner.column(item.path, item.at) for item in planner.query.items]
    if planner.query.is_aggregate:
        grouped = {planner.column(item.path, item.at).name for item in planner.query.group}
        for item, column in zip(planner.query.items, columns, strict=True):
            if item.function is None and column.name not in grouped:
                raise ApiError(400, "MALFORMED_QUERY", f"Field must be grouped or aggregated: {item.path}")
            if item.function == "sum" and column.field.kind not in {Kind.NUMBER, Kind.INTEGER}:
                raise ApiError(400, "MALFORMED_QUERY", f"field {item.path} does not support aggregate operator SUM")
        return columns
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise ApiError(400, "INVALID_FIELD", f"duplicate field selected: {column.name}")
        seen.add(column.name)
    return columns


def _keep(planner: Planner, *, deleted: bool) -> Callable[[View], bool]:
    where = planner.query.where
    test = None if where is None else compile_condition(where, planner.resolve, planner.org.now())
    if test is None:
        return (lambda _: True) if deleted else (lambda v: not v.deleted)
    return test if deleted else (lambda v: not v.deleted and test(v))


def _ids(where: Condition | None) -> list[str] | None:
    """Ids that the top level of a condition restricts the rows to; None where it does not."""
    terms: Iterable[Any] = where.terms if isinstance(where, Junction) and where.op == "and" else (where,)
    for term in terms:
        if isinstance(term, Compare) and term.path.lower() == "id" and term.op in {"=", "in"}:
            ids = [str(literal.value) for literal in term.literals]
            if all(len(i) == _FULL_ID for i in ids):
                return ids
    return None


def _sorted(rows: list[View], field: Field, read: Getter, *, descending: bool, last: bool) -> list[View]:
    if field.kind is Kind.COMPOUND or field.type == "anyType":
        raise ApiError(400, "INVALID_FIELD", f"field '{field.name}' can not be sorted in a query call")
    normal = normaliser(field)
    keyed = [(normal(read(v)), v) for v in rows]
    nulls = [v for key, v in keyed if key is None]
    filled = [pair for pair in keyed if pair[0] is not None]
    filled.sort(key=itemgetter(0), reverse=descending)
    values = [v for _, v in filled]
    return values + nulls if last else nulls + values


def _groups(planner: Planner, rows: list[View]) -> list[dict[str, Any]]:
    """One row per group; without GROUP BY one of all rows. What has no alias is called expr0, expr1 and so on."""
    grouped: dict[tuple[Any, ...], list[View]] = {} if planner.query.group else {(): rows}
    if planner.query.group:
        reads = [planner.resolve(item.path, item.at)[1] for item in planner.query.group]
        for one in rows:
            grouped.setdefault(tuple(read(one) for read in reads), []).append(one)
    found = []
    for group in grouped.values():
        row: dict[str, Any] = {}
        for item in planner.query.items:
            field, read = planner.resolve(item.path, item.at)
            if item.function is None:
                row[field.name] = read(group[0])
            else:
                name = item.alias or f"expr{sum(key.startswith('expr') for key in row)}"
                row[name] = _total(planner.org, item.function, field, read, group)
        found.append(row)
    return found


def _total(org: Org, function: str, field: Field, read: Getter, rows: list[View]) -> float | None:
    filled: list[tuple[float, View]] = [(value, row) for row in rows if (value := read(row)) is not None]
    if function == "count":
        return len(filled)
    if not filled:
        return None
    if field.type == "currency" and org.context.multi_currency:
        # In the corporate currency, whatever the rows are grouped by (SOQL reference, Querying Currency Fields).
        return sum(value / RATES[row.fields.get(MULTI_CURRENCY_FIELD) or CORPORATE] for value, row in filled)
    return sum(value for value, _ in filled)


def json_rows(columns: list[Column], sobject: SObject, base: str) -> Callable[[list[View]], list[dict[str, Any]]]:
    """What writes rows as JSON objects with `attributes`; fields of a parent stand in an object of its relation.

    Args:
        columns: what was selected.
        sobject: of what.
        base: such as /services/data/v66.0.
    """
    prefix = f"{base}/sobjects/{sobject.name}/"
    kind = sobject.name
    order: dict[str, Any] = {"attributes": None}
    plain: list[str] = []
    flags: list[str] = []
    members: dict[str, Getter] = {}
    for column in columns:
        order[column.parent[0] if column.parent else column.name] = None
        if column.parent is None and is_sent_as_stored(column.field):
            plain.append(column.name)
        elif column.parent is None and is_stored_flag(column.field):
            flags.append(column.name)
        elif column.parent is None:
            members[column.name] = json_getter(column.field)
        elif column.parent[0] not in members:
            relation, parent, up = column.parent
            inner = [
                c._replace(name=c.field.name, parent=None) for c in columns if c.parent and c.parent[0] == relation
            ]
            members[relation] = _parent(json_rows(inner, parent, base), up)
    others = list(members.items())

    # Written for speed: a page has 2,000 rows, and what can be done by one call in C is.
    def write(view: View) -> dict[str, Any]:
        row = order.copy()
        get = view.fields.get
        row["attributes"] = {"type": kind, "url": prefix + view.id}
        row.update(zip(plain, map(get, plain), strict=True))
        for name in flags:
            row[name] = get(name) is True
        for name, read in others:
            row[name] = read(view)
        return row

    return lambda views: [write(v) for v in views]


def _parent(write: Callable[[list[View]], list[dict[str, Any]]], up: Callable[[View], View | None]) -> Getter:
    return lambda v: None if (p := up(v)) is None else write([p])[0]


def csv_cells(columns: list[Column]) -> list[Callable[[View], str]]:
    """What writes each column of a row as text."""

    def cell(column: Column) -> Callable[[View], str]:
        read = csv_getter(column.field)
        if column.parent is None:
            return read
        up = column.parent[2]
        return lambda v: "" if (p := up(v)) is None else read(p)

    return [cell(column) for column in columns]
