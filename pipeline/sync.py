"""The sync job: one stream of one vendor, from the API to staging, in one transaction with its cursor.

    window -> pages -> raw versions -> touched records -> normalised frames -> staging + queue -> ledger and cursor

A run that fails or is killed leaves nothing behind; the next one begins at the same cursor. One that the vendor's quota cuts short
keeps what it read, and the next goes on from there. Any window may be read again in any order: what is loaded already adds nothing.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from connectors.base.model import Connector, Describing, Kind, Page, Stream, Window
from errors import QuotaError
from glossary import Glossary
from pipeline import quota, recalculated, resume, totals
from pipeline.loading import Loader
from pipeline.normalize import come_due, normalize_touched
from pipeline.progress import Progress, to_log
from pipeline.windows import Interval, follows_changes, plan
from warehouse import fields, ledger, locks, raw
from warehouse.engine import transaction

log = logging.getLogger(__name__)

IDS_PER_READ = 10_000
"""Ids handed to a connector at once: bounds memory."""


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What a sync of one stream did.

    window: None where there was nothing to read yet.
    missing: records that the vendor has, that no window had shown, and that were found by comparing alone.
    """

    vendor: str
    stream: str
    window: Window | None
    read: int = 0
    new: int = 0
    deleted: int = 0
    staged: int = 0
    set_aside: int = 0
    missing: int = 0
    load_id: int | None = None

    def followed_by(self, later: "SyncCounts") -> "SyncCounts":
        """Both together; the load is the last."""
        if self.window is None or later.window is None:
            return self if later.window is None else later
        summed = {
            name: getattr(self, name) + getattr(later, name)
            for name in ("read", "new", "deleted", "staged", "set_aside", "missing")
        }
        return replace(later, window=replace(self.window, end=later.window.end), **summed)


def sync_stream(  # noqa: PLR0913 - each says one thing about the run
    engine: sa.Engine,
    connector: Connector,
    stream_name: str,
    glossary: Glossary,
    *,
    until: datetime | None = None,
    backfill: Interval | None = None,
    full: bool = False,
    compare: bool = False,
    run_id: str | None = None,
    progress: Progress = to_log,
) -> SyncCounts:
    """Bring one stream up to date, or read one interval of it again.

    Args:
        engine: the warehouse.
        connector: the vendor.
        stream_name: one of `connector.streams`.
        glossary: the words to normalise to.
        until: upper bound of an incremental window (a scheduled run's data interval end); None: the vendor's now.
        backfill: read exactly this interval and leave the cursor where it is.
        full: read everything, whatever the cursor says.
        compare: after the window, hold all ids that the vendor has against those here, whatever it counts; a stream that
            follows a parent's changes follows all of the parent, one that is compared by absence is read in full.
        run_id: for the ledger.
        progress: told the rows read so far.

    Raises:
        VendorError, ConfigurationError, WarehouseError: nothing was kept, the cursor has not moved.
        QuotaError: what was read until then is kept, the cursor has not moved, the next call goes on from there.
    """
    stream = connector.streams[stream_name]
    quota.share(engine, connector, is_urgent=backfill is None)
    with transaction(engine) as connection:
        locks.lock(connection, "stream", connector.vendor, stream.name)
        position = ledger.position(connection, connector.vendor, stream.name)
        rest = None if full else ledger.unfinished(connection, connector.vendor, stream.name, backfill)
        window = (
            Window(stream.name, rest.start_at, rest.end_at, cast("Kind", rest.kind), rest.place)
            if rest
            else plan(
                stream,
                connector.now(),
                position.at if position else None,
                until=until,
                backfill=backfill,
                full=full or (compare and (follows_changes(stream) or stream.finds_deletes == "absence")),
            )
        )
        if window is None:
            return SyncCounts(connector.vendor, stream.name, None)
        planned, window = window, window if rest else resume.resumed(connection, connector.vendor, window)
        reader = resume.remembering(connector, engine, window)
        run = _Run(connection, reader, stream, window, position, glossary, compare=compare, progress=progress)
        counts = run.load(run_id, rest)
    if run.deferred:
        raise run.deferred
    resume.clear_up(reader)
    if backfill or (window == planned and not rest):
        return counts
    # What a run that was killed or cut short began is in; now what has come since.
    since = sync_stream(engine, connector, stream_name, glossary, until=until, run_id=run_id, progress=progress)
    return counts.followed_by(since)


