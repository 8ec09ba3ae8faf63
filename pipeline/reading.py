"""Reading ahead: a vendor's pages arrive in a thread while the batch before them is being loaded."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from connectors.base.model import Page
from connectors.base.paginate import ahead
from warehouse.raw import Row

ROWS = 20_000
BYTES = 32 << 20
"""A batch ends at so many changes, or so many bytes: two of them are held at once."""


@dataclass(slots=True)
class Batch:
    """Changes of some pages together. expected, counted: the sums of what the pages say; None where none does."""

    rows: list[Row] = field(default_factory=list)
    expected: int | None = None
    counted: int | None = None
    bytes: int = 0

    def add(self, page: Page, *, undated: bool) -> None:
        """Take one more page in. undated: its records are as of now, whatever date they bear."""
        self.rows.extend((change._replace(version_at=None) for change in page.changes) if undated else page.changes)
        self.bytes += sum(len(change.payload) for change in page.changes)
        if page.expected is not None:
            self.expected = (self.expected or 0) + page.expected
        if page.counted:
            self.counted = (self.counted or 0) + page.counted


@contextmanager
def in_batches(pages: Iterable[Page], *, undated: bool = False) -> Iterator[Iterator[Batch]]:
    """The pages in batches, the next one always being read while the caller works on this one.

    The thread is done when the block ends; where it ends by an error, after the page that is under way.
    """
    stop = threading.Event()
    with closing(ahead(_batches(pages, stop, undated=undated))) as batches:
        try:
            yield batches
        finally:
            stop.set()


def _batches(pages: Iterable[Page], stop: threading.Event, *, undated: bool) -> Iterator[Batch]:
    batch = Batch()
    for page in pages:
        if stop.is_set():
            return
        batch.add(page, undated=undated)
        if len(batch.rows) >= ROWS or batch.bytes >= BYTES:
            yield batch
            batch = Batch()
    yield batch
