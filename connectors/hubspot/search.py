"""A window of a CRM object by search, proved by the search's own `total`.

Search gives at most 10,000 rows for a filter, sees a change seconds to an hour late, and does not keep to the order
asked for. So nothing here relies on order: a window is split in time until each part is below the cap (inside one
millisecond by id), and a part counts as read when as many distinct ids were seen as every page's `total` said.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec

from connectors.base.model import EPOCH, Change, Page, Stream, Window
from connectors.base.paginate import ahead, by_token
from connectors.base.windows import Reading, Span, proved, settle, span_of
from connectors.hubspot.api import Api, Results, next_of
from connectors.hubspot.properties import Properties
from connectors.hubspot.records import Head, changes_of, head_of
from errors import AnswerError

CAP = 10_000
SEARCH_PAGE = 200
YIELD = 1_000
EARLIEST = 1
"""HubSpot answers 500 to a filter from the epoch itself."""

Rows = dict[str, tuple[Head, msgspec.Raw]]


def windowed(
    api: Api, properties: Properties, stream: Stream, window: Window, *, pause: Callable[[int], None] = settle
) -> Iterator[Page]:
    """Every live record whose modification time lies in the window, in proved pages.

    Raises:
        CountMismatchError: HubSpot counts other than it shows, after splitting and reading again.
    """
    names = properties.of(stream)
    where = f"hubspot:{stream.name}"
    span = span_of(window, earliest=max(EARLIEST, int(window.resume or 0)))
    for reading in proved(span, lambda part: _read(api, stream, names, part), where=where, pause=pause):
        yield from _pages(reading)


def total(api: Api, stream: Stream, window: Window | None = None) -> int:
    """How many live records search counts: in all, the independent count for a full read, or of those last changed in a window."""
    groups = []
    if window is not None:
        groups = [{"filters": _filters(str(stream.options["cursor"]), span_of(window, earliest=EARLIEST))}]
    return _total(_ask(api, stream, {"filterGroups": groups, "properties": ["hs_object_id"], "limit": 1}), stream)


def ids(api: Api, stream: Stream, window: Window) -> set[str]:
    """The ids of the live records that search shows as last changed in a window.

    Raises:
        CountMismatchError: HubSpot counts other than it shows, after splitting and reading again.
    """
    span, where = span_of(window, earliest=EARLIEST), f"hubspot:{stream.name}"
    readings = proved(span, lambda part: _read(api, stream, ("hs_object_id",), part), where=where)
    return {id_ for reading in readings for id_ in reading.rows or ()}


def _pages(reading: Reading[Rows]) -> Iterator[Page]:
    expected: int | None = reading.total
    changes: list[Change] = []
    counted = 0
    for head, raw in (reading.rows or {}).values():
        if len(changes) >= YIELD:
            yield Page(changes, expected, counted)
            changes, expected, counted = [], None, 0
        changes.extend(changes_of(raw, head))
        counted += 1
    yield Page(changes, expected, counted, resume=str(reading.complete_until))


def _read(api: Api, stream: Stream, names: tuple[str, ...], span: Span) -> Reading[Rows]:
    body = {
        "filterGroups": [{"filters": _filters(str(stream.options["cursor"]), span)}],
        # ids do not change, so that an update meanwhile does not move other rows between pages, if the order is kept
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": names,
        "limit": SEARCH_PAGE,
    }
    rows: Rows = {}
    totals: set[int] = set()
    answers = 0

    def fetch(after: str | None) -> Results:
        return _ask(api, stream, {**body, "after": after} if after else body)

    def following(page: Results) -> str | None:
        token = next_of(page)
        is_beyond = token is not None and token.isdecimal() and int(token) >= CAP
        return None if is_beyond or (page.total or 0) > CAP else token

    for page in ahead(by_token(fetch, following, where=f"hubspot:{stream.name}")):
        answers += 1
        totals.add(count := _total(page, stream))
        for raw in page.results:
            head = head_of(raw)
            rows[head.id] = head, raw
        if count > CAP:
            return Reading(count, None, ids=_ids(api, stream, span, rows), middle=_middle(rows))
    reading = Reading(
        max(totals),
        rows,
        found=len(rows),
        is_steady=len(totals) == 1,
        is_atomic=answers == 1,
        ids=_bounds(rows),
    )
    return reading if reading.is_proved else replace(reading, middle=_middle(rows))


def _middle(rows: Rows) -> int | None:
    """The median of the rows' times of change, in milliseconds."""
    times = sorted(head.updated_at for head, _ in rows.values() if head.updated_at is not None)
    return (times[len(times) // 2] - EPOCH) // timedelta(milliseconds=1) if times else None


def _filters(cursor: str, span: Span) -> list[dict[str, str]]:
    filters = [
        {"propertyName": cursor, "operator": "GTE", "value": str(span.start)},
        {"propertyName": cursor, "operator": "LT", "value": str(span.end)},
    ]
    if span.low is not None:
        filters.append({"propertyName": "hs_object_id", "operator": "GTE", "value": str(span.low)})
    if span.high is not None:
        filters.append({"propertyName": "hs_object_id", "operator": "LT", "value": str(span.high)})
    return filters


def _ids(api: Api, stream: Stream, span: Span, rows: Rows) -> tuple[int, int] | None:
    """Lowest and highest id in a crowded millisecond, as far as HubSpot sorts: a hint where to cut."""
    if span.end - span.start > 1:
        return None
    body = {
        "filterGroups": [{"filters": _filters(str(stream.options["cursor"]), span)}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
        "properties": ["hs_object_id"],
        "limit": SEARCH_PAGE,
    }
    last = {head.id: (head, raw) for raw in _ask(api, stream, body).results for head in (head_of(raw),)}
    return _bounds({**rows, **last})


def _bounds(rows: Rows) -> tuple[int, int] | None:
    ids = [int(one) for one in rows if one.isdecimal()]
    return (min(ids), max(ids)) if ids else None


def _total(page: Results, stream: Stream) -> int:
    if page.total is None:
        raise AnswerError(
            f"hubspot's search of {stream.name} gave no total, so that nothing can be proved by it.",
            remedy="Report it with this line: the vendor's API may have changed.",
        )
    return page.total


def _ask(api: Api, stream: Stream, body: object) -> Results:
    return api.ask(f"{stream.path}/search", Results, body=body)
