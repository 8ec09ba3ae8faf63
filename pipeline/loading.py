"""Loading one stream's pages: read, kept in raw, normalised, put into staging, each step at work on a batch of its own.

Reading, the database and normalising have a thread each. The database's work is done in one order and in the caller's
transaction, so that what comes of it does not depend on who is quicker.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa

from connectors.base.model import Page
from errors import QuotaError
from glossary import Glossary
from pipeline.normalize import Normalized, Staged, normalize_states, put
from pipeline.progress import Progress
from pipeline.reading import Batch, in_batches
from transforms.normalize import entities_of
from warehouse import incoming, raw, staging

FEW = 1_000
"""Up to so many records of a batch are looked up and normalised at the end, together with those that must be: it takes as
long for one record as for hundreds."""

HEARD_OF = 500_000
"""Ids that a stream's first load keeps in memory, some 50 MB, so that what it has not heard of need not be looked up."""

REMEMBERED = 250_000
"""Rows of a raw table of which a load that reads all again keeps the hashes in memory, some 60 MB: most of it is as it was."""


class Loader:
    """Loads pages in the caller's transaction.

    Args:
        connection: nobody else may use it while `load` runs.
        vendor: as in the glossary's field maps.
        stream: as in the vendor's field map.
        glossary: the words to normalise to.
        load_id: the load.
        observed_at: the moment of versions that the vendor does not date.
        touch_all: look at every record received, new or not (see `incoming.receive`).
        reads_all: all records of the stream come again, whatever changed.
        progress: told the rows loaded so far.

    Attributes:
        received: changes loaded so far; new: versions among them that were not known.
        expected, counted: the sums of what the pages say; None where none does.
        resume: the last place named by a page that was loaded, where a later read can go on.
        staged: what came of them in staging.
    """

    def __init__(
        self,
        connection: sa.Connection,
        vendor: str,
        stream: str,
        glossary: Glossary,
        load_id: int,
        *,
        observed_at: datetime,
        touch_all: bool,
        reads_all: bool,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.vendor = vendor
        self.stream = stream
        self.glossary = glossary
        self.load_id = load_id
        self.received = self.new = 0
        self.expected: int | None = None
        self.counted: int | None = None
        self.resume: str | None = None
        self.staged = Staged(0, 0)
        self._observed_at = observed_at
        self._touch_all = touch_all
        self._progress = progress
        self._table = raw.ensure_table(connection, vendor, stream)
        entities = entities_of(glossary, vendor, stream)
        # What has never been loaded need not be looked for, one batch after the other.
        is_empty = raw.is_empty(connection, self._table)
        self._heard_of: set[str] | None = set() if is_empty else None
        is_known = reads_all and not is_empty
        newest = raw.newest_hashes(connection, self._table, REMEMBERED) if is_known else {}
        self._remembered = incoming.Remembered(newest) if newest else None
        self._is_first = is_empty and not staging.has_rows(connection, entities, vendor, stream)

    def load(self, pages: Iterable[Page], *, undated: bool = False) -> None:
        """Load all pages. undated: their records are as of now, whatever date they bear.

        Raises:
            QuotaError: the vendor's quota ended the read; the pages that came before are loaded.
        """
        with (
            in_batches(pages, self._observed_at, self._remembered, undated=undated) as batches,
            ThreadPoolExecutor(1, "database") as database,
            ThreadPoolExecutor(1, "normalize") as processor,
        ):
            normalizing: Future[Normalized | None] | None = None
            putting: Future[None] | None = None
            deferred: QuotaError | None = None
            for batch in _until_deferred(batches):
                if isinstance(batch, QuotaError):
                    deferred = batch
                    break
                self._count(batch)
                keeping = database.submit(self._keep, batch)
                if putting:
                    putting.result()  # an error there ends the load, whatever the other steps make of it
                # Of the batch before: it was normalised while this one was read and kept.
                putting = database.submit(self._put, normalizing) if normalizing else None
                normalizing = processor.submit(self._normalize, keeping)
                self.new += keeping.result().new
                self.received += batch.rows
                self._progress(f"{self.vendor} {self.stream}", self.received)
            if putting:
                putting.result()
            if normalizing:
                self._put(normalizing)
            if deferred:
                raise deferred

    def distinct_records(self) -> int:
        """How many records came."""
        same = len(self._remembered.same) if self._remembered else 0
        return incoming.distinct_records(self.connection) + same

    def add(self, staged: Staged) -> None:
        """Count more rows in staging."""
        self.staged = Staged(self.staged.rows + staged.rows, self.staged.set_aside + staged.set_aside)

    def _count(self, batch: Batch) -> None:
        if batch.expected is not None:
            self.expected = (self.expected or 0) + batch.expected
        if batch.counted is not None:
            self.counted = (self.counted or 0) + batch.counted
        self.resume = batch.resume or self.resume

    def _keep(self, batch: Batch) -> incoming.Received:
        if not batch.versions:
            return incoming.Received(0, [], set())
        received = incoming.receive(
            self.connection,
            self._table,
            batch.versions,
            load_id=self.load_id,
            touch_all=self._touch_all,
            heard_of=self._heard_of,
        )
        if self._heard_of is not None and len(self._heard_of) > HEARD_OF:
            self._heard_of = None
        if len(received.states) > FEW:
            return received
        incoming.touch(self.connection, [state.record_id for state in received.states])
        return received._replace(states=[])

    def _normalize(self, keeping: Future[incoming.Received]) -> Normalized | None:
        kept = keeping.result()
        if not kept.states:
            return None
        before = kept.known if self._is_first else None
        return normalize_states(
            self.vendor, self.stream, self.glossary, self.load_id, kept.states, staged_before=before
        )

    def _put(self, normalizing: Future[Normalized | None]) -> None:
        ready = normalizing.result()
        if ready is not None:
            self.add(put(self.connection, ready))


def _until_deferred(batches: Iterator[Batch]) -> Iterator[Batch | QuotaError]:
    """The batches, and the used-up quota that ended them as the last."""
    try:
        yield from batches
    except QuotaError as error:
        yield error
