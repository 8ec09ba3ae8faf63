"""Vendors of tests served over real HTTP, in a thread: ASGI apps, and fakes of the standard library's handlers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn


class Server(uvicorn.Server):
    """uvicorn in a thread, on a port that it picks."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="critical", date_header=False, server_header=False, lifespan="off")
        )
        # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
        self.socket = socket.socket(proto=socket.IPPROTO_TCP)
        self.socket.bind(("127.0.0.1", 0))
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve([self.socket])))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an app for the time of a `with` block; gives its address."""
    server = Server(app)
    server.thread.start()
    assert server.ready.wait(20)
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.thread.join(20)
        server.socket.close()


@contextmanager
def serving_handler(handler: type[BaseHTTPRequestHandler], **attributes: object) -> Iterator[str]:
    """Serve a handler, with these attributes of its class, for the time of a `with` block; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), attributes))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
