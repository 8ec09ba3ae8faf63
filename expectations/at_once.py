"""A whole suite as one query: which of its rules do some rows break?

Great Expectations takes some 10 ms of processor time to run one expectation, whatever the table (profiled 2026-11: two fifths of
what a small night needs), and nearly all of them hold. So a suite is asked at once first, as one expectation; those that some rows
break are then run one by one. Which rows they are is asked here as well: Great Expectations names no more than twenty.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from expectations.model import QUERY, Expectation


def _in_set(column: Composable, arguments: Mapping[str, Any]) -> Composable:
    return SQL("{} <> ALL ({})").format(column, Literal(list(arguments["value_set"])))


def _matches(column: Composable, arguments: Mapping[str, Any]) -> Composable:
    return SQL("{} !~ {}").format(column, Literal(arguments["regex"]))


def _between(column: Composable, arguments: Mapping[str, Any]) -> Composable:
    least, most = Literal(arguments["min_value"]), Literal(arguments["max_value"])
    return SQL("{} NOT BETWEEN {} AND {}").format(column, least, most)


BREAKS: Mapping[str, Callable[[Composable, Mapping[str, Any]], Composable]] = {
    "ExpectColumnValuesToBeInSet": _in_set,
    "ExpectColumnValuesToMatchRegex": _matches,
    "ExpectColumnValuesToBeBetween": _between,
}
"""Expectation on a column -> the condition of the rows that break it; null breaks none."""


def broken_rules(suite: Sequence[Expectation]) -> str:
    """The query of `checked`, for SQLAlchemy's `text`, whose rows are the rules that some rows break, in the column `rule`."""
    counts: list[Composable] = []
    rules: list[Composable] = []
    queries: list[Composable] = []
    for each in suite:
        rule = Literal(each.rule)
        if each.kind == QUERY:
            queries.append(SQL("SELECT {} AS rule FROM ({}) broken HAVING count(*) > 0").format(rule, _rows(each)))
            continue
        counts.append(SQL("count(*) FILTER (WHERE {}) AS {}").format(_condition(each), Identifier(each.rule)))
        rules.append(SQL("({}, {})").format(rule, Identifier(each.rule)))
    if counts:
        one_scan = SQL(
            "SELECT rule FROM (SELECT {} FROM checked) counted, LATERAL (VALUES {}) each (rule, broken) WHERE broken > 0"
        )
        queries.insert(0, one_scan.format(SQL(", ").join(counts), SQL(", ").join(rules)))
    return _text(SQL(" UNION ALL ").join(queries))


def broken_rows(expectation: Expectation) -> str:
    """The query of `checked`, for SQLAlchemy's `text`, of the rows that break an expectation."""
    return _text(_rows(expectation))


def of_batch(query: str) -> str:
    """A query of `checked` as Great Expectations takes it: of `{batch}`, with other braces doubled."""
    # GX puts a subquery in place of {batch}, and names it unless the query joins; before 16, PostgreSQL wants a name.
    name = " AS batch" if re.search(r"\bJOIN\b", re.sub("'[^']*'", "''", query)) else ""
    query = query.replace("{", "{{").replace("}", "}}")
    return f"WITH checked AS NOT MATERIALIZED (SELECT * FROM {{batch}}{name}) {query}"


def _rows(expectation: Expectation) -> Composable:
    if expectation.kind == QUERY:
        return SQL(expectation.arguments["unexpected_rows_query"])
    return SQL("SELECT * FROM checked WHERE {}").format(_condition(expectation))


def _condition(expectation: Expectation) -> Composable:
    return BREAKS[expectation.kind](Identifier(expectation.arguments["column"]), expectation.arguments)


def _text(query: Composable) -> str:
    return query.as_string().replace(":", r"\:")
