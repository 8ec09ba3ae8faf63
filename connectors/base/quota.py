"""One vendor account's allowance, shared by all who use it: wait for your turn, and tell what the vendor's answers say.

An allowance is paced: so many calls in any so many seconds, handed out as turns at even distances, which keeps every rolling window
of the vendor's below its limit (the generic cell rate algorithm of ATM Forum TM 4.0, with a small tolerance). What lies for a day
("day") is counted by the vendor alone: its answers say what is left, and below the reserve nobody asks any more until it is renewed.
A share of both is left to the account's other tools.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from connectors.base.model import EPOCH
from errors import ConfigurationError, QuotaError

DAY = "day"
"""The policy that is counted by the vendor rather than paced by us."""

RESERVE = 0.05
"""Share of an allowance that is left to the account's other tools."""

RELAXED_RESERVE = 0.2
"""Share of the day that a backfill leaves: the nights come first."""

RELAXED_EVERY = 5
"""While others are at work, a backfill gets one turn in so many, and those that they let pass."""

URGENT_FOR = timedelta(seconds=2)
"""So long after their last call others count as being at work."""

LOW = 0.25
"""When no more than this share of the reserve is left, others need it."""

TOLERANCE = 0.05
"""Share of an interval that turns may come early after a pause."""

PENALTY = 1.0
"""Seconds without calls after a refusal that does not say how long."""

LONGEST_WAIT = timedelta(minutes=2)
"""Waits beyond this are not slept through: the caller defers."""

LOOK = timedelta(seconds=10)
"""So often is looked for what others have learned."""


class Allowance(NamedTuple):
    """What a vendor allows an account.

    policy: the vendor's own name for it, or DAY.
    calls: at most so many in any `seconds`.
    left: what is left of them now for all who use the account; None: the vendor does not say.
    renews_at: for DAY, when all are there again, by our clock (aware UTC).
    """

    policy: str
    calls: float
    seconds: float
    left: int | None = None
    renews_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What all who use an account know of one of its policies. All times are of one clock, which they share.

    allowance: as last told; its calls are 0 where no answer has told it yet.
    next_at: the next free turn.
    urgent_at: when somebody other than a backfill last took one.
    relaxed_at: before this no backfill takes one while others are at work.
    closed_until: nobody asks before: the vendor refused.
    """

    allowance: Allowance
    next_at: datetime = EPOCH
    urgent_at: datetime = EPOCH
    relaxed_at: datetime = EPOCH
    closed_until: datetime = EPOCH


class Turn(NamedTuple):
    """What came of asking: the bucket after it, how long to wait, and whether the turn is ours then or is to be asked for again."""

    bucket: Bucket
    wait: timedelta
    is_ours: bool


def gap_of(allowance: Allowance, reserve: float) -> timedelta:
    """The distance between two turns."""
    return timedelta(seconds=allowance.seconds / (allowance.calls * (1 - reserve)))


def turn(bucket: Bucket, at: datetime, *, reserve: float = RESERVE, is_urgent: bool = True) -> Turn:
    """The next turn of a paced policy.

    Args:
        bucket: before.
        at: now, by the clock that the bucket's times are of.
        reserve: share left to the account's other tools.
        is_urgent: False for backfills.
    """
    if bucket.closed_until > at:
        return Turn(bucket, bucket.closed_until - at, is_ours=False)
    allowance = bucket.allowance
    if not allowance.calls:
        return Turn(bucket, timedelta(0), is_ours=True)
    gap = gap_of(allowance, reserve)
    if is_urgent:
        bucket = replace(bucket, urgent_at=at)
    elif at - bucket.urgent_at < URGENT_FOR:
        free = bucket.next_at + gap  # the others let a turn pass: they are at work, but not in need of all
        if bucket.relaxed_at > at and free > at:
            return Turn(bucket, min(bucket.relaxed_at, free) - at, is_ours=False)
        bucket = replace(bucket, relaxed_at=at + gap * RELAXED_EVERY)
    slot = max(bucket.next_at, at - timedelta(seconds=allowance.seconds * TOLERANCE))
    return Turn(replace(bucket, next_at=slot + gap), max(slot - at, timedelta(0)), is_ours=True)


def now() -> datetime:
    """Our clock, aware UTC."""
    return datetime.now(UTC)


class Store(Protocol):
    """Where the buckets of one account are kept."""

    def change(self, policy: str, how: Callable[[Bucket, datetime], Bucket]) -> None:
        """Put `how(bucket, now)` in the bucket's place, nobody coming between; one that is not there is `empty`."""
        ...

    def all(self) -> dict[str, Bucket]:
        """All buckets by policy."""
        ...


def empty(policy: str) -> Bucket:
    """The bucket of a policy of which nothing is known."""
    return Bucket(Allowance(policy, 0, 0.0))


@dataclass
class Memory:
    """The buckets of one process."""

    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, policy: str, how: Callable[[Bucket, datetime], Bucket]) -> None:
        """See `Store`."""
        with self._lock:
            self._buckets[policy] = how(self._buckets.get(policy) or empty(policy), now())

    def all(self) -> dict[str, Bucket]:
        """See `Store`."""
        with self._lock:
            return dict(self._buckets)


