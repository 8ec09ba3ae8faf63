"""Limits: 100 calls in 20 seconds, 10 at once, 50,000 a day, 500 MB of exports a day.

Source: developer guide of Marketo Engage, "Best Practices".

The window runs by this machine's clock, as a client's pauses do; the day is the vendor's, in US Central time.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.marketo.answers import ApiError
from sandbox.marketo.auth import API_USER

BURST, BURST_SECONDS = 100, 20.0
CONCURRENT = 10
DAILY = 50_000
EXPORT_BYTES = 500_000_000
CENTRAL = ZoneInfo("America/Chicago")

UNCOUNTED = {"600", "601", "602", "604", "605", "606", "607", "608", "611", "615"}
"""Calls that end so count against no limit."""


def central_day(at: datetime) -> date:
    """The day on which quotas count."""
    return at.astimezone(CENTRAL).date()


class Limits:
    """Counts the calls of one instance, always; refuses only when asked to.

    Args:
        burst: calls in 20 seconds.
        concurrent: calls at once.
        daily: calls in a day.
        export_bytes: size of all files that are made in a day.
        latency: seconds that each call takes while limits are enforced; without, no two would ever be at once.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        *,
        burst: int = BURST,
        concurrent: int = CONCURRENT,
        daily: int = DAILY,
        export_bytes: int = EXPORT_BYTES,
        latency: float = 0.02,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.burst = burst
        self.concurrent = concurrent
        self.daily = daily
        self.export_bytes = export_bytes
        self.latency = latency
        self.running = 0
        self._clock = clock
        self._calls: deque[float] = deque()
        self._used: Counter[date] = Counter()
        self._errors: dict[date, Counter[str]] = defaultdict(Counter)

    def admit(self, now: datetime, *, enforced: bool) -> None:
        """Count a call.

        Raises:
            ApiError: 606, 607 or 615, and the call does not count.
        """
        moment = self._clock()
        while self._calls and self._calls[0] <= moment - BURST_SECONDS:
            self._calls.popleft()
        if enforced:
            if self.running >= self.concurrent:
                raise too_many_at_once()
            if len(self._calls) >= self.burst:
                raise too_fast()
            if self._used[central_day(now)] >= self.daily:
                raise used_up()
        self._calls.append(moment)
        self._used[central_day(now)] += 1

    def note_error(self, now: datetime, code: str) -> None:
        """Remember an error for the statistics."""
        self._errors[central_day(now)][code] += 1

    def usage(self, now: datetime, days: int) -> list[dict[str, Any]]:
        """stats/usage: calls of each of the last days, newest first."""
        last = central_day(now)
        found = []
        for day in (last - timedelta(days=back) for back in range(days)):
            total = self._used[day]
            users = [{"userId": API_USER, "count": total}] if total else []
            found.append({"date": day.isoformat(), "total": total, "users": users})
        return found

    def errors(self, now: datetime, days: int) -> list[dict[str, Any]]:
        """stats/errors: errors of each of the last days, newest first."""
        last = central_day(now)
        found = []
        for day in (last - timedelta(days=back) for back in range(days)):
            codes = self._errors.get(day, Counter())
            counts = [{"errorCode": code, "count": n} for code, n in sorted(codes.items())]
            found.append({"date": day.isoformat(), "total": codes.total(), "errors": counts})
        return found


def too_fast() -> ApiError:
    """606."""
    return ApiError("606", f"Max rate limit '{BURST}' exceeded with in '{int(BURST_SECONDS)}' secs")


def used_up() -> ApiError:
    """607."""
    return ApiError("607", "Daily quota reached")


def too_many_at_once() -> ApiError:
    """615."""
    return ApiError("615", "Concurrent access limit reached")
