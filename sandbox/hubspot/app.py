"""`create_app`: HubSpot's API over one store.

Serve it with uvicorn's `date_header=False`: the Date header is the vendor's clock.
"""

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.context import Context
from sandbox.hubspot.account import Account
from sandbox.hubspot.answers import JSON, ApiError, not_found
from sandbox.hubspot.associations import Associations
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.marketing import Marketing
from sandbox.hubspot.objects import Objects
from sandbox.hubspot.properties import Properties
from sandbox.hubspot.search import Search
from sandbox.hubspot.settings import Settings
from sandbox.hubspot.shelf import Shelf
from sandbox.store import Store
from sandbox.transport import Answer, Transport


def create_app(store: Store, context: Context, limits: Limits | None = None) -> Transport:
    """The ASGI app.

    Args:
        store: what HubSpot holds (kinds: see the package).
        context: clock, credentials, faults, log, limits.
        limits: other rate limits than HubSpot Professional's; enforced when `context.limits` is set.
    """
    limits = limits or Limits()
    shelf = Shelf(store, context)
    endpoints = Router(_routes(shelf, limits), redirect_slashes=False, default=_nowhere)
    gate = Gate(endpoints, context, limits)
    return Transport(gate, context, "hubspot", unavailable=_unavailable)


def _unavailable() -> Answer:
    error = ApiError(503, "SERVICE_UNAVAILABLE", "Service Unavailable")
    return Answer(error.status, [(b"content-type", JSON.encode())], error.body("unavailable"))


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found("There is no such endpoint")


def _routes(shelf: Shelf, limits: Limits) -> list[Route]:
    objects, search, links = Objects(shelf), Search(shelf), Associations(shelf)
    properties, settings, marketing, account = (
        Properties(shelf),
        Settings(shelf),
        Marketing(shelf),
        Account(shelf, limits),
    )
    return [
        Route("/crm/v3/objects/{type}", objects.page, methods=["GET"]),
        Route("/crm/v3/objects/{type}/search", search.search, methods=["POST"]),
        Route("/crm/v3/objects/{type}/batch/read", objects.batch_read, methods=["POST"]),
        Route("/crm/v3/objects/{type}/{id}", objects.one, methods=["GET"]),
        Route("/crm/v3/properties/{type}", properties.page, methods=["GET"]),
        Route("/properties/v2/{type}/properties", properties.bare, methods=["GET"]),
        Route("/crm/v3/properties/{type}/{name}", properties.one, methods=["GET"]),
        Route("/crm/v3/owners", settings.owners, methods=["GET"]),
        Route("/crm/v3/owners/", settings.owners, methods=["GET"]),
        Route("/crm/v3/owners/{id}", settings.owner, methods=["GET"]),
        Route("/crm/v3/pipelines/{type}", settings.pipelines, methods=["GET"]),
        Route("/crm/v3/pipelines/{type}/{id}", settings.pipeline, methods=["GET"]),
        Route("/crm/v3/pipelines/{type}/{id}/stages", settings.stages, methods=["GET"]),
        Route("/crm/v3/schemas", account.schemas, methods=["GET"]),
        Route("/crm/v3/limits/records", account.records, methods=["GET"]),
        Route("/crm/v4/associations/{type}/{to}/batch/read", links.batch_read, methods=["POST"]),
        Route("/crm/v4/associations/{type}/{to}/labels", links.labels, methods=["GET"]),
        Route("/crm/v4/objects/{type}/{id}/associations/{to}", links.of_one, methods=["GET"]),
        Route("/marketing/v3/forms", marketing.forms, methods=["GET"]),
        Route("/marketing/v3/forms/", marketing.forms, methods=["GET"]),
        Route("/marketing/v3/forms/{id}", marketing.form, methods=["GET"]),
        Route("/form-integrations/v1/submissions/forms/{guid}", marketing.submissions, methods=["GET"]),
        Route("/email/public/v1/events", marketing.email_events, methods=["GET"]),
        Route("/marketing/v3/campaigns", marketing.campaigns, methods=["GET"]),
        Route("/marketing/v3/campaigns/{id}", marketing.campaign, methods=["GET"]),
        Route("/account-info/v3/details", account.details, methods=["GET"]),
        Route("/account-info/v3/api-usage/daily/private-apps", account.usage, methods=["GET"]),
    ]
