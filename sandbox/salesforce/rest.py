"""/query, /queryAll and the pages behind their locators.

Rows are those of the first call, whatever changes while they are paged (values that are read from a parent are the
parent's present ones). As at Salesforce, `nextRecordsUrl` says `query` even for queryAll, a locator lives two days, and
a user who opens an eleventh cursor loses the oldest. (REST API guide, Query; SOAP API guide, query().)

Faults: `salesforce.short_page` (1,350 rows where 2,000 were asked for), `salesforce.locator_expired`,
`salesforce.query_timeout`, `salesforce.field_lost`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.drift import drift
from sandbox.salesforce.errors import JSON, ApiError, malformed
from sandbox.salesforce.ids import new_id
from sandbox.salesforce.org import Org
from sandbox.salesforce.query import json_rows, run
from sandbox.salesforce.rows import View

PAGE, SMALLEST_PAGE = 2000, 200
SHORT_PAGE = 1350
OPEN_CURSORS = 10
LIFETIME = timedelta(days=2)

Write = Callable[[list[View]], list[dict[str, Any]]]


@dataclass(slots=True)
class Cursor:
    """The rows of one query, as of its first call."""

    rows: list[View]
    write: Write
    size: int
    opened_at: datetime


class Queries:
    """The query resources of one org."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._cursors: dict[str, Cursor] = {}

    async def query(self, request: Request) -> Response:
        """First page of live rows: GET /query?q=SOQL."""
        return self._first(request, deleted=False)

    async def query_all(self, request: Request) -> Response:
        """First page of live and deleted rows: GET /queryAll?q=SOQL."""
        return self._first(request, deleted=True)

    async def more(self, request: Request) -> Response:
        """GET /query/LOCATOR-OFFSET."""
        locator, _, offset = request.path_params["locator"].rpartition("-")
        cursor = self._cursors.get(locator)
        fault = self.org.context.faults.strikes("salesforce.locator_expired")
        expired = cursor is not None and self.org.now() - cursor.opened_at > LIFETIME
        if fault or expired:
            self._cursors.pop(locator, None)
        usable = cursor is not None and offset.isdecimal() and int(offset) < len(cursor.rows)
        if cursor is None or fault or expired or not usable:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, cursor, locator, int(offset))

    def _first(self, request: Request, *, deleted: bool) -> Response:
        text = request.query_params.get("q")
        if not text:
            raise malformed("A query string has to be specified")
        refuse(self.org)
        result = run(self.org, text, deleted=deleted)
        if result.groups is not None:
            records = [{"attributes": {"type": "AggregateResult"}, **group} for group in result.groups]
            return _json({"totalSize": len(records), "done": True, "records": records})
        if not result.columns:
            return _json({"totalSize": result.total, "done": True, "records": []})
        write = json_rows(result.columns, result.sobject, base_of(request))
        cursor = Cursor(result.rows, write, _batch_size(request), self.org.now())
        return self._page(request, cursor, None, 0)

    def _page(self, request: Request, cursor: Cursor, locator: str | None, offset: int) -> Response:
        size = cursor.size
        if self.org.context.faults.strikes("salesforce.short_page"):
            size = min(size, SHORT_PAGE)
        end = offset + size
        body: dict[str, Any] = {"totalSize": len(cursor.rows), "done": end >= len(cursor.rows)}
        if not body["done"]:
            locator = locator or self._open(cursor)
            body["nextRecordsUrl"] = f"{base_of(request)}/query/{locator}-{end}"
        body["records"] = cursor.write(cursor.rows[offset:end])
        drift(self.org.context.faults, "salesforce", body["records"])
        return _json(body)

    def _open(self, cursor: Cursor) -> str:
        while len(self._cursors) >= OPEN_CURSORS:
            self._cursors.pop(next(iter(self._cursors)))
        locator = new_id("0r8")
        self._cursors[locator] = cursor
        return locator


def refuse(org: Org) -> None:
    """The faults `salesforce.query_timeout` and `salesforce.field_lost`, before a query is run.

    Raises:
        ApiError: one of them strikes.
    """
    if org.context.faults.strikes("salesforce.query_timeout"):
        raise ApiError(500, "QUERY_TIMEOUT", "Your query request was running for too long.")
    if org.context.faults.strikes("salesforce.field_lost"):
        raise ApiError(400, "INVALID_FIELD", "No such column 'Rating' on entity. The field may have been hidden.")


def base_of(request: Request) -> str:
    """Such as /services/data/v66.0, in the version that the request uses."""
    return f"/services/data/v{request.path_params['version']}"


def _batch_size(request: Request) -> int:
    match = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return min(PAGE, max(SMALLEST_PAGE, int(match[1]))) if match else PAGE


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), media_type=JSON)
