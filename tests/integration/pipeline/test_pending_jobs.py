"""Jobs begun at a vendor outlive the process: noted beside the load, taken up by the next, gone when it commits."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.salesforce.connector import Salesforce
from errors import QuotaError, WarehouseError
from pipeline.sync import SyncCounts, sync_stream
from pipeline.windows import Interval
from pipeline.words import words
from tests.contract.salesforce.fake import Org, lead, leads, refusal
from warehouse import pending, quota
from warehouse.engine import transaction
from warehouse.tables import ops

Connected = Callable[..., Salesforce]
ROOT = Path(__file__).parents[3]
CALLS = "/services/data/v"
JOB = r"POST \S+/jobs/query"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)

PROCESS = """
import sys
from connectors import salesforce
from pipeline.sync import sync_stream
from pipeline.words import words
from warehouse.engine import connect
address, warehouse = sys.argv[1:]
connector = salesforce.connect(
    {"login_url": address, "client_id": "app", "client_secret": "s", "bulk_threshold": "5"}
)
sync_stream(connect(warehouse), connector, "lead", words())
"""


def sync(engine: sa.Engine, connector: Salesforce, **options: object) -> SyncCounts:
    return sync_stream(engine, connector, "lead", words(), progress=lambda *_: None, **options)  # type: ignore[arg-type]


def noted(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(ops.pending_job.c.kind)))


def loaded(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(sa.text("SELECT record_id FROM raw.salesforce__lead")))


def windows(engine: sa.Engine) -> list[sa.Row[tuple[str, datetime, datetime, int, int]]]:
    w = ops.window.c
    statement = sa.select(w.kind, w.start_at, w.end_at, w.expected_rows, w.counted_rows).order_by(w.end_at)
    with engine.connect() as connection:
        return list(connection.execute(statement))


class Killer:
    """Kills a process at its n-th request, which the server answers all the same."""

    def __init__(self, process: subprocess.Popen[bytes], number: int) -> None:
        self.process = process
        self.left = number
        self.struck_at = ""
        self.lock = threading.Lock()

    def __call__(self, line: str) -> None:
        with self.lock:
            self.left -= 1
            if self.left == 0:
                self.struck_at = line
                self.process.kill()
                self.process.wait()


@contextmanager
def at_full_disk() -> Iterator[None]:
    """Loads fail when all is read and stored, just before they commit."""

    def refuse(*_args: object, **_more: object) -> None:
        raise WarehouseError("The warehouse's disk is full.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.ledger.close_load", refuse)
        yield


@pytest.fixture
def notes(warehouse: sa.Engine) -> pending.Notes:
    return pending.Notes(warehouse, "marketo", "leads", "backfill", START, START + timedelta(days=1))


def test_notes_are_kept_by_window(warehouse: sa.Engine, notes: pending.Notes) -> None:
    assert notes.recall("export") is None
    notes.remember("export", "1")
    notes.remember("export", "2")
    notes.remember("another", "3")
    later = pending.Notes(warehouse, "marketo", "leads", "backfill", START, START + timedelta(days=2))
    assert (notes.recall("export"), notes.recall("another"), later.recall("export")) == ("2", "3", None)
    notes.forget("export")
    assert (notes.recall("export"), notes.recall("another")) == (None, "3")


def test_a_note_stays_when_the_load_is_rolled_back_and_goes_when_it_commits(
    warehouse: sa.Engine, notes: pending.Notes
) -> None:
    def load(*, fails: bool) -> None:
        with transaction(warehouse) as connection:
            notes.remember("export", "1")
            window = pending.Begun(notes.kind, notes.start_at, notes.end_at)
            pending.finish(connection, "marketo", "leads", window)
            if fails:
                raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        load(fails=True)
    assert notes.recall("export") == "1"
    load(fails=False)
    assert notes.recall("export") is None


def test_notes_grow_old(warehouse: sa.Engine, notes: pending.Notes) -> None:
    notes.remember("export", "1")
    with warehouse.begin() as connection:
        assert pending.begun(connection, "marketo", "leads") == [("backfill", notes.start_at, notes.end_at)]
        connection.execute(sa.text("UPDATE ops.pending_job SET noted_at = now() - interval '8 days'"))
        assert pending.begun(connection, "marketo", "leads") == []
    assert notes.recall("export") is None


def test_a_committed_load_leaves_neither_job_nor_note(warehouse: sa.Engine, org: Org, connected: Connected) -> None:
    org.rows["Lead"] = leads(40, START)
    assert sync(warehouse, connected(threshold=5)).new == 40
    assert (len(org.asked(JOB)), org.jobs, noted(warehouse)) == (1, {}, [])


def test_a_load_that_fails_leaves_its_job_to_the_next(warehouse: sa.Engine, org: Org, connected: Connected) -> None:
    org.rows["Lead"] = leads(40, START)
    with at_full_disk(), pytest.raises(WarehouseError):
        sync(warehouse, connected(threshold=5))
    assert (noted(warehouse), len(org.jobs)) == (["full"], 1)
    # What has come since is not in the job; a second window has it.
    org.rows["Lead"].append(lead(999, datetime.now(UTC) - timedelta(minutes=6)))
    counts = sync(warehouse, connected(threshold=5))
    assert loaded(warehouse) == {row["Id"] for row in org.rows["Lead"]}
    assert (counts.new, len(org.asked(JOB)), org.jobs, noted(warehouse)) == (41, 1, {}, [])
    first, second = windows(warehouse)
    assert (first.kind, first.expected_rows, first.counted_rows) == ("full", 40, 40)
    assert second.kind == "incremental"
    assert second.start_at <= first.end_at < second.end_at
    assert counts.window is not None
    assert (counts.window.start, counts.window.end) == (first.start_at, second.end_at)


def test_a_process_killed_for_good_leaves_its_job_to_the_next(
    warehouse: sa.Engine, org: Org, connected: Connected
) -> None:
    org.rows["Lead"] = leads(60, START)
    fetching, killed = threading.Event(), threading.Event()

    def hold(line: str) -> None:
        if "/results?" in line and not killed.is_set():
            fetching.set()
            killed.wait(60)

    org.delay = hold
    url = warehouse.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", PROCESS, org.url, url], cwd=ROOT) as process:
        assert fetching.wait(60), "the process never came to the result"
        os.kill(process.pid, signal.SIGKILL)
    killed.set()
    assert process.returncode == -signal.SIGKILL
    assert (noted(warehouse), windows(warehouse)) == (["full"], [])
    assert sync(warehouse, connected(threshold=5)).new == 60
    assert loaded(warehouse) == {row["Id"] for row in org.rows["Lead"]}
    assert (len(org.asked(JOB)), org.jobs, noted(warehouse)) == (1, {}, [])


@pytest.mark.parametrize("number", range(2))
def test_processes_killed_at_any_request_cost_at_most_the_job_that_was_being_asked_for(
    warehouse: sa.Engine, org: Org, connected: Connected, seed: int, number: int
) -> None:
    dice = random.Random(seed + number)
    org.rows["Lead"] = leads(60, START)
    org.polls = 2
    url = warehouse.url.render_as_string(hide_password=False)
    orphans = 0
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", PROCESS, org.url, url], cwd=ROOT) as process:
            org.delay = killer = Killer(process, dice.randrange(1, 18))
            process.wait(120)
        org.delay = lambda _line: None
        orphans += bool(re.search(JOB, killer.struck_at))
    sync(warehouse, connected(threshold=5))
    assert loaded(warehouse) == {row["Id"] for row in org.rows["Lead"]}
    assert noted(warehouse) == []
    assert len(org.jobs) <= orphans
    assert len(org.asked(JOB)) <= 1 + orphans


@pytest.mark.parametrize("number", range(3))
def test_a_job_outlives_the_day_whose_calls_end_at_any_request(
    warehouse: sa.Engine, org: Org, connected: Connected, seed: int, number: int
) -> None:
    dice = random.Random(seed + number)
    org.rows["Lead"] = leads(60, START)
    org.bulk_page, org.polls = 20, 2
    used_up = refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    org.fail(CALLS, used_up, times=10**9, skip=dice.randrange(1, 10))
    asked = list[list[str]]()
    for _ in range(2):
        with pytest.raises(QuotaError) as caught:
            sync(warehouse, connected(threshold=5))
        assert caught.value.until is not None
        assert timedelta(minutes=59) < caught.value.until - datetime.now(UTC) <= timedelta(hours=1)
        asked.append(org.asked(CALLS))
    assert asked[0] == asked[1], "what all know need not be asked again"
    orphans = bool(re.search(JOB, asked[0][-1]))
    assert windows(warehouse) == []
    org.faults.clear()
    with transaction(warehouse) as connection:
        quota.forget(connection, "salesforce")
    sync(warehouse, connected(threshold=5))
    assert loaded(warehouse) == {row["Id"] for row in org.rows["Lead"]}
    assert noted(warehouse) == []
    assert (len(org.asked(JOB)), len(org.jobs)) == (1 + orphans, orphans)


def test_a_job_that_is_gone_is_made_again(warehouse: sa.Engine, org: Org, connected: Connected) -> None:
    org.rows["Lead"] = leads(40, START)
    with at_full_disk(), pytest.raises(WarehouseError):
        sync(warehouse, connected(threshold=5))
    org.jobs.clear()
    assert sync(warehouse, connected(threshold=5)).new == 40
    assert (len(org.asked(JOB)), org.jobs, noted(warehouse)) == (2, {}, [])


def test_a_backfill_takes_up_its_own_job_and_leaves_the_nights_alone(
    warehouse: sa.Engine, org: Org, connected: Connected
) -> None:
    org.rows["Lead"] = leads(40, START)
    interval = Interval(START - timedelta(days=1), START + timedelta(days=1))
    for options in ({"backfill": interval}, {}):
        with at_full_disk(), pytest.raises(WarehouseError):
            sync(warehouse, connected(threshold=5), **options)
    assert sorted(noted(warehouse)) == ["backfill", "full"]
    sync(warehouse, connected(threshold=5), backfill=interval)
    assert noted(warehouse) == ["full"]
    sync(warehouse, connected(threshold=5))
    assert (len(org.asked(JOB)), org.jobs, noted(warehouse)) == (2, {}, [])
