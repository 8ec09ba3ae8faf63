"""Questions in SOQL: a span of time of one object, its count, and its two halves."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

URI_LIMIT = 15_000
"""Salesforce refuses URI and headers beyond 16,384 bytes together; the difference is left to the headers."""

HEAD = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted", "MasterRecordId")
"""What a change is made of (see `records`)."""

SMALLEST = timedelta(seconds=1)
"""Spans are not cut below this; Salesforce itself stamps in whole seconds."""

BEGINNING = datetime(1999, 1, 1, tzinfo=UTC)
"""Where the middle of an open span is looked for (the vendor's founding); older rows belong to its first half."""


def literal(at: datetime) -> str:
    """A SOQL dateTime literal in UTC, up to the next whole millisecond: stamps have no finer digits."""
    at = at.astimezone(UTC) + timedelta(microseconds=-at.microsecond % 1000)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of one object in a span of time.

    thing: the object's API name.
    fields: what to select.
    axis: the timestamp field that the span speaks of.
    start, end: inclusive, exclusive; None is open.
    condition: a further SOQL condition, or "".
    """

    thing: str
    fields: tuple[str, ...]
    axis: str
    start: datetime | None = None
    end: datetime | None = None
    condition: str = ""

    @property
    def _where(self) -> str:
        parts = [self.condition] if self.condition else []
        if self.start is not None:
            parts.append(f"{self.axis} >= {literal(self.start)}")
        if self.end is not None:
            parts.append(f"{self.axis} < {literal(self.end)}")
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    @property
    def select(self) -> str:
        """The SOQL that reads the rows."""
        return f"SELECT {', '.join(self.fields)} FROM {self.thing}{self._where}"

    @property
    def count(self) -> str:
        """The SOQL that counts the same rows; the count is the answer's totalSize."""
        return f"SELECT COUNT() FROM {self.thing}{self._where}"

    def summed(self, amount: str, by: str | None = None) -> str:
        """The SOQL that counts the same rows as `records` and sums a field as `amount`, by the values of another."""
        first, last = (f"{by}, ", f" GROUP BY {by}") if by else ("", "")
        return f"SELECT {first}COUNT(Id) records, SUM({amount}) amount FROM {self.thing}{self._where}{last}"

    def only(self, known: Collection[str]) -> "Query":
        """The same with the fields that the org has."""
        return replace(self, fields=tuple(name for name in self.fields if name in known))

    @property
    def is_too_long(self) -> bool:
        """Whether the select does not fit into a URI; the Bulk API takes it in the body."""
        return len(quote_plus(self.select)) > URI_LIMIT

    def pieces(self) -> "list[Query]":
        """The same rows with as many fields at a time as fit into a URI; each piece has what tells versions apart."""
        head = tuple(name for name in self.fields if name in HEAD)
        room = URI_LIMIT - len(quote_plus(replace(self, fields=head).select))
        pieces: list[tuple[str, ...]] = []
        fields, left = head, room
        for name in self.fields:
            if name in HEAD:
                continue
            if (length := len(quote_plus(f", {name}"))) > left and fields != head:
                pieces.append(fields)
                fields, left = head, room
            fields, left = (*fields, name), left - length
        return [replace(self, fields=each) for each in (*pieces, fields)]

    def halves(self) -> "tuple[Query, Query] | None":
        """The span cut in the middle, or None where it is too short to cut."""
        start = self.start if self.start is not None else BEGINNING
        end = self.end if self.end is not None else datetime.now(UTC)
        middle = (start + (end - start) / 2).replace(microsecond=0)
        if end - start <= SMALLEST or not start < middle < end:
            return None
        return replace(self, end=middle), replace(self, start=middle)

    def __str__(self) -> str:
        start = literal(self.start) if self.start else "the beginning"
        end = literal(self.end) if self.end else "now"
        return f"{self.thing} from {start} to {end}"


def id_batches(ids: list[str], query: Query) -> "list[Query]":
    """The query narrowed to these ids, in as few pieces as URIs allow.

    Ids that cannot be Salesforce ids are left out: nothing can be found under them, and they must not reach the SOQL.
    """
    good = [each for each in dict.fromkeys(ids) if len(each) in (15, 18) and each.isascii() and each.isalnum()]
    per_id = len(quote_plus("'',")) + 18
    room = URI_LIMIT - len(quote_plus(query.select)) - 100
    size = max(50, min(500, room // per_id))
    pieces = (good[at : at + size] for at in range(0, len(good), size))
    return [replace(query, condition="Id IN ({})".format(",".join(f"'{each}'" for each in piece))) for piece in pieces]
