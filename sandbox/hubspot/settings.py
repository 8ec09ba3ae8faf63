"""Owners and pipelines. Source: HubSpot, Owners v3, Pipelines v3."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import answer, flag_of, iso, limit_of, not_found, paging
from sandbox.hubspot.objects import type_of
from sandbox.hubspot.shelf import Shelf
from sandbox.store import Record


def dated(record: Record, defaults: dict[str, Any] | None = None) -> dict[str, Any]:
    """An element with its id, dates and archived flag around the fields that the store holds."""
    shown = {
        "id": record.id,
        **(defaults or {}),
        **record.fields,
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.modified_at),
        "archived": record.archived_at is not None,
    }
    if record.archived_at is not None:
        shown["archivedAt"] = iso(record.archived_at)
    return shown


class Settings:
    """GET /crm/v3/owners, /owners/{id}, /crm/v3/pipelines/{type}, /{type}/{id}, /{type}/{id}/stages."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def owners(self, request: Request) -> Response:
        """Owners; the archived ones only when asked for, and then only they."""
        limit = limit_of(request, 100, 500)
        archived = flag_of(request, "archived")
        if email := request.query_params.get("email"):
            kept = self.shelf.store.archived("owners") if archived else self.shelf.store.live("owners")
            return answer({"results": [_owner(r) for r in kept if r.fields.get("email") == email]})
        records, has_more = self.shelf.page("owners", request.query_params.get("after"), limit, archived=archived)
        body: dict[str, Any] = {"results": [_owner(record) for record in records]}
        if has_more:
            body["paging"] = paging(records[-1].id, request)
        return answer(body)

    async def owner(self, request: Request) -> Response:
        """One owner, by id or by user id."""
        id_ = request.path_params["id"]
        by_user = request.query_params.get("idProperty") == "userId"
        for record in self.shelf.store.records["owners"].values():
            is_archived = record.archived_at is not None
            named = str(record.fields.get("userId")) if by_user else record.id
            if named == id_ and is_archived == flag_of(request, "archived"):
                return answer(_owner(record))
        raise not_found()

    async def pipelines(self, request: Request) -> Response:
        """All pipelines of a type, with their stages; not paged."""
        return answer({"results": [_pipeline(record) for record in self._pipelines(request)]})

    async def pipeline(self, request: Request) -> Response:
        """One pipeline."""
        return answer(_pipeline(self._pipeline(request)))

    async def stages(self, request: Request) -> Response:
        """The stages of one pipeline."""
        return answer({"results": _pipeline(self._pipeline(request))["stages"]})

    def _pipelines(self, request: Request) -> list[Record]:
        type_ = type_of(request)
        return [
            record
            for record in self.shelf.store.live("pipelines")
            if record.fields.get("objectType", "deals") in (type_.name, type_.singular, type_.type_id)
        ]

    def _pipeline(self, request: Request) -> Record:
        for record in self._pipelines(request):
            if record.id == request.path_params["id"]:
                return record
        raise not_found()


def _owner(record: Record) -> dict[str, Any]:
    user = record.fields.get("userId")
    is_archived = record.archived_at is not None
    shown = dated(record, {"type": "PERSON", "email": None, "firstName": "", "lastName": "", "teams": []})
    shown["userIdIncludingInactive"] = user
    shown["userId"] = None if is_archived else user
    shown.pop("archivedAt", None)
    return shown


def _pipeline(record: Record) -> dict[str, Any]:
    shown = dated(record, {"label": record.id, "displayOrder": 0, "stages": []})
    shown.pop("objectType", None)
    shown["stages"] = [
        {
            "label": stage.get("id"),
            "displayOrder": order,
            "metadata": {},
            "createdAt": shown["createdAt"],
            "updatedAt": shown["updatedAt"],
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            **stage,
        }
        for order, stage in enumerate(shown["stages"])
    ]
    return shown
