"""Many nights under all faults, each killed once: the runs, and what staging may still differ in while the world moves on."""

import importlib
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import URL

from connectors import connect as connect_vendor
from errors import QuotaError, SmarketingError
from glossary import load
from pipeline.sync import sync_stream
from pipeline.windows import Interval
from sandbox.world import World
from tests.support.truth import Key, link_disagreements, record_disagreements, settle
from warehouse import quota
from warehouse.engine import connect, transaction

LATEST = timedelta(minutes=61)
"""What changed longer ago, every reader can see (search lag; late commits are seen after 8 minutes)."""

TRIES = 20
"""Runs of one stream in a night that may fail. A full read of 20,000 people's forms sends thousands of requests, and of a
thousand one gets an answer that ends a run. Runs that wait for a quota do not count: a scheduler defers them."""

KILLS_TRIED = 4
"""Runs that are begun to kill one: when it is killed is drawn at random, and it may be done before."""

HURRY = 0.02
"""Pauses between tries are shortened to this share."""

STEP = timedelta(minutes=1)
"""How far the world moves on, several times a second, while a night runs."""

THRESHOLDS = ("20", "2000", "20000")
"""Rows above which Salesforce is read by Bulk."""

SELDOM = 0.25

RESTLESS = ("hubspot.search_lag", "salesforce.late_commit", "hubspot.updated_while_paged")
"""Faults that show a change late, or edit records whenever a search has a further page, also after their window was read."""

Keys = dict[str, dict[str, str]]


@dataclass
class Tally:
    """What the completed nights did. seconds: of runs, killed ones too."""

    rows: int = 0
    retries: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    nights: int = 0
    seconds: float = 0.0


class Plan(NamedTuple):
    """What one run does.

    url, keys: the warehouse, and vendor -> credentials.
    backfill: an interval to read again before the night's windows; None: none.
    full: whether the night reads everything.
    """

    url: URL
    keys: Keys
    backfill: Interval | None = None
    full: bool = False


def sync_night(plan: Plan, report: Connection) -> None:
    """Sync every stream, in a process of its own; a stream that fails by the vendor's fault is run again.

    Sends (rows read, retries, error -> runs of a stream that ended so), or the text of what no run could mend.
    """
    retries = 0

    def hurry(seconds: float) -> None:
        nonlocal retries
        retries += 1
        time.sleep(seconds * HURRY)

    for module in ("tenacity.nap", "connectors.base.windows"):
        vars(importlib.import_module(module))["time"] = SimpleNamespace(sleep=hurry)
    engine, words = connect(plan.url), load()
    failed: Counter[str] = Counter()
    rows = 0
    for vendor, credentials in plan.keys.items():
        connector = connect_vendor(vendor, credentials)
        for name in sorted(connector.streams, key=lambda n: connector.streams[n].order):
            for again in [plan.backfill, None] if plan.backfill else [None]:
                left = TRIES
                while True:
                    try:
                        rows += sync_stream(
                            engine,
                            connector,
                            name,
                            words,
                            backfill=again,
                            full=plan.full and again is None,
                            progress=lambda *_: None,
                        ).read
                    except SmarketingError as error:
                        failed[f"{type(error).__name__}: {error.message}"] += 1
                        _renew(engine, error)
                        left -= not isinstance(error, QuotaError)
                        if not left:
                            report.send(f"{vendor}:{name}: {error.message} {error.detail}")
                            return
                    else:
                        break
    report.send((rows, retries, dict(failed)))
    engine.dispose()


def _renew(engine: sa.Engine, error: SmarketingError) -> None:
    """A used-up quota is one refusal here, and the day goes on: what all know of it is forgotten, as after midnight."""
    if isinstance(error, QuotaError):
        with transaction(engine) as connection:
            quota.forget(connection)


