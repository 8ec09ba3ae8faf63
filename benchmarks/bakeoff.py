"""This project and public connectors read the same worlds for the same nights: what is missing, stale, double or unnoticed.

    python -m benchmarks.bakeoff --seed 1 --people 1000 --nights 5 --faults none all

Each reads a sandbox of its own with the same seed, so that the worlds are equal; a day passes before each night. Before the
last night all lags pass and the world rests, so that it can see everything. Prints a table and writes it to
benchmarks/results.md; `.local/bench/bakeoff/READER/mistakes` has a line for each wrong record of its last run.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from benchmarks import peers, report
from benchmarks.public import KINDS, PEERS, Peer
from benchmarks.readers import BEHIND, HASTE, LONGEST, TRIES, Ours, Public, Reader, Tally
from benchmarks.scoring import Score, Told, score
from benchmarks.warehouses import HOME, Server, server
from errors import RunError
from sandbox.faults import rates_of, switch
from sandbox.serve import Sandbox, running_sandbox
from sandbox.store import Store

TITLE, OF_SOAK = report.SECTIONS[4], report.SECTIONS[8]
LAST_NIGHT_WITHOUT = ("hubspot.search_lag", "salesforce.late_commit", "hubspot.updated_while_paged")
"""Faults that would keep what is from being seen in the last night."""
LAGS_PASS = timedelta(minutes=61)
REST = timedelta(minutes=6)
"""So long ago the last change must be before the last night: some windows end five minutes before now."""

HOW = (
    "Each reader has a sandbox of its own with the same seed and the same faults; a day passes before each night, and the world "
    "stands still while it is read. A night is a run of all streams; what failed is tried again, up to {tries} runs, and "
    "a run that takes longer than {longest} seconds is ended as failed. Before the "
    "last night all lags pass and the world rests; the other faults stay on. Compared are live records of {hubspot} (HubSpot) "
    "and {salesforce} (Salesforce). *Missing*: not there; *stale*: there with an older date, another value of a key field, or as "
    "deleted; *double*: twice after upserting by the reader's own key; *unnoticed*: records the reader once had that are deleted "
    "or merged, and that it still has as live. A merge counts as noticed too where the survivor's record names it. Restoring a "
    "HubSpot record leaves its date as it was, and records that are deleted for good leave no row to read: readers by date "
    "see neither."
)
PEERS_NOTE = (
    "The public connectors run unchanged, each in its own venv with pins of today, state carried from run to run, and what they "
    "emit is upserted by their own key. `rerouted.py` sends their requests for the vendor's host to the sandbox, sets their clock "
    "to {behind:.0f} minutes before the world's, and gives the names of headers in capitals, as the vendors do. For all readers "
    "pauses between tries are {haste:.0%} as long, and HubSpot's rate limits are off. Rows per second are the rows that were "
    "emitted or read by the time of all processes, starts included: ours keeps raw, normalises and merges into PostgreSQL in "
    "that time, the others print. Requests are those that the sandbox answered."
)


class Result(NamedTuple):
    """One reader under one list of faults."""

    name: str
    vendor: str
    faults: str
    score: Score
    tally: Tally
    requests: int


def main() -> None:
    """Measure, print, write."""
    args = _arguments()
    for faults in args.faults:
        rates_of(_switched(faults))
    beside = [peer for peer in PEERS if peer.package in args.beside]
    for peer in beside:
        peers.python_of(peer.package)
    results: list[Result] = []
    with server() as postgres:
        for faults in args.faults:
            for vendor in KINDS:
                for make in _makers(vendor, postgres, beside):
                    results.append(_measure(make, faults, args.seed, args.people, args.nights))
                    print(_line(results[-1]), flush=True)
                    # Each time anew: it takes long, and what was measured should outlive an end before the end.
                    report.write_section(
                        OF_SOAK if args.soak else TITLE, _text(results, beside, args.seed, args.people, args.nights)
                    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000, help="size of the world (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the world and its faults (default 1)")
    parser.add_argument("--nights", type=int, default=5, help="the last one after the lags (default 5)")
    parser.add_argument(
        "--faults",
        nargs="+",
        default=["none", "all"],
        help="one or more lists as of sandbox.faults, or none (default: none all)",
    )
    parser.add_argument(
        "--soak", action="store_true", help="it is the soak's world; the results are a section of their own"
    )
    packages = [peer.package for peer in PEERS]
    parser.add_argument(
        "--beside",
        nargs="+",
        default=packages,
        choices=packages,
        metavar="PACKAGE",
        help=f"some of {', '.join(packages)} (default: all)",
    )
    return parser.parse_args()


def _switched(faults: str) -> str:
    return "" if faults == "none" else faults


Maker = Callable[[Sandbox, datetime], Reader]


def _makers(vendor: str, postgres: Server, beside: Iterable[Peer]) -> Iterator[Maker]:
    def ours(box: Sandbox, _start: datetime) -> Reader:
        return Ours(vendor, box, HOME / "bakeoff" / f"ours-{vendor}", postgres.fresh("bakeoff", migrated=True))

    def public(peer: Peer) -> Maker:
        return lambda box, start: Public(peer, box, HOME / "bakeoff" / peer.package, start)

    yield ours
    yield from (public(peer) for peer in beside if peer.vendor == vendor)


def _measure(make: Maker, faults: str, seed: int, people: int, nights: int) -> Result:
    with running_sandbox(seed=seed, people=people) as box:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each connection that a fault closes
        switch(box.context.faults, _switched(faults), seed=seed)
        vendor_stores = {"hubspot": box.world.hubspot, "salesforce": box.world.salesforce}
        reader = make(box, _first(vendor_stores.values()) - timedelta(days=1))
        for number in range(nights):
            box.advance(1)
            if number == nights - 1:
                _rest(box, list(vendor_stores.values()))
            reader.night()
        hoards = reader.hoards()
        total, told = Score(), list[str]()
        for kind in KINDS[reader.vendor]:
            total += score(_truth(box, vendor_stores[reader.vendor], kind), hoards[kind], told.append)
        (reader.home / "mistakes").write_text("\n".join(told))
        for error, times in reader.tally.errors.most_common(5):
            print(f"    {times} x {error}")
        return Result(reader.name, reader.vendor, faults, total, reader.tally, box.context.log.total)


def _first(stores: Iterable[Store]) -> datetime:
    return min(
        record.created_at for store in stores for kind in KINDS[store.vendor] for record in store.records[kind].values()
    )


def _rest(box: Sandbox, stores: list[Store]) -> None:
    """All lags pass, and nothing has changed for a while.

    Raises:
        RunError: the world never rests so long.
    """
    for fault in LAST_NIGHT_WITHOUT:
        box.context.faults.off(fault)
    box.advance(LAGS_PASS / timedelta(days=1))
    if not box.world.rest([(store, REST) for store in stores], REST):
        raise RunError("This world never rests for six minutes.", remedy="Take a smaller one with --people.")


def _truth(box: Sandbox, store: Store, kind: str) -> Iterator[Told]:
    """The truth of one kind; dates are those that the vendor gives, to the second."""
    names = box.world.truth.key_fields[store.vendor, kind]
    for id_, entry in box.world.truth.records[store.vendor, kind].items():
        record = store.get(kind, id_)
        modified = record.modified_at if record else box.world.now()
        yield Told(id_, entry.state, modified.replace(microsecond=0), dict(zip(names, entry.values, strict=True)))


def _line(result: Result) -> str:
    got, took = result.score, result.tally
    return (
        f"{result.faults:5} {result.name}: {got.missing} of {got.live} missing, {got.stale} stale, {got.double} double, "
        f"{got.unnoticed_deletes} of {got.deletes} deletes and {got.unnoticed_merges} of {got.merges} merges unnoticed; "
        f"{took.failed} of {took.runs} runs failed, {result.requests} requests, {took.rows} rows in {took.seconds:.0f} s"
    )


COLUMNS = (
    "reader",
    "vendor",
    "faults",
    "live",
    "missing",
    "stale",
    "double",
    "deletes unnoticed",
    "merges unnoticed",
    "failed runs",
    "unfinished nights",
    "requests",
    "rows",
    "seconds",
    "rows/s",
)


def _row(result: Result, nights: int) -> list[str]:
    got, took = result.score, result.tally
    return [
        result.name,
        result.vendor,
        result.faults,
        f"{got.live:,}",
        f"{got.missing:,}",
        f"{got.stale:,}",
        f"{got.double:,}",
        f"{got.unnoticed_deletes:,} of {got.deletes:,}",
        f"{got.unnoticed_merges:,} of {got.merges:,}",
        f"{took.failed:,} of {took.runs:,}",
        f"{took.unfinished} of {nights}",
        f"{result.requests:,}",
        f"{took.rows:,}",
        f"{took.seconds:,.0f}",
        f"{took.rows / max(took.seconds, 1):,.0f}",
    ]


def _text(results: list[Result], beside: Iterable[Peer], seed: int, people: int, nights: int) -> str:
    wrong = {
        is_ours: sum(r.score.wrong for r in results if (r.name == Ours.name) == is_ours) for is_ours in (True, False)
    }
    headline = (
        f"**Records missing, stale, double or wrongly kept, over all rows: {wrong[True]:,} of this project's, {wrong[False]:,} of "
        f"the public connectors'** ({people:,} people, seed {seed}, {nights} nights)."
    )
    settings = [f"{peer.package} {peers.version(peer.package)}: {peer.settings}" for peer in beside]
    facts = [
        f"{report.now()}; {report.machine()}",
        report.versions("polars", "psycopg", "requests"),
        *settings,
    ]
    return "\n\n".join(
        [
            headline,
            report.table(COLUMNS, [_row(result, nights) for result in results]),
            "\n".join(f"- {fact}" for fact in facts),
            HOW.format(
                tries=TRIES,
                longest=LONGEST,
                hubspot=", ".join(KINDS["hubspot"]),
                salesforce=", ".join(KINDS["salesforce"]),
            ),
            PEERS_NOTE.format(behind=BEHIND / timedelta(minutes=1), haste=HASTE),
        ]
    )


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
