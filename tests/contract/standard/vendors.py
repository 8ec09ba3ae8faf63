"""The vendors that pass the standard suite: one row each, and how a sandbox of theirs is filled for one stream.

A vendor joins by a row in `VENDORS`, and an import here.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from connectors.base.model import Stream
from connectors.hubspot.streams import STREAMS as HUBSPOT
from connectors.marketo.streams import STREAMS as MARKETO
from connectors.salesforce.streams import STREAMS as SALESFORCE
from sandbox.hubspot.associations import default_link
from sandbox.marketo.activity_types import ACTIVITY_TYPES
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.schema import SOBJECTS
from sandbox.store import Store

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
PAGE = 5
"""Rows of a page in these tests: what is shown of ten thousand can be shown of eleven."""

SECOND = timedelta(seconds=1)


class Vendor(NamedTuple):
    """One row.

    name: as in `connectors`; fault names and the sandbox's store bear it.
    streams: its declarations.
    fill: (store, stream, n) makes n records of a stream and returns their ids; of the parent where it has one.
    credentials: on top of those that the sandbox gives.
    pages: names in code -> value, patched so that PAGE rows fill a page.
    patience: faults that ask for a pause, with and without a time.
    kinds: of the windows in which it is read otherwise.
    expiry: faults that end the token of a request, or have it refused; none where tokens do not end.
    troubles: stream -> faults of the vendor's own that it meets, and that cost nothing either.
    way: for test ids, where credentials do not tell rows of a vendor apart.
    stride: faults strike at the first occasion, then at every so many-th, from one that the seed chooses.
    fixed: (stream, n) -> names in code -> value, patched for what no store holds.
    """

    name: str
    streams: Mapping[str, Stream]
    fill: Callable[[Store, Stream, int], set[str]]
    credentials: Mapping[str, str]
    pages: Mapping[str, object]
    patience: tuple[str, ...]
    kinds: tuple[str, ...] = ("incremental",)
    expiry: tuple[str, ...] = ()
    troubles: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    way: str = ""
    stride: int = 1
    fixed: Callable[[Stream, int], Mapping[str, object]] = lambda _stream, _n: {}

    @property
    def title(self) -> str:
        """For test ids."""
        return "-".join((self.name, *self.credentials, *filter(None, (self.way,))))


LINKS = 3
FORM = "f0000000-0000-4000-8000-000000000001"
_FIELDS: Mapping[str, dict[str, Any]] = {
    "pipelines": {"label": "P", "stages": []},
    "email_events": {"type": "OPEN", "recipient": "reader@standard.example"},
    "form_submissions": {"formGuid": FORM, "values": []},
    "contacts": {"lifecyclestage": "lead", "email": "reader@standard.example", "hubspotscore": "12", "city": "Porto"},
    "deals": {"dealstage": "closedwon", "amount": "12", "pipeline": "default", "hs_next_step": "call"},
}


def fill_hubspot(store: Store, stream: Stream, n: int) -> set[str]:
    """Records at a second's distance; links are those of n parents, to `LINKS` others each."""
    kind = stream.parent or stream.name
    ids = [str(100 + number) for number in range(n)]
    if kind == "forms" and stream.parent:
        store.create("forms", FORM, START, {"name": "F"})
        kind, ids = "form_submissions", [f"{id_}-sub" for id_ in ids]
    for number, id_ in enumerate(ids):
        fields = {**_FIELDS.get(kind, {})} | ({"conversionId": id_} if kind == "form_submissions" else {})
        store.create(kind, id_, START + number * SECOND, fields)
    if stream.options["reader"] == "links":
        other = stream.path.split("/")[-3]
        for number in range(LINKS):
            store.create(other, str(900 + number), START, {})
            for id_ in ids:
                store.link(kind, id_, other, str(900 + number), default_link(kind, other), default_link(other, kind))
    return set(ids)


def fill_salesforce(store: Store, stream: Stream, n: int) -> set[str]:
    """Records at a second's distance."""
    ids = [make_id(SOBJECTS[stream.path].prefix, number + 1) for number in range(n)]
    for number, id_ in enumerate(ids):
        fields = {"Name": f'"{number}",\n\0', "Subject": "S", "Rating": "Hot", "Probability": 12.5, "Title": "T"}
        store.create(stream.path, id_, START + number * SECOND, fields)
    return set(ids)


_PLACES = {"1": "Engagement", "2": "Default"}
"""Programs or lists, with their types. Members of engagement programs are found by date, others by their activity."""

_TYPES = dict(ACTIVITY_TYPES)
_NEW_LEAD, _ON_LIST, _STATUS = 12, 24, 104


def fixed_marketo(stream: Stream, n: int) -> Mapping[str, object]:
    """An instance has its types of activities from the start; only where they are what is read, there are n."""
    shown = n if stream.name == "activity_types" else len(_TYPES)
    return {"sandbox.marketo.activities.ACTIVITY_TYPES": dict(list(_TYPES.items())[:shown])}


