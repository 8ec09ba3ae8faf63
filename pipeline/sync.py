"""The sync job: one stream of one vendor, from the API to staging, in one transaction with its cursor.

    window -> pages -> raw versions -> touched records -> normalised frames -> staging + queue -> ledger and cursor

A run that fails or is killed leaves nothing behind; the next one begins at the same cursor. Any window may be read again in any
order: what is loaded already adds nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from connectors.base.model import EPOCH, Connector, Kind, Stream, Window
from glossary import Glossary
from pipeline.loading import Loader
from pipeline.normalize import normalize_touched
from pipeline.progress import Progress, to_log
from warehouse import incoming, ledger, locks, raw
from warehouse.engine import transaction

log = logging.getLogger(__name__)

IDS_PER_READ = 10_000
"""Ids handed to a connector at once: bounds memory."""


class Interval(NamedTuple):
    """What a run was asked for; aware UTC, start inclusive, end exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What a sync of one stream did. `window` is None where there was nothing to read yet."""

    vendor: str
    stream: str
    window: Window | None
    read: int = 0
    new: int = 0
    deleted: int = 0
    staged: int = 0
    set_aside: int = 0
    load_id: int | None = None


def sync_stream(
    engine: sa.Engine,
    connector: Connector,
    stream_name: str,
    glossary: Glossary,
    *,
    until: datetime | None = None,
    backfill: Interval | None = None,
    full: bool = False,
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
        run_id: for the ledger.
        progress: told the rows read so far.

    Raises:
        VendorError, ConfigurationError, WarehouseError: nothing was kept, the cursor has not moved.
    """
    stream = connector.streams[stream_name]
    with transaction(engine) as connection:
        locks.lock(connection, "stream", connector.vendor, stream.name)
        position = ledger.position(connection, connector.vendor, stream.name)
        window = plan(
            stream, connector.now(), position.at if position else None, until=until, backfill=backfill, full=full
        )
        if window is None:
            return SyncCounts(connector.vendor, stream.name, None)
        return _Run(connection, connector, stream, window, position, glossary, progress=progress).load(run_id)


def plan(
    stream: Stream,
    now: datetime,
    cursor: datetime | None,
    *,
    until: datetime | None = None,
    backfill: Interval | None = None,
    full: bool = False,
) -> Window | None:
    """The window to read; None where the cursor is already at the end.

    Incremental: [cursor - lookback, min(until, now - hold_back)]. First run: everything up to there.
    """
    if backfill is not None:
        return Window(stream.name, backfill.start, backfill.end, "backfill")
    safe = now - stream.hold_back
    end = safe if until is None else min(until, safe)
    follows_changes = stream.parent is not None and stream.parent_ids == "changed"
    if cursor is None or full or not (stream.windowed or follows_changes):
        return Window(stream.name, EPOCH, max(end, cursor or end), "full")
    if follows_changes:
        return Window(stream.name, cursor, max(end, cursor), "incremental")
    if end <= cursor:
        return None
    return Window(stream.name, cursor - stream.lookback, end, "incremental")


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
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.connector = connector
        self.stream = stream
        self.window = window
        self.position = position
        self.glossary = glossary
        self.progress = progress
        self.table = raw.ensure_table(connection, connector.vendor, stream.name)
        self.observed_at = connector.now()
        self.parent_load_id: int | None = None

    def load(self, run_id: str | None) -> SyncCounts:
        kind: Kind = self.window.kind
        vendor, name = self.connector.vendor, self.stream.name
        load_id = ledger.open_load(self.connection, kind, vendor, name, run_id)
        incoming.begin(self.connection)
        self.loader = loader = Loader(
            self.connection,
            vendor,
            name,
            self.glossary,
            load_id,
            observed_at=self.observed_at,
            touch_all=kind == "backfill",
            progress=self.progress,
        )
        # Before the read: what is made meanwhile must not make up for what was deleted.
        live = self.connector.count(self.stream) if self._may_count else None
        loader.load(self.connector.read(self.stream, self.window, self._parent_ids()))
        self._receive_restored()
        read = incoming.distinct_records(self.connection)
        if self.stream.finds_deletes == "absence":
            raw.begin_keys(self.connection)
            raw.keys_from_incoming(self.connection)
        deleted = self._find_deletes(load_id, live)
        loader.add(normalize_touched(self.connection, vendor, name, self.glossary, load_id))
        if kind != "backfill":
            ledger.move_cursor(self.connection, vendor, name, self.window.end, load_id, self.parent_load_id)
        ledger.record_window(
            self.connection,
            vendor=vendor,
            stream=name,
            start_at=self.window.start,
            end_at=self.window.end,
            kind=kind,
            expected_rows=loader.expected,
            counted_rows=loader.counted if loader.expected else loader.expected,
            read_rows=read,
            load_id=load_id,
        )
        ledger.close_load(
            self.connection, load_id, read_rows=read, new_rows=loader.new + deleted, staged_rows=loader.staged.rows
        )
        self.progress(f"{vendor} {name}", read)
        return SyncCounts(
            vendor, name, self.window, read, loader.new, deleted, loader.staged.rows, loader.staged.set_aside, load_id
        )

    def _parent_ids(self) -> list[str]:
        """The parent's record ids that this window is about; all at once, since they are used in the reading thread."""
        if self.stream.parent is None:
            return []
        parent = raw.ensure_table(self.connection, self.connector.vendor, self.stream.parent)
        if self.window.kind == "backfill" and self.connector.streams[self.stream.parent].windowed:
            return raw.ids_between(self.connection, parent, self.window.start, self.window.end)
        followed = self.position.parent_load_id if self.position and self.window.kind != "full" else None
        self.parent_load_id = raw.last_load(self.connection, parent)
        if self.stream.parent_ids == "all" or followed is None:
            return list(raw.live_ids(self.connection, parent))
        return raw.ids_loaded(self.connection, parent, followed)

    def _receive_restored(self) -> None:
        """Read again, by id, what the warehouse holds as deleted and the vendor no longer lists as such."""
        if self.window.kind == "backfill" or not self.stream.restorable_for:
            return
        suspects = raw.deleted_since(self.connection, self.table, self.observed_at - self.stream.restorable_for)
        self._receive_ids(suspects, undated=True)

    @property
    def _may_count(self) -> bool:
        return self.stream.finds_deletes == "count" and self.window.kind != "backfill"

    def _find_deletes(self, load_id: int, live: int | None) -> int:
        """Add deletes for what the vendor no longer has; read what it has and we lack.

        live: how many records the vendor counted before the read, where the stream has a count.
        """
        if self.window.kind == "backfill" or (live is not None and raw.count_live(self.connection, self.table) <= live):
            return 0
        if self.stream.finds_deletes in ("keys", "count"):
            raw.begin_keys(self.connection)
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
            self._receive_ids(deleted, undated=True)
        elif self.stream.finds_deletes != "absence":
            return 0
        return raw.delete_absent(self.connection, self.table, load_id, self.observed_at)

    def _receive_ids(self, ids: Sequence[str], *, undated: bool = False) -> None:
        """Read records by id. undated: they are as of now, whatever date they bear, so that they outrank a delete."""
        for at in range(0, len(ids), IDS_PER_READ):
            self.loader.load(self.connector.read_ids(self.stream, ids[at : at + IDS_PER_READ]), undated=undated)
