"""What stands before every endpoint: key, scopes, rate limits, length of the URL, log, and faults of refusal.

Faults of the wire (unreachable, 5xx, broken bodies) are `sandbox.transport`'s; those of the content (search_lag,
unsorted_search, partial_batch and the like) are the endpoints'.
"""

import uuid
from collections.abc import Callable
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.context import Context
from sandbox.hubspot.account import PORTAL
from sandbox.hubspot.answers import JSON, ApiError
from sandbox.hubspot.limits import Limits, exceeded
from sandbox.hubspot.scopes import missing, required

LONGEST_TARGET = 16_384
"""Bytes of path and query; beyond it 414. Readers that ask for hundreds of properties meet it."""

RETRY_AFTER = 1
"""Seconds."""

_NAMESPACE = uuid.UUID("6b1f0a52-3c5e-4d0e-9a53-0c7f4f2f7a10")

Refusal = Callable[[list[str]], ApiError]


def _unauthorised(_scopes: list[str] | None = None) -> ApiError:
    return ApiError(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
    )


REFUSALS: dict[str, Refusal] = {
    "hubspot.429": lambda _: exceeded("TEN_SECONDLY_ROLLING", retry_after=RETRY_AFTER),
    "hubspot.429_no_retry_after": lambda _: exceeded("TEN_SECONDLY_ROLLING", retry_after=None),
    "hubspot.429_secondly": lambda _: exceeded("SECONDLY", retry_after=None),
    "hubspot.429_daily": lambda _: exceeded("DAILY", retry_after=None),
    "hubspot.401": _unauthorised,
    "hubspot.missing_scope": lambda scopes: missing(scopes or ["oauth"]),
}
"""fault -> the error that it answers with, given the scopes of the path."""

SEARCHES_ONLY = "hubspot.429_secondly"


class Gate:
    """Wraps the endpoints.

    Args:
        app: the endpoints.
        context: clock, credentials, faults, log, limits.
        limits: counts calls; enforced when `context.limits` is set.
    """

    def __init__(self, app: ASGIApp, context: Context, limits: Limits) -> None:
        self.app = app
        self.context = context
        self.limits = limits
        self._served = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = self.context.clock()
        path: str = scope["path"]
        is_search = path.endswith("/search")
        correlation_id = str(uuid.uuid5(_NAMESPACE, f"{now} {next(self._served)}"))

        status = 500

        async def passing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (b"x-hubspot-correlation-id", correlation_id.encode())]
                if self.context.limits and not is_search:
                    headers += self.limits.headers(now)
                message = {**message, "headers": headers}
            await send(message)

        try:
            self._admit(scope, path, is_search=is_search)
            await self.app(scope, receive, passing)
        except ApiError as error:
            await _refuse(error, correlation_id, passing)
        finally:
            self.context.log.append(now, "hubspot", str(PORTAL), scope["method"], path, status)

    def _admit(self, scope: Scope, path: str, *, is_search: bool) -> None:
        """Let a request in.

        Raises:
            ApiError: 401, 403, 414 or 429.
        """
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
            raise ApiError(414, "REQUEST_TOO_LARGE", "URI Too Long")
        policy = self.limits.count(self.context.clock(), is_search=is_search)
        if policy and self.context.limits:
            raise exceeded(policy, retry_after=None if policy == "DAILY" else RETRY_AFTER)
        scopes = required(path)
        for fault, refusal in REFUSALS.items():
            if (is_search or fault != SEARCHES_ONLY) and self.context.faults.strikes(fault):
                raise refusal(scopes)
        token = self.context.credentials["hubspot_access_token"]
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {token}".encode():
            raise _unauthorised()
        lacking = {s.strip() for s in self.context.credentials.get("hubspot_missing_scopes", "").split(",")}
        if not lacking.isdisjoint(scopes):
            raise missing([scope for scope in scopes if scope in lacking])


async def _refuse(error: ApiError, correlation_id: str, send: Send) -> None:
    headers = [(b"content-type", JSON.encode())]
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error.body(correlation_id)})
