"""The fake Marketo over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.contract.marketo.fake import NOW, FakeMarketo, Reply, Request
from tests.support.serving import serving_handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vendor: FakeMarketo

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query, keep_blank_values=True)
        query = {name: ",".join(values) if name == "id" else values[-1] for name, values in given.items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_form = "urlencoded" in self.headers.get("Content-Type", "")
        form = {name: values[-1] for name, values in parse_qs(raw.decode()).items()} if is_form else {}
        body = form or (json.loads(raw) if raw else {})
        headers = dict(self.headers.items())
        self.send(self.vendor.reply(Request(self.command, parts.path, query, body, len(self.path), headers)))

    do_POST = do_GET  # noqa: N815 - the names that http.server calls

    def send(self, reply: Reply) -> None:
        usual = {"Content-Type": "application/json", "Date": f"{NOW:%a, %d %b %Y %H:%M:%S GMT}"}
        headers = {**usual, "Content-Length": str(len(reply.body)), **reply.headers}
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.damage == "reset":
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            return
        for piece in reply.pieces or (reply.body,):
            self.wfile.write(piece)

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@contextmanager
def serving(vendor: FakeMarketo | None = None) -> Iterator[FakeMarketo]:
    vendor = vendor or FakeMarketo()
    with serving_handler(_Handler, vendor=vendor) as vendor.url:
        yield vendor
