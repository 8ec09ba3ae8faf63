"""What a reader has is held against the truth: each kind of mistake is counted, and only it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.scoring import Held, Hoard, Score, Told, is_same, score

THEN = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = THEN + timedelta(hours=1)


def truth(state: str = "live", **values: Any) -> Told:
    return Told("1", state, THEN, values or {"name": "Ana"})


def has(*rows: Held, absorbed: set[str] | None = None) -> Hoard:
    return Hoard({"1": list(rows)} if rows else {}, absorbed or set())


ANA = Held({"name": "Ana"}, THEN)
GONE = ANA._replace(is_gone=True)


@pytest.mark.parametrize(
    ("told", "hoard", "expected"),
    [
        (truth(), has(ANA), Score(live=1)),
        (truth(), has(ANA._replace(modified=LATER)), Score(live=1)),
        (truth(), has(ANA._replace(modified=None)), Score(live=1)),
        (truth(), has(), Score(live=1, missing=1)),
        (truth(), has(ANA._replace(modified=THEN - timedelta(seconds=1))), Score(live=1, stale=1)),
        (truth(), has(Held({"name": "Bea"}, LATER)), Score(live=1, stale=1)),
        (truth(), has(Held({"name": None}, LATER)), Score(live=1, stale=1)),
        (truth(), has(GONE), Score(live=1, stale=1)),
        (truth(), has(ANA, ANA), Score(live=1, double=1)),
        (truth(), has(ANA, Held({"name": "Bea"}, THEN)), Score(live=1, double=1)),
        (truth("archived"), has(ANA), Score(deletes=1, unnoticed_deletes=1)),
        (truth("deleted"), has(ANA), Score(deletes=1, unnoticed_deletes=1)),
        (truth("deleted"), has(GONE), Score(deletes=1)),
        (truth("deleted"), has(), Score()),
        (truth("merged"), has(ANA), Score(merges=1, unnoticed_merges=1)),
        (truth("merged"), has(GONE), Score(merges=1)),
        (truth("merged"), has(ANA, absorbed={"1"}), Score(merges=1)),
        (truth("merged"), has(ANA, absorbed={"2"}), Score(merges=1, unnoticed_merges=1)),
        (truth("merged"), has(), Score()),
    ],
)
def test_one_record(told: Told, hoard: Hoard, expected: Score) -> None:
    assert score([told], hoard) == expected


def test_fields_that_a_reader_never_gives_are_not_compared() -> None:
    told = [Told(id_, "live", THEN, {"name": "Ana", "city": "Porto"}) for id_ in ("1", "2")]
    assert score(told, Hoard({"1": [ANA], "2": [ANA]})) == Score(live=2)
    in_porto = Held({"name": "Ana", "city": "Porto"}, THEN)
    assert score(told, Hoard({"1": [ANA], "2": [in_porto]})) == Score(live=2, stale=1)


def test_scores_add_up() -> None:
    one, other = Score(1, 2, 3, 4, 5, 6, 7, 8), Score(10, 20, 30, 40, 50, 60, 70, 80)
    assert one + other == Score(11, 22, 33, 44, 55, 66, 77, 88)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", " a "),
        ("a\0", "a"),
        (None, ""),
        (True, "true"),
        (1, "1"),
        (1500.0, "1.5E+3"),
        ("2026-06-01T12:00:00.000Z", "2026-06-01T12:00:00.000+0000"),
        ("2026-06-01T12:00:00.123Z", "2026-06-01T12:00:00+00:00"),
        ("2026-06-01T12:00:00+00:00", str(int(THEN.timestamp() * 1000))),
    ],
)
def test_same_in_another_form(one: Any, other: Any) -> None:
    assert is_same(one, other)
    assert is_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "A"),
        ("a", None),
        (0, None),
        (False, None),
        (True, "false"),
        (1, "2"),
        ("1769967912956", "1769967912957"),
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:01Z"),
        ("1e400000", "x"),
    ],
)
def test_another_value(one: Any, other: Any) -> None:
    assert not is_same(one, other)
