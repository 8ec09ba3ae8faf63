"""Associations: v4 batch read, v4 of one object, labels, and the inline ones of v3. Source: HubSpot, Associations v4.

Links to archived records are not shown: HubSpot takes them away with the record and gives them back on restoring.
"""

import base64
from binascii import Error as Base64Error
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import (
    answer,
    batch,
    body_of,
    failure,
    inputs_of,
    invalid,
    limit_of,
    not_found,
    paging,
    unserved,
)
from sandbox.hubspot.catalog import TYPES, ObjectType, resolve
from sandbox.hubspot.scopes import NOT_GRANTED
from sandbox.hubspot.shelf import Shelf, key_of
from sandbox.store import Link, Record

MOST_INPUTS = 1_000
PAGE, SMALL_PAGE = 500, 2
INLINE = 100
"""Inline associations end here, and many a reader does not notice."""

_ENGAGEMENTS = {
    "calls": (194, 206, 182),
    "emails": (198, 210, 186),
    "meetings": (200, 212, 188),
    "tasks": (204, 216, 192),
    "notes": (202, 214, 190),
}
"""engagement -> type ids to contacts, deals and companies; the way back has the number before."""


def _labels() -> dict[tuple[str, str], list[Link]]:
    pairs: dict[tuple[str, str], list[tuple[int, str | None]]] = {
        ("contacts", "companies"): [(1, "Primary"), (279, None)],
        ("companies", "contacts"): [(2, "Primary"), (280, None)],
        ("deals", "contacts"): [(3, None)],
        ("contacts", "deals"): [(4, None)],
        ("deals", "companies"): [(5, "Primary"), (341, None)],
        ("companies", "deals"): [(6, "Primary"), (342, None)],
        ("contacts", "contacts"): [(449, None)],
        ("companies", "companies"): [
            (13, "Child Company"),
            (14, "Parent Company"),
            (450, None),
        ],
    }
    for engagement, ids in _ENGAGEMENTS.items():
        for other, id_ in zip(("contacts", "deals", "companies"), ids, strict=True):
            pairs[engagement, other] = [(id_, None)]
            pairs[other, engagement] = [(id_ - 1, None)]
    return {pair: [Link(id_, "HUBSPOT_DEFINED", label) for id_, label in links] for pair, links in pairs.items()}


LABELS = _labels()
"""(from, to) -> the types that HubSpot defines."""


def default_link(from_kind: str, to_kind: str, *, primary: bool = False) -> Link:
    """HubSpot's own unlabelled (or primary) association type between two kinds."""
    wanted = "Primary" if primary else None
    return next(link for link in LABELS[from_kind, to_kind] if link.label == wanted)


Linked = list[tuple[str, frozenset[Link]]]
"""Live records linked to one record, in numeric order of id, with the types of each link."""


def _linked(shelf: Shelf, from_: ObjectType, to: ObjectType, id_: str) -> Linked:
    with shelf.store.lock:
        return _living(shelf.store.links.get((from_.name, to.name), {}).get(id_), shelf.store.records[to.name])


def _living(by_id: Mapping[str, set[Link]] | None, others: Mapping[str, Record]) -> Linked:
    if not by_id:
        return []
    live = [
        (other, frozenset(kinds))
        for other, kinds in by_id.items()
        if kinds and (record := others.get(other)) and record.archived_at is None
    ]
    if len(live) > 1:
        live.sort(key=lambda pair: key_of(pair[0]))
    return live


def _token(to: ObjectType, id_: str) -> str:
    return quote(base64.b64encode(f"{to.type_id}-{id_}".encode()).decode(), safe="")


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(unquote(unquote(token)), validate=True).decode().rsplit("-", 1)[1]
    except (Base64Error, UnicodeDecodeError, IndexError):
        raise invalid("Invalid after: it is no cursor of these associations") from None


def _slice(linked: Linked, to: ObjectType, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    start = bisect_right(linked, key_of(_from_token(after)), key=lambda pair: key_of(pair[0])) if after else 0
    part = linked[start : start + limit]
    shown = [{"toObjectId": id_, "associationTypes": _types(kinds)} for id_, kinds in part]
    return shown, _token(to, part[-1][0]) if start + limit < len(linked) else None


def _sorted(kinds: Collection[Link]) -> Collection[Link]:
    return sorted(kinds, key=lambda link: (link.type_id, link.category)) if len(kinds) > 1 else kinds


@lru_cache(maxsize=1024)
def _types(kinds: frozenset[Link]) -> tuple[msgspec.Raw, ...]:
    return tuple(map(_shown, _sorted(kinds)))


@lru_cache(maxsize=1024)
def _shown(link: Link) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"category": link.category, "typeId": link.type_id, "label": link.label}))


