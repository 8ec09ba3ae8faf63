"""What stands before every endpoint: lengths, token, limits, the log, POST with `_method=GET`, and faults of refusal.

Faults: `marketo.601` makes the present token unknown, `marketo.602` expires it; `marketo.604`, `606`, `607`, `608`, `615`
answer so; `marketo.502` is an HTTP 502. `marketo.1029` and those of files are the bulk extract's, `marketo.empty_page` the
activities', `marketo.missing_field` the instance's, those of fields that come and go `sandbox.drift`'s. Those of the wire are
`sandbox.transport`'s.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.context import Context
from sandbox.marketo.answers import JSON, REQUEST_ID, ApiError, HttpError
from sandbox.marketo.auth import Tokens
from sandbox.marketo.limits import UNCOUNTED, Limits, too_fast, too_many_at_once, used_up

LONGEST_TARGET = 8_192
"""Bytes of path and query of a GET; beyond it 414."""

LARGEST_BODY = 1 << 20
"""Bytes; beyond it 413."""

MUNCHKIN_ID = "123-SND-456"
IDENTITY = "/identity/oauth/token"
_FORM = b"application/x-www-form-urlencoded"

REFUSALS: dict[str, Callable[[], ApiError]] = {
    "marketo.604": lambda: ApiError("604", "Request timed out"),
    "marketo.606": too_fast,
    "marketo.607": used_up,
    "marketo.608": lambda: ApiError("608", "API Temporarily Unavailable"),
    "marketo.615": too_many_at_once,
}
"""fault -> the error that it answers with."""


class Gate:
    """Wraps the endpoints.

    Args:
        app: the endpoints.
        context: clock, faults, log; `context.limits` says whether limits are enforced.
        tokens: who may come in.
        limits: counts calls.
    """

    def __init__(self, app: ASGIApp, context: Context, tokens: Tokens, limits: Limits) -> None:
        self.app = app
        self.context = context
        self.tokens = tokens
        self.limits = limits
        self._served = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = self.context.clock()
        scope[REQUEST_ID] = f"{next(self._served):x}#{int(now.timestamp() * 1000):x}"
        status = 500

        async def passing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, passing)
        except ApiError as error:
            if error.code not in UNCOUNTED:
                self.limits.note_error(now, error.code)
            await Response(error.body(scope[REQUEST_ID]), media_type=JSON)(scope, receive, passing)
        except HttpError as error:
            await Response(error.text, error.status, media_type="text/plain")(scope, receive, passing)
        finally:
            self.context.log.append(now, "marketo", MUNCHKIN_ID, scope["method"], scope["path"], status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.context.faults.strikes("marketo.502"):
            raise HttpError(502, "Bad Gateway")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) + 1 > LONGEST_TARGET:
            raise HttpError(414, "Request-URI Too Long")
        headers = dict(scope["headers"])
        if int(headers.get(b"content-length", b"0")) > LARGEST_BODY:
            raise HttpError(413, "Request Entity Too Large")
        if scope["path"] == IDENTITY:
            answer = await self.tokens.answer(Request(scope, receive))
            await answer(scope, receive, send)
            return
        self._admit(headers.get(b"authorization", b"").decode("latin-1"))
        self.limits.running += 1
        try:
            if self.context.limits:
                await asyncio.sleep(self.limits.latency)
            await self.app(*await _overridden(scope, receive), send)
        finally:
            self.limits.running -= 1

    def _admit(self, header: str) -> None:
        """Let a request in.

        Raises:
            ApiError: 600 to 602, 604, 606 to 608, 615.
        """
        if self.context.faults.strikes("marketo.601"):
            self.tokens.revoke()
        if self.context.faults.strikes("marketo.602"):
            self.tokens.expire()
        self.tokens.check(header)
        for fault, refusal in REFUSALS.items():
            if self.context.faults.strikes(fault):
                raise refusal()
        self.limits.admit(self.context.clock(), enforced=self.context.limits)


async def _overridden(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """A POST with `_method=GET` as the GET that it stands for: a form becomes query, JSON stays the body."""
    is_form = dict(scope["headers"]).get(b"content-type", b"").startswith(_FORM)
    asks = (b"_method", b"GET") in parse_qsl(scope["query_string"])
    if scope["method"] != "POST" or not (is_form or asks):
        return scope, receive
    body = await Request(scope, receive).body()
    if not asks and (b"_method", b"GET") not in parse_qsl(body):
        return scope, _replay(body)
    if dict(scope["headers"]).get(b"content-type", b"").startswith(b"application/json"):
        return {**scope, "method": "GET"}, _replay(body)
    query = b"&".join(part for part in (scope["query_string"], body) if part)
    return {**scope, "method": "GET", "query_string": query}, _replay(b"")


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:  # ASGI's form
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
