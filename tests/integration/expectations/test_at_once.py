"""A suite asked at once finds what its expectations find one by one: both are held against the same rules in Python."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from expectations.model import Expectation
from expectations.runner import checker
from warehouse.engine import transaction

WORDS = ["won", "lost", "it's", "a:b", ":n", "{batch}", "50 %", '"', "back\\slash", "", "JOIN us", "São", "{", "x\ny"]
PATTERNS = [r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", r"^\+[1-9][0-9]{4,14}$", r"^[A-Z]{2}$", r"^it's|:|\{"]
TEXTS = [*WORDS, "a@b.c", "a@b", "+49301234", "+0", "DE", "de", "JOIN"]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOMENTS = [NOON + timedelta(microseconds=n) for n in range(-2, 3)]
Rule = tuple[Expectation, Callable[[dict[str, Any]], bool]]


def _expectation(rule: str, kind: str, **arguments: Any) -> Expectation:
    return Expectation(rule, "quarantine", "for the test", kind, arguments)


def _rule(number: int, rng: random.Random) -> Rule:
    """A random expectation, and whether a row keeps it."""
    name = f"rule:{number} {{it's}}"
    match rng.randrange(4):
        case 0:
            words = rng.sample(WORDS, rng.randint(1, len(WORDS)))
            made = _expectation(name, "ExpectColumnValuesToBeInSet", column="word", value_set=words)
            return made, lambda row: row["word"] in {None, *words}
        case 1:
            pattern = rng.choice(PATTERNS)
            made = _expectation(name, "ExpectColumnValuesToMatchRegex", column="word", regex=pattern)
            return made, lambda row: row["word"] is None or re.search(pattern, row["word"]) is not None
        case 2:
            least, most = sorted(rng.choices(MOMENTS, k=2))
            made = _expectation(name, "ExpectColumnValuesToBeBetween", column="moment", min_value=least, max_value=most)
            return made, lambda row: row["moment"] is None or least <= row["moment"] <= most
        case _:
            join = rng.choice(["", "JOIN (SELECT 1 AS one) o ON true "])
            query = f"SELECT id FROM checked {join}WHERE word = ':n' AND moment IS NULL"
            made = _expectation(name, "UnexpectedRowsExpectation", unexpected_rows_query=query)
            return made, lambda row: not (row["word"] == ":n" and row["moment"] is None)


@pytest.mark.parametrize("turn", range(12))
def test_what_is_broken_is_found_and_counted(turn: int, seed: int, warehouse: sa.Engine) -> None:
    rng = random.Random(f"{seed}:{turn}")
    rules = [_rule(number, rng) for number in range(rng.randint(1, 6))]
    rows: list[dict[str, Any]] = [
        {"id": str(n), "word": rng.choice([None, *TEXTS]), "moment": rng.choice([None, *MOMENTS])}
        for n in range(rng.randint(0, 30))
    ]
    with transaction(warehouse) as connection:
        connection.execute(sa.text("CREATE TABLE public.some (id text, word text, moment timestamptz)"))
        if rows:
            connection.execute(sa.text("INSERT INTO public.some VALUES (:id, :word, :moment)"), rows)
        with checker(connection) as check:
            outcomes = check.run("some", [rule for rule, _ in rules], schema="public")
    assert [o.expectation for o in outcomes] == [rule for rule, _ in rules]
    for outcome, (rule, keeps) in zip(outcomes, rules, strict=True):
        broken = [row for row in rows if not keeps(row)]
        assert outcome.error is None, (rule, outcome.error)
        assert outcome.failed == len(broken), rule
        assert outcome.is_success is not bool(broken)
