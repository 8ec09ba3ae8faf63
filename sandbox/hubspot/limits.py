"""Rate limits: a rolling ten seconds, a second for searches, a day.

Source: HubSpot, API usage guidelines, Professional.

Windows run by this machine's clock, as a client's pauses do; the day is the vendor's.
"""

import time
from collections import deque
from collections.abc import Callable
from datetime import date, datetime

from sandbox.hubspot.answers import ApiError

BURST, BURST_SECONDS = 190, 10.0
SEARCHES, SEARCH_SECONDS = 5, 1.0
DAILY = 625_000


class Limits:
    """Counts the calls of one account.

    Args:
        burst: calls in ten seconds.
        searches: searches in a second, which all apps of the account share.
        daily: calls in a day.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        *,
        burst: int = BURST,
        searches: int = SEARCHES,
        daily: int = DAILY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.burst = burst
        self.searches = searches
        self.daily = daily
        self._clock = clock
        self._calls: deque[float] = deque()
        self._searched: deque[float] = deque()
        self._day: date | None = None
        self._used = 0

    def used_today(self, now: datetime) -> int:
        """Calls counted on the vendor's present day."""
        return self._used if self._day == now.date() else 0

    def count(self, now: datetime, *, is_search: bool) -> str | None:
        """Count a call; the name of the policy that it breaks, if any. Searches have a window of their own."""
        self._used = self.used_today(now) + 1
        self._day = now.date()
        if self._used > self.daily:
            return "DAILY"
        if is_search:
            return None if _fits(self._searched, self._clock(), SEARCH_SECONDS, self.searches) else "SECONDLY"
        return None if _fits(self._calls, self._clock(), BURST_SECONDS, self.burst) else "TEN_SECONDLY_ROLLING"

    def headers(self, now: datetime) -> list[tuple[bytes, bytes]]:
        """The X-HubSpot-RateLimit-* headers of an answer that is no search."""
        left = max(0, self.burst - len(self._calls))
        values = {
            "daily": self.daily,
            "daily-remaining": max(0, self.daily - self.used_today(now)),
            "interval-milliseconds": int(BURST_SECONDS * 1000),
            "max": self.burst,
            "remaining": left,
            "secondly": self.burst // int(BURST_SECONDS),
            "secondly-remaining": min(left, self.burst // int(BURST_SECONDS)),
        }
        return [(f"x-hubspot-ratelimit-{name}".encode(), str(value).encode()) for name, value in values.items()]


def _fits(window: deque[float], now: float, seconds: float, most: int) -> bool:
    while window and window[0] <= now - seconds:
        window.popleft()
    if len(window) >= most:
        return False
    window.append(now)
    return True


def exceeded(policy: str, *, retry_after: int | None) -> ApiError:
    """429 of a policy; `retry_after` in seconds, None where HubSpot leaves the header out."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    message = f"You have reached your {policy.lower()} limit."
    return ApiError(429, "RATE_LIMITS", message, {"errorType": "RATE_LIMIT", "policyName": policy}, headers)
