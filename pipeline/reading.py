"""Reading ahead: a vendor's pages arrive, and are packed, in a thread while the batch before them is being loaded."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from connectors.base.model import Page
from connectors.base.paginate import ahead
from errors import QuotaError
from warehouse.incoming import Remembered, Version, pack
from warehouse.raw import Row

FIRST_ROWS, ROWS = 2_500, 10_000
BYTES = 32 << 20
"""A batch ends at so many changes, or so many bytes; four of them are held at once. The first is small: all wait for it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some pages together.

    rows: changes in them. versions: what they tell of. expected, counted: the sums of what the pages say; None where none does.
    resume: the last place that they name where a later read can go on; None where none does.
    """

    rows: int
    versions: list[Version]
    expected: int | None
    counted: int | None
    resume: str | None


@dataclass(slots=True)
class _Gathered:
    rows: list[Row] = field(default_factory=list)
    expected: int | None = None
    counted: int | None = None
    bytes: int = 0
    resume: str | None = None

    def add(self, page: Page, *, undated: bool) -> None:
        self.rows.extend((change._replace(version_at=None) for change in page.changes) if undated else page.changes)
        self.bytes += sum(len(change.payload) for change in page.changes)
        if page.expected is not None:
            self.expected = (self.expected or 0) + page.expected
        if page.counted:
            self.counted = (self.counted or 0) + page.counted
        self.resume = page.resume or self.resume

    def packed(self, observed_at: datetime, remembered: Remembered | None) -> Batch:
        versions = pack(self.rows, observed_at, remembered)
        return Batch(len(self.rows), versions, self.expected, self.counted, self.resume)


@contextmanager
def in_batches(
    pages: Iterable[Page], observed_at: datetime, remembered: Remembered | None = None, *, undated: bool = False
) -> Iterator[Iterator[Batch]]:
    """The pages in batches, the next one always being read while the caller works on this one.

    The thread is done when the block ends; where it ends by an error, after the page that is under way.

    Args:
        pages: the vendor's.
        observed_at: the moment of versions that the vendor does not date.
        remembered: see `warehouse.incoming.pack`.
        undated: all records are as of then, whatever date they bear.
    """
    stop = threading.Event()
    with closing(ahead(_batches(pages, stop, observed_at, remembered, undated=undated))) as batches:
        try:
            yield batches
        finally:
            stop.set()


def _batches(
    pages: Iterable[Page],
    stop: threading.Event,
    observed_at: datetime,
    remembered: Remembered | None,
    *,
    undated: bool,
) -> Iterator[Batch]:
    batch, rows = _Gathered(), FIRST_ROWS
    try:
        for page in pages:
            if stop.is_set():
                return
            batch.add(page, undated=undated)
            if len(batch.rows) >= rows or batch.bytes >= BYTES:
                yield batch.packed(observed_at, remembered)
                batch, rows = _Gathered(), min(rows * 2, ROWS)
    except QuotaError:
        yield batch.packed(observed_at, remembered)  # what has come is kept, see `Loader.load`
        raise
    yield batch.packed(observed_at, remembered)
