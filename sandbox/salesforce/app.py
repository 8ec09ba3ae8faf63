"""`create_app`: Salesforce's API over one store.

Serve it with uvicorn's `date_header=False`: the Date header is the vendor's clock.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.context import Context
from sandbox.salesforce import describe, replication
from sandbox.salesforce.auth import Sessions
from sandbox.salesforce.bulk import PAGE_ROWS, Jobs
from sandbox.salesforce.errors import JSON, ApiError, not_found
from sandbox.salesforce.gate import Calls, Gate
from sandbox.salesforce.org import Org
from sandbox.salesforce.query import Column, json_rows
from sandbox.salesforce.rest import Queries, base_of
from sandbox.store import Store
from sandbox.transport import Answer, Transport

PARALLEL_PAGES = 5
_VERSIONS = {listed["version"] for listed in describe.versions()}
_FIRST_WITH_RESULT_PAGES = 58.0

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(store: Store, context: Context, calls: Calls | None = None) -> Transport:
    """The ASGI app.

    Args:
        store: what the org holds, made with archiving_modifies=True; kinds are sObject names.
        context: clock, credentials, faults, log, limits.
        calls: other daily API calls than an Enterprise org's; refused beyond when `context.limits` is set.
    """
    calls = calls or Calls()
    org, sessions = Org(store, context), Sessions(context)
    resources = Router(_routes(org, sessions, calls), redirect_slashes=False, default=_nowhere)
    return Transport(Gate(resources, context, sessions, calls), context, "salesforce", unavailable=_unavailable)


def _unavailable() -> Answer:
    error = ApiError(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable")
    return Answer(error.status, [(b"content-type", JSON.encode())], error.body())


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found()


def _routes(org: Org, sessions: Sessions, calls: Calls) -> list[Route]:
    queries, jobs = Queries(org), Jobs(org)
    about, bulk = _About(org, calls, jobs), _Bulk(org, jobs)
    data = "/services/data/v{version}"
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/query", queries.query),
        ("GET", "/query/", queries.query),
        ("GET", "/queryAll", queries.query_all),
        ("GET", "/queryAll/", queries.query_all),
        ("GET", "/query/{locator}", queries.more),
        ("GET", "/queryAll/{locator}", queries.more),
        ("GET", "", about.resources),
        ("GET", "/", about.resources),
        ("GET", "/limits", about.limits),
        ("GET", "/limits/", about.limits),
        ("GET", "/sobjects", about.sobjects),
        ("GET", "/sobjects/", about.sobjects),
        ("GET", "/sobjects/{sobject}", about.basic),
        ("GET", "/sobjects/{sobject}/", about.basic),
        ("GET", "/sobjects/{sobject}/describe", about.describe),
        ("GET", "/sobjects/{sobject}/describe/", about.describe),
        ("GET", "/sobjects/{sobject}/deleted", about.deleted),
        ("GET", "/sobjects/{sobject}/deleted/", about.deleted),
        ("GET", "/sobjects/{sobject}/updated", about.updated),
        ("GET", "/sobjects/{sobject}/updated/", about.updated),
        ("GET", "/sobjects/{sobject}/{id}", about.row),
        ("POST", "/jobs/query", bulk.create),
        ("GET", "/jobs/query", bulk.list),
        ("POST", "/jobs/query/", bulk.create),
        ("GET", "/jobs/query/", bulk.list),
        ("GET", "/jobs/query/{id}", bulk.get),
        ("PATCH", "/jobs/query/{id}", bulk.patch),
        ("DELETE", "/jobs/query/{id}", bulk.delete),
        ("GET", "/jobs/query/{id}/results", bulk.results),
        ("GET", "/jobs/query/{id}/resultPages", bulk.result_pages),
    ]
    return [
        Route("/services/oauth2/token", sessions.answer, methods=["POST"]),
        Route("/services/data", about.versions, methods=["GET"]),
        Route("/services/data/", about.versions, methods=["GET"]),
        *(Route(data + path, _versioned(endpoint), methods=[method]) for method, path, endpoint in table),
    ]


def _versioned(endpoint: Endpoint) -> Endpoint:
    async def checked(request: Request) -> Response:
        if request.path_params["version"] not in _VERSIONS:
            raise not_found()
        return await endpoint(request)

    return checked


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type=JSON)


class _About:
    """What the org says of itself, and single rows."""

    def __init__(self, org: Org, calls: Calls, jobs: Jobs) -> None:
        self.org = org
        self.calls = calls
        self.jobs = jobs

    async def versions(self, _: Request) -> Response:
        return _json(describe.versions())

    async def resources(self, request: Request) -> Response:
        return _json(describe.resources(base_of(request)))

    async def limits(self, _: Request) -> Response:
        return _json(describe.limits(self.org, self.calls, self.jobs.of_last_day()))

    async def sobjects(self, request: Request) -> Response:
        return _json(describe.global_describe(self.org, base_of(request)))

    async def basic(self, request: Request) -> Response:
        return _json(describe.basic(self.org.named(request.path_params["sobject"]), base_of(request)))

    async def describe(self, request: Request) -> Response:
        return _json(describe.describe(self.org, self.org.named(request.path_params["sobject"]), base_of(request)))

    async def deleted(self, request: Request) -> Response:
        return self._span(request, replication.deleted)

    async def updated(self, request: Request) -> Response:
        return self._span(request, replication.updated)

    def _span(self, request: Request, read: Callable[..., dict[str, Any]]) -> Response:
        params = request.query_params
        sobject = self.org.named(request.path_params["sobject"])
        return _json(read(self.org, sobject, params.get("start", ""), params.get("end", "")))

    async def row(self, request: Request) -> Response:
        sobject = self.org.named(request.path_params["sobject"])
        found = self.org.find(sobject.name, request.path_params["id"])
        if found is None:
            raise not_found()
        if found.deleted:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        fields = self.org.fields(sobject)
        if wanted := request.query_params.get("fields"):
            known = {f.name.lower(): f for f in fields}
            names = [name.strip().lower() for name in wanted.split(",")]
            if unknown := [name for name in names if name not in known]:
                raise ApiError(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {sobject.name}")
            fields = [known["id"], *(known[name] for name in names if name != "id")]
        columns = [Column(f.name, f, None) for f in fields]
        return _json(json_rows(columns, sobject, base_of(request))([found])[0])


class _Bulk:
    """The resources of query jobs."""

    def __init__(self, org: Org, jobs: Jobs) -> None:
        self.org = org
        self.jobs = jobs

    async def create(self, request: Request) -> Response:
        job = self.jobs.create(await _object(request), request.path_params["version"])
        return _json(job.created())

    async def list(self, _: Request) -> Response:
        return _json({"done": True, "records": [job.info() for job in self.jobs.all()], "nextRecordsUrl": None})

    async def get(self, request: Request) -> Response:
        return _json(self.jobs.look(request.path_params["id"]).info())

    async def patch(self, request: Request) -> Response:
        if (await _object(request)).get("state") != "Aborted":
            raise ApiError(400, "INVALIDJOB", "InvalidJob : a query job can only be set to Aborted")
        return _json(self.jobs.abort(request.path_params["id"]).created())

    async def delete(self, request: Request) -> Response:
        self.jobs.delete(request.path_params["id"])
        return Response(status_code=204)

    async def results(self, request: Request) -> Response:
        job = self.jobs.complete(request.path_params["id"], request.path_params["version"])
        offset, most = _offset(request.query_params.get("locator")), request.query_params.get("maxRecords")
        if self.org.context.faults.strikes("salesforce.bulk_locator_expired"):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if most is not None and (not most.isdecimal() or int(most) < 1):
            raise ApiError(400, "INVALID_QUERY_PARAMETER", "maxRecords must be a positive number")
        rows = job.page(offset, int(most) if most else PAGE_ROWS)
        following = offset + len(rows)
        total = job.result.total if job.result else 0
        headers = {
            "Sforce-NumberOfRecords": str(len(rows)),
            "Sforce-Locator": _locator(following) if following < total else "null",
        }
        if rows and self.org.context.faults.strikes("salesforce.bulk_short_page"):
            rows = rows[: len(rows) // 2]
        return Response(job.text(rows), media_type="text/csv", headers=headers)

    async def result_pages(self, request: Request) -> Response:
        version = request.path_params["version"]
        faults = self.org.context.faults
        if float(version) < _FIRST_WITH_RESULT_PAGES or faults.strikes("salesforce.no_result_pages"):
            raise not_found()
        job = self.jobs.complete(request.path_params["id"], version)
        start = _offset(request.query_params.get("locator"))
        total = job.result.total if job.result else 0
        path = f"{base_of(request)}/jobs/query/{job.id}"
        offsets = range(start, max(total, 1), PAGE_ROWS)
        pages = [{"resultUrl": f"{path}/results?locator={_locator(at)}"} for at in offsets[:PARALLEL_PAGES]]
        if faults.strikes("salesforce.bulk_lost_page"):
            pages = pages[:-1]
        body: dict[str, Any] = {"resultPages": pages, "done": len(offsets) <= PARALLEL_PAGES}
        if not body["done"]:
            body["nextRecordsUrl"] = f"{path}/resultPages?locator={_locator(offsets[PARALLEL_PAGES])}"
        return _json(body)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None) -> int:
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=="))
    except (ValueError, binascii.Error):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from None


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The request body is no JSON object")
    return body
