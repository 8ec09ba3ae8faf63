from datetime import UTC, datetime

import pytest

from connectors.base.quota import DAY, Allowance
from connectors.hubspot.api import midnight_after
from connectors.hubspot.auth import settings_from
from connectors.hubspot.limits import REQUESTS, SEARCH, declared, policy_of, told

RENEWED = datetime(2026, 5, 7, tzinfo=UTC)
HEADERS = {
    "X-HubSpot-RateLimit-Max": "190",
    "X-HubSpot-RateLimit-Remaining": "12",
    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    "X-HubSpot-RateLimit-Daily": "625000",
    "X-HubSpot-RateLimit-Daily-Remaining": "600000",
}
REQUESTS_TOLD = Allowance(REQUESTS, 190, 10.0, 12)


def test_headers_tell_both_limits() -> None:
    day = Allowance(DAY, 625_000, 86_400.0, 600_000, RENEWED)
    assert list(told(HEADERS, lambda: RENEWED)) == [REQUESTS_TOLD, day]


def test_apps_that_are_not_told_of_the_day_know_the_ten_seconds() -> None:
    without = {name: value for name, value in HEADERS.items() if "Daily" not in name}
    assert list(told(without, lambda: RENEWED)) == [REQUESTS_TOLD]


@pytest.mark.parametrize("headers", [{}, {**HEADERS, "X-HubSpot-RateLimit-Max": "many"}])
def test_answers_without_or_with_odd_headers_tell_nothing(headers: dict[str, str]) -> None:
    assert list(told(headers, lambda: RENEWED)) == []


def test_searches_have_a_limit_of_their_own() -> None:
    assert policy_of("POST", "https://api.hubapi.com/crm/v3/objects/contacts/search") == SEARCH
    assert policy_of("GET", "https://api.hubapi.com/crm/v3/objects/contacts?limit=100") == REQUESTS
    assert list(declared(settings_from({"access_token": "pat"}))) == [Allowance(SEARCH, 5.0, 1.0)]
    assert list(declared(settings_from({"access_token": "pat", "search_per_second": "0"}))) == []


def test_an_account_is_told_by_a_digest_of_its_key() -> None:
    one, same, other = (settings_from({"access_token": f"pat-{n}"}).account for n in (1, 1, 2))
    assert one == same != other
    assert "pat" not in one


def test_the_day_ends_at_the_accounts_midnight() -> None:
    settings = settings_from({"access_token": "pat", "time_zone": "America/Sao_Paulo"})
    assert midnight_after(datetime(2026, 5, 6, 2, 59, tzinfo=UTC), settings) == datetime(2026, 5, 6, 3, tzinfo=UTC)
    assert midnight_after(datetime(2026, 5, 6, 3, tzinfo=UTC), settings) == datetime(2026, 5, 7, 3, tzinfo=UTC)
