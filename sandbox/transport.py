"""The wire between a vendor's app and its client: the vendor's clock, compression, and everything that breaks underway.

`Transport` is the outermost layer of a vendor's ASGI app. Faults, each named `<vendor>.<fault>`:

    unreachable     the connection closes without an answer
    5xx             the vendor's server error instead of an answer
    malformed_json  a JSON body that stops in the middle, though the lengths agree
    reset_mid_body  the connection breaks after half of the body
    truncated_gzip  a compressed body without its end
    slow_drip       the body in small pieces with pauses

The `Date` header is the vendor's clock: start uvicorn with `date_header=False`, or it adds the machine's own beside it.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from sandbox.context import Context

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

WORTH_COMPRESSING = 1400
"""Bytes; a smaller body fits one packet anyway."""

DRIP_PIECES = 20
DRIP_PAUSE = 0.05
"""Seconds; twenty pauses make about one second for a body of any size."""


class Answer(NamedTuple):
    """One whole answer: status, headers without length, date and encoding, body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Transport:
    """Sends whole answers of `app` over a wire that can break.

    Args:
        app: the vendor's app; each of its answers is held until it is whole.
        context: clock and faults.
        vendor: first part of the fault names.
        unavailable: the vendor's form of a server error.
    """

    def __init__(self, app: ASGIApp, context: Context, vendor: str, *, unavailable: Callable[[], Answer]) -> None:
        self.app = app
        self.context = context
        self.vendor = vendor
        self.unavailable = unavailable

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._strikes("unreachable"):
            _hang_up(send)
            return
        if self._strikes("5xx"):
            answer = self.unavailable()
        else:
            answer = await _collect(self.app, scope, receive)
        await self._send(answer, send, accepts_gzip=_accepts_gzip(scope))

    def _strikes(self, fault: str) -> bool:
        return self.context.faults.strikes(f"{self.vendor}.{fault}")

    async def _send(self, answer: Answer, send: Send, *, accepts_gzip: bool) -> None:
        headers, body = list(answer.headers), answer.body
        is_json = any(k == b"content-type" and b"json" in v for k, v in headers)
        usable = answer.status < 300 and len(body) > 1  # errors arrive whole
        if usable and is_json and self._strikes("malformed_json"):
            body = body[: len(body) // 2]
        truncated = usable and self._strikes("truncated_gzip")
        whole = answer.status != HTTPStatus.PARTIAL_CONTENT  # a range is one of the bytes themselves
        if truncated or (accepts_gzip and whole and len(body) >= WORTH_COMPRESSING):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        if truncated:
            body = body[: len(body) // 2]
        headers.append((b"date", format_datetime(self.context.clock(), usegmt=True).encode()))
        if answer.status not in {204, 304}:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if usable and self._strikes("reset_mid_body"):
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            _hang_up(send)
        elif usable and self._strikes("slow_drip"):
            await _drip(body, send)
        else:
            await send({"type": "http.response.body", "body": body})


async def _collect(app: ASGIApp, scope: MutableMapping[str, Any], receive: Receive) -> Answer:
    start: Message = {}
    pieces: list[bytes] = []

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))

    await app(scope, receive, hold)
    headers = [(k, v) for k, v in start["headers"] if k not in {b"content-length", b"date"}]
    return Answer(start["status"], headers, b"".join(pieces))


async def _drip(body: bytes, send: Send) -> None:
    step = max(1, -(-len(body) // DRIP_PIECES))
    for at in range(0, len(body), step):
        await send({"type": "http.response.body", "body": body[at : at + step], "more_body": True})
        await asyncio.sleep(DRIP_PAUSE)
    await send({"type": "http.response.body", "body": b""})


def _hang_up(send: Send) -> None:
    """Close the connection as a broken network would; ASGI has no word for it, so uvicorn's own transport is used."""
    connection = getattr(getattr(send, "__self__", None), "transport", None)
    if connection is None:
        raise ConnectionResetError
    connection.close()


def _accepts_gzip(scope: MutableMapping[str, Any]) -> bool:
    return any(k == b"accept-encoding" and b"gzip" in v for k, v in scope["headers"])
