"""POST /crm/v3/objects/{type}/search. Source: HubSpot, Search the CRM.

The index lags: until the present version of a record is visible, it is found in its version before, or not at all if it
is new. Archived records are never found. No rate-limit headers stand on the answer (see `gate`).
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.drift import drift
from sandbox.hubspot.answers import answer, body_of, invalid, limit_from, millis
from sandbox.hubspot.catalog import ObjectType
from sandbox.hubspot.filters import Group, getter, groups_of
from sandbox.hubspot.objects import type_of
from sandbox.hubspot.properties import known
from sandbox.hubspot.shelf import Key, Shelf, View, key_of
from sandbox.store import Record

PAGE = 200
WINDOW = 10_000
LONGEST_QUERY = 3_000
LAG = timedelta(hours=1)
"""The fault `hubspot.search_lag` holds a change back by up to this long, each by its own time."""

_SEARCHED = {
    "contacts": ("firstname", "lastname", "email", "phone", "company", "hs_additional_emails"),
    "companies": ("name", "domain", "website", "phone"),
    "deals": ("dealname", "pipeline", "dealstage"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_encode = msgspec.json.Encoder().encode

MOST_KEPT = 16
"""Searches whose result is kept for their next page."""


class _Kept(NamedTuple):
    version: int
    since: datetime
    until: datetime
    found: list[Record]


def _spread(record: Record) -> timedelta:
    """A part of LAG that is always the same for one version of a record."""
    return LAG * (zlib.crc32(f"{record.id} {record.modified_at}".encode()) / 2**32)


class Search:
    """The search endpoint."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._last: dict[bytes, _Kept] = {}
        self._created: dict[str, dict[str, tuple[int, Key]]] = defaultdict(dict)
        """kind -> id -> where it stands in the order of creation, which does not change."""

    async def search(self, request: Request) -> Response:
        """A page of what is found, with the `total`."""
        type_ = type_of(request)
        body = await body_of(request)
        limit = limit_from(body.get("limit", 10), PAGE)
        after = _offset(body.get("after"))
        if after + limit > WINDOW:
            raise invalid(f"Searches end at {WINDOW} results: after plus limit must not be more")
        names = known(self.shelf, type_)
        faults = self.shelf.context.faults
        found = self._kept(type_, body, names)
        if faults.strikes("hubspot.unsorted_search"):
            found = sorted(found, key=lambda r: r.modified_at + _spread(r))
        rows = found[after : after + limit]
        view = View(type_, body.get("properties") or [], names)
        with self.shelf.store.lock:
            shown: dict[str, Any] = {"total": len(found), "results": [view.show(record) for record in rows]}
        drift(faults, "hubspot", (record["properties"] for record in shown["results"]))
        if after + limit < len(found):
            shown["paging"] = {"next": {"after": str(after + limit)}}
            if faults.strikes("hubspot.updated_while_paged"):
                self.shelf.stir(type_.name, [rows[0].id, found[after + limit].id])
        return answer(shown)

    def _kept(self, type_: ObjectType, body: Mapping[str, Any], names: frozenset[str]) -> list[Record]:
        """All that is found, in order: from the last searches, while neither a write nor the lag has changed it."""
        store, now = self.shelf.store, self.shelf.context.clock()
        key = _encode([type_.name, *(body.get(name) for name in ("filterGroups", "filters", "query", "sorts"))])
        version = store.version[type_.name]
        is_late = self.shelf.context.faults.active("hubspot.search_lag")
        kept = self._last.get(key)
        if kept is not None and kept.version == version and kept.since <= now < kept.until and not is_late:
            return kept.found
        found = self._found(type_, groups_of(body, type_, names), _text(body))
        self._sort(found, type_, body.get("sorts") or [], names)
        if not is_late:
            until = min((r.visible_from for r in store.lagging(type_.name, now) if r.visible_from), default=_NEVER)
            self._last[key] = _Kept(version, now, until, found)
            while len(self._last) > MOST_KEPT:
                del self._last[next(iter(self._last))]
        return found

    def _found(self, type_: ObjectType, groups: list[Group], text: str) -> list[Record]:
        now = self.shelf.context.clock()
        is_late = self.shelf.context.faults.active("hubspot.search_lag")

        def holds(record: Record) -> bool:
            return (not groups or any(group.holds(record) for group in groups)) and (
                not text or _mentions(record, type_, text)
            )

        # The candidates of one group lie within its dates.
        is_found = not text and (not groups or (len(groups) == 1 and not groups[0].asks_more))
        with self.shelf.store.lock:
            present = [
                record
                for record in self._candidates(type_, groups)
                if record.archived_at is None
                and (record.visible_from is None or record.visible_from <= now)
                and not (is_late and record.modified_at + _spread(record) > now)
                and (is_found or holds(record))
            ]
            earlier = [
                replace(record, modified_at=record.before[0], fields=record.before[1])
                for record in self.shelf.store.lagging(type_.name, now)
                if record.archived_at is None and record.before
            ]
        return present + [record for record in earlier if holds(record)]

    def _sort(self, found: list[Record], type_: ObjectType, sorts: Any, names: frozenset[str]) -> None:
        """In order of creation, unless asked otherwise; a sort that is no object is ignored, as by HubSpot."""
        places = self._created[type_.name]
        for record in found:
            if record.id not in places:
                places[record.id] = millis(record.created_at), key_of(record.id)
        found.sort(key=lambda r: places[r.id])
        rules = [rule for rule in sorts if isinstance(rule, dict)] if isinstance(sorts, list) else []
        for rule in reversed(rules):
            name = rule.get("propertyName")
            if name not in names:
                raise invalid(f"There was a problem with the request: {type_.name} has no property {name}")
            get = getter(type_, name)
            is_down = str(rule.get("direction", "ASCENDING")).upper().startswith("DESC")
            valued = [r for r in found if get(r) is not None]
            without = [r for r in found if get(r) is None]
            valued.sort(key=get, reverse=is_down)
            found[:] = valued + without

    def _candidates(self, type_: ObjectType, groups: list[Group]) -> Iterable[Record]:
        """All records, or those within the dates of last change that every group asks for."""
        starts, ends = [group.start for group in groups], [group.end for group in groups]
        start = None if not groups or None in starts else min(s for s in starts if s is not None)
        end = None if not groups or None in ends else max(e for e in ends if e is not None)
        if start is None and end is None:
            return self.shelf.store.live(type_.name)
        low = max(start, -(10**13)) if start is not None else -(10**13)
        high = min(end, 10**14) if end is not None else 10**14
        return self.shelf.store.modified(type_.name, _at(low), _at(high + 1)) if low <= high else []


def _at(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _offset(value: Any) -> int:
    if value in (None, ""):
        return 0
    text = str(value)
    if not text.isdecimal():
        raise invalid("Invalid after: a whole number is expected")
    return int(text)


def _text(body: Mapping[str, Any]) -> str:
    text = body.get("query") or ""
    if not isinstance(text, str) or len(text) > LONGEST_QUERY:
        raise invalid(f"Invalid query: a text of at most {LONGEST_QUERY} characters is expected")
    return text.strip().lower()


def _mentions(record: Record, type_: ObjectType, text: str) -> bool:
    names = _SEARCHED.get(type_.name, tuple(record.fields))
    return any(text in str(record.fields.get(name) or "").lower() for name in names)
