"""Full builds from half a million to six million events, a night in which one in a hundred changed, and identity beside Splink.

    python -m benchmarks.scale --people 25000 75000 300000

Writes staging straight by SQL (`scale_world.py`), builds everything, then what a day changed; fits how the time grows; and lets
Splink tie the same records of the largest world by the same rules on DuckDB. Prints and writes benchmarks/results.md.
"""

import argparse
import logging
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import mean
from typing import Any, NamedTuple

import psutil
import pyarrow as pa
import sqlalchemy as sa

from benchmarks import report, scale_world
from benchmarks.warehouses import HOME, server
from errors import RunError
from glossary import load
from transforms.build import BuildCounts, build
from transforms.identity.names import name_key
from warehouse.engine import connect

TITLE = report.SECTIONS[7]
PARTS = {
    "identity": ("changes", "campaigns", "identity_evidence", "account_link", "account", "identity_link", "identity_conflict",
                 "person", "opportunity_link", "opportunity"),
    "journey": ("touchpoint", "stage_change", "customer_journey", "person_journey", "account_journey"),
    "attribution": ("opportunity_touch", "credit", "conversion_touch", "attribution", "conversion_assists", "markov_attribution",
                    "opportunity_influence"),
}  # fmt: skip
"""Steps of a build by what they are for; the others are marts of counts."""
HOW = (
    "Each world is written into staging by SQL, with the tables' own indexes; a build is the one that `smarketing build --full` does "
    "inside its transaction, the gate's checks left out. Memory is that of the one PostgreSQL process that works, shared buffers "
    "apart. The smaller worlds are built before the largest and again after it, and the mean stands, so that what else the machine "
    "does falls on all alike. In the night one person in a hundred changed: each of their records, and as many events more as they "
    "had. The exponent is that of a line through the logarithms of events and seconds: 1 is linear."
)
HOW_SPLINK = (
    "Splink reads the records from memory and ties them by the same rules (address, number and name, name and company's domain, cross "
    "id) in DuckDB; ours reads them from staging, keeps the evidence, and writes links with their reasons into indexed tables, "
    "guards and conflicts included."
)
_RECORDS = f"""
SELECT p.source_id AS unique_id, p.email, p.phone, {name_key("p.full_name")} AS name, p.same_as[1] AS same_as,
  coalesce(split_part(p.email, '@', 2), a.domain) AS domain
FROM staging.person AS p LEFT JOIN staging.account AS a ON a.source_id = p.account_source_id
"""


class Built(NamedTuple):
    """A full build of one world, and the night after it.

    full: seconds by part. night, tying: seconds; tying is the part that Splink does as well. persons: people made of the records.
    """

    people: int
    records: int
    events: int
    full: dict[str, float]
    night: float
    changed: int
    memory_mb: float
    staging_gb: float
    disk_gb: float
    persons: int
    tying: float

    @property
    def seconds(self) -> float:
        """Of the full build."""
        return sum(self.full.values())


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[25_000, 75_000, 300_000], help="sizes of the worlds")
    args = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    *smaller, largest = sorted(set(args.people))
    built: dict[int, list[Built]] = {}
    with server() as postgres:
        for people in (*smaller, largest, *reversed(smaller)):
            postgres.fresh("scale", migrated=True)
            engine = connect(postgres.url("scale"))
            one = _measure(engine, people)
            built.setdefault(people, []).append(one)
            _print(one)
            if people == largest:
                tied = _by_splink(engine)
            engine.dispose()
    text = _text([_mean(same) for _, same in sorted(built.items())], tied)
    print(f"\n{text}")
    report.write_section(TITLE, text)


def _measure(engine: sa.Engine, people: int) -> Built:
    with engine.begin() as connection:
        scale_world.write(connection, people)
    settings = load()
    staging = _size(engine)
    with engine.begin() as connection, _memory(connection) as peak:
        full = build(connection, settings, full=True)
    disk = _size(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does before the next night
    with engine.begin() as connection:
        changed = scale_world.change(connection, people)
    began = time.perf_counter()
    with engine.begin() as connection:
        build(connection, settings, full=False)
    night = time.perf_counter() - began
    counts = (
        "staging.person",
        "staging.touch",
        "staging.engagement",
        "staging.stage_change",
        "core.person",
    )
    with engine.connect() as connection:
        rows = {name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()) for name in counts}
    new = people // 100 * scale_world.EVENTS_PER_PERSON
    return Built(
        people,
        rows["staging.person"],
        rows["staging.touch"] + rows["staging.engagement"] + rows["staging.stage_change"] - new,
        _by_part(full),
        night,
        changed,
        peak[0],
        staging,
        disk,
        rows["core.person"],
        _tying(full),
    )


