"""What `smarketing doctor` asks of HubSpot: the key, one probe for each scope, the clock."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from connectors.base.model import Check
from connectors.hubspot.api import Api
from errors import CredentialsError, ScopeError, SmarketingError

TOLERANCE = timedelta(minutes=5)


class Probe(NamedTuple):
    """A request that succeeds only with its scopes."""

    scopes: str
    path: str
    params: dict[str, str | int]
    needed_for: str


PROBES = (
    Probe("crm.objects.contacts.read", "/crm/v3/objects/contacts", {"limit": 1}, "contacts and activities"),
    Probe("crm.objects.companies.read", "/crm/v3/objects/companies", {"limit": 1}, "companies"),
    Probe("crm.objects.deals.read", "/crm/v3/objects/deals", {"limit": 1}, "deals and pipelines"),
    Probe("crm.objects.owners.read", "/crm/v3/owners", {"limit": 1}, "owners"),
    Probe(
        "crm.schemas.contacts.read",
        "/crm/v3/properties/contacts",
        {"archived": "false"},
        "custom fields of contacts",
    ),
    Probe(
        "crm.schemas.companies.read",
        "/crm/v3/properties/companies",
        {"archived": "false"},
        "custom fields of companies",
    ),
    Probe("crm.schemas.deals.read", "/crm/v3/properties/deals", {"archived": "false"}, "custom fields of deals"),
    Probe("sales-email-read", "/crm/v3/objects/emails", {"limit": 1}, "sales e-mails"),
    Probe("forms", "/marketing/v3/forms", {"limit": 1}, "forms and submissions"),
    Probe("content", "/email/public/v1/events", {"limit": 1}, "marketing e-mail events"),
    Probe("marketing.campaigns.read", "/marketing/v3/campaigns", {"limit": 1}, "campaigns"),
)


def check(api: Api) -> list[Check]:
    """One line each for key, scopes and clock; stops at the key if that is refused, or if HubSpot does not answer."""
    lines: list[Check] = []
    for probe in PROBES:
        try:
            api.ask(probe.path, dict[str, msgspec.Raw], params=probe.params)
        except ScopeError:
            lines.append(
                Check(
                    f"scope {probe.scopes}",
                    is_ok=False,
                    message=f"The key may not read {probe.needed_for}.",
                    remedy=f"Add the scope {probe.scopes} to the private app (Settings, Integrations, Private Apps).",
                )
            )
        except CredentialsError as error:
            return [Check("key", is_ok=False, message=error.message, remedy=error.remedy)]
        except SmarketingError as error:
            lines.append(Check(f"scope {probe.scopes}", is_ok=False, message=error.message, remedy=error.remedy))
            if not api.session.has_clock:
                return lines
        else:
            lines.append(Check(f"scope {probe.scopes}", is_ok=True, message=f"May read {probe.needed_for}."))
    key = Check("key", is_ok=True, message="HubSpot accepts the key.")
    return [key, *lines, _clock(api)]


def _clock(api: Api) -> Check:
    """A difference is told but is no failure: windows and versions follow HubSpot's clock, not ours."""
    apart = abs(api.now() - datetime.now(UTC))
    if apart > TOLERANCE:
        return Check(
            "clock",
            is_ok=True,
            message=f"HubSpot's clock is {apart.total_seconds() / 60:.0f} minutes from ours; windows follow HubSpot's.",
            remedy="Set this machine's clock, so that schedules and windows speak of the same time.",
        )
    return Check("clock", is_ok=True, message=f"HubSpot's clock is {apart.total_seconds():.0f} s from ours.")