def fill_marketo(store: Store, stream: Stream, n: int) -> set[str]:
    """Records at a second's distance, and the activities that tell of them; members are those of two programs or lists."""
    kind, ids = stream.name, [str(1001 + number) for number in range(n)]
    if kind == "activity_types":
        return {str(id_) for id_ in list(_TYPES)[:n]}
    if stream.parent:
        for place, type_ in _PLACES.items():
            store.create(stream.parent, place, START, {"name": "P", "type": type_})
    found = set()
    for number, id_ in enumerate(ids):
        at, place = START + number * SECOND, list(_PLACES)[number % len(_PLACES)]
        if stream.parent:
            _lead(store, id_, at)
            member = {f"{stream.parent[:-1]}Id": int(place), "leadId": int(id_), "statusName": "Member"}
            store.create(kind, f"{place}-{id_}", at, member)
            if kind == "list_members":
                _activity(store, id_, at, _ON_LIST, place)
            elif _PLACES[place] != "Engagement":
                _activity(store, id_, at, _STATUS, place)
        elif kind == "leads":
            _lead(store, id_, at)
        elif kind == "activities":
            _activity(store, id_, at, _NEW_LEAD)
        else:
            store.create(kind, id_, at, {"name": f"N {number}", "description": "D", "subject": "S"})
        found.add(f"{place}-{id_}" if stream.parent else id_)
    return found


def _lead(store: Store, id_: str, at: datetime) -> None:
    store.create("leads", id_, at, {"lastName": f'"{id_}",\n\0', "leadScore": 12, "city": "Porto", "title": "T"})
    _activity(store, id_, at, _NEW_LEAD)


def _activity(store: Store, lead: str, at: datetime, type_: int, place: str | None = None) -> None:
    about = {"id": int(lead), "leadId": int(lead), "activityTypeId": type_, "campaignId": None}
    primary = {"primaryAttributeValueId": place and int(place), "primaryAttributeValue": place and "P"}
    id_ = lead if type_ == _NEW_LEAD else f"9{lead}"
    store.create("activities", id_, at, {**about, **primary, "attributes": {"Source": '"a",\n'}})


_HUBSPOT_PAGES = {
    "connectors.hubspot.objects.LIST_PAGE": PAGE,
    "connectors.hubspot.objects.BATCH": PAGE,
    "connectors.hubspot.objects.HISTORY_BATCH": PAGE,
    "connectors.hubspot.search.SEARCH_PAGE": PAGE,
    "connectors.hubspot.small.PAGE": PAGE,
    "connectors.hubspot.events.EVENT_PAGE": PAGE,
    "connectors.hubspot.events.SUBMISSION_PAGE": PAGE,
    "connectors.hubspot.links.BATCH": PAGE,
    "sandbox.hubspot.associations.PAGE": 2,
}
_SALESFORCE_PAGES = {"sandbox.salesforce.rest.PAGE": PAGE}
_MARKETO_PAGES = {
    "connectors.marketo.api.BATCH": PAGE,
    "connectors.marketo.api.ASSETS": PAGE,
    "connectors.marketo.api.TRIES": 4,
    "connectors.marketo.assets.PAGE": PAGE,
    "connectors.marketo.jobs.BATCH": PAGE,
    "connectors.marketo.leads.BATCH": PAGE,
    "connectors.marketo.members.BATCH": PAGE,
    "connectors.marketo.members.PROGRAMS": 1,
}
_BY_ACTIVITIES = ("leads", "activities", "program_members", "list_members")
_OF_EXPORTS = tuple(
    f"marketo.{name}"
    for name in ("1029", "failed_job", "completed_but_404", "truncated_file", "short_file", "checksum_mismatch")
)
_MARKETO = Vendor(
    "marketo",
    MARKETO,
    fill_marketo,
    {"start_date": f"{START:%Y-%m-%d}"},
    _MARKETO_PAGES,
    ("marketo.606", "marketo.615"),
    kinds=("full",),
    expiry=("marketo.602", "marketo.601"),
    troubles=dict.fromkeys(("leads", "activities", "program_members"), _OF_EXPORTS),
    stride=4,
    fixed=fixed_marketo,
)

VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "hubspot",
        HUBSPOT,
        fill_hubspot,
        {},
        _HUBSPOT_PAGES,
        ("hubspot.429", "hubspot.429_no_retry_after"),
        kinds=("full", "incremental"),
    ),
    Vendor(
        "salesforce",
        SALESFORCE,
        fill_salesforce,
        {},
        _SALESFORCE_PAGES,
        ("salesforce.concurrent_limit",),
        expiry=("salesforce.session_expired",),
    ),
    Vendor(
        "salesforce",
        {name: SALESFORCE[name] for name in ("lead", "campaign_member", "opportunity_history")},
        fill_salesforce,
        {"bulk_threshold": "0"},
        {"connectors.salesforce.bulk.PAGE_ROWS": PAGE, "sandbox.salesforce.app.PAGE_ROWS": PAGE},
        ("salesforce.concurrent_limit",),
        expiry=("salesforce.session_expired",),
    ),
    _MARKETO,
    _MARKETO._replace(
        streams={name: MARKETO[name] for name in ("programs", *_BY_ACTIVITIES)},
        pages={**_MARKETO_PAGES, "connectors.marketo.windows.REST_LENGTH": timedelta(days=60)},
        kinds=("incremental",),
        troubles=dict.fromkeys(_BY_ACTIVITIES, ("marketo.empty_page",)),
        way="rest",
    ),
)
