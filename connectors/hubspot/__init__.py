"""HubSpot: contacts, companies, deals, activities, forms, marketing e-mail, campaigns, their links. See README.md."""

from collections.abc import Mapping

from connectors.base.model import Connector
from connectors.hubspot.auth import settings_from
from connectors.hubspot.connector import HubSpot

__all__ = ["connect"]


def connect(credentials: Mapping[str, str]) -> Connector:
    """A connector to the account of a private app.

    Args:
        credentials: `access_token`; optional `base_url` (https://api.hubapi.com), `search_per_second` (5; 0 is no
            limit), `time_zone` of the account (UTC), whose midnight renews the daily quota, and `api_reserve`, the share
            of all limits that is left to the account's other tools (0.05).

    Raises:
        CredentialsError: no token, or one that cannot be one.
        ConfigurationError: another value cannot be used.
    """
    return HubSpot(settings_from(credentials))
