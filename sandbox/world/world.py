"""The world: a past generated day by day up to a fixed today, and as many days after it as are asked for."""

import gc
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sandbox.context import Context
from sandbox.store import Store
from sandbox.world import acts, views
from sandbox.world.daily import BULK_DAYS_BEFORE, Calendar, edit_in_bulk, set_up, start_day
from sandbox.world.marketing import launch_campaigns
from sandbox.world.moments import DAY, TODAY, to_datetime, to_ms
from sandbox.world.state import State
from sandbox.world.truth import Truth

MOST_STEPS = 200
"""In which a world comes to rest, or does not."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: of millions of small objects that all stay, it takes longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class World:
    """One world. The same seed, scale and calls give the same stores and the same truth, byte for byte.

    Args:
        seed: of everything that is drawn.
        people: how many have come by the end of the past.
        history_days: length of the past, which ends at `today`.
        today: where the past ends; a midnight in UTC.
        context: shared with the vendors' apps; its clock becomes this world's.

    Raises:
        ValueError: people or history_days is not positive, or today is no midnight in UTC.
    """

    def __init__(
        self,
        seed: int,
        people: int,
        *,
        history_days: int = 365,
        today: datetime = TODAY,
        context: Context | None = None,
    ) -> None:
        end = to_ms(today)
        if people < 1 or history_days < 1 or end % DAY:
            raise ValueError(
                "a world needs at least one person, one day of history, and a today that is midnight in UTC"
            )
        self.seed = seed
        self.context = context or Context()
        self.context.clock = self.now
        self.context.touch = self._touch
        self.lock = threading.RLock()
        self._running_since: float | None = None
        start = end - history_days * DAY
        self._state = State(seed, start, self.context)
        views.attach(self._state)
        with _uncollected():
            self._make_past(people, start, end, history_days)

    def _make_past(self, people: int, start: int, end: int, days: int) -> None:
        state = self._state
        set_up(state, start, people)
        agenda = state.agenda
        launch_campaigns(start, state)
        agenda.plan(start, start_day, state, Calendar(people, start // DAY, days))
        if days > BULK_DAYS_BEFORE:
            agenda.plan(end - BULK_DAYS_BEFORE * DAY + 10_800_123, edit_in_bulk, state)
        agenda.play(end)

    def now(self) -> datetime:
        """The world's now; stands still unless `freeze(False)` let it run."""
        base = to_datetime(self._state.agenda.now)
        since = self._running_since
        return base if since is None else base + timedelta(seconds=time.monotonic() - since)

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._running_since is None

    def advance(self, days: float) -> datetime:
        """Play further days (or parts of days); returns the new now.

        Raises:
            ValueError: days is negative.
        """
        if days < 0:
            raise ValueError(f"the world cannot go back {-days} days")
        with self.lock:
            return self._play(self.now() + timedelta(days=days))

    def advance_to(self, until: datetime) -> datetime:
        """Play up to a moment; returns the new now.

        Raises:
            ValueError: the moment is before now.
        """
        with self.lock:
            if until < self.now():
                raise ValueError(f"the world is at {self.now().isoformat()} and cannot go back to {until.isoformat()}")
            return self._play(until)

    def rest(self, quiet: Sequence[tuple[Store, timedelta]], step: timedelta) -> bool:
        """Play on until each of these vendors' last change is longer ago than its time; whether that came within `MOST_STEPS`."""
        for _ in range(MOST_STEPS):
            if all(self.now() - _newest(store) > still for store, still in quiet):
                return True
            self.advance(step / timedelta(days=1))
        return False

    def _play(self, until: datetime) -> datetime:
        ms = to_ms(until)
        with _uncollected():
            self._state.agenda.play(ms)
        if self._running_since is not None:
            self._running_since = time.monotonic() - (until - to_datetime(ms)).total_seconds()
        return self.now()

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop the clock, or let it run at the pace of the machine's; `tick` plays what has come due."""
        with self.lock:
            self.tick()
            self._running_since = None if frozen else time.monotonic()

    def tick(self) -> None:
        """Play up to the running clock's now; nothing while it stands."""
        with self.lock:
            if self._running_since is not None:
                self._play(self.now())

    def act(
        self, vendor: str, verb: str, kind: str, id_: str | None = None, fields: dict[str, Any] | None = None
    ) -> str:
        """One targeted act at the present moment, for tests; the truth knows of it. See `acts.act`.

        Raises:
            ValueError: the act is not possible; the message says why.
        """
        with self.lock:
            self.tick()
            return acts.act(self._state, acts.Act(vendor, verb, kind, id_, fields or {}))

    def _touch(self, vendor: str, kind: str, id_: str) -> bool:
        with self.lock:
            desk = self._state.hubspot if vendor == "hubspot" else self._state.salesforce
            return desk.update(kind, id_, self._state.agenda.now, {})

    @property
    def truth(self) -> Truth:
        """What really is and happened."""
        return self._state.truth

    @property
    def hubspot(self) -> Store:
        """What HubSpot holds."""
        return self._state.hubspot_store

    @property
    def salesforce(self) -> Store:
        """What Salesforce holds."""
        return self._state.salesforce_store

    @property
    def marketo(self) -> Store:
        """What Marketo holds."""
        return self._state.marketo_store

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self._state.people)

    def counts(self) -> dict[str, dict[str, int]]:
        """Of each vendor and kind, how many records the store holds, archived ones too."""
        return {
            store.vendor: {kind: len(records) for kind, records in store.records.items() if records}
            for store in (self.hubspot, self.salesforce, self.marketo)
        }


def _newest(store: Store) -> datetime:
    """When a vendor's last change was."""
    return max(record.modified_at for records in store.records.values() for record in records.values())
