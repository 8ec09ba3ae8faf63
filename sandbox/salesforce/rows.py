"""Records as a client sees them: immutable views, and the value of each field in JSON and CSV."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from sandbox.salesforce.schema import Field, Kind
from sandbox.store import Record

_PLAIN_DOUBLE = 1e7
_SMALL_DOUBLE = 1e-3


class View(msgspec.Struct, frozen=True, gc=False):
    """One version of a record; it does not change when the record does.

    Not seen by the garbage collector: a query over a large org makes a million of them, and none can be in a cycle.
    """

    id: str
    created_at: datetime
    modified_at: datetime
    deleted: bool
    merged_into: str | None
    fields: dict[str, Any]


Getter = Callable[[View], Any]


def view(record: Record, now: datetime) -> View | None:
    """The version that is visible now: the newest committed one, None where the record's creation is not committed yet.

    The store puts a new dict in `fields` on every write, so a view keeps its values.
    """
    if record.visible_from is not None and record.visible_from > now:
        if record.before is None:
            return None
        modified_at, fields = record.before
        return View(record.id, record.created_at, modified_at, deleted=False, merged_into=None, fields=fields)
    return plain_view(record)


def plain_view(record: Record) -> View:
    """The record's newest version."""
    deleted = record.archived_at is not None
    return View(record.id, record.created_at, record.modified_at, deleted, record.merged_into, record.fields)


_OWN: dict[str, Getter] = {
    "Id": lambda v: v.id,
    "CreatedDate": lambda v: v.created_at,
    "SystemModstamp": lambda v: v.modified_at,
    "IsDeleted": lambda v: v.deleted,
    "MasterRecordId": lambda v: v.merged_into,
}
"""Fields that come from the record itself."""


def is_sent_as_stored(field: Field) -> bool:
    """Whether JSON answers have the field just as the world wrote it."""
    return field.name not in _OWN and field.kind in {Kind.TEXT, Kind.ID, Kind.DATE, Kind.INTEGER}


def is_stored_flag(field: Field) -> bool:
    """Whether it is a checkbox that the world wrote; an unset one is false."""
    return field.name not in _OWN and field.kind is Kind.BOOLEAN


def getter(field: Field) -> Getter:
    """Reads the field's stored value: a datetime for the record's own times, else what the world wrote."""
    if field.kind is Kind.COMPOUND:
        return partial(_compound, field.parts)
    name = field.name
    return _OWN.get(name) or (lambda v: v.fields.get(name))


def json_getter(field: Field) -> Getter:
    """Reads the field as it stands in a JSON answer."""
    read, name = getter(field), field.name
    # Most fields of most rows: one call less each. The store's own times are in UTC.
    quick: dict[str, Getter] = {
        "CreatedDate": lambda v: _utc_text(v.created_at) + "+0000",
        "SystemModstamp": lambda v: _utc_text(v.modified_at) + "+0000",
    }
    if name in _OWN:
        return quick.get(name, read)
    if field.kind is Kind.NUMBER:
        return lambda v: _json_double(read(v))
    if field.kind is Kind.DATETIME:
        return lambda v: _stamp(read(v), "+0000")
    if field.kind is Kind.BOOLEAN:
        return lambda v: v.fields.get(name) is True
    return read


def csv_getter(field: Field) -> Callable[[View], str]:
    """Reads the field as text of a Bulk result; null is the empty text."""
    read = getter(field)
    if field.kind is Kind.NUMBER:
        return lambda v: _text(_double(read(v)))
    if field.kind is Kind.DATETIME:
        return lambda v: _stamp(read(v), "Z") or ""
    if field.kind is Kind.BOOLEAN:
        return lambda v: "true" if read(v) is True else "false"
    if is_sent_as_stored(field):
        name = field.name
        return lambda v: x if (x := v.fields.get(name)).__class__ is str else _text(x)
    return lambda v: _text(read(v))


def to_millisecond(moment: datetime) -> datetime:
    """Cut to the millisecond, which is as fine as the API is."""
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


def moment_of(value: Any) -> datetime | None:
    """A stored datetime as aware UTC; None where there is none or it is no datetime."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is UTC:
        return to_millisecond(value)
    return to_millisecond(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


def _stamp(value: Any, zone: str) -> str | None:
    moment = moment_of(value)
    return None if moment is None else _utc_text(moment) + zone


def _utc_text(moment: datetime) -> str:
    """A UTC datetime to the millisecond, without zone; msgspec is five times as fast as isoformat."""
    text: str = msgspec.to_builtins(moment)
    return text[:23] if moment.microsecond else f"{text[:19]}.000"


def _compound(parts: tuple[tuple[str, str], ...], view: View) -> dict[str, Any] | None:
    values = {key: view.fields.get(name) for key, name in parts}
    return values if any(v is not None for v in values.values()) else None


def _double(value: Any) -> Any:
    """Java's text of a double where it differs from Python's (12500000.0 is 1.25E7); other values unchanged."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = float(value)
    if number == 0 or _SMALL_DOUBLE <= abs(number) < _PLAIN_DOUBLE:
        return number
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    tail = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{tail}E{int(exponent) + len(digits) - 1}"


def _json_double(value: Any) -> Any:
    shown = _double(value)
    return msgspec.Raw(shown.encode()) if shown.__class__ is str and shown is not value else shown


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
