from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.model import EPOCH, Window
from connectors.base.windows import LAST_TRIES, TRIES, Reading, Span, proved, span_of
from errors import CountMismatchError

Rows = dict[int, int]
"""Record id to millisecond."""


def inside(rows: Rows, span: Span) -> list[int]:
    return [
        one
        for one, at in rows.items()
        if span.start <= at < span.end
        and (span.low is None or one >= span.low)
        and (span.high is None or one < span.high)
    ]


def reading(rows: Rows, span: Span, cap: int) -> Reading[list[int]]:
    found = inside(rows, span)
    ids = (min(found), max(found)) if found else None
    if len(found) > cap:
        return Reading(len(found), None, ids=ids)
    return Reading(len(found), found, len(found), ids=ids)


@given(
    rows=st.dictionaries(st.integers(1, 10**12), st.integers(0, 40), max_size=60),
    cap=st.integers(1, 9),
    bounds=st.tuples(st.integers(0, 41), st.integers(0, 41)).map(sorted),
)
def test_parts_together_are_the_window_each_row_once(rows: Rows, cap: int, bounds: list[int]) -> None:
    whole = Span(*bounds)
    got = list(proved(whole, lambda part: reading(rows, part, cap), where="v:s", pause=lambda _n: None))
    assert sorted(one for part in got for one in part.rows or []) == sorted(inside(rows, whole))
    assert all(part.total <= cap for part in got)


@given(
    start=st.integers(0, 10**13),
    length=st.integers(1, 10**12),
    ids=st.none() | st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)).map(lambda two: (min(two), max(two))),
    middle=st.none() | st.integers(-5, 10**13),
)
def test_halves_leave_nothing_between(start: int, length: int, ids: tuple[int, int] | None, middle: int | None) -> None:
    span = Span(start, start + length, low=None, high=None)
    halves = span.halves(ids, middle)
    if halves is None:
        assert length == 1
        assert ids is None or ids[0] == ids[1]
        return
    first, second = halves
    if length > 1:
        assert (first.start, first.end, second.end) == (start, second.start, start + length)
        assert first.end > first.start
        assert second.end > second.start
    else:
        assert ids is not None
        assert (first.low, second.high) == (None, None)
        assert first.high == second.low
        assert ids[0] < (first.high or 0) <= ids[1]


def test_span_holds_the_milliseconds_of_the_window() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC)
    span = span_of(Window("s", at, at + timedelta(microseconds=999), "backfill"))
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    assert span == Span(milliseconds + 1, milliseconds + 1)
    assert span_of(Window("s", EPOCH, EPOCH + timedelta(seconds=1), "full"), earliest=1) == Span(1, 1000)


def test_mismatch_is_read_again_then_split_then_raised() -> None:
    asked: list[Span] = []
    pauses: list[int] = []

    def never_whole(part: Span) -> Reading[list[int]]:
        asked.append(part)
        return Reading(3, [1], found=1)

    with pytest.raises(CountMismatchError, match="v:s counts 3 records but shows 1, after 5 attempts") as caught:
        list(proved(Span(0, 2), never_whole, where="v:s", pause=pauses.append))
    assert asked == [Span(0, 2)] * TRIES + [Span(0, 1)] * LAST_TRIES
    assert pauses == [0, 0, 1, 2, 3]
    assert "milliseconds 0 to 1" in caught.value.detail


def test_numbers_that_agree_by_chance_prove_nothing() -> None:
    answers = iter([Reading(2, [1, 2], 2, is_steady=False), Reading(2, [1, 3], 2)])
    (got,) = proved(Span(0, 1), lambda _part: next(answers), where="v:s", pause=lambda _n: None)
    assert got.rows == [1, 3]


def test_one_answer_is_not_split() -> None:
    asked: list[Span] = []

    def short(part: Span) -> Reading[list[int]]:
        asked.append(part)
        return Reading(2, [1], found=1, is_atomic=True)

    with pytest.raises(CountMismatchError):
        list(proved(Span(0, 100), short, where="v:s", pause=lambda _n: None))
    assert asked == [Span(0, 100)] * LAST_TRIES


def test_crowd_that_cannot_be_split_is_an_error() -> None:
    with pytest.raises(CountMismatchError, match="counts 20000"):
        list(proved(Span(5, 6), lambda _part: Reading(20_000, None), where="v:s", pause=lambda _n: None))
