"""Values that change without a new date, which no window finds: they are compared instead.

Calculated fields (formulas, roll-ups) are such, and fields that came: one that is added has values from the start, one that
was hidden from the key for some nights has them again. On a schedule that the stream declares, or when a field came, just
these fields are read of all live records and held against what is in raw. Records that differ are read again by id. Such a
version is dated a microsecond after the one that it replaces: it outranks that one, any edit outranks it, however late it
shows, and a value that goes back and forth is a new version each time. When it was noticed is told by its load.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

import msgspec
import sqlalchemy as sa

from connectors.base.exact import decode_record
from connectors.base.model import EPOCH, Connector, Page, Recalculating, Stream, Window
from warehouse import raw
from warehouse.tables.raw import raw_table

IDS_PER_READ = 10_000
MANY = 50_000
"""Where more records than this differ (a new formula, a new year), everything is read rather than each by its id."""

FEW = 1_000
"""Up to so many records it is not worth a warning that most of them changed."""

DUE = 0.9
"""Of the declared interval: a night that starts a minute earlier than the last is as good as due."""

log = logging.getLogger(__name__)

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)(?:\+0000|Z)")

Values = Mapping[str, str | None]


def is_due(stream: Stream, last: datetime | None, now: datetime) -> bool:
    """Whether the stream's calculated fields are to be compared; `last`: when they were, None: never."""
    return bool(stream.recalculated_every) and (last is None or now - last >= stream.recalculated_every * DUE)


def pages(
    connection: sa.Connection,
    connector: Connector,
    stream: Stream,
    window: Window,
    load_id: int,
    came: Collection[str] = (),
) -> list[Iterator[Page]]:
    """Sources of the records of which such fields differ from raw, dated so that they replace what is there.

    Records that this load brought have just been read whole, and are passed over.
    """
    if not isinstance(connector, Recalculating):
        return []
    table = raw_table(connector.vendor, stream.name)
    stale: dict[str, datetime] = {}
    compared = 0
    for page in connector.read_undated(stream, came):
        values = {change.record_id: _values(change.payload) for change in page.changes}
        compared += len(values)
        stale |= _stale(connection, table, values, load_id)
    if len(stale) > compared / 2 and compared > FEW:
        log.warning(
            "%s:%s: calculated or new fields changed in %d of %d records",
            connector.vendor,
            stream.name,
            len(stale),
            compared,
        )
    if len(stale) > MANY:
        everything = connector.read(stream, Window(stream.name, EPOCH, window.end, "full"))
        return [_dated(everything, stale)]
    ids = list(stale)
    pieces = (ids[at : at + IDS_PER_READ] for at in range(0, len(ids), IDS_PER_READ))
    return [_dated(connector.read_ids(stream, some), stale) for some in pieces]


def _stale(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Values], load_id: int
) -> dict[str, datetime]:
    """Record -> the date of its version in raw, where a value differs."""
    fields = list(dict.fromkeys(name for each in values.values() for name in each))
    found = {}
    for known in raw.newest_values(connection, table, list(values), fields):
        if known.load_id == load_id:
            continue
        before = dict(zip(fields, known.values, strict=True))
        if any(not _is_same(before[name], value) for name, value in values[known.record_id].items()):
            found[known.record_id] = known.version_at
    return found


def _dated(source: Iterable[Page], stale: Mapping[str, datetime]) -> Iterator[Page]:
    for page in source:
        changes = []
        for change in page.changes:
            before = stale.get(change.record_id)
            if before is None:
                continue
            is_newer = change.version_at is not None and change.version_at > before
            at = change.version_at if is_newer else before + timedelta(microseconds=1)
            changes.append(change._replace(version_at=at))
        if changes:
            yield Page(changes)


def _values(payload: bytes) -> dict[str, str | None]:
    """The fields of a light record, each as PostgreSQL's ->> would give it."""
    found: dict[str, str | None] = {}
    for name, value in decode_record(msgspec.Raw(payload), dict[str, msgspec.Raw]).items():
        text = bytes(value).decode(errors="replace")
        if name not in ("Id", "attributes"):
            found[name] = None if text == "null" else decode_record(value, str) if text[0] == '"' else text
    return found


def _is_same(one: str | None, other: str | None) -> bool:
    """Whether two texts tell the same value: JSON and CSV write numbers and moments in different ways."""
    if one == other or (one or None) == (other or None):
        return True
    if one is None or other is None:
        return False
    if (a := _MOMENT.fullmatch(one)) and (b := _MOMENT.fullmatch(other)):
        return a[1] == b[1]
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