class _Run:
    """One load of one window, inside the caller's transaction."""

    def __init__(
        self,
        connection: sa.Connection,
        connector: Connector,
        stream: Stream,
        window: Window,
        position: ledger.Position | None,
        glossary: Glossary,
        *,
        compare: bool,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.compare = compare
        self.missing = 0
        self.connector = connector
        self.stream = stream
        self.window = window
        self.position = position
        self.glossary = glossary
        self.progress = progress
        self.table = raw.ensure_table(connection, connector.vendor, stream.name)
        self.observed_at = connector.now()
        self.parent_load_id: int | None = None
        self.deferred: QuotaError | None = None
        self.is_recalculated = window.kind == "full"

    def load(self, run_id: str | None, rest: ledger.Unfinished | None = None) -> SyncCounts:
        """Load the window, or the rest of it; `deferred` says whether a used-up quota cut it short."""
        kind: Kind = self.window.kind
        vendor, name = self.connector.vendor, self.stream.name
        load_id = ledger.open_load(self.connection, kind, vendor, name, run_id)
        self._describe(anew=True)
        self.loader = loader = Loader(
            self.connection,
            vendor,
            name,
            self.glossary,
            load_id,
            observed_at=self.observed_at,
            touch_all=kind == "backfill",
            reads_all=kind == "full" and not self.stream.windowed and self.stream.finds_deletes == "never",
            progress=self.progress,
        )
        deleted = 0
        try:
            deleted = self._read(load_id)
        except QuotaError as error:
            if not loader.received:
                raise
            self.deferred = error
        read = loader.distinct_records()
        loader.add(normalize_touched(self.connection, vendor, name, self.glossary, load_id))
        so_far = self._so_far(rest, read)
        if not self.deferred:
            if kind != "backfill":
                ledger.move_cursor(self.connection, vendor, name, self.window.end, load_id, self.parent_load_id)
            come_due(self.connection, vendor, name, self.glossary, load_id)
            if self.is_recalculated:
                ledger.note_recalculated(self.connection, vendor, name, self.observed_at)
            self._note_fields(load_id)
            if kind != "backfill":
                totals.note(self.connection, self.connector, self.stream, self.window, self.glossary, load_id)
            resume.finish(self.connection, vendor, self.window)
            ledger.record_window(self.connection, **so_far, load_id=load_id)
            ledger.finish(self.connection, vendor, name, kind, self.window.start, self.window.end)
        elif loader.resume and self.stream.finds_deletes != "absence":
            ledger.stop_at(self.connection, ledger.Unfinished(**so_far, place=loader.resume), load_id)
        ledger.close_load(
            self.connection, load_id, read_rows=read, new_rows=loader.new + deleted, staged_rows=loader.staged.rows
        )
        self.progress(f"{vendor} {name}", read)
        return SyncCounts(
            vendor,
            name,
            self.window,
            read,
            loader.new,
            deleted,
            loader.staged.rows,
            loader.staged.set_aside,
            self.missing,
            load_id,
        )

    def _read(self, load_id: int) -> int:
        """Load what the window brings, what was restored and what was deleted; returns the deletes found by comparing."""
        # Before the read: what is made meanwhile must not make up for what was deleted.
        live = self.connector.count(self.stream, self.window.end) if self._may_count else None
        self.loader.load(self.connector.read(self.stream, self.window, self._parent_ids()))
        self._receive_restored()
        if self._shows_all:
            raw.keys_from_incoming(self.connection)
        deleted = self._find_deletes(load_id, live) + self._follow_gone(load_id)
        self._recalculate(load_id)
        return deleted

    def _so_far(self, rest: ledger.Unfinished | None, read: int) -> dict[str, Any]:
        """The window and its counts, those of the part that was read before included."""
        expected = _sum(self.loader.expected, rest and rest.expected_rows)
        return {
            "vendor": self.connector.vendor,
            "stream": self.stream.name,
            "kind": self.window.kind,
            "start_at": self.window.start,
            "end_at": self.window.end,
            "expected_rows": expected,
            "counted_rows": _sum(self.loader.counted, rest and rest.counted_rows) if expected else expected,
            "read_rows": read + (rest.read_rows if rest else 0),
        }

    def _describe(self, *, anew: bool = False) -> Mapping[str, str]:
        return self.connector.describe(self.stream, anew=anew) if isinstance(self.connector, Describing) else {}

    def _note_fields(self, load_id: int) -> None:
        """Compare the fields with the last known; asked after the read, which describes anew where a field vanished."""
        vendor, name = self.connector.vendor, self.stream.name
        if (described := self._describe()) and fields.note(self.connection, vendor, name, described, load_id):
            log.warning("%s:%s has other fields than before: `smarketing schema changes` shows them", vendor, name)

    def _recalculate(self, load_id: int) -> None:
        """Load the records of which undated fields are not as the warehouse has them, when it is time to look or fields came."""
        if self.window.kind != "incremental" or not self.stream.recalculated_every:
            return
        last = self.position.recalculated_at if self.position else None
        came = fields.came(self.connection, self.connector.vendor, self.stream.name, self._describe())
        if not came and not recalculated.is_due(self.stream, last, self.observed_at):
            return
        sources = recalculated.pages(self.connection, self.connector, self.stream, self.window, load_id, came)
        for pages in sources:
            self.loader.load(pages)
        self.is_recalculated = True

    def _parent_ids(self) -> list[str]:
        """The parent's record ids that this window is about; all at once, since they are used in the reading thread."""
        if self.stream.parent is None:
            return []
        parent = raw.ensure_table(self.connection, self.connector.vendor, self.stream.parent)
        if self.window.kind == "backfill" and self.connector.streams[self.stream.parent].windowed:
            return raw.ids_between(self.connection, parent, self.window.start, self.window.end)
        followed = self.position.parent_load_id if self.position and self.window.kind != "full" else None
        self.parent_load_id = raw.last_load(self.connection, parent)
        if self.stream.parent_ids == "ever":
            return raw.all_ids(self.connection, parent)
        if self.stream.parent_ids == "all" or followed is None:
            return list(raw.live_ids(self.connection, parent))
        changed = raw.ids_loaded(self.connection, parent, followed)
        return sorted({*changed, *self._linked_again(parent)})

    def _linked_again(self, parent: sa.Table) -> list[str]:
        """Parents of links that came back with the record at their other end, or moved to the one it was merged into."""
        back = self.stream.back
        if back is None or back.parent is None:
            return []
        vendor = self.connector.vendor
        loads = ledger.loads_since_cursor(self.connection, vendor, self.stream.name, back.parent)
        others = raw.ids_come_back(self.connection, raw.ensure_table(self.connection, vendor, back.parent), loads)
        ids = {change.record_id for page in self.connector.read_ids(back, others) for change in page.changes}
        return raw.living(self.connection, parent, sorted(ids))

    def _receive_restored(self) -> None:
        """Read again, by id, what the warehouse holds as deleted and the vendor no longer lists as such."""
        if self.window.kind == "backfill" or not self.stream.restorable_for:
            return
        # What could be restored when the stream was read last may have been restored just after.
        seen_at = self.position.at if self.position else self.observed_at
        suspects = raw.deleted_since(self.connection, self.table, seen_at - self.stream.restorable_for)
        self._receive_ids(suspects, undated=True)

    @property
    def _may_count(self) -> bool:
        return self.stream.finds_deletes == "count" and self.window.kind != "backfill"

    @property
    def _shows_all(self) -> bool:
        return self.stream.finds_deletes == "absence" and self.window.kind == "full"

    def _follow_gone(self, load_id: int) -> int:
        """Add deletes for what went with records of another stream; returns how many."""
        if self.stream.gone_with is None:
            return 0
        vendor, other = self.connector.vendor, self.stream.gone_with
        loads = ledger.loads_since_cursor(self.connection, vendor, self.stream.name, other)
        others = raw.ensure_table(self.connection, vendor, other)
        return raw.delete_gone_with(
            self.connection, self.table, others, loads, load_id=load_id, observed_at=self.observed_at
        )

    def _find_deletes(self, load_id: int, live: int | None) -> int:
        """Add deletes for what the vendor no longer has; read what it has and we lack.

        live: how many records the vendor counted before the read, where the stream has a count.
        """
        if self.window.kind == "backfill":
            return 0
        if not self.compare and live is not None and raw.count_live(self.connection, self.table) <= live:
            return 0
        if self.stream.finds_deletes in ("keys", "count"):
            for keys in self.connector.read_keys(self.stream):
                raw.receive_keys(self.connection, keys)
            if live is not None and raw.count_keys(self.connection) < live:
                # A list that shows less than was counted proves nothing, and would delete what it left out.
                log.warning(
                    "%s:%s lists less than it counts: no deletes are concluded", self.connector.vendor, self.stream.name
                )
                return 0
            unknown, deleted = raw.missing_keys(self.connection, self.table)
            self._receive_ids(unknown)
            # What came after the window's end is no miss: the next night's window has it.
            self.missing = raw.count_dated_before(self.connection, self.table, unknown, self.window.end)
            self._receive_ids(deleted, undated=True)
            # What was merged or deleted after the window's end is told by id, with its own date; what lives does so whatever
            # the list says.
            raw.receive_keys(self.connection, self._receive_ids(raw.absent(self.connection, self.table)))
        elif self._shows_all:
            _, shown_again = raw.missing_keys(self.connection, self.table)
            self._receive_ids(shown_again, undated=True)
        else:
            return 0
        return raw.delete_absent(self.connection, self.table, load_id, self.observed_at)

    def _receive_ids(self, ids: Sequence[str], *, undated: bool = False) -> list[str]:
        """Read records by id; returns those that live.

        undated: they are as of now, whatever date they bear, so that they outrank a delete.
        """
        live: list[str] = []
        for at in range(0, len(ids), IDS_PER_READ):
            pages = self.connector.read_ids(self.stream, ids[at : at + IDS_PER_READ])
            self.loader.load(_noting_live(pages, live), undated=undated)
        return live


def _noting_live(pages: Iterable[Page], live: list[str]) -> Iterator[Page]:
    for page in pages:
        live.extend(change.record_id for change in page.changes if change.op == "upsert")
        yield page


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
