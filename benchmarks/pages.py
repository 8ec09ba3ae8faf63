"""Serves the sandbox's recorded HubSpot contacts from a process of its own, on a free port.

    python -m benchmarks.pages 100000 [--properties 40] [--limits]

prints one line of JSON, `{"url": ...}`, when requests are answered, and serves until it is ended.
"""

import argparse
import gc
import json
import socket
import sys

import uvicorn

from sandbox.hubspot.limits import Limits
from sandbox.hubspot.recorded import recorded_contacts_app


class _Server(uvicorn.Server):
    """Tells where it listens as soon as it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        sys.stdout.write(json.dumps({"url": f"http://{host}:{port}"}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Make the pages, then serve them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", type=int)
    parser.add_argument("--properties", type=int, default=40)
    parser.add_argument("--limits", action="store_true", help="count calls as HubSpot does, and answer 429 beyond")
    args = parser.parse_args()
    app = recorded_contacts_app(args.contacts, args.properties, limits=Limits() if args.limits else None)
    gc.freeze()
    # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
    listening = socket.socket(proto=socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", http="httptools")
    _Server(config).run([listening])


if __name__ == "__main__":
    main()
