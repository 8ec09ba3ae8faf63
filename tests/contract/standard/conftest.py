"""A sandbox whose stores are emptied for each test, connectors to it, and pauses that do not wait."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from connectors import connect
from connectors.base.model import EPOCH, Connector, Window
from sandbox import transport
from sandbox.context import Faults
from sandbox.serve import Sandbox, running_sandbox
from sandbox.store import Store
from tests.contract.standard.vendors import START, VENDORS, Vendor
from tests.support.nights import credentials, unhurried
from tests.support.waits import skip_waits

Row = tuple[str, str, str, str, bytes]
"""Record id, op, version, merged into, payload: all that a change says, as far as it does not depend on when it was read."""


MOST_REQUESTS = 60


class Way(NamedTuple):
    """One way to read one stream."""

    vendor: Vendor
    stream: str
    kind: str


WAYS = [
    Way(vendor, name, kind)
    for vendor in VENDORS
    for name, stream in vendor.streams.items()
    for kind in (vendor.kinds if stream.windowed else ("full",))
]


def title(way: Way) -> str:
    return f"{way.vendor.title}-{way.stream}-{way.kind}"


class Reading:
    """A stream of a vendor, filled with n records.

    Args:
        box: the sandbox.
        way: what is read, and how.
        n: how many records there are.
        seed: of the choice of occasions for faults.

    ids: of the records that are there.
    occasions: numbers of the requests at which a fault is to strike, each in a reading of its own.
    """

    def __init__(self, box: Sandbox, way: Way, n: int, seed: int) -> None:
        self.box = box
        stride = way.vendor.stride
        self.occasions = [0, *range(1 + seed % stride, MOST_REQUESTS, stride)]
        self.stream = way.vendor.streams[way.stream]
        self._way = way
        self.store: Store = getattr(box.world, way.vendor.name)
        self.ids = way.vendor.fill(self.store, self.stream, n)
        parent = self.stream.parent
        self._parents = sorted(self.store.records[parent]) if parent else []

    @property
    def faults(self) -> Faults:
        """The sandbox's."""
        return self.box.context.faults

    def connector(self) -> Connector:
        """A new one: with no session, no description and no token yet."""
        vendor = self._way.vendor
        return connect(vendor.name, {**credentials(self.box)[vendor.name], **vendor.credentials})

    def read(self, connector: Connector | None = None) -> list[Row]:
        """All changes, in order of id; a count that pages name must be what they have.

        Raises:
            SmarketingError: the stream could not be read.
        """
        connector = connector or self.connector()
        start = EPOCH if self._way.kind == "full" else START
        window = Window(self.stream.name, start, self.box.world.now(), self._way.kind)  # type: ignore[arg-type]
        pages = list(connector.read(self.stream, window, self._parents))
        expected = sum(page.expected or 0 for page in pages)
        assert expected in (0, sum(page.counted for page in pages))
        changes = [change for page in pages for change in page.changes]
        return sorted((c.record_id, c.op, str(c.version_at), str(c.merged_into), c.payload) for c in changes)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One sandbox for all tests of a module."""
    with running_sandbox(people=1, history_days=1) as running:
        unhurried(running)
        yield running


@pytest.fixture
def filled(box: Sandbox, seed: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Way, int], Reading]]:
    """Makes a stream of n records in stores that are otherwise empty; pages are small, and nothing is waited for."""
    for module in ("tenacity.nap", "connectors.base.windows"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=lambda _seconds: None))
    monkeypatch.setattr(transport, "DRIP_PAUSE", 0.0)
    skip_waits(monkeypatch)

    def fill(way: Way, n: int) -> Reading:
        for store in (box.world.hubspot, box.world.salesforce, box.world.marketo):
            empty(store)
        vendor = way.vendor
        for name, value in {**vendor.pages, **vendor.fixed(vendor.streams[way.stream], n)}.items():
            monkeypatch.setattr(name, value)
        return Reading(box, way, n, seed)

    yield fill
    box.context.faults.off()


def empty(store: Store) -> None:
    """Leave nothing in a store, and let its readers know."""
    kept: tuple[dict[Any, Any], ...] = (store.records, store.gone, store.links, store._lagging, store._by_time)
    for each in kept:
        each.clear()
    for kind in list(store.version):
        store.version[kind] += 1
