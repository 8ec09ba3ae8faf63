"""Windows as Marketo takes them: whole seconds, both ends inclusive, at most 31 days; and whether REST or an export reads them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connectors.base.model import Window
from connectors.marketo.api import moment_text

LONGEST = timedelta(days=31)
"""The longest range that a job's filter takes."""

SECOND = timedelta(seconds=1)
BEGINNING = datetime(2006, 1, 1, tzinfo=UTC)
"""Marketo's founding year: nothing is older."""

REST_LENGTH = timedelta(days=3)
REST_REACH = timedelta(days=1)
"""REST reads a window that is short and reaches to about now: its pages begin at a moment and never end before now."""


class Span(NamedTuple):
    """A range of a job's filter."""

    start: datetime
    end: datetime

    @property
    def filter(self) -> dict[str, str]:
        """As a job's filter takes it."""
        return {"startAt": moment_text(self.start), "endAt": moment_text(self.end)}


def spans(start: datetime, end: datetime, longest: timedelta = LONGEST) -> Iterator[Span]:
    """A window in parts of at most 31 days that share their ends: whatever lies in it lies in one of them."""
    end = end.replace(microsecond=0) + (SECOND if end.microsecond else timedelta(0))
    at = start.replace(microsecond=0)
    while at < end:
        yield Span(at, min(at + longest, end))
        at += longest


def resumed(window: Window) -> datetime | None:
    """The end of the last export that an earlier read of this window handed on, before it was cut short; None: there is none."""
    return datetime.fromisoformat(window.resume) if window.resume else None


def suits_rest(window: Window, now: datetime) -> bool:
    """Whether the window is one that REST can read in few pages; one that exports have begun is read on by them."""
    return not window.resume and window.end - window.start <= REST_LENGTH and now - window.end <= REST_REACH
