"""Tryton over its REST: parties, sale opportunities, mailing lists and marketing automation. See README.md beside this."""

from collections.abc import Mapping

from connectors.tryton.connector import TrytonConnector
from connectors.tryton.rest import Rest
from connectors.tryton.streams import STREAMS
from errors import ConfigurationError

__all__ = ["KEYS", "STREAMS", "TrytonConnector", "connect"]

KEYS = ("base_url", "database", "key")
"""Credentials: the server's address without the database, the database's name, a user application key of type REST."""


def connect(credentials: Mapping[str, str]) -> TrytonConnector:
    """Make the connector; sends nothing yet.

    Raises:
        ConfigurationError: one of `KEYS` is missing, or the address is none.
    """
    missing = [key for key in KEYS if not credentials.get(key)]
    if missing:
        raise ConfigurationError(
            f"The tryton connection lacks {', '.join(missing)}.",
            remedy="See connectors/tryton/README.md for where to find each.",
        )
    base_url = credentials["base_url"]
    if not base_url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "The tryton connection's base_url is not a web address.", remedy="Write it as https://erp.company.example."
        )
    return TrytonConnector(Rest(base_url, credentials["database"], credentials["key"]))
