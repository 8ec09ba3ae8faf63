"""Start a sandbox: control endpoint, HubSpot, Salesforce and Marketo over one world, each on its own port of one process.

`python -m sandbox.serve --port 8100 --seed 1 --people 10000` prints one line of JSON with the addresses and credentials when
all four answer. Tests use `running_sandbox` in their own process, on free ports.
"""

import argparse
import asyncio
import gc
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Any, Self

import uvicorn

from sandbox.context import Context
from sandbox.control import create_control
from sandbox.faults import rates_of, switch
from sandbox.hubspot.app import create_app as create_hubspot
from sandbox.marketo.app import create_app as create_marketo
from sandbox.salesforce.app import create_app as create_salesforce
from sandbox.world import World

APPS = ("control", "hubspot", "salesforce", "marketo")
"""What is served, in the order of the ports."""

START_SECONDS = 30
TICK_SECONDS = 0.2
"""How often a world whose clock runs plays what has come due."""


class _Server(uvicorn.Server):
    """One app in a thread of its own, on a socket that is bound already."""

    def __init__(self, app: Any, host: str, port: int, *, date_header: bool) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                log_level="warning",
                date_header=date_header,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=5,
            )
        )
        # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
        self.socket = socket.socket(proto=socket.IPPROTO_TCP)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve([self.socket])), daemon=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell when requests are answered."""
        await super().startup(sockets)
        self.ready.set()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 # compared, not bound

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.should_exit = True
        if self.thread.ident is not None:
            self.thread.join(START_SECONDS)
        self.socket.close()


class Sandbox:
    """A running sandbox, as a context manager.

    Args:
        seed: of the world.
        people: of the world.
        port: control listens here, HubSpot, Salesforce and Marketo on the next three; 0: four free ports.
        host: address to listen on.
        limits: whether the vendors' rate limits are enforced.
        history_days: length of the world's past.
        faults: what to switch on once the past is made, such as `all` or `hubspot.429=0.1`; see `sandbox.faults`.

    Raises:
        OSError: a port is taken.
        ValueError: there is no such fault.
    """

    def __init__(  # each has its default
        self,
        *,
        seed: int = 1,
        people: int = 1_000,
        port: int = 0,
        host: str = "127.0.0.1",
        limits: bool = False,
        history_days: int = 365,
        faults: str = "",
    ) -> None:
        rates_of(faults)  # before the world is made, which takes a while
        self.credentials = {
            "hubspot_access_token": f"pat-sandbox-{seed}",
            "salesforce_client_id": f"sandbox-client-{seed}",
            "salesforce_client_secret": f"sandbox-secret-{seed}",
            "salesforce_username": "integration@smart-demo.example",
            "salesforce_password": f"sandbox-password-{seed}",
            "salesforce_refresh_token": f"sandbox-refresh-token-{seed}",
            "marketo_client_id": f"sandbox-marketo-client-{seed}",
            "marketo_client_secret": f"sandbox-marketo-secret-{seed}",
        }
        self.context = Context(credentials=dict(self.credentials), limits=limits)
        self._servers: dict[str, _Server] = {}
        ports = [port + i if port else 0 for i in range(len(APPS))]
        try:
            # The ports first: that one is taken should be known before the world is made.
            for name, number in zip(APPS, ports, strict=True):
                self._servers[name] = _Server(None, host, number, date_header=name == "control")
            self.world = World(seed, people, history_days=history_days, context=self.context)
            for store in (self.world.hubspot, self.world.salesforce, self.world.marketo):
                store.index()
            switch(self.context.faults, faults, seed=seed)
        except BaseException:
            self.close()
            raise
        apps: dict[str, Any] = {
            "control": create_control(self.world, self.addresses),
            "hubspot": create_hubspot(self.world.hubspot, self.context),
            "salesforce": create_salesforce(self.world.salesforce, self.context),
            "marketo": create_marketo(self.world.marketo, self.context),
        }
        for name, app in apps.items():
            self._servers[name].config.app = app

    def __enter__(self) -> Self:
        """Start serving; returns when all four answer."""
        for server in self._servers.values():
            server.thread.start()
        for name, server in self._servers.items():
            if not server.ready.wait(START_SECONDS):
                self.close()
                raise TimeoutError(f"the sandbox's {name} did not start within {START_SECONDS} s")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.close()

    def close(self) -> None:
        """Stop all servers."""
        for server in self._servers.values():
            server.stop()

    def addresses(self) -> dict[str, str]:
        """Name of each app -> its address."""
        return {name: server.url for name, server in self._servers.items()}

    @property
    def control_url(self) -> str:
        """Where the control endpoint is."""
        return self._servers["control"].url

    @property
    def hubspot_url(self) -> str:
        """Where HubSpot is."""
        return self._servers["hubspot"].url

    @property
    def salesforce_url(self) -> str:
        """Where Salesforce is, login and data alike."""
        return self._servers["salesforce"].url

    @property
    def marketo_url(self) -> str:
        """Where Marketo is: the bare host, identity and all APIs alike."""
        return self._servers["marketo"].url

    @property
    def today(self) -> str:
        """The world's now, ISO 8601 with offset."""
        return self.world.now().isoformat()

    def advance(self, days: float = 1) -> datetime:
        """Play further days; returns the new now."""
        return self.world.advance(days)

    def describe(self) -> dict[str, Any]:
        """Addresses and credentials, as `serve` prints them."""
        return {
            **self.addresses(),
            "credentials": self.credentials,
            "seed": self.world.seed,
            "people": self.world.people,
            "today": self.today,
        }


@contextmanager
def running_sandbox(*, seed: int = 1, people: int = 1_000, **more: Any) -> Iterator[Sandbox]:
    """A sandbox in this process, on free ports, for the time of a `with` block."""
    with Sandbox(seed=seed, people=people, **more) as box:
        yield box


def serve(  # each is an option of the command
    port: int = 8100,
    seed: int = 1,
    people: int = 10_000,
    days: int = 0,
    *,
    host: str = "127.0.0.1",
    limits: bool = False,
    faults: str = "",
) -> None:
    """Serve until SIGINT or SIGTERM; prints one line of JSON when ready.

    Args:
        port: of control; HubSpot, Salesforce and Marketo follow on the next three; 0: free ports.
        seed: of the world.
        people: of the world.
        days: to advance before serving.
        host: address to listen on.
        limits: whether the vendors' rate limits are enforced.
        faults: what to switch on; see `sandbox.faults`.

    Raises:
        OSError: a port is taken.
        ValueError: there is no such fault.
    """
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    box = Sandbox(seed=seed, people=people, port=port, host=host, limits=limits, faults=faults)
    box.advance(days)
    gc.collect()
    gc.set_threshold(50_000, 20, 100)  # answers are thousands of objects without cycles: a tenth of their time
    gc.freeze()  # what the world holds stays; looking through it at each full collection takes seconds
    with box:
        sys.stdout.write(json.dumps(box.describe()) + "\n")
        sys.stdout.flush()
        while not stop.wait(TICK_SECONDS):
            box.world.tick()


def main() -> None:
    """`python -m sandbox.serve`."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--faults", default="")
    given = parser.parse_args()
    serve(given.port, given.seed, given.people, given.days, host=given.host, limits=given.limits, faults=given.faults)


if __name__ == "__main__":
    main()