def _mean(same: Sequence[Built]) -> Built:
    """Of builds of one world, the mean seconds."""
    parts = {part: mean(b.full[part] for b in same) for part in same[0].full}
    return same[0]._replace(full=parts, night=mean(b.night for b in same), tying=mean(b.tying for b in same))


def _by_part(counts: BuildCounts) -> dict[str, float]:
    seconds = dict.fromkeys((*PARTS, "marts of counts"), 0.0)
    for step in counts.steps:
        part = next((p for p, names in PARTS.items() if step.name in names), "marts of counts")
        seconds[part] += step.seconds
    return seconds


def _tying(counts: BuildCounts) -> float:
    """Seconds of what Splink does as well: evidence and links of people (accounts' and deals' evidence included)."""
    return sum(s.seconds for s in counts.steps if s.name in {"identity_evidence", "identity_link"})


def _size(engine: sa.Engine) -> float:
    with engine.connect() as connection:
        return float(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()) / 2**30


@contextmanager
def _memory(connection: sa.Connection) -> Iterator[list[float]]:
    """The largest private memory, in MB, of the server process that serves a connection, looked at ten times a second.

    From what the kernel counts anyway: asked for its maps, it goes through all pages of the process, which must wait meanwhile.
    """
    process = psutil.Process(int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()))
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            memory = process.memory_info()
            peak[0] = max(peak[0], (memory.rss - memory.shared) / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _by_splink(engine: sa.Engine) -> tuple[float, int]:
    """Seconds that Splink takes for the same records and rules, and the people it makes of them."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    with engine.connect() as connection:
        rows = connection.exec_driver_sql(_RECORDS).all()
    names = ("unique_id", "email", "phone", "name", "same_as", "domain")
    records = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    began = time.perf_counter()
    rules: list[Any] = [
        block_on("email"), block_on("phone", "name"), block_on("name", "domain"),
        "l.same_as = r.unique_id", "r.same_as = l.unique_id",
    ]  # fmt: skip
    settings = SettingsCreator(link_type="dedupe_only", blocking_rules_to_generate_predictions=rules)
    linker = Linker(DuckDBAPI().register(records), settings, log_level=logging.ERROR)
    pairs = linker.inference.deterministic_link()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs)
    people = len(set(clusters.as_dict()["cluster_id"]))
    return time.perf_counter() - began, people


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of the line through the logarithms, by least squares."""
    x, y = [math.log(v) for v in sizes], [math.log(v) for v in seconds]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)


def _print(built: Built) -> None:
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in built.full.items())
    print(
        f"{built.people:,} people, {built.events:,} events: {built.seconds:.1f} s ({parts}); night {built.night:.1f} s",
        flush=True,
    )


def _text(built: Sequence[Built], tied: tuple[float, int]) -> str:
    largest = built[-1]
    grows = exponent([b.events for b in built], [b.seconds for b in built]) if len(built) > 1 else math.nan
    headline = (
        f"**{largest.events:,} events of {largest.people:,} people ({largest.records:,} records) are built in "
        f"{largest.seconds / 60:.1f} minutes; a night with 1 % changed takes {largest.night / largest.seconds:.1%} of that; time grows "
        f"with events to the power of {grows:.2f}.**"
    )
    header = [
        "events",
        "records",
        "full, s",
        *largest.full,
        "night, s",
        "of full",
        "events/s",
        "memory, MB",
        "staging, GB",
        "whole, GB",
    ]
    rows = [
        [
            f"{b.events:,}", f"{b.records:,}", f"{b.seconds:.1f}", *(f"{s:.1f}" for s in b.full.values()), f"{b.night:.1f}",
            f"{b.night / b.seconds:.1%}", f"{b.events / b.seconds:,.0f}", f"{b.memory_mb:.0f}", f"{b.staging_gb:.1f}", f"{b.disk_gb:.1f}",
        ]
        for b in built
    ]  # fmt: skip
    beside = [
        ["ours", f"{largest.tying:.1f}", f"{largest.records / largest.tying:,.0f}", f"{largest.persons:,}"],
        ["Splink on DuckDB", f"{tied[0]:.1f}", f"{largest.records / tied[0]:,.0f}", f"{tied[1]:,}"],
    ]
    return "\n\n".join(
        [
            headline,
            report.table(header, rows),
            f"The same {largest.records:,} records tied by the same rules:",
            report.table(["who", "seconds", "records/s", "people"], beside),
            f"- {report.now()}; {report.machine()}\n- {report.versions('psycopg', 'splink', 'duckdb')}",
            HOW,
            HOW_SPLINK,
        ]
    )


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
