"""Where the command line finds vendors' credentials: environment variables. Under Airflow, connections take their place."""

from collections.abc import Mapping

from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigurationError


class VendorSettings(BaseSettings):
    """Credentials of all vendors, from the environment or `.env`; empty: the vendor is not used."""

    model_config = SettingsConfigDict(env_prefix="SMARKETING_", env_file=".env", extra="ignore")

    hubspot_access_token: str = ""
    hubspot_base_url: str = "https://api.hubapi.com"
    hubspot_search_per_second: str = ""
    hubspot_api_reserve: str = ""
    salesforce_login_url: str = "https://login.salesforce.com"
    salesforce_client_id: str = ""
    salesforce_client_secret: str = ""
    salesforce_username: str = ""
    salesforce_private_key: str = ""
    salesforce_api_version: str = ""
    salesforce_bulk_threshold: str = ""
    salesforce_calculated_skip: str = ""
    salesforce_api_reserve: str = ""
    marketo_base_url: str = ""
    marketo_client_id: str = ""
    marketo_client_secret: str = ""
    marketo_calls_per_20_seconds: str = "50"
    marketo_poll_seconds: str = "60"
    marketo_start_date: str = ""
    marketo_api_reserve: str = ""
    tryton_base_url: str = ""
    tryton_database: str = ""
    tryton_key: str = ""


REQUIRED: Mapping[str, tuple[str, ...]] = {
    "hubspot": ("access_token",),
    "salesforce": ("client_id",),
    "marketo": ("base_url", "client_id", "client_secret"),
    "tryton": ("base_url", "database", "key"),
}
"""What must be given for a vendor to be used."""


def from_environment(vendor: str) -> dict[str, str]:
    """The vendor's credentials, without the empty ones.

    Raises:
        ConfigurationError: one that is required is missing; the message names the variables.
    """
    given = _given(vendor)
    if missing := [f"SMARKETING_{vendor}_{name}".upper() for name in REQUIRED[vendor] if name not in given]:
        raise ConfigurationError(
            f"{vendor} is not configured; not set: {', '.join(missing)}.",
            remedy=f"Set this in the environment or in .env; connectors/{vendor}/README.md says where to get it.",
        )
    return given


def configured_vendors() -> list[str]:
    """Vendors whose required credentials are in the environment."""
    return [v for v, names in REQUIRED.items() if all(n in _given(v) for n in names)]


def _given(vendor: str) -> dict[str, str]:
    prefix = f"{vendor}_"
    values = VendorSettings().model_dump()
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix) and value}
