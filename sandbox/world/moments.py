"""Time in the world: whole milliseconds since 1970 in UTC, and how each vendor writes them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

TODAY = datetime(2026, 6, 1, tzinfo=UTC)
"""Where every world's past ends."""


def to_ms(at: datetime) -> int:
    """Milliseconds of an aware datetime."""
    return (at - EPOCH) // _MS


def to_datetime(ms: int) -> datetime:
    """Aware UTC datetime of milliseconds."""
    return EPOCH + timedelta(milliseconds=ms)


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def date_text(ms: int) -> str:
    """The UTC date, e.g. 2026-05-01."""
    return _date(ms // DAY)


def _clock(ms: int) -> str:
    rest = ms % DAY
    return f"{rest // HOUR:02}:{rest // MINUTE % 60:02}:{rest // SECOND % 60:02}.{rest % SECOND:03}"


def hubspot_text(ms: int) -> str:
    """As HubSpot writes it: 2026-05-01T12:00:00.000Z."""
    return f"{_date(ms // DAY)}T{_clock(ms)}Z"


def salesforce_text(ms: int) -> str:
    """As Salesforce writes it: 2026-05-01T12:00:00.000+0000."""
    return f"{_date(ms // DAY)}T{_clock(ms)}+0000"


def marketo_text(ms: int) -> str:
    """As Marketo writes it: 2026-05-01T12:00:00Z."""
    return f"{_date(ms // DAY)}T{_clock(ms)[:8]}Z"


@lru_cache(maxsize=65536)
def _offset(zone: str, day: int) -> int:
    offset = (EPOCH + timedelta(days=day, hours=12)).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return offset // _MS


def at_local(zone: str, day: int, local_ms: int) -> int:
    """The UTC moment of a time of day in a zone: `day` since 1970, `local_ms` since local midnight."""
    return day * DAY + local_ms - _offset(zone, day)


def is_weekend(day: int) -> bool:
    """Whether a day since 1970 is a Saturday or Sunday."""
    return (day + 3) % 7 >= 5