class Soak:
    """Nights of one sandbox into one warehouse.

    Args:
        box: a running sandbox with its faults on.
        engine: the warehouse.
        keys: vendor -> credentials.
        rng: chooses when runs are killed.
    """

    def __init__(self, box: Any, engine: sa.Engine, keys: Keys, rng: random.Random) -> None:
        self.box = box
        self.tally = Tally()
        self._engine = engine
        self._keys = keys
        self._rng = rng
        self._context = multiprocessing.get_context("forkserver")
        self._usual = 8.0

    def night(self, *, killed: bool = True, moving: bool = True) -> datetime:
        """One night: a run that is killed at a random moment, then one that ends; returns when the latter began.

        In one night of four the run has a twin at the same time, reads an interval of the past again, or reads everything.

        Raises:
            AssertionError: a stream failed as often as it was tried, or the process broke.
        """
        for _ in range(KILLS_TRIED if killed else 0):
            if self._run(moving=moving, kill_after=self._rng.uniform(0.05, 0.95) * self._usual):
                break  # else it was done before
        began: datetime = self.box.world.now()
        self._run(moving=moving, has_twin=self._rng.random() < SELDOM)
        self.tally.nights += 1
        return began

    def _plan(self) -> Plan:
        """A run by REST or by Bulk, whatever the size of the world, and sometimes one that does more than is due."""
        salesforce = self._keys["salesforce"] | {"bulk_threshold": self._rng.choice(THRESHOLDS)}
        end = self.box.world.now() - timedelta(days=self._rng.uniform(0, 300))
        past = Interval(end - timedelta(days=self._rng.uniform(0, 60)), end)
        return Plan(
            self._engine.url,
            self._keys | {"salesforce": salesforce},
            past if self._rng.random() < SELDOM else None,
            self._rng.random() < SELDOM / 2,
        )

    def _run(self, *, moving: bool, kill_after: float | None = None, has_twin: bool = False) -> bool:
        """Run a night, or a part of one; returns whether it was killed."""
        start = time.monotonic()
        runs = [self._start() for _ in range(2 if has_twin else 1)]
        is_killed = False
        while any(process.is_alive() and not pipe.poll() for process, pipe in runs):
            if kill_after is not None and time.monotonic() - start > kill_after:
                runs[0][0].kill()
                is_killed = True
                break
            if moving:
                self.box.advance(STEP / timedelta(days=1))
            time.sleep(0.2)
        took = time.monotonic() - start
        self.tally.seconds += took
        self.tally.kills += is_killed
        for process, pipe in runs:
            told = _told(pipe)
            process.join()
            if not is_killed or told is not None:
                self._usual = took
                self._note(told, process.exitcode)
        return is_killed

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=sync_night, args=(self._plan(), theirs))
        process.start()
        theirs.close()
        return process, ours

    def _note(self, told: Any, exitcode: int | None) -> None:
        assert told is not None, f"a run ended with {exitcode}"
        assert not isinstance(told, str), told
        self.tally.rows += told[0]
        self.tally.retries += told[1]
        self.tally.failed.update(told[2])

    def last_night(self) -> None:
        """All lags pass, the world rests, nobody edits, and one more night sees all there is."""
        for fault in RESTLESS:
            self.box.context.faults.off(fault)
        self.box.advance(LATEST / timedelta(days=1))
        settle(self.box)
        self.night(killed=False, moving=False)

    def disagreements(self) -> list[str]:
        """What a world at rest and staging differ in: records and links."""
        with self._engine.connect() as connection:
            return record_disagreements(self.box.world, connection) + link_disagreements(self.box.world, connection)


def _told(pipe: Connection) -> Any:
    """What a process sent; None where it ended before it did."""
    try:
        return pipe.recv() if pipe.poll() else None
    except EOFError:
        return None


def states(world: World) -> dict[Key, tuple[Any, ...]]:
    """Every record of the truth, as it is now."""
    return {
        (row["vendor"], row["kind"], row["record_id"]): (row["state"], row["merged_into"], row["modified_at"])
        for row in world.truth.rows("vendor_record")
    }


def unsettled(world: World, before: Mapping[Key, tuple[Any, ...]], began: datetime) -> set[Key]:
    """Records that a run which began at a moment need not have seen as they are now.

    before: `states` as the run began.
    """
    return {
        key
        for key, state in states(world).items()
        if state != before.get(key) or state[2] > began - LATEST
    }  # fmt: skip
