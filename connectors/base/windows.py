"""Proving a window: split it until each part can be read whole and agrees with the vendor's own count.

For vendors that count what a filter finds but give no more than so many of it. The vendor's reader says what it counted
and what it got; when to read again, when to split and when to give up is decided here.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from connectors.base.model import EPOCH, Window
from errors import CountMismatchError

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 2
LAST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a window, in whole milliseconds since 1970: `start` inclusive, `end` exclusive.

    low, high: limits on the record id, inclusive and exclusive, for what shares one millisecond; None is open.
    """

    start: int
    end: int
    low: int | None = None
    high: int | None = None

    def halves(self, ids: tuple[int, int] | None = None, middle: int | None = None) -> "tuple[Span, Span] | None":
        """Two parts that together are this one, or None where it cannot be split.

        Args:
            middle: where about half of what is in it lies before, if that is known: a bulk edit has thousands of rows in one
                millisecond of a day, and halving the day goes through all of them two dozen times until it is alone.
            ids: lowest and highest id that is known to be in it, for a span of one millisecond. Only a hint at where to
                cut: the outer limits stay as they are, so that nothing falls between.
        """
        if self.end - self.start > 1:
            cut = (self.start + self.end) // 2 if middle is None else min(max(middle, self.start + 1), self.end - 1)
            return replace(self, end=cut), replace(self, start=cut)
        if ids is None or ids[0] >= ids[1]:
            return None
        middle = (ids[0] + ids[1] + 1) // 2
        return replace(self, high=middle), replace(self, low=middle)


def span_of(window: Window, *, earliest: int = 0) -> Span:
    """The window in milliseconds: whatever has a millisecond stamp in [start, end) is in it.

    Args:
        window: the window.
        earliest: the vendor's lowest acceptable stamp.
    """
    return Span(max(_ceil(window.start), earliest), max(_ceil(window.end), earliest))


def _ceil(at: datetime) -> int:
    return -((EPOCH - at.astimezone(UTC)) // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One attempt at a span.

    total: the vendor's count.
    rows: what was read; None where the total is above the vendor's cap, so that reading was not tried.
    found: distinct records in `rows`.
    is_steady: the count stayed the same while reading. If it moved, rows may have slipped between two pages even though
        the numbers agree at the end.
    is_atomic: it came in one answer, so that a split could not make it any safer.
    ids: lowest and highest id seen, as a hint for a split inside one millisecond.
    complete_until: set when it is proved: with it, all of the window before this millisecond has been read.
    middle: the median stamp of the rows seen, in milliseconds, as a hint for a split in time.
    """

    total: int
    rows: T | None
    found: int = 0
    is_steady: bool = True
    is_atomic: bool = False
    ids: tuple[int, int] | None = None
    complete_until: int | None = None
    middle: int | None = None

    @property
    def is_proved(self) -> bool:
        """Whether all that the vendor counts was read."""
        return self.rows is not None and self.is_steady and self.found == self.total


def settle(attempt: int) -> None:
    """Give the vendor's index a moment before it is asked again: half a second, doubling, at most eight."""
    time.sleep(min(0.5 * 2**attempt, 8.0))


def proved(
    span: Span,
    read: Callable[[Span], Reading[T]],
    *,
    where: str,
    pause: Callable[[int], None] = settle,
) -> Iterator[Reading[T]]:
    """Proved readings that together are the span, in the order of time.

    A part above the cap is split. A part whose numbers disagree is read again (TRIES in all: a row may have been
    updated, and so have left the window, meanwhile), then split; what no split can help is read LAST_TRIES times.

    Args:
        span: what to read.
        read: one attempt.
        where: vendor and stream, for messages.
        pause: called with the number of the attempt before reading again.

    Raises:
        CountMismatchError: with both counts.
    """
    parts = [span] if span.end > span.start else []
    while parts:
        part = parts.pop()
        reading = read(part)
        attempt = 1
        while reading.rows is not None and not reading.is_proved:
            halves = None if reading.is_atomic else part.halves(reading.ids, reading.middle)
            if attempt >= (TRIES if halves else LAST_TRIES):
                break
            log.info("%s: read %d of %d, reading again", where, reading.found, reading.total)
            pause(attempt - 1)
            reading = read(part)
            attempt += 1
        if reading.is_proved:
            yield replace(reading, complete_until=part.end if part.high is None else part.start)
            continue
        halves = None if reading.is_atomic else part.halves(reading.ids, reading.middle)
        if halves is None:
            raise CountMismatchError(
                f"{where} counts {reading.total} records but shows {reading.found}, after {attempt} attempts.",
                remedy="The cursor has not moved: the next run reads the window again.",
                detail=f"milliseconds {part.start} to {part.end}, ids {part.low} to {part.high}",
            )
        parts.extend(reversed(halves))
