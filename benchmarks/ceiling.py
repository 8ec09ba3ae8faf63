"""At HubSpot's own limits: a first sync of many contacts, and three processes that share one account.

    python -m benchmarks.ceiling --rows 200000 --properties 100 --people 50000

The sandbox counts calls as HubSpot Professional does (190 in any ten seconds, 5 searches a second) and answers 429 beyond. Prints
which share of that was used, and how many calls were refused; writes it to benchmarks/results.md.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

import requests

from benchmarks import report
from benchmarks.processes import ROOT, run, serving
from benchmarks.warehouses import HOME, Server, server
from errors import RunError
from sandbox.hubspot.limits import BURST, BURST_SECONDS
from sandbox.hubspot.recorded import PAGE
from sandbox.serve import running_sandbox

TITLE = report.SECTIONS[3]
CALLS = BURST / BURST_SECONDS
"""Calls a second that HubSpot allows."""

POLL_SECONDS = 0.05
SETTLED_SECONDS = BURST_SECONDS + 5.0
"""After the first call; by then all three are reading, and the night before them is out of the vendor's window."""

SYNC = "sync: read, raw, normalise, merge"
NIGHTS = (
    "contacts,contact_to_company",
    "companies,deals,calls,emails,meetings,tasks,notes,email_events,form_submissions",
)
BACKFILLED = "contact_history,deal_history"
"""Streams of which no two processes have the same: those would wait for each other, not for the vendor."""

HOW = (
    "The sandbox enforces HubSpot's limits with its own windows; `api_reserve` is the usual 0.05, which leaves a twentieth to the "
    "account's other tools, so that at most 95 % can be used. Processes know of each other through `ops.quota` alone. With the "
    "limits off, the server of the pages and PostgreSQL have their part of the processors."
)


class Used(NamedTuple):
    """Calls by status, and the seconds that they took. Where searches are many, they are left out: they have a limit of their own."""

    statuses: Counter[int]
    seconds: float

    @property
    def share(self) -> float:
        """Of the calls that the limit allows, how many were made."""
        return self.statuses.total() / (self.seconds * CALLS)

    @property
    def refused(self) -> float:
        """The share of calls answered 429."""
        return self.statuses[429] / self.statuses.total()


def first_sync(postgres: Server, rows: int, properties: int, *, limits: bool) -> tuple[Used, float]:
    """Sync recorded contacts, with HubSpot's limits or none; returns calls and the sync's seconds, and the process's peak in MB."""
    pages = [sys.executable, "-m", "benchmarks.pages", str(rows), "--properties", str(properties)]
    if limits:
        pages.append("--limits")
    with serving(pages, HOME / "pages.log") as ready:
        done = run(
            [sys.executable, "-m", "benchmarks.ours", ready["url"], postgres.fresh("ceiling", migrated=True)],
            HOME / "ours.log",
        )
        told = requests.get(f"{ready['url']}/log", timeout=30).json()
    if done.answer["rows"]["read"] != rows:
        raise RunError(f"{done.answer['rows']['read']} of {rows} rows came.", remedy=f"Read {HOME / 'ours.log'}.")
    statuses = Counter({int(status): number for status, number in told.items()})
    return Used(statuses, done.answer["steps"][SYNC]), done.peak_bytes / 2**20


def three_processes(postgres: Server, people: int, seed: int) -> Used:
    """Two nights and a backfill at once; what was asked while all three had work."""
    with running_sandbox(seed=seed, people=people) as box:
        url = postgres.fresh("shared", migrated=True)
        now = datetime.fromisoformat(box.today)
        past = [(now - timedelta(days=days)).isoformat() for days in (300, 30)]
        reader = [
            sys.executable,
            "-m",
            "benchmarks.ceiling_reader",
            box.hubspot_url,
            box.credentials["hubspot_access_token"],
            url,
        ]
        log = box.context.log
        # What a backfill follows is known from a night before, without limits.
        before = [*reader, ",".join((*NIGHTS, BACKFILLED))]
        subprocess.run(before, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        box.context.limits, seen = True, log.total
        processes = [
            subprocess.Popen([*reader, *given], cwd=ROOT, stdout=subprocess.DEVNULL)
            for given in ([NIGHTS[0]], [NIGHTS[1]], [BACKFILLED, *past])
        ]
        while log.total == seen:
            time.sleep(POLL_SECONDS)
        time.sleep(SETTLED_SECONDS)
        first, began = log.total, time.monotonic()
        while all(process.poll() is None for process in processes):
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - began
        lines = log.lines()[first:]
        for process in processes:
            process.wait()
    if failed := [p.returncode for p in processes if p.returncode]:
        raise RunError(f"{len(failed)} of three processes failed.", remedy="Run one of them by itself to see why.")
    return Used(Counter(line.status for line in lines if not line.path.endswith("/search")), seconds)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="contacts of the first sync (default 200000)")
    parser.add_argument("--properties", type=int, default=100, help="properties of each (default 100)")
    parser.add_argument(
        "--people", type=int, default=50_000, help="of the world that three processes read (default 50000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of that world (default 1)")
    args = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    with server() as postgres:
        # First, while this process is small: the peak of a process begins with what its parent held when it was started.
        first, peak = first_sync(postgres, args.rows, args.properties, limits=True)
        free, free_peak = first_sync(postgres, args.rows, args.properties, limits=False)
        shared = three_processes(postgres, args.people, args.seed)
    rate = args.rows / first.seconds
    headline = (
        f"**A first sync of {args.rows:,} contacts with {args.properties} properties ran at {rate:,.0f} rows/s, "
        f"{rate / (CALLS * PAGE):.0%} of the vendor's ceiling of {CALLS * PAGE:,.0f}; two nights and a backfill at once used "
        f"{shared.share:.0%} of their account's calls, and {shared.refused:.2%} were refused.**"
    )
    facts = [
        f"The first sync's process took {peak:,.0f} MB at its peak, {free_peak:,.0f} MB without limits.",
        f"Without limits it ran at {args.rows / free.seconds:,.0f} rows/s: as many as this machine's processors can do.",
        f"{report.now()}; {report.machine()}",
        f"{report.versions('requests', 'psycopg')}; world of {args.people:,} people, seed {args.seed}",
    ]
    columns = ["", "seconds", "calls", "of those allowed", "answered 429"]
    lines = [
        _line("first sync", first),
        _line("first sync, the limits off", free),
        _line("two nights and a backfill, while all had work", shared),
    ]
    text = "\n\n".join([headline, report.table(columns, lines), "\n".join(f"- {fact}" for fact in facts), HOW])
    print(f"\n{text}")
    report.write_section(TITLE, text)


def _line(name: str, used: Used) -> list[str]:
    return [name, f"{used.seconds:.0f}", f"{used.statuses.total():,}", f"{used.share:.0%}", f"{used.statuses[429]:,}"]


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
