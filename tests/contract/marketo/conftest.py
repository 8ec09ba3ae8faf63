"""A fake Marketo for each test, a connector to it, and sleeps that are written down instead of slept."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from connectors.base.model import Connector
from connectors.marketo import connect
from tests.contract.marketo.fake import CLIENT, SECRET, FakeMarketo
from tests.contract.marketo.served import serving
from tests.support.waits import skip_waits


@pytest.fixture
def vendor() -> Iterator[FakeMarketo]:
    with serving() as fake:
        yield fake


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))
    passing = SimpleNamespace(sleep=slept.append, monotonic=lambda: time.monotonic() + sum(slept))
    for module in ("jobs", "files"):
        monkeypatch.setattr(f"connectors.marketo.{module}.time", passing)
    skip_waits(monkeypatch)
    return slept


@pytest.fixture
def connected(vendor: FakeMarketo, sleeps: list[float]) -> Callable[..., Connector]:
    assert sleeps == []

    def make(**more: str) -> Connector:
        given = {"base_url": vendor.url, "client_id": CLIENT, "client_secret": SECRET, "calls_per_20_seconds": "0"}
        return connect({**given, "start_date": "2026-01-01", **more})

    return make


@pytest.fixture
def marketo(connected: Callable[..., Connector]) -> Connector:
    return connected()
