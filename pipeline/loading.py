"""Loading one stream's pages: read, kept in raw, normalised, put into staging, each step at work on a batch of its own.

Reading has a thread, and so has the database; this thread normalises. The database's work is done in one order and in the
caller's transaction, so that what comes of it does not depend on who is quicker.
"""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa

from connectors.base.model import Page
from glossary import Glossary
from pipeline.normalize import Normalized, Staged, normalize_states, put
from pipeline.progress import Progress
from pipeline.reading import Batch, in_batches
from transforms.normalize import entities_of
from warehouse import incoming, raw, staging


class Loader:
    """Loads pages in the caller's transaction, after `incoming.begin`.

    Args:
        connection: nobody else may use it while `load` runs.
        vendor: as in the glossary's field maps.
        stream: as in the vendor's field map.
        glossary: the words to normalise to.
        load_id: the load.
        observed_at: the moment of versions that the vendor does not date.
        touch_all: look at every record received, new or not (see `incoming.receive`).
        progress: told the rows loaded so far.

    Attributes:
        received: changes loaded so far; new: versions among them that were not known.
        expected, counted: the sums of what the pages say; None where none does.
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
        self.staged = Staged(0, 0)
        self._observed_at = observed_at
        self._touch_all = touch_all
        self._progress = progress
        self._table = raw.ensure_table(connection, vendor, stream)
        entities = entities_of(glossary, vendor, stream)
        # What has never been loaded need not be looked for in staging, one batch after the other.
        self._is_first = raw.is_empty(connection, self._table) and not staging.has_rows(
            connection, entities, vendor, stream
        )

    def load(self, pages: Iterable[Page], *, undated: bool = False) -> None:
        """Load all pages. undated: their records are as of now, whatever date they bear."""
        with in_batches(pages, undated=undated) as batches, ThreadPoolExecutor(1, "database") as database:
            kept: incoming.Received | None = None
            putting: Future[Staged] | None = None
            for batch in batches:
                self._count(batch)
                keeping = database.submit(self._keep, batch)
                # While the database keeps this batch, the one before is normalised.
                putting = self._pass_on(kept, putting, database)
                kept = keeping.result()
                self.new += kept.new
                self.received += len(batch.rows)
                self._progress(f"{self.vendor} {self.stream}", self.received)
            putting = self._pass_on(kept, putting, database)
            if putting is not None:
                self.add(putting.result())

    def add(self, staged: Staged) -> None:
        """Count more rows in staging."""
        self.staged = Staged(self.staged.rows + staged.rows, self.staged.set_aside + staged.set_aside)

    def _count(self, batch: Batch) -> None:
        if batch.expected is not None:
            self.expected = (self.expected or 0) + batch.expected
        if batch.counted is not None:
            self.counted = (self.counted or 0) + batch.counted

    def _keep(self, batch: Batch) -> incoming.Received:
        return incoming.receive(
            self.connection,
            self._table,
            batch.rows,
            load_id=self.load_id,
            observed_at=self._observed_at,
            touch_all=self._touch_all,
        )

    def _pass_on(
        self, kept: incoming.Received | None, putting: Future[Staged] | None, database: ThreadPoolExecutor
    ) -> Future[Staged] | None:
        """Normalise what was kept, and have it put into staging when what was put before is there."""
        if kept is None or not kept.states:
            return putting
        before = kept.known if self._is_first else None
        ready = normalize_states(
            self.vendor, self.stream, self.glossary, self.load_id, kept.states, staged_before=before
        )
        if putting is not None:
            self.add(putting.result())
        return database.submit(self._put, ready)

    def _put(self, ready: Normalized) -> Staged:
        return put(self.connection, ready)
