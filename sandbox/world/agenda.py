"""What will happen when: actions by moment, in order; equal moments in order of planning."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sandbox.world.moments import DAY

Action = Callable[..., None]


class Agenda:
    """Actions to come.

    Args:
        now: ms; nothing is planned or done before it.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self._count = 0
        self._days: dict[int, list[tuple[int, int, Action, tuple[Any, ...]]]] = defaultdict(list)
        self._today: list[tuple[int, int, Action, tuple[Any, ...]]] = []
        self._day = now // DAY

    def plan(self, ms: int, action: Action, *arguments: Any) -> None:
        """Call `action(ms, *arguments)` at a moment; what is past happens now."""
        ms = max(ms, self.now)
        self._count += 1
        item = (ms, self._count, action, arguments)
        day = ms // DAY
        if day == self._day:
            heapq.heappush(self._today, item)
        else:
            self._days[day].append(item)

    def play(self, until: int) -> None:
        """Do all that is planned before `until`, which is the new now."""
        while True:
            today = self._today
            while today and today[0][0] < until:
                ms, _, action, arguments = heapq.heappop(today)
                self.now = ms
                action(ms, *arguments)
            if (self._day + 1) * DAY > until:
                break
            self._day += 1
            self._today = self._days.pop(self._day, [])
            heapq.heapify(self._today)
        self.now = until
