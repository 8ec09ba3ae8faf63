"""`create_app`: Marketo's API over one store.

Serve it with uvicorn's `date_header=False`: the Date header is the vendor's clock.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.context import Context
from sandbox.marketo import asset_shapes
from sandbox.marketo.activities import Activities
from sandbox.marketo.answers import ApiError, answer
from sandbox.marketo.assets import Assets
from sandbox.marketo.auth import Tokens
from sandbox.marketo.bulk import Bulk
from sandbox.marketo.extract import KINDS
from sandbox.marketo.gate import Gate
from sandbox.marketo.instance import Instance
from sandbox.marketo.leads import Leads
from sandbox.marketo.limits import Limits
from sandbox.marketo.members import Members
from sandbox.marketo.memberships import Memberships
from sandbox.store import Store
from sandbox.transport import Answer, Transport

Endpoint = Callable[[Request], Awaitable[Response]]
WEEK = 7


def create_app(store: Store, context: Context, limits: Limits | None = None) -> Transport:
    """The ASGI app.

    Args:
        store: what Marketo holds (kinds: see the package).
        context: clock, credentials, faults, log, limits.
        limits: other limits than the usual subscription's; enforced when `context.limits` is set.
    """
    limits, tokens = limits or Limits(), Tokens(context)
    endpoints = Router(_routes(Instance(store, context), limits), redirect_slashes=False, default=_nowhere)
    return Transport(Gate(endpoints, context, tokens, limits), context, "marketo", unavailable=_unavailable)


def _unavailable() -> Answer:
    return Answer(503, [(b"content-type", b"text/html")], b"<html><body>Service Unavailable</body></html>")


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ApiError("610", "Requested resource not found")


class _Route(Route):
    """A route that answers a wrong method in Marketo's form."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in (self.methods or ()):
            raise ApiError("605", f"HTTP Method {scope['method']} is not supported")
        await super().handle(scope, receive, send)


def _routes(instance: Instance, limits: Limits) -> list[Route]:
    leads, activities, members = Leads(instance), Activities(instance), Members(instance)
    memberships = Memberships(instance)
    shelf, bulk, usage = Assets(instance), Bulk(instance, limits), _Usage(instance, limits)
    database: dict[str, Endpoint] = {
        "lead/{id:int}": _text_id(leads.one),
        "leads": leads.by_filter,
        "leads/describe": leads.describe,
        "leads/describe2": leads.describe2,
        "leads/schema/fields": leads.fields,
        "leads/schema/fields/{name}": leads.field,
        "leads/programs/{id:int}": _text_id(leads.by_program),
        "list/{id:int}/leads": _text_id(leads.by_list),
        "lists/{id:int}/leads": _text_id(leads.by_list),
        "lists/{id:int}/leads/ismember": _text_id(memberships.is_member),
        "leads/{id:int}/programMembership": _text_id(memberships.programs),
        "leads/{id:int}/listMembership": _text_id(memberships.lists),
        "lists": shelf.lists,
        "lists/{id:int}": _text_id(shelf.list),
        "campaigns": shelf.campaigns,
        "campaigns/{id:int}": _text_id(shelf.campaign),
        "activities/types": activities.types,
        "activities/pagingtoken": activities.paging_token,
        "activities": activities.page,
        "activities/leadchanges": activities.changes,
        "activities/deletedleads": activities.deleted,
        "programs/members/describe": members.describe,
        "programs/{id:int}/members": _text_id(members.page),
        "stats/usage": usage.today,
        "stats/usage/last7days": usage.week,
        "stats/errors": usage.errors_today,
        "stats/errors/last7days": usage.errors_of_week,
    }
    kinds = (
        ("program", "programs", "programs", asset_shapes.program, asset_shapes.tagged_program),
        ("smartCampaign", "smartCampaigns", "campaigns", asset_shapes.smart_campaign, asset_shapes.smart_campaign),
        ("staticList", "staticLists", "lists", asset_shapes.static_list, asset_shapes.static_list),
        ("email", "emails", "emails", asset_shapes.email, asset_shapes.email),
        ("form", "forms", "forms", asset_shapes.form, asset_shapes.form),
        ("landingPage", "landingPages", "landing_pages", asset_shapes.landing_page, asset_shapes.landing_page),
    )
    shelves: dict[str, Endpoint] = {"channels": shelf.channels}
    for one, many, kind, listed, alone in kinds:
        shelves[many] = shelf.browse(kind, listed)
        shelves[f"{one}/{{id}}"] = shelf.one(kind, alone)
    jobs: list[tuple[str, str, Endpoint]] = [
        ("GET", "export.json", bulk.list),
        ("POST", "export/create.json", bulk.create),
        ("POST", "export/{id}/enqueue.json", bulk.enqueue),
        ("POST", "export/{id}/cancel.json", bulk.cancel),
        ("GET", "export/{id}/status.json", bulk.status),
        ("GET", "export/{id}/file.json", bulk.file),
    ]
    return [
        *(_Route(f"/rest/v1/{path}.json", endpoint, methods=["GET"]) for path, endpoint in database.items()),
        *(_Route(f"/rest/asset/v1/{path}.json", endpoint, methods=["GET"]) for path, endpoint in shelves.items()),
        *(
            Route(f"/bulk/v1/{kind}/{path}", endpoint, methods=[verb])
            for kind in KINDS
            for verb, path, endpoint in jobs
        ),
    ]


def _text_id(endpoint: Endpoint) -> Endpoint:
    """The id of the path as the store has it."""

    async def called(request: Request) -> Response:
        request.path_params["id"] = str(request.path_params["id"])
        return await endpoint(request)

    return called


class _Usage:
    """What the instance says of its calls."""

    def __init__(self, instance: Instance, limits: Limits) -> None:
        self.instance = instance
        self.limits = limits

    async def today(self, request: Request) -> Response:
        return answer(request, self.limits.usage(self.instance.now(), 1))

    async def week(self, request: Request) -> Response:
        return answer(request, self.limits.usage(self.instance.now(), WEEK))

    async def errors_today(self, request: Request) -> Response:
        return answer(request, self.limits.errors(self.instance.now(), 1))

    async def errors_of_week(self, request: Request) -> Response:
        return answer(request, self.limits.errors(self.instance.now(), WEEK))
