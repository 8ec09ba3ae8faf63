"""The programs and static lists that one lead is in, and which leads are on a list.

Source: swagger-mapi.json of Marketo Engage, "Get Programs by Lead Id", "Get Lists by Lead Id"; developer guide, "List
Membership".
"""

import json

from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.answers import ApiError, answer, missing, stamp
from sandbox.marketo.instance import Instance, member_value, paged
from sandbox.store import Record

MOST_LEADS = 300
_SHOWN = ("isExhausted", "acquiredBy", "reachedSuccess", "membershipDate", "updatedAt")


class Memberships:
    """Endpoints that tell of a lead's places."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    async def programs(self, request: Request) -> Response:
        """GET /rest/v1/leads/{id}/programMembership.json."""
        rows, more = paged(request, self._of(request, "program_members"), _program)
        return answer(request, rows, **more)

    async def lists(self, request: Request) -> Response:
        """GET /rest/v1/leads/{id}/listMembership.json."""
        rows, more = paged(request, self._of(request, "list_members"), _list)
        return answer(request, rows, **more)

    async def is_member(self, request: Request) -> Response:
        """GET /rest/v1/lists/{id}/leads/ismember.json?id=1&id=2; the ids may also stand in a body's `input`."""
        one = request.path_params["id"]
        if self.instance.get("lists", one) is None:
            raise ApiError("1013", f"List with id '{one}' not found")
        leads = [lead for text in request.query_params.getlist("id") for lead in text.split(",")]
        if not leads:
            leads = [str(lead["id"]) for lead in json.loads(await request.body() or b"{}").get("input", ())]
        if not leads:
            raise missing("id")
        if len(leads) > MOST_LEADS:
            raise ApiError("1003", f"No more than {MOST_LEADS} leads can be asked for")
        on_list = {
            str(r.fields["leadId"]) for r in self.instance.live("list_members") if str(r.fields["listId"]) == one
        }
        return answer(request, [self._is_on(lead, on_list) for lead in leads])

    def _is_on(self, lead: str, on_list: set[str]) -> dict[str, object]:
        if self.instance.get("leads", lead) is None:
            reason = {"code": "1004", "message": "Lead not found"}
            return {"id": int(lead), "status": "skipped", "reasons": [reason]}
        return {"id": int(lead), "status": "memberof" if lead in on_list else "notmemberof"}

    def _of(self, request: Request, kind: str) -> list[Record]:
        lead = request.path_params["id"]
        if self.instance.get("leads", lead) is None:
            raise ApiError("1004", f"Lead '{lead}' not found")
        return [record for record in self.instance.live(kind) if str(record.fields["leadId"]) == lead]


def _program(record: Record) -> dict[str, object]:
    shown = {name: member_value(record, name) for name in _SHOWN}
    return {"id": record.fields["programId"], "progressionStatus": record.fields.get("statusName"), **shown}


def _list(record: Record) -> dict[str, object]:
    return {
        "listId": record.fields["listId"],
        "createdAt": stamp(record.created_at),
        "updatedAt": stamp(record.modified_at),
    }
