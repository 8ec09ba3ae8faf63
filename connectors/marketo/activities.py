"""Activities: through REST where the window is short and little happened, else one export for all types."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Page, Window
from connectors.base.paginate import batches, in_order
from connectors.marketo import jobs
from connectors.marketo.api import Api, Results, id_of, moment_text
from connectors.marketo.jobs import Export
from connectors.marketo.records import Activity, activity_of, moment, unreadable
from connectors.marketo.windows import SECOND, Span, spans, suits_rest

TYPES_PATH = "/rest/v1/activities/types.json"
GROUP = 10
"""Types that REST takes in one request."""

MOST_PAGES = 100
"""Pages that REST reads of a window at most; where there are more, an export does it. A page may hold few of the types that are
asked for, or none: it is the calls that count."""

DELETE, MERGE = 37, 32
WORKERS = 2
"""Jobs at once: as many as Marketo runs, of ten that its queue holds."""

COLUMNS = (
    "marketoGUID",
    "leadId",
    "activityDate",
    "activityTypeId",
    "campaignId",
    "primaryAttributeValueId",
    "primaryAttributeValue",
    "attributes",
)


class Activities:
    """The activities of one instance.

    Args:
        api: the instance.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    @cached_property
    def types(self) -> frozenset[int]:
        """The ids of all types that the instance has, custom ones included."""
        return frozenset(int(id_of(raw)) for raw in self._api.ask(TYPES_PATH, Results).result)

    def read(self, window: Window, start: datetime, types: Iterable[int] | None = None) -> Iterator[Page]:
        """All activities of a window.

        Args:
            window: the window.
            start: where it really begins: for a full read, where the instance does; for one that was cut short, there.
            types: only these; None: all but deletes, which exports do not have (see `leads`).
        """
        wanted = sorted((self.types if types is None else self.types & set(types)) - {DELETE})
        if not wanted:
            return
        found = self.few(window, wanted) if suits_rest(window, self._api.now()) else None
        if found is not None:
            for batch in batches(found, jobs.BATCH):
                yield Page([_change(activity, raw) for activity, raw in batch])
            return
        exports = (_export(span, wanted if types is not None else None) for span in spans(start, window.end))
        yield from exported(self._api, exports)

    def few(self, window: Window, types: Sequence[int]) -> list[tuple[Activity, msgspec.Raw]] | None:
        """The window's activities through REST; None where there are more than an export should read."""
        found: list[tuple[Activity, msgspec.Raw]] = []
        for number, page in enumerate(self._pages(window.start, types), 1):
            if number > MOST_PAGES:
                return None
            rows = ((activity_of(raw), raw) for raw in page.result)
            found.extend((activity, raw) for activity, raw in rows if _is_before(activity, window.end))
        return found

    def since(self, start: datetime, types: Sequence[int]) -> Iterator[Activity]:
        """Activities of these types from a moment until now, through REST, however many pages that takes."""
        for page in self._pages(start, types):
            yield from map(activity_of, page.result)

    def _pages(self, start: datetime, types: Sequence[int]) -> Iterator[Results]:
        # What happened after the moment is given, so that the second before it is asked for.
        token = self._api.since(start - SECOND)
        for group in batches(types, GROUP):
            params = {"activityTypeIds": ",".join(map(str, group))}
            yield from self._api.pages("/rest/v1/activities.json", params, first=token)

    def deleted(self, start: datetime) -> Iterator[Activity]:
        """Deletes of leads from a moment until now, as far back as Marketo keeps them for this purpose (14 days)."""
        token = self._api.since(start - SECOND)
        for page in self._api.pages("/rest/v1/activities/deletedleads.json", first=token):
            yield from map(activity_of, page.result)

    def seen(self, window: Window, start: datetime, types: Iterable[int]) -> Iterator[tuple[Activity, Change]]:
        """As `read`, each change with the activity that it is."""
        for page in self.read(window, start, types):
            yield from ((_look(change.payload), change) for change in page.changes)


def exported(api: Api, exports: Iterable[Export]) -> Iterator[Page]:
    """The records of exports in proved pages; the next job runs while this one's file is read."""
    for finished in in_order(lambda export: jobs.run(api, export), exports, workers=WORKERS):
        with contextlib.closing(finished):
            expected: int | None = finished.total
            for changes in finished.pages():
                yield Page(changes, expected, len(changes))
                expected = None
            # Only now: a place is where all before it has been handed on.
            yield Page([], expected, resume=finished.resume)


def _export(span: Span, types: Sequence[int] | None) -> Export:
    chosen = {"activityTypeIds": types} if types else {}
    body = {"filter": {"createdAt": span.filter, **chosen}}
    what = f"activities from {span.start:%Y-%m-%d}"
    return Export("activities", COLUMNS, body, _key, "activityDate", what, moment_text(span.end))


def _key(record: dict[str, str | None]) -> str:
    if not (guid := record["marketoGUID"]):
        raise ValueError("an activity without its id")
    return guid


def _change(activity: Activity, raw: msgspec.Raw) -> Change:
    return Change(activity.key, moment(activity.at), "upsert", bytes(raw))


def _is_before(activity: Activity, end: datetime) -> bool:
    # What has no time cannot be placed in any window: rather read it too often than never.
    at = moment(activity.at)
    return at is None or at < end


def _look(payload: bytes) -> Activity:
    """The head of an activity in either form; an export keeps the attributes as a text of JSON."""
    activity = activity_of(msgspec.Raw(payload))
    if isinstance(activity.attributes, str):
        try:
            activity.attributes = decode_record(msgspec.Raw(activity.attributes.encode()), dict)
        except msgspec.DecodeError:
            raise unreadable("an activity's attributes") from None
    return activity
