"""The key of a custom service: client credentials that become a token, which Marketo gives to all callers until it ends."""

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import msgspec
import requests
from requests.auth import AuthBase

from connectors.base.outcome import Outcome, Table
from connectors.base.quota import RESERVE, reserve_of
from connectors.base.session import Session
from errors import AnswerError, ConfigurationError, CredentialsError

TOKEN_PATH = "/identity/oauth/token"  # noqa: S105 - an address, not a secret
CALLS, MOST_CALLS = 50, 100
"""In 20 seconds: what Adobe asks each integration to keep to, and what the whole instance has."""

UNDER_WAY = 5
"""At the same time, of ten that the instance has."""

DAMAGED_TRIES = 5
"""Times that an answer is asked for whose body cannot be read."""

POLL_SECONDS = 60.0
"""Marketo renews the status of a job once a minute."""

_REFUSED: Table = {(400, ""): Outcome.CREDENTIALS, (401, ""): Outcome.CREDENTIALS, (403, ""): Outcome.CREDENTIALS}


def _tells_no_key(record: logging.LogRecord) -> bool:
    """The key stands in the query of a token's request, as Adobe documents it, and urllib3 logs queries when it debugs."""
    return TOKEN_PATH not in record.getMessage()


logging.getLogger("urllib3.connectionpool").addFilter(_tells_no_key)


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the credentials say.

    calls: that all tasks together may send in 20 seconds; 0 is no limit.
    reserve: share of that which is left over.
    start: no lead and no activity is older; None: found by asking.
    """

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    calls: int = CALLS
    poll_seconds: float = POLL_SECONDS
    start: datetime | None = None
    reserve: float = RESERVE


def settings_from(credentials: Mapping[str, str]) -> Settings:
    """Read `base_url`, `client_id`, `client_secret`, `calls_per_20_seconds`, `poll_seconds`, `start_date` and `api_reserve`.

    Raises:
        ConfigurationError: one is missing or cannot be used.
    """
    base_url = (credentials.get("base_url") or "").strip().rstrip("/").removesuffix("/rest").removesuffix("/identity")
    client_id = (credentials.get("client_id") or "").strip()
    secret = (credentials.get("client_secret") or "").strip()
    if not base_url or not client_id or not secret:
        raise ConfigurationError(
            "The marketo connection needs base_url, client_id and client_secret.",
            remedy="Set them as in connectors/marketo/README.md, then run `smarketing doctor`.",
        )
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            "The marketo connection's base_url is not a web address.",
            remedy="Give the instance's own, as https://123-ABC-456.mktorest.com.",
        )
    return Settings(
        base_url,
        client_id,
        secret,
        int(_number(credentials, "calls_per_20_seconds", CALLS, MOST_CALLS)),
        _number(credentials, "poll_seconds", POLL_SECONDS, 3600),
        _day(credentials.get("start_date") or ""),
        reserve_of(credentials),
    )


def _number(credentials: Mapping[str, str], key: str, default: float, most: float) -> float:
    try:
        value = float(credentials.get(key) or default)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ConfigurationError(
            f"{key} of the marketo connection is not a number from 0 to {most:g}.",
            remedy=f"Leave it empty for {default:g}.",
        )
    return value


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ConfigurationError(
            "start_date of the marketo connection is not a day.", remedy="Write it as 2019-03-01, or leave it empty."
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class MarketoAuth(AuthBase):
    """Puts the current token on requests; never shows it. One token serves all threads until it ends.

    Args:
        settings: address and key.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = Session("marketo", settings.base_url, outcomes=_REFUSED)
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0
        self._used = threading.local()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the Authorization header; asks for a token where there is none or it has ended."""
        with self._lock:
            if not self._token or time.monotonic() > self._ends:
                self._fetch()
            token = self._used.token = self._token
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    def refresh(self) -> None:
        """Get a new token after a 601 or 602, unless another thread has done so since this one's last request."""
        with self._lock:
            if self._token == getattr(self._used, "token", ""):
                self._fetch()

    def __repr__(self) -> str:
        return "MarketoAuth(...)"

    def _fetch(self) -> None:
        given = self._settings
        query = {
            "grant_type": "client_credentials",
            "client_id": given.client_id,
            "client_secret": given.client_secret,
        }
        try:
            token = self._asked(query)
        except CredentialsError:
            raise CredentialsError(
                "Marketo refuses the client id or secret.",
                remedy="Copy both again from Admin, Integration, LaunchPoint, View Details; base_url must be of the same instance.",
            ) from None
        self._token, self._ends = token.access_token, time.monotonic() + token.expires_in

    def _asked(self, query: Mapping[str, str]) -> _Token:
        """The answer to a request for a token; a damaged one is asked for again."""
        for _ in range(DAMAGED_TRIES):
            response = self._session.get(TOKEN_PATH, params=query)
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(response.content, type=_Token)
        raise AnswerError(
            "Marketo's token answer cannot be read.", remedy="Check base_url, and proxies between here and Marketo."
        )
