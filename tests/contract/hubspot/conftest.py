"""A fake HubSpot for each test, a connector to it, and sleeps that are written down instead of slept."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from connectors.base.model import Connector
from connectors.hubspot import connect
from tests.contract.hubspot.fake import TOKEN, FakeHubSpot, serving
from tests.support.waits import skip_waits


@pytest.fixture
def vendor() -> Iterator[FakeHubSpot]:
    with serving() as fake:
        yield fake


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    for module in ("tenacity.nap", "connectors.base.windows"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=slept.append))
    skip_waits(monkeypatch)
    return slept


@pytest.fixture
def hubspot(vendor: FakeHubSpot, sleeps: list[float]) -> Connector:
    assert sleeps == []
    return connect({"access_token": TOKEN, "base_url": vendor.url, "search_per_second": "0"})


@pytest.fixture
def connected(vendor: FakeHubSpot, sleeps: list[float]) -> Callable[[str], Connector]:
    assert sleeps == []
    return lambda token: connect({"access_token": token, "base_url": vendor.url, "search_per_second": "0"})
