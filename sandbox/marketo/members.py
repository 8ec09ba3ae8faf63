"""Program members.

Source: developer guide of Marketo Engage, "Program Members".
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.answers import ApiError, answer, missing, moment_of, names_of, stamp
from sandbox.marketo.instance import Instance, member_value, paged
from sandbox.marketo.schema import DEFAULT_MEMBER_FIELDS, MEMBER_FIELDS, MEMBER_FILTERS
from sandbox.store import Record

LONGEST_SPAN = timedelta(days=7)
MOST_VALUES = 300


class Members:
    """Endpoints of program members."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    async def describe(self, request: Request) -> Response:
        """GET /rest/v1/programs/members/describe.json."""
        made = stamp(self.instance.now().replace(month=1, day=1, hour=0, minute=0, second=0))
        described = {
            "name": "API Program Membership",
            "description": "Map for API program membership fields",
            "createdAt": made,
            "updatedAt": made,
            "dedupeFields": ["leadId", "programId"],
            "searchableFields": [[name] for name in MEMBER_FILTERS if name != "updatedAt"],
            "fields": [field.described_again() for field in MEMBER_FIELDS.values()],
        }
        return answer(request, [described])

    async def page(self, request: Request) -> Response:
        """GET /rest/v1/programs/{id}/members.json, by lead, status, success or day of the last change."""
        id_ = request.path_params["id"]
        if self.instance.get("programs", id_) is None:
            raise ApiError("1013", f"Program with id '{id_}' not found")
        names = names_of(request, "fields") or list(DEFAULT_MEMBER_FIELDS)
        if unknown := next((name for name in names if name not in MEMBER_FIELDS), None):
            raise ApiError("1006", f"Field '{unknown}' not found")
        keep = _filter(request)
        found = [r for r in self.instance.live("program_members") if str(r.fields["programId"]) == id_ and keep(r)]
        names = list(dict.fromkeys([*names, "leadId", "programId"]))
        rows, more = paged(request, found, lambda r: {name: member_value(r, name) for name in names})
        numbered: list[dict[str, Any]] = [{"seq": i, **row} for i, row in enumerate(rows)]
        return answer(request, self.instance.drifted(numbered), **more)


def _filter(request: Request) -> Callable[[Record], bool]:
    type_ = request.query_params.get("filterType")
    if not type_:
        raise missing("filterType")
    if type_ not in MEMBER_FILTERS:
        raise ApiError("1011", f"Lookup field '{type_}' not supported")
    if type_ == "updatedAt":
        ends = []
        for name in ("startAt", "endAt"):
            if not (text := request.query_params.get(name)):
                raise missing(name)
            ends.append(moment_of(text, name))
        start, end = ends
        if not start <= end <= start + LONGEST_SPAN:
            raise ApiError("1003", "The date range must be seven days or fewer")
        return lambda r: start <= r.modified_at <= end
    values = names_of(request, "filterValues")
    if not values:
        raise missing("filterValues")
    if len(values) > MOST_VALUES:
        raise ApiError("1003", f"filterValues must not have more than {MOST_VALUES} values")
    wanted = {value.lower() for value in values}
    return lambda r: str(member_value(r, type_)).lower() in wanted
