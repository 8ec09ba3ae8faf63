"""Activities, lead changes and deletes by paging token.

Source: developer guide of Marketo Engage, "Activities", "Paging Tokens".

A page is so many activities of all kinds, of which those are answered that were asked for: pages with few or none follow
each other while `moreResult` is true. Fault: `marketo.empty_page`, a page of none at the same place.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.activity_types import ACTIVITY_TYPES, CHANGE_DATA_VALUE, DELETE_LEAD, NEW_LEAD
from sandbox.marketo.answers import ApiError, answer, ids_of, missing, moment_of, names_of, number_of, stamp
from sandbox.marketo.instance import PAGE, Instance, date_token, token
from sandbox.marketo.schema import LEAD_FIELDS
from sandbox.store import Record

MOST_TYPES, MOST_LEADS = 10, 30
LARGEST_LIST = 10_000
DELETES_KEPT = timedelta(days=14)

_FIELD_NAMES = {field.id: field.name for field in LEAD_FIELDS.values()}


class Activities:
    """Endpoints of activities."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    async def types(self, request: Request) -> Response:
        """GET /rest/v1/activities/types.json."""
        return answer(request, [type_.described() for type_ in ACTIVITY_TYPES.values()])

    async def paging_token(self, request: Request) -> Response:
        """GET /rest/v1/activities/pagingtoken.json?sinceDatetime=."""
        since = request.query_params.get("sinceDatetime")
        if not since:
            raise missing("sinceDatetime")
        return answer(request, None, nextPageToken=date_token(moment_of(since, "sinceDatetime")))

    async def page(self, request: Request) -> Response:
        """GET /rest/v1/activities.json."""
        types = set(ids_of(request, "activityTypeIds", MOST_TYPES))
        if not types:
            raise missing("activityTypeIds")
        if unknown := types - ACTIVITY_TYPES.keys():
            raise ApiError("1003", f"Invalid activity type id '{min(unknown)}'")
        assets = set(ids_of(request, "assetIds", PAGE))
        leads = self._leads(request)

        def wanted(record: Record) -> bool:
            fields = record.fields
            return (
                fields["activityTypeId"] in types
                and (leads is None or fields["leadId"] in leads)
                and (not assets or fields["primaryAttributeValueId"] in assets)
            )

        return self._page(request, wanted, shown)

    async def changes(self, request: Request) -> Response:
        """GET /rest/v1/activities/leadchanges.json: new leads, and changes of the fields that are asked for."""
        names = set(names_of(request, "fields"))
        if not names:
            raise missing("fields")
        if unknown := names - self.instance.lead_fields().keys():
            raise ApiError("1006", f"Field '{min(unknown)}' not found")
        leads = self._leads(request)

        def wanted(record: Record) -> bool:
            fields = record.fields
            if leads is not None and fields["leadId"] not in leads:
                return False
            is_change = fields["activityTypeId"] == CHANGE_DATA_VALUE
            return fields["activityTypeId"] == NEW_LEAD or (
                is_change and _FIELD_NAMES.get(fields["primaryAttributeValueId"]) in names
            )

        return self._page(request, wanted, _change)

    async def deleted(self, request: Request) -> Response:
        """GET /rest/v1/activities/deletedleads.json: deletes of the last 14 days."""
        oldest = self.instance.now() - DELETES_KEPT
        return self._page(
            request, lambda r: r.fields["activityTypeId"] == DELETE_LEAD and r.created_at >= oldest, shown
        )

    def _leads(self, request: Request) -> set[int] | None:
        leads, list_id = ids_of(request, "leadIds", MOST_LEADS), request.query_params.get("listId")
        if list_id is None:
            return set(leads) or None
        if leads:
            raise ApiError("1003", "listId and leadIds cannot be used together")
        members = {r.fields["leadId"] for r in self.instance.live("list_members") if str(r.fields["listId"]) == list_id}
        if len(members) >= LARGEST_LIST:
            raise ApiError("1003", f"List {list_id} has too many leads for this filter")
        return members

    def _page(
        self, request: Request, wanted: Callable[[Record], bool], show: Callable[[Record], dict[str, Any]]
    ) -> Response:
        text = request.query_params.get("nextPageToken")
        if not text:
            raise missing("nextPageToken")
        start, size = self.instance.place(text), number_of(request, "batchSize", PAGE, PAGE) or PAGE
        log, _ = self.instance.log()
        if self.instance.strikes("marketo.empty_page"):
            return answer(request, None, nextPageToken=token("p", start), moreResult=True)
        end = min(start + size, len(log))
        rows = [show(record) for record in log[start:end] if wanted(record)]
        # Marketo leaves `result` out where there is none.
        return answer(
            request, self.instance.drifted(rows) or None, nextPageToken=token("p", end), moreResult=end < len(log)
        )


def shown(record: Record) -> dict[str, Any]:
    """An activity as it is answered: what is empty is left out."""
    fields = record.fields
    values = {
        "id": fields["id"],
        "marketoGUID": record.id,
        "leadId": fields["leadId"],
        "activityDate": stamp(record.created_at),
        "activityTypeId": fields["activityTypeId"],
        "campaignId": fields["campaignId"],
        "primaryAttributeValueId": fields["primaryAttributeValueId"],
        "primaryAttributeValue": fields["primaryAttributeValue"],
    }
    attributes = [{"name": name, "value": value} for name, value in fields["attributes"].items()]
    return {k: v for k, v in values.items() if v is not None} | {"attributes": attributes}


def _change(record: Record) -> dict[str, Any]:
    values = shown(record)
    attributes = record.fields["attributes"]
    number = values.pop("primaryAttributeValueId", None)
    values.pop("primaryAttributeValue", None)
    values["fields"] = []
    if record.fields["activityTypeId"] == CHANGE_DATA_VALUE:
        change = {"newValue": attributes.get("New Value"), "oldValue": attributes.get("Old Value")}
        values["fields"] = [{"id": number, "name": _FIELD_NAMES[number], **change}]
        values["attributes"] = [a for a in values["attributes"] if a["name"] in {"Reason", "Source"}]
    return values
