"""Syncs HubSpot contacts into PostgreSQL in one run: by this project, by dlt as it comes and tuned, and by requests + COPY.

    python -m benchmarks.run --rows 100000 --repeat 3

The ways alternate, each repetition in a fresh process on a fresh database of one server, so that what else the machine does
falls on all alike: the ratios tell, not the seconds. Prints and writes them to benchmarks/results.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import peers, report
from benchmarks.processes import ROOT, Measured, run, serving
from benchmarks.warehouses import HOME, Server, server
from benchmarks.with_dlt import SETTINGS, WRITE
from errors import RunError

TITLE = report.SECTIONS[0]
HOW = (
    "All read the same recorded pages (gzip) from one server process on this machine, into one PostgreSQL, "
    "alternating; the time is that of the whole process, interpreter start and imports included. Our tables are made by "
    "migration beforehand, as a user does once; dlt makes its own."
)
WHAT = (
    "What each does: *ours* reads, keeps every version's exact bytes in `raw`, normalises to two staging tables in the "
    "glossary's words (addresses, telephone numbers, countries, dates, references), merges by key with the newest version "
    "winning, moves cursor and ledger in the same transaction, and validates every row with Great Expectations in a second; "
    "*dlt* reads, infers types, flattens and merges into one table by primary key, without raw bytes, field semantics or "
    "checks; the *floor* reads and stores the pages as they came, without keys, parsing or checks."
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of doing it.

    command: from a fresh database's URL and an empty folder, how its process is called.
    counted_by: a statement that counts what arrived.
    migrated: whether it finds this project's tables there.
    """

    name: str
    command: Callable[[str, str], list[str]]
    counted_by: str
    migrated: bool = False
    runs: list[Measured] = field(default_factory=list)

    def rate(self, rows: int) -> float:
        """Median rows per second."""
        return rows / median(m.seconds for m in self.runs)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="contacts (default 100000)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of each way (default 3)")
    args = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    python = peers.python_of("dlt")
    pages = serving([sys.executable, "-m", "benchmarks.pages", str(args.rows)], HOME / "pages.log")
    with server() as postgres, pages as ready:
        ways = _ways(ready["url"], python)
        for number in range(args.repeat + 1):
            for way in ways:
                _measure(way, postgres, args.rows, number)
        for way in ways:
            del way.runs[0]  # in the first round modules are compiled and files come from the disk
        text = _text(ways, args.rows, args.repeat, postgres)
    print(f"\n{text}")
    report.write_section(TITLE, text)


def _ways(api: str, dlt_python: str) -> list[Way]:
    with_dlt = [dlt_python, str(ROOT / "benchmarks" / "with_dlt.py")]
    return [
        Way(
            "ours",
            lambda url, _: [sys.executable, "-m", "benchmarks.ours", api, url],
            "SELECT count(*) FROM staging.person JOIN raw.hubspot__contacts ON record_id = source_record_id",
            migrated=True,
        ),
        Way(
            "dlt",
            lambda url, folder: [*with_dlt, api, url, folder],
            "SELECT count(DISTINCT id) FROM bench.contacts",
        ),
        Way(
            "dlt, tuned",
            lambda url, folder: [*with_dlt, api, url, folder, "tuned"],
            "SELECT count(DISTINCT id) FROM bench.contacts",
        ),
        Way(
            "floor",
            lambda url, _: [sys.executable, "-m", "benchmarks.floor", api, url],
            "SELECT sum(json_array_length(body -> 'results')) FROM page",
        ),
    ]


def _measure(way: Way, postgres: Server, rows: int, number: int) -> None:
    database = f"{way.name.replace(', ', '_')}_{number}"
    url = postgres.fresh(database, migrated=way.migrated)
    os.sync()  # nobody works while the disk still writes what the one before has left
    with TemporaryDirectory(dir=HOME) as folder:
        done = run(way.command(url, folder), HOME / f"{way.name}.log")
    arrived = postgres.scalar(database, way.counted_by)
    if arrived != rows:
        raise RunError(f"{way.name} brought {arrived} of {rows} rows.", remedy=f"Read {HOME / way.name}.log.")
    way.runs.append(done)
    postgres.drop(database)
    print(f"{number}. {way.name:10} {done.seconds:7.1f} s  {rows / done.seconds:9,.0f} rows/s", flush=True)


def _text(ways: list[Way], rows: int, repeat: int, postgres: Server) -> str:
    ours, *others = ways
    to_dlt, to_tuned, to_floor = (ours.rate(rows) / way.rate(rows) for way in others)
    settings = ", ".join(f"{k.lower()}={v}" for k, v in {**SETTINGS, **WRITE}.items())
    headline = (
        f"**{to_dlt:.1f} times the rows per second of dlt as it comes, {to_tuned:.1f} times those of dlt tuned for this; "
        f"{to_floor:.2f} of the floor's** "
        f"(medians of {repeat} after one that does not count, {rows:,} contacts of 40 properties, pages of 100)."
    )
    columns = ["", "rows/s", "seconds (min–max)", "CPU s of the client", "peak memory"]
    facts = [
        f"{report.now()}; {report.machine()}",
        f"{report.versions('polars', 'psycopg', 'great-expectations', 'requests')}; dlt {peers.version('dlt')}",
        f"PostgreSQL: {', '.join(f'{k} {v}' for k, v in postgres.settings.items())}",
        f"dlt, tuned: {settings}",
    ]
    return "\n\n".join(
        [
            headline,
            report.table(columns, [_line(way, rows) for way in ways]),
            "Seconds by step (medians):",
            "\n".join(f"- {way.name}: {_steps(way)}" for way in ways),
            "\n".join(f"- {fact}" for fact in facts),
            HOW,
            WHAT,
        ]
    )


def _line(way: Way, rows: int) -> list[str]:
    seconds = [m.seconds for m in way.runs]
    return [
        way.name,
        f"{way.rate(rows):,.0f}",
        f"{median(seconds):.1f} ({min(seconds):.1f}–{max(seconds):.1f})",
        f"{median(m.cpu_seconds for m in way.runs):.1f}",
        f"{median(m.peak_bytes for m in way.runs) / 2**20:,.0f} MB",
    ]


def _steps(way: Way) -> str:
    names = way.runs[0].answer["steps"]
    return ", ".join(f"{name} {median(m.answer['steps'][name] for m in way.runs):.1f}" for name in names)


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
