"""What a connector declares and yields: streams, windows, changes, pages, and the interface that `pipeline` calls.

Connectors yield pages and know nothing of tables. A record travels as the exact bytes that the vendor sent, with just what
the raw layer needs beside it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from connectors.base.quota import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Op = Literal["upsert", "delete", "merge"]
Kind = Literal["incremental", "backfill", "full"]


@dataclass(frozen=True, slots=True)
class Window:
    """An interval of one stream: `start` inclusive, `end` exclusive, both aware UTC.

    kind: incremental moves the cursor, backfill never does, full reads all that exists up to `end` and moves it.
    resume: the place where an earlier read of this very window was cut short (see `Page`); None: from its beginning.
    """

    stream: str
    start: datetime
    end: datetime
    kind: Kind
    resume: str | None = None

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
    resume: where a later read of the window can go on after this page, in the connector's own words; None: not known.
    """

    changes: list[Change]
    expected: int | None = None
    counted: int = 0
    resume: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Declaration of one stream of a vendor.

    name: as in the table raw.<vendor>__<name> and in `smarketing sync vendor:name`.
    windowed: True: `read` honours the window's bounds; False: it reads everything each time (small or uncursored streams).
    lookback: how far before the cursor an incremental window starts: vendors show rows late.
    hold_back: how far before the vendor's now an incremental window ends.
    parent: the stream whose record ids `read` needs (`ids`), or None.
    parent_ids: which of the parent's ids it is given: all that live, those that this night changed, or all that ever lived
        (what hangs on a record may have come just before it was deleted).
    back: for links that follow changed parents: what is asked, by `read_ids`, which of the parents are linked with records at
        the other end (its own `parent`). Links to a record go with its archiving and come back with its restore, and no
        date of their parent says so.
    finds_deletes: how deletes are noticed: "read" (the stream's own pages carry them), "count" (so, and what was deleted for
        good by comparing `read_keys` with the warehouse when the vendor's `count` is less than what lives there), "keys" (by
        comparing `read_keys` each time), "absence" (what a full read no longer shows is gone; in windows, the pages carry
        deletes), or "never" (append-only).
    gone_with: the stream whose records take these with them when they are deleted or merged, without a word: for ids of the
        form <what>-<its record id>. It has a lower `order`.
    compared: whether the stream is read or compared in whole once a week, since something of it can change that neither a
        window nor a count tells: a delete that a new record makes up for, a link of a record that nobody edits.
    restorable_for: how long a deleted record can come back without showing in any window (HubSpot's archive: 90 days); such
        records are asked for by id. Zero: a restore shows as a modification.
    recalculated_every: how often fields that change without a new date (formulas) are compared with the warehouse, where the
        connector can read just these; zero: never.
    order: streams with lower numbers are read first within a vendor; equal numbers may run in parallel.
    path: for connector use, e.g. the API object's name.
    options: further declarations for the vendor's own reader.
    """

    name: str
    windowed: bool = True
    lookback: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(0)
    parent: str | None = None
    parent_ids: Literal["all", "changed", "ever"] = "all"
    back: "Stream | None" = None
    finds_deletes: Literal["read", "count", "keys", "absence", "never"] = "read"
    gone_with: str | None = None
    compared: bool = False
    restorable_for: timedelta = timedelta(0)
    recalculated_every: timedelta = timedelta(0)
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

    @property
    def account(self) -> str:
        """What tells the vendor's account from others, and is no secret."""
        ...

    def share(self, store: "Store", *, is_urgent: bool) -> None:
        """Take turns with all who use the account and keep what they know of its limits in `store`.

        is_urgent: False for backfills, which give way to others.
        """
        ...

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

    def count(self, stream: Stream, until: datetime | None = None) -> int:
        """How many live records the vendor counts now, for streams with finds_deletes "count".

        until: only those that were created before; what windows hold back must not make up for what was deleted.
        """
        ...

    def check(self) -> list[Check]:
        """Key, scopes, clock: one line each, with a remedy."""
        ...


Connect = Callable[[Mapping[str, str]], Connector]


class Memory(Protocol):
    """Notes about one window of one stream that outlive the process: ids of jobs and exports begun at the vendor.

    Each call is done when it returns, whatever becomes of the load. All notes of a window are gone once its load commits.
    """

    def remember(self, key: str, value: str) -> None:
        """Note `value` under `key`, in place of what was noted before."""
        ...

    def recall(self, key: str) -> str | None:
        """What was noted under `key`, perhaps by a process that is no more."""
        ...

    def forget(self, key: str) -> None:
        """Take the note away: the vendor no longer has what it names, or it is of no use."""
        ...


@runtime_checkable
class Resuming(Protocol):
    """A connector that begins long work at the vendor, and can take up again what a killed process began."""

    def remembering(self, memory: Memory) -> Connector:
        """The same connector for one window, noting there what it begins, and looking there before it begins anything."""
        ...

    def clear_up(self) -> None:
        """The load has committed: remove at the vendor what was kept until now. Raises nothing."""
        ...


@runtime_checkable
class Describing(Protocol):
    """A connector whose vendor says which fields its records have."""

    def describe(self, stream: Stream, *, anew: bool = False) -> Mapping[str, str]:
        """Field -> the vendor's word for its type, of all that this key may see; empty where the vendor does not say.

        anew: ask again, even if it was asked before.
        """
        ...


class Total(NamedTuple):
    """What a vendor itself counts and sums, of one currency.

    currency: ISO 4217; "" where the vendor does not part its records by currency.
    amount: the sum of their amounts in that currency; None where the vendor sums nothing.
    precision: how far off the sum may be, since the vendor converts currencies.
    """

    currency: str
    records: int
    amount: Decimal | None = None
    precision: Decimal = Decimal(0)


@runtime_checkable
class Totalling(Protocol):
    """A connector whose vendor counts, and perhaps sums, by itself, for streams with finds_deletes "count".

    vendor: its name.
    totals_lag: whether the vendor counts by an index that may not know of the last changes.
    """

    vendor: str
    totals_lag: bool

    def totals(self, stream: Stream, until: datetime) -> list[Total]:
        """The vendor's totals of live records whose last change was before `until`."""
        ...

    def changed_ids(self, stream: Stream, since: datetime) -> set[str]:
        """The ids of records whose last change was at `since` or later."""
        ...


@runtime_checkable
class Recalculating(Protocol):
    """A connector whose vendor has fields whose values change, or come, without a new date on the record."""

    def read_undated(self, stream: Stream, came: Collection[str] = ()) -> Iterator[Page]:
        """Id, calculated fields and those that `came` of all live records, nothing else; no page where there is no such field."""
        ...
