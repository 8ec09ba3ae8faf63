"""CRM objects by list (a full read, and the archived), and by id."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, Self
from urllib.parse import quote

from connectors.base.model import EPOCH, Change, Page, Stream, Window
from connectors.base.paginate import ahead, batches, by_token, in_order
from connectors.hubspot import search
from connectors.hubspot.api import Api, Results, next_of
from connectors.hubspot.batch import Fields, read_batch
from connectors.hubspot.properties import Properties
from connectors.hubspot.records import changes_of, head_of

log = logging.getLogger(__name__)

LIST_PAGE = 100
BATCH = 100
HISTORY_BATCH = 50
LONGEST_URL = 14_000
"""Characters of path and query. HubSpot answers 414 above about 16,000."""


class Listed(NamedTuple):
    """One page of a list: the changes, how many records it showed, and the token of the next page."""

    changes: list[Change]
    shown: int
    next: str | None


def listed(
    api: Api, properties: Properties, stream: Stream, *, archived: bool, first: str | None = None
) -> Iterator[Listed]:
    """All live, or all archived, records of an object stream, in the list's own order. first: the token to begin at."""
    names = properties.of(stream)
    query = f"{stream.path}?limit={LIST_PAGE}&archived={str(archived).lower()}"
    wide = f"{query}&properties={','.join(quote(name) for name in names)}"
    is_narrow = len(wide) > LONGEST_URL

    def fetch(after: str | None) -> Results:
        return api.ask((query if is_narrow else wide) + (f"&after={quote(after)}" if after else ""), Results)

    for page in by_token(fetch, next_of, where=f"hubspot:{stream.name}", first=first):
        records = page.results
        if is_narrow and records:
            # the names are too long for a URL: the list gives the ids, and a batch read the records
            records = read_batch(api, stream, [head_of(raw).id for raw in records], Fields(names, archived=archived))
        changes: list[Change] = []
        for raw in records:
            changes.extend(changes_of(raw, head_of(raw)))
        yield Listed(changes, len(page.results), next_of(page))


class Place(NamedTuple):
    """Where a full read stands: the token of the next page, how many records the pages before it showed, and search's count then."""

    token: str | None
    shown: int
    counted: int

    def __str__(self) -> str:
        return f"{self.shown} {self.counted} {self.token}"

    @classmethod
    def of(cls, text: str) -> Self:
        """The place that was written down so."""
        shown, counted, token = text.split(" ", 2)
        return cls(token, int(shown), int(counted))


def full(api: Api, properties: Properties, stream: Stream, window: Window) -> Iterator[Page]:
    """Every live record by list, checked against what search counts before and after.

    Where nothing moved meanwhile, the last page carries the count as proof. A list that shows more than search counts
    is ahead of its index: there is no proof, and nothing is missing. A list that shows less than both counts is
    followed by a read of everything by search, whose parts are proved one by one. A read that was cut short goes on where it was.
    """
    place = Place.of(window.resume) if window.resume else Place(None, 0, search.total(api, stream))
    before, shown = place.counted, place.shown
    last: list[Change] = []
    for page in listed(api, properties, stream, archived=False, first=place.token):
        if last:
            yield Page(last, resume=str(place))
        last = page.changes
        shown += page.shown
        place = Place(page.next, shown, before)
    after = search.total(api, stream) if shown != before else before
    is_counted = shown in (before, after)
    yield Page(last, shown if is_counted else None, shown if is_counted else 0)
    if shown < min(before, after):
        log.warning(
            "hubspot:%s lists %d of %d records, reading by search as well", stream.name, shown, min(before, after)
        )
        yield from _without_places(
            search.windowed(api, properties, stream, Window(stream.name, EPOCH, window.end, "full"))
        )


def _without_places(pages: Iterable[Page]) -> Iterator[Page]:
    """Places of a search mean nothing to the list that goes before it."""
    return (page._replace(resume=None) for page in pages)


def keys(api: Api, stream: Stream) -> Iterator[list[str]]:
    """The ids of all live records, by list, a page at a time."""
    query = f"{stream.path}?limit={LIST_PAGE}&archived=false&properties=hs_object_id"

    def fetch(after: str | None) -> Results:
        return api.ask(query + (f"&after={quote(after)}" if after else ""), Results)

    for page in ahead(by_token(fetch, next_of, where=f"hubspot:{stream.name}")):
        yield [head_of(raw).id for raw in page.results]


def archived_pages(api: Api, properties: Properties, stream: Stream, window: Window) -> Iterator[Page]:
    """What lies in HubSpot's recycle bin (about 90 days) as deletes; for a backfill those of its interval alone.

    The list has no filter on time.
    """

    def is_wanted(at: datetime | None) -> bool:
        return window.kind != "backfill" or at is None or window.start <= at < window.end

    for page in listed(api, properties, stream, archived=True):
        deletes = [change for change in page.changes if change.op != "upsert" and is_wanted(change.version_at)]
        if deletes:
            yield Page(deletes)


def by_ids(api: Api, stream: Stream, ids: Iterable[str], fields: Fields) -> Iterator[Page]:
    """The current state of live records by id, a page for each batch.

    An id that was merged away comes back as the record that it was merged into, with that record's id: it is left out,
    as are ids that HubSpot does not have.
    """

    def read(batch: list[str]) -> list[Change]:
        wanted = set(batch)
        changes: list[Change] = []
        for raw in read_batch(api, stream, batch, fields):
            head = head_of(raw)
            if head.id in wanted:
                wanted.discard(head.id)
                changes.extend(changes_of(raw, head))
        return changes

    size = HISTORY_BATCH if fields.history else BATCH
    for changes in in_order(read, batches(dict.fromkeys(ids), size)):
        if changes:
            yield Page(changes)