def inline(
    shelf: Shelf, from_: ObjectType, record: Record, others: Iterable[ObjectType], request: Request
) -> dict[str, Any]:
    """The `associations` of a record in a list: one row for each type of each link, the first hundred rows."""
    shown: dict[str, Any] = {}
    for to in others:
        linked = _linked(shelf, from_, to, record.id)
        rows = [{"id": id_, "type": _word(from_, to, link)} for id_, kinds in linked for link in _sorted(kinds)]
        if not rows:
            continue
        shown[to.name] = {"results": rows[:INLINE]}
        if len(rows) > INLINE:
            after = _token(to, rows[INLINE - 1]["id"])
            link = request.url.replace(
                path=f"/crm/v4/objects/{from_.name}/{record.id}/associations/{to.name}", query=f"after={after}"
            )
            shown[to.name]["paging"] = {"next": {"after": after, "link": str(link)}}
    return shown


def _word(from_: ObjectType, to: ObjectType, link: Link) -> str:
    plain = f"{from_.singular}_to_{to.singular}"
    if link.category != "HUBSPOT_DEFINED" and link.label:
        return link.label.lower().replace(" ", "_")
    has_labels = len(LABELS.get((from_.name, to.name), ())) > 1
    return f"{plain}_unlabeled" if has_labels and link.label is None else plain


class Associations:
    """POST /crm/v4/associations/{from}/{to}/batch/read, GET .../labels, GET /crm/v4/objects/{type}/{id}/..."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def batch_read(self, request: Request) -> Response:
        """The links of up to 1,000 records, up to 500 of each at a time; 207 with an error for each that has none."""
        from_, to = _ends(request)
        faults = self.shelf.context.faults
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        page = SMALL_PAGE if faults.strikes("hubspot.small_link_pages") else PAGE
        inputs = inputs_of(await body_of(request), MOST_INPUTS)
        left_out = -(-len(inputs) // 2) if faults.strikes("hubspot.partial_batch") else 0
        errors += [unserved(str(each["id"])) for each in inputs[:left_out]]
        with self.shelf.store.lock:
            links = self.shelf.store.links.get((from_.name, to.name), {})
            others = self.shelf.store.records[to.name]
            found: list[tuple[Mapping[str, Any], Linked]] = []
            for each in inputs[left_out:]:
                record = self.shelf.find(from_.name, str(each["id"]))
                is_live = record is not None and record.archived_at is None
                found.append((each, _living(links.get(record.id), others) if record is not None and is_live else []))
        for each, linked in found:
            id_ = str(each["id"])
            if not linked:
                errors.append(_none(from_, to, id_))
                continue
            shown, after = _slice(linked, to, each.get("after"), page)
            result: dict[str, Any] = {"from": {"id": id_}, "to": shown}
            if after:
                result["paging"] = paging(after, request)
            results.append(result)
        if faults.strikes("hubspot.double_links"):
            for result in results:
                result["to"] = [_doubled(link) for link in result["to"] for _ in range(2)]
        return batch(results, errors, self.shelf.context.clock())

    async def of_one(self, request: Request) -> Response:
        """The links of one record."""
        from_, to = _ends(request)
        limit = limit_of(request, PAGE, PAGE)
        record = self.shelf.find(from_.name, request.path_params["id"])
        if record is None or record.archived_at is not None:
            raise not_found()
        shown, after = _slice(_linked(self.shelf, from_, to, record.id), to, request.query_params.get("after"), limit)
        return answer({"results": shown, **({"paging": paging(after, request)} if after else {})})

    async def labels(self, request: Request) -> Response:
        """The association types between two object types: HubSpot's own, and those that any link has."""
        from_, to = _ends(request)
        with self.shelf.store.lock:
            by_id = self.shelf.store.links.get((from_.name, to.name), {})
            used = set().union(*(kinds for others in by_id.values() for kinds in others.values()))
        types = used | set(LABELS.get((from_.name, to.name), ()))
        return answer({"results": [_shown(link) for link in _sorted(types)]})


def _doubled(link: dict[str, Any]) -> dict[str, Any]:
    return {**link, "associationTypes": link["associationTypes"] * 2}


def _ends(request: Request) -> tuple[ObjectType, ObjectType]:
    from_, word = resolve(request.path_params["type"]), request.path_params["to"]
    to = _empty(word) if word in NOT_GRANTED else resolve(word)
    if from_ is None or to is None:
        raise invalid(f"Unable to infer object types from: {', '.join(TYPES)} are known")
    return from_, to


def _empty(name: str) -> ObjectType:
    """A type to which nothing is linked."""
    return ObjectType(name, name.removesuffix("s"), "0-0", "", "", (), NOT_GRANTED[name])


def _none(from_: ObjectType, to: ObjectType, id_: str) -> dict[str, Any]:
    return failure(
        "OBJECT_NOT_FOUND",
        f"No {to.singular} is associated with {from_.singular} {id_}.",
        {"fromObjectId": [id_], "fromObjectType": [from_.singular], "toObjectType": [to.singular]},
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )
