"""A HubSpot that only has contacts, rendered once and then served as bytes: for timing readers, not for testing them.

It has what a reader of contacts asks for: list pages of 100, an empty archived list, properties, a search that counts all
contacts and finds none changed, and empty lists of everything else. Any key is accepted, and `properties=` is ignored. With
`limits` it counts calls as HubSpot does, answers 429 to those beyond, and tells at /log how many it answered with which status.

    python -m sandbox.hubspot.recorded --contacts 100000 --port 8080
"""

import argparse
import gzip
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec
import uvicorn
from starlette.types import Receive, Scope, Send

from sandbox.hubspot.contacts import contacts, names
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.properties import CALCULATED, TYPE_OF

PAGE = 100
_LIST = "/crm/v3/objects/contacts"
_EMPTY = b'{"results":[]}'

Header = tuple[bytes, bytes]


class Body(NamedTuple):
    """One body, as it is and compressed."""

    plain: bytes
    packed: bytes


class Recorded:
    """The ASGI app. Serve it with httptools, without access log.

    Args:
        pages: `after` -> body of the list page; the first one is under "".
        count: contacts in all.
        properties: the property names.
        limits: what the account may ask; None: anything.
    """

    def __init__(
        self, pages: dict[str, Body], count: int, properties: Sequence[str], limits: Limits | None = None
    ) -> None:
        self.pages = pages
        self.limits = limits
        self.statuses: Counter[int] = Counter()
        self.count = count
        self.properties = _both(msgspec.json.encode({"results": [_property(name) for name in properties]}))
        self._empty = _both(_EMPTY)
        self._found = _both(msgspec.json.encode({"total": count, "results": []}))
        self._none = _both(b'{"total":0,"results":[]}')

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/log":
            await _send(scope, send, 200, _both(msgspec.json.encode(dict(self.statuses))), [])
            return
        status, body = await self._answer(scope, receive)
        self.statuses[status] += 1
        told = self.limits.headers(datetime.now(UTC)) if self.limits and not _is_search(scope) else []
        await _send(scope, send, status, body, told)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, Body]:
        if self.limits and (broken := self.limits.count(datetime.now(UTC), is_search=_is_search(scope))):
            return 429, _both(msgspec.json.encode({"status": "error", "errorType": "RATE_LIMIT", "policyName": broken}))
        if _is_search(scope):
            return 200, self._none if b'"propertyName"' in await _read(receive) else self._found
        if (body := self._body(scope)) is None:
            return 400, _both(b'{"status":"error","category":"VALIDATION_ERROR","message":"not recorded"}')
        return 200, body

    def _body(self, scope: Scope) -> Body | None:
        path: str = scope["path"]
        if path.startswith("/crm/v3/properties/"):
            return self.properties
        if path != _LIST:
            return self._empty
        query = parse_qs(scope["query_string"].decode())
        if query.get("archived") == ["true"]:
            return self._empty
        if query.get("limit") != [str(PAGE)]:
            return None
        return self.pages.get(query.get("after", [""])[0])


def _is_search(scope: Scope) -> bool:
    return bool(scope["path"].endswith("/search"))


async def _send(scope: Scope, send: Send, status: int, body: Body, more: list[Header]) -> None:
    accepts = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
    headers: list[Header] = [(b"content-type", b"application/json;charset=utf-8"), *more]
    content = body.plain
    if b"gzip" in accepts:
        content = body.packed
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _both(plain: bytes) -> Body:
    return Body(plain, gzip.compress(plain, compresslevel=6, mtime=0))


def _property(name: str) -> dict[str, object]:
    kind, field = TYPE_OF.get(name, ("string", "text"))
    return {
        "name": name,
        "label": name,
        "description": "",
        "groupName": "contactinformation",
        "type": kind,
        "fieldType": field,
        "options": [],
        "calculated": name in CALCULATED,
        "hubspotDefined": not name.startswith("custom_"),
        "archived": False,
    }


def recorded_contacts_app(n: int, properties: int = 40, seed: int = 1, *, limits: Limits | None = None) -> Recorded:
    """The app over `n` contacts; the same arguments give the same bytes.

    100,000 contacts of 40 properties take about 150 MB, plain and compressed, and ten seconds of one core.
    """
    encode = msgspec.json.encode
    pages: dict[str, Body] = {}
    source = contacts(n, properties, seed)
    after = ""
    for shown in range(0, n, PAGE):
        page = list(islice(source, PAGE))
        body = b'{"results":[' + b",".join(map(encode, page)) + b"]"
        here = after
        if shown + PAGE < n:
            after = page[-1]["id"]
            link = f"https://api.hubapi.com{_LIST}?limit={PAGE}&after={after}"
            body += b',"paging":' + encode({"next": {"after": after, "link": link}})
        pages[here] = _both(body + b"}")
    return Recorded(pages or {"": _both(_EMPTY)}, n, names(properties), limits)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--properties", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    app = recorded_contacts_app(args.contacts, args.properties, args.seed)
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
