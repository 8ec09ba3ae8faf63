"""What a connector declares and yields: streams, windows, changes, pages, and the interface that `pipeline` calls.

Connectors yield pages and know nothing of tables. A record travels as the exact bytes that the vendor sent, with just what
the raw layer needs beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Op = Literal["upsert", "delete", "merge"]
Kind = Literal["incremental", "backfill", "full"]


@dataclass(frozen=True, slots=True)
class Window:
    """An interval of one stream: `start` inclusive, `end` exclusive, both aware UTC.

    kind: incremental moves the cursor, backfill never does, full reads all that exists up to `end` and moves it.
    """

    stream: str
    start: datetime
    end: datetime
    kind: Kind

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("window bounds must be aware datetimes")
        if self.start > self.end:
            raise ValueError(f"window of {self.stream} ends before it starts: {self.start} > {self.end}")


class Change(NamedTuple):
    """One version of one record.

    record_id: the vendor's id, as text.
    version_at: when the vendor says the record got this state (aware UTC); None: it does not say, stamp the reading time.
    op: upsert | delete | merge (merged away).
    payload: the record's exact JSON bytes as sent; b"" for a tombstone that carries no fields.
    merged_into: for merge, the surviving record's id.
    """

    record_id: str
    version_at: datetime | None
    op: Op
    payload: bytes
    merged_into: str | None = None


class Page(NamedTuple):
    """A batch of changes.

    expected: what the vendor's own count adds to the window's proof with this page (the total of a proved sub-window, given
    once, on its first page); None where the vendor has no count.
    counted: how many of `changes` that count speaks of.
    """

    changes: list[Change]
    expected: int | None = None
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """Declaration of one stream of a vendor.

    name: as in the table raw.<vendor>__<name> and in `smarketing sync vendor:name`.
    windowed: True: `read` honours the window's bounds; False: it reads everything each time (small or uncursored streams).
    lookback: how far before the cursor an incremental window starts: vendors show rows late.
    hold_back: how far before the vendor's now an incremental window ends.
    parent: the stream whose record ids `read` needs (`ids`), or None.
    parent_ids: which of the parent's ids it is given: all that live, or those that this night changed.
    finds_deletes: how deletes are noticed: "read" (the stream's own pages carry them), "count" (so, and what was deleted for
        good by comparing `read_keys` with the warehouse when the vendor's `count` is less than what lives there), "keys" (by
        comparing `read_keys` each time), "absence" (a full read: what it no longer shows is gone), or "never" (append-only).
    restorable_for: how long a deleted record can come back without showing in any window (HubSpot's archive: 90 days); such
        records are asked for by id. Zero: a restore shows as a modification.
    order: streams with lower numbers are read first within a vendor; equal numbers may run in parallel.
    path: for connector use, e.g. the API object's name.
    options: further declarations for the vendor's own reader.
    """

    name: str
    windowed: bool = True
    lookback: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(0)
    parent: str | None = None
    parent_ids: Literal["all", "changed"] = "all"
    finds_deletes: Literal["read", "count", "keys", "absence", "never"] = "read"
    restorable_for: timedelta = timedelta(0)
    order: int = 0
    path: str = ""
    options: Mapping[str, object] = field(default_factory=dict)


class Check(NamedTuple):
    """One line of `smarketing doctor`."""

    name: str
    is_ok: bool
    message: str
    remedy: str = ""


class Connector(Protocol):
    """What `pipeline` needs of a vendor. Made by the vendor package's `connect(credentials)`.

    All methods raise errors of `errors.py` only.
    """

    vendor: str
    streams: Mapping[str, Stream]

    def now(self) -> datetime:
        """The vendor's clock (from its Date header), aware UTC: the clock that versions are ordered by."""
        ...

    def read(self, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        """Everything of `stream` in `window`, deletes and merges included where finds_deletes is "read" or "count".

        ids: the parent stream's record ids, for streams with a parent.

        Yields only proved pages: a sub-window whose count does not match is split, read again, and at last raised as
        CountMismatchError.
        """
        ...

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of just these records; ids that the vendor no longer has are left out."""
        ...

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all live records, for streams with finds_deletes "keys" or "count"."""
        ...

    def count(self, stream: Stream) -> int:
        """How many live records the vendor counts now, for streams with finds_deletes "count"."""
        ...

    def check(self) -> list[Check]:
        """Key, scopes, clock: one line each, with a remedy."""
        ...


Connect = Callable[[Mapping[str, str]], Connector]
