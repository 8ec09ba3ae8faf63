"""Forms, their submissions, e-mail events and campaigns.

Source: HubSpot, Forms v3, Forms v1 submissions, Email events v1, Campaigns v3.
"""

import base64
from binascii import Error as Base64Error
from bisect import bisect_left, bisect_right
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import (
    ApiError,
    answer,
    flag_of,
    invalid,
    iso,
    limit_of,
    millis,
    names_of,
    not_found,
    paging,
)
from sandbox.hubspot.settings import dated
from sandbox.hubspot.shelf import Shelf
from sandbox.store import Record

FORMS, SUBMISSIONS, EVENTS, CAMPAIGNS = 500, 50, 1_000, 100

_NAMES = """hs_name hs_start_date hs_end_date hs_notes hs_audience hs_currency_code hs_campaign_status hs_owner
    hs_color_hex hs_utm hs_goal hs_object_id hs_created_by_user_id hs_budget_items_sum_amount
    hs_spend_items_sum_amount"""
CAMPAIGN_PROPERTIES = frozenset(_NAMES.split())
"""Campaign properties that may be asked for, besides custom ones; any other is a 400."""

_FORM = {
    "formType": "hubspot",
    "name": "",
    "fieldGroups": [],
    "configuration": {
        "language": "en",
        "cloneable": True,
        "editable": True,
        "archivable": True,
        "postSubmitAction": {"type": "thank_you", "value": ""},
        "recaptchaEnabled": False,
        "createNewContactForNewEmail": False,
        "prePopulateKnownValues": True,
        "allowLinkToResetKnownValues": False,
        "notifyContactOwner": False,
        "notifyRecipients": [],
        "lifecycleStages": [],
    },
    "displayOptions": {
        "renderRawHtml": False,
        "theme": "default_style",
        "submitButtonText": "Submit",
        "cssClass": "",
        "style": {},
    },
    "legalConsentOptions": {"type": "none"},
}

Row = tuple[int, str]
"""(ms, id): the order of submissions and events."""


