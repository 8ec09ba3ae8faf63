"""Reading a small span through REST: along nextRecordsUrl, the next page fetched while this one is decoded."""

import contextlib

import msgspec

from connectors.base.model import Change
from connectors.base.paginate import ahead, by_token
from connectors.salesforce.answers import unproved
from connectors.salesforce.client import Answer, Client
from connectors.salesforce.records import from_json
from connectors.salesforce.soql import Query


def read(client: Client, query: Query) -> list[list[Change]]:
    """All pages of a query, held in memory until the last one is here: a span is used whole or not at all.

    Pages may be shorter than 2,000 rows; only a missing nextRecordsUrl ends a query. The rows read must be as many as
    the `totalSize` that Salesforce gave when the query was opened, each id once.

    Raises:
        Unproved: they are not, or a page cannot be read.
    """

    def fetch(next_url: str | None) -> Answer:
        return client.first(query) if next_url is None else client.more(query, next_url)

    def next_of(answer: Answer) -> str | None:
        return answer.nextRecordsUrl

    changes: list[list[Change]] = []
    ids: set[str] = set()
    total = 0
    with contextlib.closing(ahead(by_token(fetch, next_of, where=f"salesforce {query.thing}"))) as pages:
        for number, answer in enumerate(pages):
            total = answer.totalSize if number == 0 else total
            try:
                page = [from_json(raw) for raw in answer.records]
            except (msgspec.MsgspecError, ValueError):
                raise unproved(f"Salesforce sends records of {query.thing} without a readable Id and time.") from None
            changes.append(page)
            ids.update(change.record_id for change in page)
    rows = sum(map(len, changes))
    if rows != total or len(ids) != rows:
        raise unproved(f"Salesforce gave {len(ids)} of {total} rows of {query}.", detail=f"{rows} rows read")
    return [page for page in changes if page]
