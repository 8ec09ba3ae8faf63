"""What HubSpot allows an account, in the words of `connectors.base.quota`: read from its rate headers, declared where it has none.

Searches have a limit of their own, without headers, that all apps of an account share; every other answer tells the ten-second
allowance and the day's. Errors above 5 % of all calls are a breach of HubSpot's terms.
Source: HubSpot, API usage guidelines.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from connectors.base.quota import DAY, Allowance
from connectors.hubspot.auth import Settings

SEARCH = "search"
REQUESTS = "requests"
DAY_SECONDS = 86_400.0


def policy_of(_method: str, url: str) -> str:
    """By which limit HubSpot counts a request."""
    return SEARCH if url.endswith("/search") else REQUESTS


def declared(settings: Settings) -> Iterator[Allowance]:
    """What no answer tells."""
    if settings.search_per_second:
        yield Allowance(SEARCH, settings.search_per_second, 1.0)


def told(headers: Mapping[str, str], renewed_at: Callable[[], datetime]) -> Iterator[Allowance]:
    """What an answer's headers X-HubSpot-RateLimit-* tell; searches carry none.

    renewed_at: tells when the day's quota is there again, by our clock.
    """

    def number(name: str) -> int:
        return int(headers[f"X-HubSpot-RateLimit-{name}"])

    try:
        yield Allowance(REQUESTS, number("Max"), number("Interval-Milliseconds") / 1000, number("Remaining"))
        # Apps with OAuth are not told what is left of the day.
        yield Allowance(DAY, number("Daily"), DAY_SECONDS, number("Daily-Remaining"), renewed_at())
    except (KeyError, ValueError):
        return
