"""Identity: client credentials for a token that all callers share until it expires.

Source: developer guide of Marketo Engage, "Authentication".

Credentials of the context: `marketo_client_id`, `marketo_client_secret`; `marketo_token_seconds` for how long a token
lasts by the vendor's clock (default 3,600).
"""

import uuid
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.context import Context
from sandbox.marketo.answers import JSON, ApiError

TOKEN_SECONDS = 3_600
API_USER = "integration@smart-demo.example"
_NAMESPACE = uuid.UUID("0b6e7d2a-59a4-4f0e-8b7e-6d1f2c3a4b5c")


class Tokens:
    """The tokens of one custom service: one at a time.

    Args:
        context: clock and credentials.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._token = ""
        self._until: datetime | None = None
        self._expired: set[str] = set()
        self._made = 0

    def check(self, header: str) -> None:
        """Let a bearer in.

        Raises:
            ApiError: 600, no token; 601, not a token; 602, it has expired.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError("600", "Access token not specified")
        self._let_expire()
        if token in self._expired:
            raise ApiError("602", "Access token expired")
        if token != self._token:
            raise ApiError("601", "Access token invalid")

    def revoke(self) -> None:
        """Make the present token one that never was."""
        self._token, self._until = "", None

    def expire(self) -> None:
        """End the present token before its time."""
        self._expired.add(self._token)
        self.revoke()

    def _let_expire(self) -> None:
        if self._until is not None and self.context.clock() >= self._until:
            self.expire()

    async def answer(self, request: Request) -> Response:
        """GET or POST /identity/oauth/token: the present token with what is left of it, or a new one."""
        given = {**dict(request.query_params), **dict(parse_qsl((await request.body()).decode()))}
        known = self.context.credentials
        if given.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "Unsupported grant type")
        if given.get("client_id") != known.get("marketo_client_id"):
            return _refused(401, "invalid_client", "No client with requested id")
        secret = given.get("client_secret")
        if not secret or secret != known.get("marketo_client_secret"):
            return _refused(401, "invalid_client", "Bad client credentials")
        self._let_expire()
        now = self.context.clock()
        if self._until is None:
            self._made += 1
            seconds = float(known.get("marketo_token_seconds", TOKEN_SECONDS))
            self._token = f"{uuid.uuid5(_NAMESPACE, f'{now.isoformat()} {self._made}')}:ab"
            self._until = now + timedelta(seconds=seconds)
        left = max(0, int((self._until - now).total_seconds()) - 1)
        body = {"access_token": self._token, "token_type": "bearer", "expires_in": left, "scope": API_USER}
        return Response(msgspec.json.encode(body), media_type=JSON, headers={"cache-control": "no-store"})


def _refused(status: int, error: str, description: str) -> Response:
    body = {"error": error, "error_description": description}
    return Response(msgspec.json.encode(body), status, media_type=JSON)