class Quota:
    """The allowances of one account, for one of those who use it; thread-safe.

    Args:
        vendor: for messages.
        store: where all who share the account keep what they know.
        reserve: share of each allowance that is left to the account's other tools, 0 to 1.
        is_urgent: False for backfills, which give way.
    """

    def __init__(
        self, vendor: str, store: Store | None = None, *, reserve: float = RESERVE, is_urgent: bool = True
    ) -> None:
        self.vendor = vendor
        self.reserve = reserve
        self._store = store or Memory()
        self._is_urgent = is_urgent
        self._lock = threading.Lock()
        self._known: dict[str, Allowance] = {}
        self._day: Bucket | None = None
        self._told_day: Allowance | None = None
        self._look_at = EPOCH

    def take(self, policy: str) -> None:
        """Wait for a turn.

        Raises:
            QuotaError: the day's allowance is used up to the reserve, or the turn is far off.
        """
        self._look()
        self._check_day()
        while policy in self._known:
            wait, is_ours = self._turn(policy)
            if wait > LONGEST_WAIT:
                raise self._deferred(now() + wait)
            if wait > timedelta(0):
                time.sleep(wait.total_seconds())
            if is_ours:
                return

    def learn(self, allowance: Allowance) -> None:
        """What an answer says of an allowance. Others are told of it where that matters to them."""
        if allowance.policy == DAY:
            self._learn_day(allowance)
            return
        if allowance.left is not None and allowance.left <= allowance.calls * self.reserve * LOW:
            # Somebody else uses the account: its rolling window lets go of a twentieth in that time.
            self.penalise(allowance.policy, allowance.seconds / 20)
        known = self._known.get(allowance.policy)
        if known and (known.calls, known.seconds) == (allowance.calls, allowance.seconds):
            return
        told = allowance._replace(left=None)
        self._store.change(
            allowance.policy, lambda bucket, at: _told(bucket, at, allowance, gap_of(allowance, self.reserve))
        )
        with self._lock:
            self._known[allowance.policy] = told

    def penalise(self, policy: str, seconds: float | None = None) -> None:
        """The vendor refused: nobody asks for so long."""
        pause = timedelta(seconds=PENALTY if seconds is None else seconds)
        self._store.change(policy, lambda bucket, at: _closed(bucket, at + pause))
        with self._lock:
            self._known.setdefault(policy, empty(policy).allowance)

    def exhaust(self, until: datetime, policy: str = DAY) -> None:
        """The vendor says that an allowance, mostly the day's, is used up until then: nobody asks."""
        self._store.change(policy, lambda bucket, _at: _closed(bucket, until))
        with self._lock:
            self._look_at = EPOCH

    def _turn(self, policy: str) -> tuple[timedelta, bool]:
        taken: list[Turn] = []

        def how(bucket: Bucket, at: datetime) -> Bucket:
            taken.append(turn(bucket, at, reserve=self.reserve, is_urgent=self._is_urgent))
            return taken[-1].bucket

        self._store.change(policy, how)
        return taken[-1].wait, taken[-1].is_ours

    def _look(self) -> None:
        with self._lock:
            if now() < self._look_at:
                return
            self._look_at = now() + LOOK
        buckets = self._store.all()
        with self._lock:
            self._known.update({policy: bucket.allowance for policy, bucket in buckets.items() if policy != DAY})
            self._day = buckets.get(DAY)

    def _check_day(self) -> None:
        day = self._day
        if day is None:
            return
        if day.closed_until > now():
            raise self._deferred(day.closed_until)
        allowance = day.allowance
        if allowance.left is None or (allowance.renews_at and allowance.renews_at <= now()):
            return
        reserve = self.reserve if self._is_urgent else max(self.reserve, RELAXED_RESERVE)
        if allowance.left <= allowance.calls * reserve:
            raise self._deferred(allowance.renews_at, allowance)

    def _learn_day(self, allowance: Allowance) -> None:
        with self._lock:
            self._day = replace(self._day or empty(DAY), allowance=allowance)
            told = self._told_day
            if told and told.calls == allowance.calls and told.left is not None and allowance.left is not None:
                is_news = abs(told.left - allowance.left) * 100 >= allowance.calls
                if not is_news and allowance.left > allowance.calls * RELAXED_RESERVE:
                    return
            self._told_day = allowance
        self._store.change(DAY, lambda bucket, _at: replace(bucket, allowance=allowance))

    def _deferred(self, until: datetime | None, day: Allowance | None = None) -> QuotaError:
        remedy = f"The run goes on after {until:%Y-%m-%d %H:%M} UTC." if until else "Run again when it is free."
        if day is None or day.left is None:
            return QuotaError(f"{self.vendor}'s quota is used up.", until=until, remedy=remedy)
        return QuotaError(
            f"{day.calls - day.left:.0f} of {day.calls:.0f} daily {self.vendor} calls are used; "
            "the rest is kept for the account's other tools.",
            until=until,
            remedy=remedy,
        )


def reserve_of(credentials: Mapping[str, str]) -> float:
    """The share to leave to the account's other tools: `api_reserve` of the connection.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        share = float(credentials.get("api_reserve") or RESERVE)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise ConfigurationError(
            "A connection's `api_reserve` is not a share.",
            remedy=f"Give a number from 0 to below 1, such as {RESERVE}.",
        )
    return share


def _told(bucket: Bucket, at: datetime, allowance: Allowance, gap: timedelta) -> Bucket:
    """The bucket of a policy that was not known: calls that were made unpaced, by whomever, are turns that are taken."""
    used = allowance.calls - allowance.left if allowance.left is not None else 0
    return replace(bucket, allowance=allowance._replace(left=None), next_at=max(bucket.next_at, at + gap * used))


def _closed(bucket: Bucket, until: datetime) -> Bucket:
    return replace(bucket, closed_until=max(bucket.closed_until, until))