class Marketing:
    """Endpoints of what marketing runs."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def forms(self, request: Request) -> Response:
        """Forms; other types than `hubspot` only when asked for by `formTypes`."""
        limit = limit_of(request, 50, FORMS)
        archived = flag_of(request, "archived")
        wanted = names_of(request, "formTypes") or ["hubspot"]
        shown: list[dict[str, Any]] = []
        after, has_more = request.query_params.get("after"), True
        while has_more and len(shown) <= limit:
            records, has_more = self.shelf.page("forms", after, limit, archived=archived)
            forms = [dated(record, _FORM) for record in records]
            shown += [f for f in forms if "all" in wanted or f["formType"] in wanted]
            after = records[-1].id if records else None
        body: dict[str, Any] = {"results": shown[:limit]}
        if len(shown) > limit:
            body["paging"] = paging(shown[limit - 1]["id"], request)
        return answer(body)

    async def form(self, request: Request) -> Response:
        """One form."""
        record = self.shelf.store.get("forms", request.path_params["id"])
        if record is None or (record.archived_at is not None) != flag_of(request, "archived"):
            raise not_found()
        return answer(dated(record, _FORM))

    async def submissions(self, request: Request) -> Response:
        """Submissions of one form, newest first. New ones that arrive between two pages do not shift the pages."""
        form = self.shelf.store.get("forms", request.path_params["guid"])
        if form is None:
            raise not_found()
        if form.fields.get("formType") == "blog_comment":
            raise ApiError(
                400, "VALIDATION_ERROR", "Not for this type of form", {"subCategory": "FORM_TYPE_NOT_ALLOWED"}
            )
        limit = limit_of(request, 20, SUBMISSIONS)
        rows: list[Row] = self.shelf.derived("form_submissions", "rows", self._submission_rows).get(form.id, [])
        stop = (
            bisect_left(rows, _row_of(request.query_params.get("after"))) if "after" in request.query_params else None
        )
        part = rows[:stop][-limit:][::-1]
        body: dict[str, Any] = {"results": [self._submission(id_) for _, id_ in part]}
        if part and part[-1] != rows[0]:
            body["paging"] = paging(_token_of(part[-1]), request)
        return answer(body)

    def _submission_rows(self) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {}
        for record in self.shelf.store.live("form_submissions"):
            rows.setdefault(record.fields.get("formGuid", ""), []).append((_submitted(record), record.id))
        for each in rows.values():
            each.sort()
        return rows

    def _submission(self, id_: str) -> dict[str, Any]:
        record = self.shelf.store.records["form_submissions"][id_]
        shown = {"submittedAt": _submitted(record), **record.fields}
        shown.pop("formGuid", None)
        return shown

    async def email_events(self, request: Request) -> Response:
        """Events of an interval, both ends inclusive, newest first."""
        limit = limit_of(request, 10, EVENTS)
        start, end = _ms(request, "startTimestamp", 0), _ms(request, "endTimestamp", 1 << 60)
        rows: list[Row] = self.shelf.derived("email_events", "rows", self._event_rows)
        low, high = bisect_left(rows, (start, "")), bisect_right(rows, (end + 1, ""))
        if offset := request.query_params.get("offset"):
            high = min(high, bisect_left(rows, _row_of(offset)))
        now = self.shelf.context.clock()
        same = {name: request.query_params[name] for name in ("recipient", "eventType") if name in request.query_params}
        kept: list[dict[str, Any]] = []
        last: Row | None = None
        has_more = False
        for row in reversed(rows[low:high]):
            record = self.shelf.store.get("email_events", row[1])
            if record is None or (record.visible_from is not None and record.visible_from > now):
                continue
            event = _event(record)
            if any(str(event.get("type" if name == "eventType" else name)) != value for name, value in same.items()):
                continue
            if len(kept) == limit:
                has_more = True
                break
            kept.append(event)
            last = row
        return answer({"events": kept, "hasMore": has_more, "offset": _token_of(last) if last else ""})

    def _event_rows(self) -> list[Row]:
        return sorted((_created(record), record.id) for record in self.shelf.store.live("email_events"))

    async def campaigns(self, request: Request) -> Response:
        """Campaigns with the properties asked for."""
        limit = limit_of(request, 50, CAMPAIGNS)
        names = self._campaign_names(request)
        records, has_more = self.shelf.page("campaigns", request.query_params.get("after"), limit)
        body: dict[str, Any] = {"results": [_campaign(record, names) for record in records]}
        if has_more:
            body["paging"] = paging(records[-1].id, request)
        return answer({"total": self.shelf.count("campaigns"), **body})

    async def campaign(self, request: Request) -> Response:
        """One campaign."""
        record = self.shelf.store.get("campaigns", request.path_params["id"])
        if record is None or record.archived_at is not None:
            raise not_found()
        return answer(_campaign(record, self._campaign_names(request)))

    def _campaign_names(self, request: Request) -> list[str]:
        names = names_of(request, "properties")
        custom = {name for name in self.shelf.names("campaigns") | {"hs_channel"} if name not in CAMPAIGN_PROPERTIES}
        if unknown := sorted(set(names) - CAMPAIGN_PROPERTIES - custom):
            raise invalid(f"Invalid properties: {', '.join(unknown)}")
        return names or ["hs_name"]


def _ms(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise invalid(f"Invalid {name}: milliseconds since 1970 are expected")
    return int(text)


def _submitted(record: Record) -> int:
    return int(record.fields.get("submittedAt") or millis(record.created_at))


def _created(record: Record) -> int:
    return int(record.fields.get("created") or millis(record.created_at))


def _event(record: Record) -> dict[str, Any]:
    return {"id": record.id, "created": _created(record), **record.fields}


def _campaign(record: Record, names: list[str]) -> dict[str, Any]:
    return {
        "id": record.id,
        "properties": {name: record.fields.get(name) for name in names},
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.modified_at),
        "businessUnits": [],
    }


def _token_of(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row[0]} {row[1]}".encode()).decode()


def _row_of(token: str | None) -> Row:
    try:
        at, _, id_ = base64.urlsafe_b64decode((token or "").encode()).decode().partition(" ")
        return int(at), id_
    except (Base64Error, UnicodeError, ValueError):
        raise invalid("Invalid cursor") from None
