"""Leads: what changed, what was deleted, what was merged."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Page, Stream, Window
from connectors.base.paginate import batches, in_order
from connectors.marketo.activities import DELETE, MERGE, Activities, exported
from connectors.marketo.api import BATCH, Api, id_of, moment_text
from connectors.marketo.fields import Fields
from connectors.marketo.jobs import Export, NotOfferedError
from connectors.marketo.records import Activity, merges_of, moment
from connectors.marketo.windows import BEGINNING, LONGEST, Span, resumed, spans, suits_rest
from errors import AnswerError

CHANGING = (9, 12, 13, 21, 22, MERGE, 100, 101, 102)
"""Activities that change a lead: unsubscribed, new, data value, converted, score, merged, partition, revenue stage."""

MOST_REST = 3_000
"""Leads that are asked for by id, ten requests; where more changed, an export gives them."""

KEPT = timedelta(days=13)
"""Deletes are told for 14 days; a window that begins earlier asks for their activity as well."""

EARLIEST_IDS, BLOCKS = 300, 10
OLDEST = ("/rest/v1/campaigns.json", "/rest/v1/lists.json")
ANONYMOUS = timedelta(days=92)
"""How long before a lead is known its visits may be."""


class _Head(msgspec.Struct, gc=False):
    id: int | str
    updated_at: str | None = msgspec.field(default=None, name="updatedAt")
    created_at: str | None = msgspec.field(default=None, name="createdAt")


class Leads:
    """The leads of one instance.

    Args:
        api: the instance.
        activities: its activities.
        fields: which fields to ask for.
    """

    def __init__(self, api: Api, activities: Activities, fields: Fields) -> None:
        self._api = api
        self._activities = activities
        self._fields = fields

    @cached_property
    def beginning(self) -> datetime:
        """From when on there can be records: `start_date`, else some time before the lead with the lowest id was made.

        Ids are given in order. Where the lowest ids are all gone, some time before the oldest smart campaign or list: an
        instance is made with system campaigns, which cannot be deleted. Where there is none either, Marketo's founding year.
        """
        if self._api.settings.start is not None:
            return self._api.settings.start
        for block in range(BLOCKS):
            ids = [str(block * EARLIEST_IDS + number) for number in range(1, EARLIEST_IDS + 1)]
            made = [moment(_head(raw).created_at) for raw in self._rows(ids, ("id", "createdAt"))]
            if known := [at for at in made if at is not None]:
                return max(min(known) - ANONYMOUS, BEGINNING)
        assets = (raw for path in OLDEST for page in self._api.pages(path) for raw in page.result)
        oldest = min((at for raw in assets if (at := moment(_head(raw).created_at))), default=BEGINNING)
        return max(oldest - ANONYMOUS, BEGINNING)

    def read(self, stream: Stream, window: Window) -> Iterator[Page]:
        """All leads that changed in the window, then its deletes and merges."""
        if window.kind == "full":
            start = resumed(window) or self.beginning
            yield from exported(self._api, self._exports(stream, "createdAt", start, window.end))
        else:
            yield from self._changed(stream, window)
        if tombstones := self._gone(window):
            yield Page(tombstones)

    def by_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of these leads; those that are gone are left out."""
        names = self._fields.of(stream)

        def read(batch: list[str]) -> list[Change]:
            return [_change(raw) for raw in self._rows(batch, names)]

        for changes in in_order(read, batches(dict.fromkeys(ids), BATCH), workers=2):
            if changes:
                yield Page(changes)

    def _changed(self, stream: Stream, window: Window) -> Iterator[Page]:
        if suits_rest(window, self._api.now()):
            found = self._activities.few(window, sorted(self._activities.types & set(CHANGING)))
            ids = dict.fromkeys(str(activity.lead) for activity, _ in found or ())
            if found is not None and len(ids) <= MOST_REST:
                yield from self.by_ids(stream, ids)
                return
        try:
            start = resumed(window) or window.start
            yield from exported(self._api, self._exports(stream, "updatedAt", start, window.end))
        except NotOfferedError:
            # The first job of a window is refused, so that no page has been handed on.
            touched = (str(one.lead) for one, _ in self._activities.seen(window, window.start, CHANGING))
            yield from self.by_ids(stream, dict.fromkeys(touched))

    def _exports(self, stream: Stream, axis: str, start: datetime, end: datetime) -> Iterator[Export]:
        names = self._fields.of(stream)
        for span in spans(start, end):
            yield _export(names, axis, span)

    def _rows(self, ids: list[str], names: tuple[str, ...]) -> Iterator[msgspec.Raw]:
        params = {"filterType": "id", "filterValues": ",".join(ids), "fields": ",".join(names)}
        for page in self._api.pages("/rest/v1/leads.json", params):
            yield from page.result

    def _gone(self, window: Window) -> list[Change]:
        """Deletes and merges; a lead that was merged away is no delete, whatever else is told of it."""
        gone = {str(one.lead): _delete(one) for one in self._deletes(window)}
        # Of what was merged earlier a first read never sees the losers, and later reads have told of it.
        start = max(self.beginning, window.end - LONGEST) if window.kind == "full" else window.start
        for activity, _ in self._activities.seen(window, start, (MERGE,)):
            gone.update((change.record_id, change) for change in merges_of(activity))
        return [one for one in gone.values() if one.version_at is None or one.version_at < window.end]

    def _deletes(self, window: Window) -> Iterator[Activity]:
        now = self._api.now()
        yield from self._activities.deleted(max(window.start, now - KEPT - timedelta(days=1)))
        # REST walks through all activities to find these, which is too much for all years: a full read makes do without.
        if window.kind != "full" and now - window.start > KEPT:
            yield from self._activities.since(window.start, sorted(self._activities.types & {DELETE}))


def _export(names: tuple[str, ...], axis: str, span: Span) -> Export:
    body = {"fields": names, "filter": {axis: span.filter}}
    what = f"leads from {span.start:%Y-%m-%d}"
    return Export("leads", names, body, _key, "updatedAt", what, moment_text(span.end))


def _key(record: dict[str, str | None]) -> str:
    if not (id_ := record["id"]):
        raise ValueError("a lead without its id")
    return id_


def _head(raw: msgspec.Raw) -> _Head:
    try:
        return decode_record(raw, _Head)
    except msgspec.ValidationError:
        raise AnswerError(
            "marketo sent a lead that cannot be read.", remedy="Report it with this line: the API may have changed."
        ) from None


def _change(raw: msgspec.Raw) -> Change:
    return Change(id_of(raw), moment(_head(raw).updated_at), "upsert", bytes(raw))


def _delete(activity: Activity) -> Change:
    return Change(str(activity.lead), moment(activity.at), "delete", b"")
