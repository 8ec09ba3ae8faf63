"""OAuth 2.0 at /services/oauth2/token: client credentials, JWT bearer, password and refresh token flows, and their sessions.

Credentials of the context: `salesforce_client_id`, `salesforce_client_secret`; `salesforce_username` and
`salesforce_public_key` (PEM) for JWT bearer; `salesforce_username` and `salesforce_password` for the password flow;
`salesforce_refresh_token` for the refresh token flow, which gives no new one (rotation is off, as it is by default);
`salesforce_session_seconds` for how long a session lasts (default 7,200). A session ends that long after its login.
"""

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import Request
from starlette.responses import Response

from sandbox.context import Context
from sandbox.salesforce.errors import JSON
from sandbox.salesforce.org import ORG_ID, USER_ID

SESSION_SECONDS = 7200
ASSERTION_AHEAD = timedelta(minutes=5)
"""How far in the future an assertion may expire."""

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class OAuthError(Exception):
    """A refused login: RFC 6749's error and Salesforce's description."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class Sessions:
    """Open sessions, by access token.

    Args:
        context: clock and credentials.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._until: dict[str, datetime] = {}
        self._opened = 0

    def holds(self, token: str) -> bool:
        """Whether the token is of an open session."""
        until = self._until.get(token)
        return until is not None and self.context.clock() < until

    def end(self, token: str) -> None:
        """End a session before its time."""
        self._until.pop(token, None)

    def open(self) -> str:
        """Open a session; its access token."""
        self._opened += 1
        now = self.context.clock()
        digest = hashlib.blake2b(f"{self._opened} {now.isoformat()}".encode(), digest_size=48).digest()
        token = f"{ORG_ID[:15]}!{base64.urlsafe_b64encode(digest).decode().replace('-', '.')}"
        seconds = float(self.context.credentials.get("salesforce_session_seconds", SESSION_SECONDS))
        self._until[token] = now + timedelta(seconds=seconds)
        return token

    async def answer(self, request: Request) -> Response:
        """POST /services/oauth2/token."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            self._check(request, form)
        except OAuthError as error:
            body = {"error": error.error, "error_description": error.description}
            return Response(msgspec.json.encode(body), error.status, media_type=JSON)
        token, now = self.open(), self.context.clock()
        base = str(request.base_url).rstrip("/")
        body = {
            "access_token": token,
            "signature": base64.b64encode(hashlib.sha256(token.encode()).digest()).decode(),
            "scope": "api",
            "instance_url": base,
            "id": f"{base}/id/{ORG_ID}/{USER_ID}",
            "token_type": "Bearer",
            "issued_at": str(int(now.timestamp() * 1000)),
        }
        return Response(msgspec.json.encode(body), media_type=JSON, headers={"cache-control": "no-cache, no-store"})

    def _check(self, request: Request, form: dict[str, str]) -> None:
        match form.get("grant_type"):
            case "client_credentials":
                self._check_client(request, form)
            case "password":
                self._check_client(request, form)
                self._check_password(form)
            case "refresh_token":
                self._check_client(request, form)
                self._check_refresh_token(form)
            case str(grant) if grant == JWT_BEARER:
                self._check_assertion(form.get("assertion", ""), str(request.base_url).rstrip("/"))
            case _:
                raise OAuthError("unsupported_grant_type", "grant type not supported")

    def _check_client(self, request: Request, form: dict[str, str]) -> None:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise OAuthError("invalid_client", "invalid client credentials", 401) from None
        if client != self.context.credentials.get("salesforce_client_id"):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not secret or secret != self.context.credentials.get("salesforce_client_secret"):
            raise OAuthError("invalid_client", "invalid client credentials", 401)

    def _check_password(self, form: dict[str, str]) -> None:
        known = self.context.credentials
        given = (form.get("username"), form.get("password"))
        if None in given or given != (known.get("salesforce_username"), known.get("salesforce_password")):
            raise OAuthError("invalid_grant", "authentication failure")

    def _check_refresh_token(self, form: dict[str, str]) -> None:
        given = form.get("refresh_token")
        if given is None or given != self.context.credentials.get("salesforce_refresh_token"):
            raise OAuthError("invalid_grant", "expired access/refresh token")

    def _check_assertion(self, assertion: str, base: str) -> None:
        known = self.context.credentials
        claims = _verified(assertion, known.get("salesforce_public_key", ""))
        if claims.get("iss") != known.get("salesforce_client_id"):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if claims.get("sub") != known.get("salesforce_username"):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        audience = str(claims.get("aud", "")).rstrip("/")
        if audience != base and not (audience.startswith("https://") and audience.endswith(".salesforce.com")):
            raise OAuthError("invalid_grant", "audience is invalid")
        try:
            expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise OAuthError("invalid_grant", "assertion has no expiry") from None
        if not self.context.clock() < expires <= self.context.clock() + ASSERTION_AHEAD:
            raise OAuthError("invalid_grant", "assertion expired")


def _verified(assertion: str, pem: str) -> dict[str, Any]:
    """The claims of a JWT that the key signed with RS256."""
    try:
        key = load_pem_public_key(pem.encode())
        head, body, signature = (base64.urlsafe_b64decode(part + "==") for part in assertion.split("."))
        if not isinstance(key, RSAPublicKey) or msgspec.json.decode(head)["alg"] != "RS256":
            raise OAuthError("invalid_grant", "invalid assertion")
        signed = assertion.rpartition(".")[0]
        key.verify(signature, signed.encode(), PKCS1v15(), SHA256())
        claims = msgspec.json.decode(body)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if not isinstance(claims, dict):
        raise OAuthError("invalid_grant", "invalid assertion")
    return claims
