"""Which window a run of one stream reads: from the cursor, a bit before it, to where the vendor shows everything."""

from datetime import datetime
from typing import NamedTuple

from connectors.base.model import EPOCH, Stream, Window


class Interval(NamedTuple):
    """What a run was asked for; aware UTC, start inclusive, end exclusive."""

    start: datetime
    end: datetime


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
    if cursor is None or full or not (stream.windowed or follows_changes(stream)):
        return Window(stream.name, EPOCH, max(end, cursor or end), "full")
    if follows_changes(stream):
        return Window(stream.name, cursor, max(end, cursor), "incremental")
    if end <= cursor:
        return None
    return Window(stream.name, cursor - stream.lookback, end, "incremental")


def follows_changes(stream: Stream) -> bool:
    """Whether a stream is read for those records of its parent alone that changed."""
    return stream.parent is not None and stream.parent_ids == "changed"
