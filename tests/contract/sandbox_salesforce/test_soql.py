"""The SOQL parser and its filters, against an evaluation in plain Python and against Salesforce's own rules."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.context import Context
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.query import run
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.tree import Compare, Junction, Negation
from sandbox.store import Store
from tests.contract.sandbox_salesforce.conftest import NOW, START, id_of

Row = dict[str, Any]
Test = Callable[[Row], bool]

WORDS = ["", "a", "A", "ab", "aB%", "b_a", "o'b", "a\\b", "é", "line\nend", "São"]
MOMENTS = [START + timedelta(milliseconds=n) for n in (0, 1, 1, 500, 60_000)]
DAYS = ["2026-03-01", "2026-03-02", "2026-12-31"]
NUMBERS = [-1.5, 0.0, 1.0, 2.0, 1e9]
SIZES: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return repr(value) if isinstance(value, float) else str(value)


def folded(word: str | None) -> str | None:
    return word.lower() if word else None


def like(pattern: str, word: str) -> bool:
    """A LIKE matcher without regular expressions."""
    if not pattern:
        return not word
    if pattern[0] == "%":
        return any(like(pattern[1:], word[start:]) for start in range(len(word) + 1))
    return bool(word) and pattern[0] in {"_", word[0]} and like(pattern[1:], word[1:])


def text_leaf() -> st.SearchStrategy[tuple[str, Test]]:
    def compare(op: str, word: str | None) -> tuple[str, Test]:
        same: Test = lambda row: folded(row["Name"]) == folded(word)  # noqa: E731
        test = same if op == "=" else lambda row: not same(row)
        return f"Name {op} {'null' if word is None else quoted(word)}", test

    def size(op: str, word: str) -> tuple[str, Test]:
        return f"name {op} {quoted(word)}", lambda r: bool(r["Name"]) and SIZES[op](r["Name"].lower(), word.lower())

    def one_of(words: list[str], *, wanted: bool) -> tuple[str, Test]:
        known = {folded(word) for word in words}
        listed = ", ".join(map(quoted, words))
        return f"Name {'' if wanted else 'NOT '}IN ({listed})", lambda r: (folded(r["Name"]) in known) is wanted

    def alike(pattern: str) -> tuple[str, Test]:
        return f"Name LIKE '{pattern}'", lambda r: bool(r["Name"]) and like(pattern.lower(), r["Name"].lower())

    words = st.sampled_from(WORDS)
    return st.one_of(
        st.builds(compare, st.sampled_from(["=", "!="]), st.none() | words),
        st.builds(size, st.sampled_from(list(SIZES)), words.filter(bool)),
        st.builds(one_of, st.lists(words, min_size=1, max_size=3), wanted=st.booleans()),
        st.builds(alike, st.text("ab%_é", max_size=4)),
    )


def value_leaf(field: str, values: list[Any]) -> st.SearchStrategy[tuple[str, Test]]:
    def compare(op: str, value: Any) -> tuple[str, Test]:
        def test(row: Row) -> bool:
            if op in {"=", "!="}:
                return bool((row[field] == value) is (op == "="))
            return row[field] is not None and SIZES[op](row[field], value)

        return f"{field} {op} {written(value)}", test

    equal = st.builds(compare, st.sampled_from(["=", "!="]), st.sampled_from([*values, None]))
    return equal | st.builds(compare, st.sampled_from(list(SIZES)), st.sampled_from(values))


def flag(op: str, *, value: bool) -> tuple[str, Test]:
    return f"IsWon {op} {written(value)}", lambda row: (bool(row["IsWon"]) == value) is (op == "=")


def joined(op: str, parts: list[tuple[str, Test]]) -> tuple[str, Test]:
    tests = [test for _, test in parts]
    text = f" {op} ".join(f"({part})" for part, _ in parts)
    every = all if op == "AND" else any
    return text, lambda row: every(test(row) for test in tests)


def negated(part: tuple[str, Test]) -> tuple[str, Test]:
    return f"NOT ({part[0]})", lambda row: not part[1](row)


leaves = st.one_of(
    text_leaf(),
    value_leaf("Amount", NUMBERS),
    value_leaf("CloseDate", DAYS),
    value_leaf("SystemModstamp", MOMENTS).filter(lambda leaf: "null" not in leaf[0]),
    st.builds(flag, st.sampled_from(["=", "!="]), value=st.booleans()),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(negated, inner),
    ),
    max_leaves=8,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "Name": st.none() | st.sampled_from(WORDS),
            "Amount": st.none() | st.sampled_from(NUMBERS),
            "CloseDate": st.none() | st.sampled_from(DAYS),
            "IsWon": st.none() | st.booleans(),
            "SystemModstamp": st.sampled_from(MOMENTS),
        }
    ),
    max_size=8,
)


def org_of(rows: list[Row]) -> Org:
    store = Store("salesforce", archiving_modifies=True)
    for number, row in enumerate(rows):
        fields = {k: v for k, v in row.items() if k != "SystemModstamp"}
        store.create("Opportunity", id_of("Opportunity", number), row["SystemModstamp"], fields)
    return Org(store, Context(clock=lambda: NOW))


@given(rows, trees)
def test_where_lets_through_what_plain_python_does(rows: list[Row], tree: tuple[str, Test]) -> None:
    text, test = tree
    result = run(org_of(rows), f"SELECT Id FROM Opportunity WHERE {text}", deleted=False)
    expected = {id_of("Opportunity", number) for number, row in enumerate(rows) if test(row)}
    assert {view.id for view in result.rows} == expected
    assert result.total == len(expected)


@given(rows, st.booleans(), st.booleans(), st.integers(0, 5), st.integers(0, 3))
def test_order_limit_and_offset(rows: list[Row], descending: bool, last: bool, limit: int, offset: int) -> None:  # noqa: FBT001
    words = f"{'DESC' if descending else 'ASC'} NULLS {'LAST' if last else 'FIRST'}"
    text = f"SELECT Id, Amount FROM Opportunity ORDER BY Amount {words}, Id LIMIT {limit} OFFSET {offset}"
    found = run(org_of(rows), text, deleted=False).rows
    numbered = list(enumerate(rows))
    nulls = [n for n, row in numbered if row["Amount"] is None]
    sign = -1 if descending else 1
    values = sorted(
        (n for n, row in numbered if row["Amount"] is not None), key=lambda n: (sign * rows[n]["Amount"], n)
    )
    expected = (values + nulls if last else nulls + values)[offset : offset + limit]
    assert [view.id for view in found] == [id_of("Opportunity", n) for n in expected]


def test_the_tree_of_a_condition() -> None:
    query = parse(r"select Id from Lead where (a = 1 and not_b IN ('x','y')) or (NOT c.D like 'q\'%')")
    assert isinstance(query.where, Junction)
    left, right = query.where.terms
    assert isinstance(left, Junction)
    assert [term.path for term in left.terms if isinstance(term, Compare)] == ["a", "not_b"]
    assert isinstance(right, Negation)
    assert isinstance(right.term, Compare)
    assert (right.term.path, right.term.op, right.term.literals[0].text) == ("c.D", "like", r"q\'%")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT FROM Lead",
        "SELECT Id, FROM Lead",
        "SELECT Id FROM Lead WHERE",
        "SELECT Id FROM Lead WHERE Email = 'open",
        "SELECT Id FROM Lead WHERE Email IS NULL",
        "SELECT Id FROM Lead WHERE Email = 'a' AND City = 'b' OR City = 'c'",
        "SELECT Id FROM Lead WHERE Email = 'a' AND NOT City = 'b'",
        "SELECT Id FROM Lead WHERE (Email = 'a'",
        "SELECT Id FROM Lead WHERE Email IN ()",
        "SELECT Id FROM Lead WHERE Email = 'a\\qb'",
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-13-01T00:00:00Z",
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-03-01T00:00:00 00:00",
        "SELECT Id FROM Lead ORDER Email",
        "SELECT Id FROM Lead LIMIT -1",
        "SELECT Id FROM Lead LIMIT 1 GARBAGE",
        "SELECT Id FROM Lead; DROP",
        "SELECT Id, COUNT(Email) FROM Lead",
        "SELECT City, COUNT(Id) FROM Lead GROUP BY Email",
        "SELECT SUM(Email) FROM Lead",
        "SELECT (SELECT Id FROM Contacts) FROM Account",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(ApiError) as raised:
        run(org_of([]), text, deleted=False)
    assert (raised.value.status, raised.value.code) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("SELECT Nope__c FROM Lead", "INVALID_FIELD", "Row:1:Column:8\nNo such column 'Nope__c' on entity 'Lead'"),
        ("SELECT Id FROM Leed", "INVALID_TYPE", "sObject type 'Leed' is not supported"),
        ("SELECT Id, Boss.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD", "type dateTime and should not be"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE Email = 3", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Lead WHERE IsConverted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Lead WHERE Id = '123'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: 123"),
        (
            "SELECT Id FROM Lead WHERE IsConverted > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean",
        ),
        ("SELECT Id FROM Lead WHERE IsConverted LIKE 'a'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Lead WHERE Address = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead ORDER BY Address", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT SystemModstamp FROM LeadHistory", "INVALID_FIELD", "No such column 'SystemModstamp'"),
    ],
)
def test_refused(text: str, code: str, part: str) -> None:
    with pytest.raises(ApiError) as raised:
        run(org_of([]), text, deleted=False)
    assert (raised.value.status, raised.value.code) == (400, code)
    assert part in raised.value.message


def test_ids_of_15_and_18_characters_are_one() -> None:
    org = org_of([{"Name": "a", "SystemModstamp": START}, {"Name": "b", "SystemModstamp": START}])
    full = id_of("Opportunity", 1)
    for text in (f"Id = '{full}'", f"Id = '{full[:15]}'", f"Id IN ('{full}')", f"Id > '{id_of('Opportunity', 0)}'"):
        result = run(org, f"SELECT Id FROM Opportunity WHERE {text}", deleted=False)
        assert [view.id for view in result.rows] == [full]


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("= TODAY", {"2026-03-10"}),
        ("= YESTERDAY", {"2026-03-09"}),
        ("= LAST_N_DAYS:2", {"2026-03-08", "2026-03-09", "2026-03-10"}),
        ("> LAST_N_DAYS:2", {"2026-03-11", "2026-04-01"}),
        ("< LAST_N_DAYS:2", {"2026-02-28", "2026-03-07"}),
        ("= NEXT_N_DAYS:1", {"2026-03-11"}),
        ("<= TODAY", {"2026-02-28", "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"}),
        ("= LAST_MONTH", {"2026-02-28"}),
        ("= NEXT_MONTH", {"2026-04-01"}),
    ],
)
def test_named_periods_hold_for_dates_and_times(condition: str, days: set[str]) -> None:
    every = ["2026-02-28", "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10", "2026-03-11", "2026-04-01"]
    made = [
        {"CloseDate": day, "SystemModstamp": datetime.fromisoformat(f"{day}T23:59:59.999").replace(tzinfo=UTC)}
        for day in every
    ]
    org = org_of(made)
    for field in ("CloseDate", "SystemModstamp"):
        result = run(org, f"SELECT Id FROM Opportunity WHERE {field} {condition}", deleted=False)
        assert {view.fields["CloseDate"] for view in result.rows} == days


def test_a_zone_other_than_utc() -> None:
    org = org_of([{"Name": "a", "SystemModstamp": datetime(2026, 3, 1, 3, 0, tzinfo=UTC)}])
    for text, count in (("2026-03-01T00:00:00-03:00", 1), ("2026-03-01T00:00:01-03:00", 0)):
        result = run(org, f"SELECT COUNT() FROM Opportunity WHERE SystemModstamp >= {text}", deleted=False)
        assert result.total == count
