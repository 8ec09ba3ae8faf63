"""Leads: by id, by filter, by list, by program; their fields.

Source: developer guide of Marketo Engage, "Leads", "List Membership".
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.answers import ApiError, answer, ids_of, missing, names_of
from sandbox.marketo.instance import Instance, lead_value, member_value, paged
from sandbox.marketo.schema import SEARCHABLE
from sandbox.store import Record

MOST_VALUES = 300
MOST_FOUND = 1_000
_MEMBERSHIP = ("acquiredBy", "isExhausted", "membershipDate", "nurtureCadence", "reachedSuccess", "statusName")


class Leads:
    """Endpoints of leads."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    async def one(self, request: Request) -> Response:
        """GET /rest/v1/lead/{id}.json."""
        id_ = request.path_params["id"]
        names = self.instance.lead_names(names_of(request, "fields"))
        record = self.instance.get("leads", id_)
        if record is None:
            raise ApiError("1004", f"Lead '{id_}' not found")
        return answer(request, [_row(record, names)])

    async def by_filter(self, request: Request) -> Response:
        """GET /rest/v1/leads.json: those with one of up to 300 values in one searchable field, up to 1,000 in all."""
        type_ = request.query_params.get("filterType")
        if not type_:
            raise missing("filterType")
        values = names_of(request, "filterValues")
        if not values:
            raise missing("filterValues")
        if type_ not in SEARCHABLE or type_ not in self.instance.lead_fields():
            raise ApiError("1011", f"Lookup field '{type_}' not supported")
        if len(values) > MOST_VALUES:
            raise ApiError("1003", f"filterValues must not have more than {MOST_VALUES} values")
        names = self.instance.lead_names(names_of(request, "fields"))
        found = self._found(request, type_, values)
        if len(found) > MOST_FOUND:
            raise ApiError("1003", "Too many results match the filter")
        rows, more = paged(request, found, lambda record: _row(record, names))
        more.pop("moreResult")
        return answer(request, self.instance.drifted(rows), **more)

    def _found(self, request: Request, type_: str, values: list[str]) -> list[Record]:
        if type_ == "id":
            return self.instance.many("leads", map(str, ids_of(request, "filterValues", MOST_VALUES)))
        wanted = {value.lower() for value in values}
        return [r for r in self.instance.live("leads") if str(r.fields.get(type_) or "").strip().lower() in wanted]

    async def by_list(self, request: Request) -> Response:
        """GET /rest/v1/lists/{id}/leads.json."""
        id_ = request.path_params["id"]
        if self.instance.get("lists", id_) is None:
            raise ApiError("1013", f"List with id '{id_}' not found")
        members = [r for r in self.instance.live("list_members") if str(r.fields["listId"]) == id_]
        return self._page(request, [(str(r.fields["leadId"]), None) for r in members])

    async def by_program(self, request: Request) -> Response:
        """GET /rest/v1/leads/programs/{id}.json: each lead with its membership."""
        id_ = request.path_params["id"]
        if self.instance.get("programs", id_) is None:
            raise ApiError("1013", f"Program with id '{id_}' not found")
        members = [r for r in self.instance.live("program_members") if str(r.fields["programId"]) == id_]
        return self._page(request, [(str(r.fields["leadId"]), r) for r in members])

    def _page(self, request: Request, found: list[tuple[str, Record | None]]) -> Response:
        names = self.instance.lead_names(names_of(request, "fields"))
        there = [(lead, member) for id_, member in found if (lead := self.instance.get("leads", id_))]
        rows, more = paged(request, there, lambda pair: _row(pair[0], names) | _membership(pair[1]))
        more.pop("moreResult")
        return answer(request, self.instance.drifted(rows), **more)

    async def describe(self, request: Request) -> Response:
        """GET /rest/v1/leads/describe.json."""
        return answer(request, [field.described() for field in self.instance.lead_fields().values()])

    async def describe2(self, request: Request) -> Response:
        """GET /rest/v1/leads/describe2.json."""
        fields = [field.described_again() for field in self.instance.lead_fields().values()]
        searchable = [[name] for name in SEARCHABLE if name in self.instance.lead_fields()]
        return answer(request, [{"name": "API Lead", "searchableFields": searchable, "fields": fields}])

    async def fields(self, request: Request) -> Response:
        """GET /rest/v1/leads/schema/fields.json."""
        rows, more = paged(request, list(self.instance.lead_fields().values()), lambda field: field.schema())
        return answer(request, rows, **more)

    async def field(self, request: Request) -> Response:
        """GET /rest/v1/leads/schema/fields/{name}.json."""
        field = self.instance.lead_fields().get(request.path_params["name"])
        if field is None:
            raise ApiError("1006", f"Field '{request.path_params['name']}' not found")
        return answer(request, [field.schema()])


def _row(record: Record, names: list[str]) -> dict[str, Any]:
    return {name: lead_value(record, name) for name in names}


def _membership(member: Record | None) -> dict[str, Any]:
    if member is None:
        return {}
    shown = {name: member_value(member, name) for name in _MEMBERSHIP}
    return {"membership": {"id": member.fields["memberId"], "progressionStatus": shown.pop("statusName"), **shown}}
