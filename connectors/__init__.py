"""How each vendor is read: one folder per vendor on the small shared `base`. The only place that sends HTTP."""

from collections.abc import Mapping
from importlib import import_module

from connectors.base.model import Connector
from errors import ConfigurationError

VENDORS = ("hubspot", "salesforce", "marketo", "tryton")


def connect(vendor: str, credentials: Mapping[str, str]) -> Connector:
    """The connector of `vendor`; its package is imported only now.

    Raises:
        ConfigurationError: no such vendor, or credentials that cannot be used.
    """
    if vendor not in VENDORS:
        raise ConfigurationError(f"There is no vendor {vendor!r}.", remedy=f"Choose one of: {', '.join(VENDORS)}.")
    connector: Connector = import_module(f"connectors.{vendor}").connect(credentials)
    return connector
