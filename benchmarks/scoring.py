"""What a reader ended up with, held against the truth of the sandbox's world: missing, stale, double, deletes, merges.

The benefit of the doubt is the reader's: records it never saw before they went count nowhere, values are compared whatever
their form (text, number, date), and only the fields that it gives at all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

Values = Mapping[str, Any]


class Held(NamedTuple):
    """A record as a reader has it.

    values: field -> value, in any form.
    modified: when the vendor says that it was last changed; None: the reader does not keep it.
    is_gone: whether the reader says that it is deleted, archived or merged away.
    """

    values: Values
    modified: datetime | None = None
    is_gone: bool = False


@dataclass
class Hoard:
    """All that a reader has of one kind of record.

    records: id -> its rows after upserting by the reader's own key; more than one is one too many.
    absorbed: ids that other records name as merged into them.
    """

    records: dict[str, list[Held]] = field(default_factory=dict)
    absorbed: set[str] = field(default_factory=set)


class Told(NamedTuple):
    """What the truth says of one record: its state (live, archived, deleted, merged), last change and key fields."""

    id: str
    state: str
    modified: datetime
    values: Values


@dataclass
class Score:
    """Counts of records.

    live: that are. missing: of these, the reader has not. stale: has, but as deleted, of an older date or with other values.
    double: has in more than one row.
    deletes, merges: the reader has once seen the record, and it is deleted or merged now; unnoticed_*: of these, it still
    has as live.
    """

    live: int = 0
    missing: int = 0
    stale: int = 0
    double: int = 0
    deletes: int = 0
    unnoticed_deletes: int = 0
    merges: int = 0
    unnoticed_merges: int = 0

    @property
    def wrong(self) -> int:
        """All mistakes."""
        return self.missing + self.stale + self.double + self.unnoticed_deletes + self.unnoticed_merges

    def __add__(self, other: "Score") -> "Score":
        """The two together."""
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def score(truth: Iterable[Told], hoard: Hoard, tell: Callable[[str], object] = lambda _: None) -> Score:
    """Hold what a reader has of one kind of record against the truth.

    tell: is given a line for each record with which something is wrong.
    """
    found = Score()
    given = {name for rows in hoard.records.values() for row in rows for name in row.values}
    for told in truth:
        rows = hoard.records.get(told.id, [])
        one = Score(double=int(len(rows) > 1))
        if told.state == "live":
            one.live = 1
            one.missing = int(not rows)
            one.stale = int(bool(rows) and not any(_is_current(row, told, given) for row in rows))
        elif rows and told.state == "merged":
            one.merges = 1
            one.unnoticed_merges = int(_is_alive(rows) and told.id not in hoard.absorbed)
        elif rows:
            one.deletes = 1
            one.unnoticed_deletes = int(_is_alive(rows))
        if one.wrong:
            tell(
                f"{told.id} is {told.state} since {told.modified} with {told.values}; the reader has {_shown(rows, told)}"
            )
        found += one
    return found


def _shown(rows: Sequence[Held], told: Told) -> object:
    return [(row._replace(values={name: row.values.get(name) for name in told.values})) for row in rows]


def _is_alive(rows: Sequence[Held]) -> bool:
    return not any(row.is_gone for row in rows)


def _is_current(row: Held, told: Told, given: set[str]) -> bool:
    if row.is_gone or (row.modified is not None and row.modified < told.modified):
        return False
    return all(is_same(row.values.get(name), value) for name, value in told.values.items() if name in given)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: blanks at the ends, forms of numbers, flags and dates do not matter."""
    if one == other:
        return True
    first, second = _plain(one), _plain(other)
    if first == second:
        return True
    if (number := _number(first)) is not None and (another := _number(second)) is not None:
        return number == another
    at = _second(first)
    return at is not None and at == _second(second)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).replace("\0", "").strip()


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _second(text: str) -> datetime | None:
    """The second that a text names: ISO 8601, or milliseconds since 1970."""
    try:
        at = moment(text)
    except ValueError:
        if not text.isdecimal() or len(text) > _LONGEST_MILLIS:
            return None
        at = _EPOCH + timedelta(milliseconds=int(text))
    return at.replace(microsecond=0)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LONGEST_MILLIS = 14
"""Digits."""


def moment(text: str) -> datetime:
    """A date in ISO 8601, UTC where it names no zone.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=_EPOCH.tzinfo)
