"""What a vendor's HTTP app needs besides its store: clock, credentials, faults, request log, flags of the org.

Fault names start with the vendor, e.g. `hubspot.search_lag`; `sandbox.faults` lists them.
"""

import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple


@dataclass(slots=True)
class Fault:
    """One switched-on fault.

    rate: share of the occasions at which it strikes, 0 to 1.
    seed: of the choice of these occasions; the same seed strikes at the same ones.
    count: after how many strikes it is over; None: never.
    skip: how many occasions pass before it may strike.
    struck: how often it has struck.
    """

    rate: float = 1.0
    seed: int = 0
    count: int | None = None
    skip: int = 0
    struck: int = 0
    chance: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)


class Faults:
    """Faults by name; all are off at first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, Fault] = {}

    def switch(self, name: str, *, rate: float = 1.0, seed: int = 0, count: int | None = None, skip: int = 0) -> None:
        """Switch one on, anew if it is on already; a rate of 0 or a count of 0 switches it off. See `Fault`.

        Raises:
            ValueError: the rate is not within 0 to 1, or the count is negative.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"fault {name}: rate {rate} is not within 0 to 1")
        if count is not None and count < 0:
            raise ValueError(f"fault {name}: count {count} is negative")
        with self._lock:
            if rate == 0 or count == 0:
                self._on.pop(name, None)
            else:
                self._on[name] = Fault(rate, seed, count, skip)

    def off(self, name: str | None = None) -> None:
        """Switch one off, or all where no name is given."""
        with self._lock:
            if name is None:
                self._on.clear()
            else:
                self._on.pop(name, None)

    def active(self, name: str) -> bool:
        """Whether it is on and not yet over. Does not count as an occasion."""
        if not self._on:
            return False  # asked at every write of the world: mostly none is on
        with self._lock:
            fault = self._on.get(name)
            return fault is not None and (fault.count is None or fault.struck < fault.count)

    def strikes(self, name: str) -> bool:
        """Whether it strikes at this occasion."""
        with self._lock:
            fault = self._on.get(name)
            if fault is None or (fault.count is not None and fault.struck >= fault.count):
                return False
            if fault.skip:
                fault.skip -= 1
                return False
            if fault.rate < 1 and fault.chance.random() >= fault.rate:
                return False
            fault.struck += 1
            return True

    def switched(self) -> dict[str, Fault]:
        """What is on, by name."""
        with self._lock:
            return dict(sorted(self._on.items()))


class LogLine(NamedTuple):
    """One answered request. time: the world's; account: whose quota it counts against, never a secret."""

    time: datetime
    vendor: str
    account: str
    method: str
    path: str
    status: int


class RequestLog:
    """The newest requests, oldest first, and how many there were in all.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = 200_000) -> None:
        self._lines: deque[LogLine] = deque(maxlen=most)
        self.total = 0

    def append(  # the six parts of a line
        self, time: datetime, vendor: str, account: str, method: str, path: str, status: int
    ) -> None:
        """Add one request."""
        self._lines.append(LogLine(time, vendor, account, method, path, status))
        self.total += 1

    def lines(self, vendor: str | None = None) -> list[LogLine]:
        """The kept requests, of one vendor or all."""
        return [line for line in self._lines.copy() if vendor is None or line.vendor == vendor]

    def export(self, vendor: str | None = None) -> list[dict[str, str | int]]:
        """The kept requests as plain values; time in ISO 8601."""
        return [line._asdict() | {"time": line.time.isoformat()} for line in self.lines(vendor)]

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()
        self.total = 0


def _machine_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Context:
    """What the vendors' apps share.

    clock: the world's now, aware UTC: sent as the Date header and used for what is visible.
    credentials: what is accepted. HubSpot: access_token. Salesforce: client_id, client_secret, username (of the
        integration user). Marketo: marketo_client_id, marketo_client_secret. Apps may add tokens that they hand out.
    faults: switchable by name.
    log: all answered requests.
    limits: whether the vendors' rate limits are enforced.
    multi_currency: whether the Salesforce org has CurrencyIsoCode on its objects.
    touch: changes the date of a record (vendor, kind, id) as an edit would, with the truth told of it; None where there is
        no world behind the stores.
    marketo_updated_at: whether the Marketo subscription has the updatedAt filter of bulk extracts; error 1035 otherwise.
    """

    clock: Callable[[], datetime] = _machine_now
    credentials: dict[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)
    limits: bool = False
    multi_currency: bool = True
    touch: Callable[[str, str, str], object] | None = None
    marketo_updated_at: bool = True
