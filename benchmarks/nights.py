"""Nights on the sandbox's world: everything at first, then what a day has changed (about one record in a hundred).

    python -m benchmarks.nights --people 10000 --days 1

A night syncs every stream of HubSpot and Salesforce, validates and builds. A third night finds nothing changed. Prints the
seconds of each and the ratio of the second to the first, and writes them to benchmarks/results.md.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, NamedTuple

import requests
import sqlalchemy as sa

from benchmarks import report
from benchmarks.processes import serving
from benchmarks.warehouses import HOME, server
from connectors import connect as connect_vendor
from errors import RunError
from glossary import Glossary, load
from pipeline.build import build
from pipeline.sync import SyncCounts, sync_stream
from pipeline.validate import validate
from warehouse.engine import connect

TITLE = report.SECTIONS[1]
STREAMS_AT_ONCE = 4
HOW = (
    "Each night syncs all streams of HubSpot and Salesforce as their DAGs do: both vendors at once, each in two waves (records, then "
    f"what hangs on them) and {STREAMS_AT_ONCE} streams at a time, then validates and builds, in one process that has imported "
    "everything. Reading the sandbox over HTTP is counted, but for lists that it makes when it is first asked after a change, which "
    "it has made before. Between two nights the server is vacuumed, analysed and checkpointed, which autovacuum does in the day "
    "that passes."
)
Credentials = Mapping[str, Mapping[str, str]]


class Night(NamedTuple):
    """Seconds by step, records read, and versions that were new."""

    sync: float
    validate: float
    build: float
    read: int
    new: int

    @property
    def seconds(self) -> float:
        """All steps."""
        return self.sync + self.validate + self.build


def night(engine: sa.Engine, glossary: Glossary, keys: Credentials) -> Night:
    """One night, as the DAGs run it, in this process."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(keys)) as vendors:
        counts = [
            one
            for done in vendors.map(lambda vendor: _sync(engine, glossary, vendor, keys[vendor]), keys)
            for one in done
        ]
    synced = time.perf_counter()
    validate(engine, glossary)
    validated = time.perf_counter()
    build(engine, glossary, progress=lambda _step, _rows: None)
    read, new = sum(one.read for one in counts), sum(one.new for one in counts)
    return Night(synced - began, validated - synced, time.perf_counter() - validated, read, new)


def _sync(engine: sa.Engine, glossary: Glossary, vendor: str, keys: Mapping[str, Any]) -> list[SyncCounts]:
    """One vendor's DAG: records, then what hangs on them."""
    streams = sorted(connect_vendor(vendor, keys).streams.values(), key=lambda s: s.name)
    with ThreadPoolExecutor(STREAMS_AT_ONCE) as pool:

        def wave(*, related: bool) -> list[SyncCounts]:
            names = [s.name for s in streams if (s.order > 0) == related]
            return list(pool.map(lambda name: sync_stream(engine, connect_vendor(vendor, keys), name, glossary), names))

        return [*wave(related=False), *wave(related=True)]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000, help="size of the world (default 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the world (default 1)")
    parser.add_argument("--days", type=float, default=0.9, help="between the nights (default 0.9: 1 %% changes)")
    args = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    import_module("great_expectations")
    glossary = load()
    command = [
        sys.executable,
        "-m",
        "sandbox.serve",
        "--port",
        "0",
        "--seed",
        str(args.seed),
        "--people",
        str(args.people),
    ]
    with server() as postgres, serving(command, HOME / "sandbox.log") as box:
        postgres.fresh("nights", migrated=True)
        engine = connect(postgres.url("nights"))
        keys = _credentials(box)
        _ready(box)
        first = night(engine, glossary, keys)
        _print("first", first)
        _age(engine, args.days)
        advance = {"days": args.days}
        requests.post(f"{box['control']}/advance", json=advance, timeout=120).raise_for_status()
        _ready(box)
        second = night(engine, glossary, keys)
        _print("second", second)
        _age(engine, args.days)
        third = night(engine, glossary, keys)
        _print("nothing changed", third)
        engine.dispose()
    ratio = second.seconds / first.seconds
    headline = (
        f"**The second night took {ratio:.1%} of the first** ({args.people:,} people, seed {args.seed}; "
        f"{second.new / first.new:.1%} as many new versions, {args.days:g} day(s) later)."
    )
    text = "\n\n".join(
        [
            headline,
            report.table(
                ["night", "seconds", "sync", "validate", "build", "records read", "new versions"],
                [_line("first", first), _line("second", second), _line("nothing changed", third)],
            ),
            f"- {report.now()}; {report.machine()}\n- {report.versions('polars', 'psycopg', 'great-expectations')}",
            HOW,
        ]
    )
    print(f"\n{text}")
    report.write_section(TITLE, text)


def _age(engine: sa.Engine, days: float) -> None:
    """What the day between does to a warehouse: its loads grow older, and the server does its housekeeping after them.

    Loads of the last hour would be looked at twice; what the server writes and clears away within the day would fall on the
    second night.
    """
    past = sa.text(
        "UPDATE ops.load SET started_at = started_at - :days * interval '1 day', "
        "finished_at = finished_at - :days * interval '1 day'"
    )
    with engine.begin() as connection:
        connection.execute(past, {"days": days})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for housekeeping in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            connection.execute(sa.text(housekeeping))


def _ready(box: Mapping[str, Any]) -> None:
    """Let the sandbox make the lists that it keeps until something changes; a vendor has them at any time."""
    key = {"Authorization": f"Bearer {box['credentials']['hubspot_access_token']}"}
    asked = [f"/crm/v3/properties/{kind}" for kind in ("contacts", "companies", "deals")]
    for path in (*asked, "/email/public/v1/events?limit=1"):
        requests.get(f"{box['hubspot']}{path}", headers=key, timeout=120).raise_for_status()


def _credentials(box: Mapping[str, Any]) -> Credentials:
    keys = box["credentials"]
    return {
        "hubspot": {
            "base_url": box["hubspot"],
            "access_token": keys["hubspot_access_token"],
            "search_per_second": "0",
        },
        "salesforce": {
            "login_url": box["salesforce"],
            "client_id": keys["salesforce_client_id"],
            "client_secret": keys["salesforce_client_secret"],
        },
    }


def _line(name: str, night_: Night) -> list[str]:
    seconds = [night_.seconds, night_.sync, night_.validate, night_.build]
    return [name, *(f"{s:.1f}" for s in seconds), f"{night_.read:,}", f"{night_.new:,}"]


def _print(name: str, night_: Night) -> None:
    print(f"{name}: {night_.seconds:.1f} s, {night_.new:,} new versions of {night_.read:,} records read", flush=True)


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
