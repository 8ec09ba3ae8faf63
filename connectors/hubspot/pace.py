"""Keeping under HubSpot's limits before it has to say so: errors above 5 % of all calls are a breach of its terms."""

import threading
import time
from collections.abc import Callable, Mapping

RESERVE = 0.1
"""Share of the ten-second allowance that is left to the customer's other tools."""


class Pace:
    """Spaces the requests of one process; thread-safe.

    Searches have a limit of their own (5 a second for the whole account, without rate headers), so they are spaced by
    our clock. All other requests are slowed by what the rate headers of the last answer said.

    Args:
        search_per_second: 0 is no limit.
        clock: seconds, monotonic.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        search_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / search_per_second if search_per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_search = 0.0
        self._free_at = 0.0

    def before_search(self) -> None:
        """Wait for this search's turn."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next_search)
            self._next_search = turn + self._gap
        if turn > now:
            self._sleep(turn - now)

    def before_request(self) -> None:
        """Wait while the ten-second allowance is used up down to the reserve."""
        wait = self._free_at - self._clock()
        if wait > 0:
            self._sleep(wait)

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer's X-HubSpot-RateLimit-{Max,Remaining,Interval-Milliseconds}; searches carry none."""
        try:
            most = int(headers["X-HubSpot-RateLimit-Max"])
            left = int(headers["X-HubSpot-RateLimit-Remaining"])
            interval = int(headers["X-HubSpot-RateLimit-Interval-Milliseconds"]) / 1000
        except (KeyError, ValueError):
            return
        if left <= most * RESERVE:
            # the allowance is a rolling one: a fifth of the interval frees about a fifth of it
            self._free_at = self._clock() + interval / 5
