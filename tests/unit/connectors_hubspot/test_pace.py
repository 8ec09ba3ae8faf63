from datetime import UTC, datetime

from connectors.hubspot.api import midnight_after
from connectors.hubspot.auth import settings_from
from connectors.hubspot.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def pace(clock: Clock, rate: float) -> Pace:
    return Pace(rate, clock=clock.time, sleep=clock.sleep)


def test_searches_are_spaced() -> None:
    clock = Clock()
    paced = pace(clock, 4)
    for _ in range(4):
        paced.before_search()
    assert clock.slept == [0.25, 0.25, 0.25]
    clock.now += 60
    paced.before_search()
    assert len(clock.slept) == 3


def test_zero_is_no_limit() -> None:
    clock = Clock()
    paced = pace(clock, 0)
    for _ in range(100):
        paced.before_search()
    assert clock.slept == []


def headers(left: int) -> dict[str, str]:
    return {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": str(left),
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    }


def test_requests_slow_down_at_the_reserve_and_only_there() -> None:
    clock = Clock()
    paced = pace(clock, 0)
    paced.note(headers(20))
    paced.before_request()
    assert clock.slept == []
    paced.note(headers(19))
    paced.before_request()
    paced.before_request()
    assert clock.slept == [2.0]


def test_answers_without_or_with_odd_headers_change_nothing() -> None:
    clock = Clock()
    paced = pace(clock, 0)
    paced.note({})
    paced.note({**headers(0), "X-HubSpot-RateLimit-Max": "many"})
    paced.before_request()
    assert clock.slept == []


def test_the_day_ends_at_the_accounts_midnight() -> None:
    settings = settings_from({"access_token": "pat", "time_zone": "America/Sao_Paulo"})
    assert midnight_after(datetime(2026, 5, 6, 2, 59, tzinfo=UTC), settings) == datetime(2026, 5, 6, 3, tzinfo=UTC)
    assert midnight_after(datetime(2026, 5, 6, 3, tzinfo=UTC), settings) == datetime(2026, 5, 7, 3, tzinfo=UTC)
