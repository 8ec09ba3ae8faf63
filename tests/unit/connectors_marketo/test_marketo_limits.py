from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.base import quota
from connectors.base.quota import DAY, Allowance
from connectors.marketo.answers import EXPORT_QUOTA
from connectors.marketo.auth import settings_from
from connectors.marketo.limits import EXPORTS, REQUESTS, limits_of

GIVEN = {"base_url": "https://123-ABC-456.mktorest.com", "client_id": "id", "client_secret": "made up"}
EVENING = datetime(2026, 5, 6, 3, tzinfo=UTC)  # ten in the evening in Chicago


def test_calls_are_declared_for_all_tasks_together() -> None:
    assert limits_of(settings_from(GIVEN), lambda: EVENING).declared == (Allowance(REQUESTS, 50, 20.0),)
    unlimited = settings_from({**GIVEN, "calls_per_20_seconds": "0", "api_reserve": "0.5"})
    assert limits_of(unlimited, lambda: EVENING).declared == ()
    assert limits_of(unlimited, lambda: EVENING).reserve == 0.5


def test_what_may_be_exported_is_counted_apart() -> None:
    limits = limits_of(settings_from(GIVEN), lambda: EVENING)
    host = GIVEN["base_url"]
    assert limits.policy_of("POST", f"{host}/bulk/v1/leads/export/1/enqueue.json") == EXPORTS
    assert limits.policy_of("GET", f"{host}/rest/v1/leads.json") == REQUESTS
    assert (limits.exhausted(EXPORT_QUOTA), limits.exhausted("607")) == (EXPORTS, DAY)


def test_quotas_are_renewed_at_the_instances_midnight_by_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(quota, "now", lambda: ours)
    limits = limits_of(settings_from(GIVEN), lambda: EVENING)
    assert limits.until(requests.Response()) == ours + timedelta(hours=2)
