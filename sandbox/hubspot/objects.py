"""CRM records: list, one by id, batch read. Source: HubSpot, CRM objects v3."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.drift import drift
from sandbox.hubspot.answers import (
    answer,
    batch,
    body_of,
    failure,
    flag_of,
    inputs_of,
    invalid,
    limit_of,
    names_of,
    not_found,
    paging,
    unserved,
)
from sandbox.hubspot.associations import inline
from sandbox.hubspot.catalog import ObjectType, resolve
from sandbox.hubspot.properties import known, unique
from sandbox.hubspot.scopes import NOT_GRANTED, unknown
from sandbox.hubspot.shelf import Shelf, View
from sandbox.store import Record

PAGE, PAGE_WITH_HISTORY = 100, 50


def type_of(request: Request, name: str = "type") -> ObjectType:
    """The object type that the URL names.

    Raises:
        ApiError: 400 when there is none of that name, 403 when it is a type that the key may not read.
    """
    word = request.path_params[name]
    type_ = resolve(word)
    if type_ is None:
        raise unknown(word)
    return type_


class Objects:
    """GET /crm/v3/objects/{type}, GET .../{id}, POST .../batch/read."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def page(self, request: Request) -> Response:
        """A page of live (or archived) records in numeric order of id."""
        type_ = type_of(request)
        history = names_of(request, "propertiesWithHistory")
        limit = limit_of(request, 10, PAGE_WITH_HISTORY if history else PAGE)
        after = request.query_params.get("after")
        if after and not after.isdecimal():
            raise invalid("Invalid after: it is no cursor of this list")
        archived = flag_of(request, "archived")
        records, has_more = self.shelf.page(type_.name, after, limit, archived=archived)
        show = self._view(request, type_, history)
        with self.shelf.store.lock:
            body: dict[str, Any] = {"results": [show(record) for record in records]}
        drift(self.shelf.context.faults, "hubspot", (shown["properties"] for shown in body["results"]))
        if has_more:
            body["paging"] = paging(records[-1].id, request)
            if not archived and self.shelf.context.faults.strikes("hubspot.updated_while_paged"):
                following, _ = self.shelf.page(type_.name, records[-1].id, 1)
                self.shelf.stir(type_.name, [records[0].id, *(r.id for r in following)])
        return answer(body)

    async def one(self, request: Request) -> Response:
        """One record; of a merged one its survivor."""
        type_ = type_of(request)
        by = request.query_params.get("idProperty")
        record = self._lookup(type_, by)(request.path_params["id"])
        if record is None or (record.archived_at is not None) != flag_of(request, "archived"):
            raise not_found()
        show = self._view(request, type_, names_of(request, "propertiesWithHistory"))
        with self.shelf.store.lock:
            return answer(show(record))

    async def batch_read(self, request: Request) -> Response:
        """Records by id or by a unique property; 207 with an error that names the ids that are not there."""
        type_ = type_of(request)
        body = await body_of(request)
        history = _words(body, "propertiesWithHistory")
        inputs = inputs_of(body, PAGE_WITH_HISTORY if history else PAGE)
        lookup = self._lookup(type_, body.get("idProperty"))
        archived = flag_of(request, "archived")
        found: dict[str, Record] = {}
        missing: list[str] = []
        left_out = _left_out(self.shelf, inputs)
        for each in inputs[left_out:]:
            record = lookup(str(each["id"]))
            if record is None or (record.archived_at is not None) != archived:
                missing.append(str(each["id"]))
            else:
                found[record.id] = record
        view = View(type_, _words(body, "properties"), known(self.shelf, type_), history)
        errors = [_missing(type_, missing)] if missing else []
        errors += [unserved(str(each["id"])) for each in inputs[:left_out]]
        with self.shelf.store.lock:
            shown = [view.show(record) for record in found.values()]
        drift(self.shelf.context.faults, "hubspot", (record["properties"] for record in shown))
        return batch(shown, errors, self.shelf.context.clock())

    def _view(self, request: Request, type_: ObjectType, history: list[str]) -> Any:
        view = View(type_, names_of(request, "properties"), known(self.shelf, type_), history)
        others = [resolve(word) for word in names_of(request, "associations") if word not in NOT_GRANTED]
        if None in others:
            raise invalid("Invalid associations: not all of them are object types")
        if not others:
            return view.show

        def show(record: Record) -> dict[str, Any]:
            shown = view.show(record)
            if linked := inline(self.shelf, type_, record, [o for o in others if o], request):
                shown["associations"] = linked
            return shown

        return show

    def _lookup(self, type_: ObjectType, by: Any) -> Any:
        if by in (None, "", "hs_object_id"):
            return lambda id_: self.shelf.find(type_.name, id_)
        if by not in unique(type_):
            raise invalid(f"Property {by} of {type_.name} does not hold unique values: it cannot be an idProperty")
        ids = self.shelf.derived(type_.name, "email", lambda: _by_email(self.shelf, type_))
        return lambda value: self.shelf.store.get(type_.name, ids.get(value.strip().lower(), ""))


def _left_out(shelf: Shelf, inputs: Sequence[Any]) -> int:
    """How many of a batch's first inputs the fault `hubspot.partial_batch` leaves out."""
    return -(-len(inputs) // 2) if shelf.context.faults.strikes("hubspot.partial_batch") else 0


def _by_email(shelf: Shelf, type_: ObjectType) -> dict[str, str]:
    ids: dict[str, str] = {}
    for record in shelf.store.live(type_.name):
        further = (record.fields.get("hs_additional_emails") or "").split(";")
        for address in (*further, record.fields.get("email") or ""):
            if address:
                ids[address.strip().lower()] = record.id
    return ids


def _missing(type_: ObjectType, ids: list[str]) -> dict[str, Any]:
    message = f"Some {type_.singular.upper()} objects are missing: they may be deleted or never have existed."
    return failure("OBJECT_NOT_FOUND", message, {"ids": ids})


def _words(body: dict[str, Any], name: str) -> list[str]:
    words = body.get(name) or []
    if not isinstance(words, list) or not all(isinstance(w, str) for w in words):
        raise invalid(f"Invalid input JSON: {name} must be a list of names")
    return words
