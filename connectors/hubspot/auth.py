"""The key of a private app, checked before it is ever sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from requests.auth import AuthBase

from connectors.base.quota import RESERVE, reserve_of
from errors import ConfigurationError, CredentialsError

BASE_URL = "https://api.hubapi.com"
SEARCH_PER_SECOND = 5.0


class BearerAuth(AuthBase):
    """Puts the access token of a private app into each request; never shows it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the Authorization header."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def __repr__(self) -> str:
        return "BearerAuth(...)"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the credentials say.

    auth: the key.
    base_url: where the API is.
    search_per_second: searches that HubSpot allows the account, all its apps together; 0 is no limit.
    time_zone: of the HubSpot account, whose midnight renews the daily quota.
    reserve: share of all limits that is left to the account's other tools.
    """

    auth: BearerAuth = field(repr=False)
    base_url: str = BASE_URL
    search_per_second: float = SEARCH_PER_SECOND
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    reserve: float = RESERVE

    @property
    def account(self) -> str:
        """The app in its account: its limits are its own. A digest, since HubSpot tells its name only to some scopes."""
        return hashlib.blake2b(f"{self.base_url} {self.auth.token}".encode(), digest_size=8).hexdigest()


def settings_from(credentials: Mapping[str, str]) -> Settings:
    """Read `access_token`, `base_url`, `search_per_second`, `time_zone` and `api_reserve`.

    Raises:
        CredentialsError: there is no key, or it cannot be one.
        ConfigurationError: another value cannot be used.
    """
    token = (credentials.get("access_token") or "").strip()
    if not token:
        raise CredentialsError(
            "HubSpot has no access token.", remedy="Put the private app's token into `access_token` of its connection."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError(
            "HubSpot's access token has characters that no token has.",
            remedy="Copy the private app's token again, without quotes, blanks or line breaks.",
        )
    base_url = (credentials.get("base_url") or BASE_URL).strip().rstrip("/")
    if not _is_address(base_url):
        raise ConfigurationError(
            "HubSpot's `base_url` is not a web address.",
            remedy=f"Leave it empty for {BASE_URL}, or give an address.",
        )
    return Settings(
        BearerAuth(token),
        base_url,
        _rate(credentials.get("search_per_second") or ""),
        _zone(credentials.get("time_zone") or "UTC"),
        reserve_of(credentials),
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _rate(text: str) -> float:
    try:
        rate = float(text or SEARCH_PER_SECOND)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < 1000:
        raise ConfigurationError(
            "HubSpot's `search_per_second` is not a rate.", remedy="Give a number such as 5, or 0 for no limit."
        )
    return rate


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    raise ConfigurationError(
        "HubSpot's `time_zone` is not a time zone.", remedy="Give an IANA name such as America/Sao_Paulo."
    )
