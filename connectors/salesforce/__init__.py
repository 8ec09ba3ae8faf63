"""Salesforce: leads, contacts, accounts, opportunities, campaigns, activities and history, over REST and Bulk 2.0."""

from collections.abc import Mapping

from connectors.base.model import Connector
from connectors.base.quota import reserve_of
from connectors.salesforce.streams import STREAMS
from errors import ConfigurationError

__all__ = ["API_VERSION", "STREAMS", "connect"]

API_VERSION = "66.0"
"""Spring '26. Versions live at least three years; resultPages and the column order of Bulk CSV need 58 or newer."""

BULK_THRESHOLD = 20_000
"""Below this REST is faster: a Bulk job takes 5 to 60 seconds to start, ten REST pages about as long."""


def connect(credentials: Mapping[str, str]) -> Connector:
    """A connector for one org. Nothing is sent until it is used.

    Args:
        credentials: `client_id` and either `client_secret` (client credentials; `login_url` must be the org's My
            Domain) or `username` and `private_key` (PEM; JWT bearer). Optional: `login_url`, `audience` of the JWT,
            `api_version`, `bulk_threshold` in rows, `api_reserve` as a share of the daily calls, `calculated_skip`: formulas
            that are not compared, as "Lead.Age__c Account.Age__c".

    Raises:
        ConfigurationError: a key is missing or not a number.
    """
    # Here, so that DAG files, which need the declarations alone, load no HTTP: half a second.
    from connectors.salesforce.auth import DEFAULT_LOGIN, SalesforceAuth, grant_of, login_session  # noqa: PLC0415
    from connectors.salesforce.bulk import Bulk  # noqa: PLC0415
    from connectors.salesforce.client import Client  # noqa: PLC0415
    from connectors.salesforce.connector import Salesforce  # noqa: PLC0415
    from connectors.salesforce.reading import Reader  # noqa: PLC0415

    login = login_session(credentials.get("login_url") or DEFAULT_LOGIN)
    auth = SalesforceAuth(login, grant_of(credentials, login))
    version = f"{_number(credentials, 'api_version', float(API_VERSION)):.1f}"
    threshold = int(_number(credentials, "bulk_threshold", BULK_THRESHOLD))
    client = Client(auth, version, reserve=reserve_of(credentials))
    skip = frozenset(credentials.get("calculated_skip", "").replace(",", " ").split())
    return Salesforce(client, Reader(client, Bulk(client), threshold), skip=skip)


def _number(credentials: Mapping[str, str], key: str, default: float) -> float:
    text = credentials.get(key) or str(default)
    try:
        value = float(text.removeprefix("v"))
    except ValueError:
        value = -1.0
    if value < 0:
        raise ConfigurationError(
            f"{key} of the salesforce connection is not a number.", remedy=f"Set it to a number such as {default:g}."
        )
    return value
