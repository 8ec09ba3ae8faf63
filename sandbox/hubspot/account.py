"""The account: details, API usage, record limits. Source: HubSpot, Account information v3, Limits tracking v3."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import answer, iso
from sandbox.hubspot.catalog import TYPES
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.scopes import missing
from sandbox.hubspot.shelf import Shelf

PORTAL = 4_000_001
"""The account's id; e-mail events name it too."""
MOST_RECORDS = 15_000_000


class Account:
    """GET /account-info/v3/details, .../api-usage/daily/private-apps, /crm/v3/limits/records, /crm/v3/schemas."""

    def __init__(self, shelf: Shelf, limits: Limits) -> None:
        self.shelf = shelf
        self.limits = limits

    async def details(self, _request: Request) -> Response:
        """Who this account is."""
        return answer(
            {
                "portalId": PORTAL,
                "accountType": "STANDARD",
                "timeZone": "UTC",
                "companyCurrency": "EUR",
                "additionalCurrencies": ["USD", "BRL"],
                "utcOffset": "+00:00",
                "utcOffsetMilliseconds": 0,
                "uiDomain": "app.hubspot.example",
                "dataHostingLocation": "eu1",
            }
        )

    async def schemas(self, _request: Request) -> Response:
        """Custom objects: the key may not read them."""
        raise missing(["crm.schemas.custom.read"])

    async def usage(self, _request: Request) -> Response:
        """How much of the day's calls is used."""
        now = self.shelf.context.clock()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        usage = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self.limits.daily,
            "currentUsage": self.limits.used_today(now),
            "collectedAt": iso(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(midnight),
        }
        return answer({"results": [usage]})

    async def records(self, _request: Request) -> Response:
        """How many records there are of each type: live ones, no lag."""
        shown: list[dict[str, Any]] = []
        for type_ in TYPES.values():
            usage = self.shelf.count(type_.name)
            shown.append(
                {
                    "objectTypeId": type_.type_id,
                    "singularLabel": type_.singular.capitalize(),
                    "pluralLabel": type_.name.capitalize(),
                    "limit": MOST_RECORDS,
                    "usage": usage,
                    "percentage": 100 * usage / MOST_RECORDS,
                }
            )
        custom = {"overallLimit": 500_000, "overallUsage": 0, "overallPercentage": 0.0, "byObjectType": []}
        return answer({"hubspotDefinedObjectTypes": shown, "customObjectTypes": custom})
