"""Waiting for a turn without spending the time: a clock that is moved by whoever sleeps."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from connectors.base import quota


def skip_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a vendor's limits take no time in this process."""
    skipped = timedelta(0)

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += timedelta(seconds=seconds)

    monkeypatch.setattr(quota, "now", lambda: datetime.now(UTC) + skipped)
    monkeypatch.setattr(quota, "time", SimpleNamespace(sleep=sleep))
