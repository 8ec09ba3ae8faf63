"""How a span is read and proved: count, read, compare; if they differ read again, then cut the span in two.

Two counts stand against every reading. Salesforce's count of the very query that was read (REST's totalSize, the job's
numberRecordsProcessed) must equal the rows exactly. And a COUNT() of its own, asked before, must equal it too, so that
a query that silently finds less is noticed. Rows leave a span while it is read whenever somebody edits them (they will
be in a later one), and late transactions enter it: so if the COUNT() before differs, it is asked once more, and the
rows must lie between the two.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from connectors.base.model import Change, Memory, Total
from connectors.salesforce import rejoin, rest
from connectors.salesforce.answers import Unproved
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.client import Client
from connectors.salesforce.soql import Query
from connectors.salesforce.totals import totals
from errors import CountMismatchError

log = logging.getLogger(__name__)

DEPTH = 10
"""How often a span that cannot be proved is halved: down to a thousandth of it."""

_TRIES = 2

T = TypeVar("T")


class Part(NamedTuple):
    """Proved rows: `total` stands on the first part of a span only."""

    changes: list[Change]
    total: int | None


class Reader:
    """Reads spans of one org.

    Args:
        client: the org.
        bulk: its Bulk API.
        threshold: spans with more rows than this go through the Bulk API; smaller ones are held in memory, about 1 KB a
            row.
    """

    def __init__(self, client: Client, bulk: Bulk, threshold: int) -> None:
        self._client = client
        self._bulk = bulk
        self._threshold = threshold

    def remembering(self, memory: Memory) -> "Reader":
        """The same, with Bulk jobs noted in `memory`."""
        return Reader(self._client, self._bulk.remembering(memory), self._threshold)

    def clear_up(self) -> None:
        """Remove the Bulk jobs that were kept for a load, now that it has committed."""
        self._bulk.clear_up()

    def read(self, query: Query, depth: int = DEPTH) -> Iterator[Part]:
        """All rows of a query, in proved parts; a span without rows yields one empty part.

        Raises:
            CountMismatchError, VendorError: they could not be proved; what was yielded must not be kept.
        """
        for attempt in range(_TRIES):
            try:
                with self._proved(query) as (total, batches):
                    first: int | None = total
                    for batch in batches:
                        yield Part(batch, first)
                        first = None
                    if first is not None:
                        yield Part([], first)
                    return
            except Unproved as signal:
                problem = signal
                log.info("salesforce: %s", problem)
                if not problem.again or attempt + 1 == _TRIES:
                    break
        halves = query.halves() if problem.split and depth else None
        if halves is None:
            raise problem.error
        for half in halves:
            yield from self.read(half, depth - 1)

    def count(self, query: Query) -> int:
        """How many rows a query has now, by Salesforce's COUNT(); asked again where it is refused for the moment.

        Raises:
            VendorError: it stays refused.
        """
        return _asked(lambda: self._client.count(query))

    def totals(self, query: Query) -> list[Total]:
        """Salesforce's own totals of a query's rows (see `totals`); asked again where they are refused for the moment.

        Raises:
            VendorError: they stay refused.
        """
        return _asked(lambda: totals(self._client, query))

    @contextlib.contextmanager
    def _proved(self, query: Query) -> Iterator[tuple[int, Iterator[list[Change]]]]:
        fields = self._client.fields(query.thing)
        query = query.only(fields)
        begun = self._bulk.begun(query)
        before = begun.counted if begun else self._client.count(query)
        if begun or before > self._threshold:
            with self._bulk.read(query, before) as (total, batches):
                self._confirm(query, before, total)
                yield total, batches
        else:
            pages = (rejoin if query.is_too_long else rest).read(self._client, query)
            total = sum(len(page) for page in pages)
            self._confirm(query, before, total)
            yield total, iter(pages)

    def _confirm(self, query: Query, before: int, total: int) -> None:
        if total == before:
            return
        after = self._client.count(query)
        if min(before, after) <= total <= max(before, after):
            return
        raise Unproved(
            CountMismatchError(
                f"Salesforce counts {after} rows of {query} and gave {total}.",
                remedy="Nothing was loaded from it; run again, and report it to Salesforce if it stays so.",
                detail=f"counted {before} before and {after} after, read {total}",
            )
        )


def _asked(ask: Callable[[], T]) -> T:
    """What is answered, asked again where it is refused for the moment."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(Unproved):
            return ask()
    try:
        return ask()
    except Unproved as signal:
        raise signal.error from None
