"""Tryton's JSON, and plain JSON: markers for dates and decimals become text, nested records lose their dots.

Tryton marks what JSON has no type for, as {"__class__": "Decimal", "decimal": "12.50"}, and names nested records with a
dot behind ("party."). SQLite answers 0 and 1 for booleans, PostgreSQL false and true.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

Record = dict[str, Any]
TIME = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _datetime(marked: Record) -> str:
    at = datetime(**{part: marked[part] for part in TIME}, tzinfo=UTC)
    # Always with microseconds: then times sort as text.
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


_PLAIN: dict[str, Callable[[Record], Any]] = {
    # Tryton keeps times in UTC and says so nowhere.
    "datetime": _datetime,
    "date": lambda marked: date(marked["year"], marked["month"], marked["day"]).isoformat(),
    # As text, digit for digit: a float would not hold it.
    "Decimal": lambda marked: marked["decimal"],
    "timedelta": lambda marked: marked["seconds"],
    "bytes": lambda marked: marked["base64"],
}


def plain(value: Any, booleans: Iterable[str] = ()) -> Any:
    """A value of Tryton's as plain JSON.

    Times become ISO 8601 with Z, dates ISO 8601, decimals text, durations seconds; fields named in `booleans` true or
    false at every depth.

    Raises:
        KeyError, TypeError, ValueError: a marker that is not as Tryton writes them.
    """
    truths = frozenset(booleans)

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        if mark := value.get("__class__"):
            return _PLAIN[mark](value)
        walked = {}
        # "party." sorts behind "party": of a link given both as id and as record, the record stays, which has the id.
        for name in sorted(value.keys() - {"__name__"}):
            item = walk(value[name])
            walked[name.removesuffix(".")] = bool(item) if name in truths and item is not None else item
        return walked

    return walk(value)


def marked(at: datetime) -> Record:
    """An aware time as Tryton writes it."""
    utc = at.astimezone(UTC)
    return {"__class__": "datetime", **{part: getattr(utc, part) for part in TIME}}


def parsed(text: str) -> datetime:
    """An aware time from what `plain` writes."""
    return datetime.fromisoformat(text)


def encoded(record: Record) -> bytes:
    """A record as JSON bytes, keys sorted at every depth: the same record is the same bytes."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can carry
        return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
