"""The turns of a paced limit, and the day's: by a clock that only sleeping moves."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import quota
from connectors.base.quota import DAY, RELAXED_RESERVE, RESERVE, Allowance, Bucket, Memory, Quota, gap_of, turn
from errors import QuotaError

NOW = datetime(2026, 5, 6, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(quota, "now", lambda: clock.now)
    monkeypatch.setattr(quota, "time", SimpleNamespace(sleep=clock.sleep))
    return clock


def most_in(times: list[datetime], seconds: float) -> int:
    """The most times in any window of that length."""
    length = timedelta(seconds=seconds)
    return max(sum(start <= at < start + length for at in times) for start in times)


@given(
    calls=st.integers(2, 400),
    seconds=st.sampled_from([1.0, 10.0, 20.0]),
    seed=st.integers(0, 2**32),
)
def test_no_window_ever_holds_more_than_is_allowed(calls: int, seconds: float, seed: int) -> None:
    dice = random.Random(seed)
    bucket, at, taken = Bucket(Allowance("requests", calls, seconds)), NOW, []
    for _ in range(calls + 100):
        at += timedelta(seconds=dice.choice([0, 0, 0, 0.01, 0.3, 5, 30]) * dice.random())
        bucket, wait, is_ours = turn(bucket, at)
        assert is_ours
        at += wait
        taken.append(at)
    assert most_in(taken, seconds) <= calls


def test_a_busy_account_is_used_up_to_the_reserve(clock: Clock) -> None:
    mine = Quota("v")
    mine.learn(Allowance("requests", 190, 10.0))
    for _ in range(1900):
        mine.take("requests")
    assert 1900 / clock.slept == pytest.approx(19 * (1 - RESERVE), rel=0.01)


def test_what_is_not_known_is_not_slowed(clock: Clock) -> None:
    mine = Quota("v")
    for _ in range(100):
        mine.take("requests")
    assert clock.slept == 0


def test_who_shares_an_account_shares_its_turns_and_what_was_learned(clock: Clock) -> None:
    store = Memory()
    one, other = Quota("v", store), Quota("v", store)
    one.learn(Allowance("requests", 100, 10.0))
    for _ in range(100):
        one.take("requests")
        other.take("requests")
    assert 200 / clock.slept == pytest.approx(9.5, rel=0.05)


def test_backfills_give_way_and_do_not_starve() -> None:
    bucket, at, urgent, relaxed = Bucket(Allowance("requests", 190, 10.0)), NOW, 0, 0
    until = NOW + 60 * SECOND
    while at < until:
        bucket, wait, _ = turn(bucket, at)
        urgent += 1
        bucket, _, is_ours = turn(bucket, at, is_urgent=False)
        relaxed += is_ours
        at += max(wait, SECOND / 100)
    assert 3.5 * relaxed < urgent < 5.5 * relaxed
    _, wait, is_ours = turn(bucket, at + 3 * SECOND, is_urgent=False)
    assert (is_ours, wait) == (True, timedelta(0)), "nobody else is at work"


@pytest.mark.parametrize("every", [2, 3, 10])
def test_backfills_take_what_others_leave(every: int) -> None:
    """A night at work that asks for one turn in `every` (its database is busy, or it reads page after page)."""
    allowance = Allowance("requests", 200, 10.0)
    bucket, at, taken = Bucket(allowance), NOW, Counter[str]()
    gap = gap_of(allowance, RESERVE)
    night_at = backfill_at = at
    while at < NOW + 60 * SECOND:
        at = min(night_at, backfill_at)
        is_night = night_at <= backfill_at
        bucket, wait, is_ours = turn(bucket, at, is_urgent=is_night)
        taken["night" if is_night else "backfill"] += is_ours
        if is_night:
            night_at = at + wait + gap * every
            assert wait <= 2 * gap, "a backfill does not hold it up"
        else:
            backfill_at = at + max(wait, SECOND / 1000)
    assert taken.total() >= 0.9 * 60 * SECOND / gap
    assert taken["night"] >= 0.6 * 60 * SECOND / (gap * every)


def test_a_penalty_is_known_to_all(clock: Clock) -> None:
    store = Memory()
    one, other = Quota("v", store), Quota("v", store)
    one.penalise("requests", 7)
    other.take("requests")
    assert clock.slept == pytest.approx(7)


def test_a_full_window_that_others_use_slows_us(clock: Clock) -> None:
    mine = Quota("v")
    mine.learn(Allowance("requests", 190, 10.0, left=190))
    mine.take("requests")
    assert clock.slept == 0
    mine.learn(Allowance("requests", 190, 10.0, left=2))
    mine.take("requests")
    assert clock.slept == pytest.approx(0.5)


def test_calls_that_were_made_before_the_limit_was_known_count(clock: Clock) -> None:
    mine = Quota("v")
    mine.learn(Allowance("requests", 100, 10.0, left=81))
    mine.take("requests")
    assert clock.slept == pytest.approx(2.0, rel=0.001)


def test_the_day_is_kept_for_others_below_the_reserve_and_for_nights_before_that(clock: Clock) -> None:
    store = Memory()
    night, backfill = Quota("v", store), Quota("v", store, is_urgent=False)
    tomorrow = NOW + timedelta(hours=5)
    few = int(1000 * RELAXED_RESERVE)
    night.learn(Allowance(DAY, 1000, 86_400.0, few, tomorrow))
    night.take("requests")
    with pytest.raises(QuotaError, match="800 of 1000 daily v calls are used") as caught:
        backfill.take("requests")
    assert caught.value.until == tomorrow
    night.learn(Allowance(DAY, 1000, 86_400.0, 50, tomorrow))
    with pytest.raises(QuotaError):
        night.take("requests")
    clock.now = tomorrow
    night.take("requests")
    backfill.take("requests")


def test_a_used_up_day_is_known_to_all_until_it_is_renewed(clock: Clock) -> None:
    store = Memory()
    one, other = Quota("v", store), Quota("v", store)
    one.exhaust(NOW + timedelta(hours=1))
    for each in (one, other):
        with pytest.raises(QuotaError) as caught:
            each.take("requests")
        assert caught.value.until == NOW + timedelta(hours=1)
    clock.now += timedelta(hours=1)
    other.take("requests")


def test_a_turn_that_is_far_off_is_deferred(clock: Clock) -> None:
    mine = Quota("v")
    mine.penalise("requests", 3600)
    with pytest.raises(QuotaError) as caught:
        mine.take("requests")
    assert caught.value.until == NOW + timedelta(hours=1)
    assert clock.slept == 0
