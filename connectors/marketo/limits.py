"""What Marketo allows an instance, in the words of `connectors.base.quota`: no header tells it.

All tools of an instance share 100 calls in any 20 seconds and 50,000 a day; Adobe asks each to keep to half of the former. What may be
exported in a day is counted apart: when it is used up, everything else goes on.
"""

from collections.abc import Callable
from datetime import datetime

from connectors.base import quota
from connectors.base.quota import DAY, Allowance
from connectors.base.session import Limits
from connectors.marketo.answers import EXPORT_QUOTA, midnight
from connectors.marketo.auth import Settings

REQUESTS, EXPORTS = "requests", "exports"
SECONDS = 20.0


def limits_of(settings: Settings, now: Callable[[], datetime]) -> Limits:
    """The limits of an instance. now: its clock."""

    def renewed_at() -> datetime:
        there = now()
        return quota.now() + (midnight(there) - there)

    return Limits(
        declared=(Allowance(REQUESTS, settings.calls, SECONDS),) if settings.calls else (),
        until=lambda _response: renewed_at(),
        exhausted=lambda code: EXPORTS if code == EXPORT_QUOTA else DAY,
        policy_of=lambda _method, url: EXPORTS if url.endswith(("/create.json", "/enqueue.json")) else REQUESTS,
        reserve=settings.reserve,
    )
