"""One quota for all who use an account: never exceeded, used when there is work, and deferred without loss when it is used up."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import connect
from connectors.base.model import Connector
from errors import QuotaError
from pipeline.quota import share
from pipeline.sync import SyncCounts, sync_stream
from pipeline.windows import Interval
from pipeline.words import words
from sandbox.context import Context
from sandbox.hubspot.app import create_app
from sandbox.hubspot.limits import BURST_SECONDS, Limits
from sandbox.serve import running_sandbox
from sandbox.store import Store
from tests.support.serving import serving
from warehouse import quota
from warehouse.engine import transaction

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TOKEN = "pat-made-up"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CONTACTS = 2_040
LIST = "/crm/v3/objects/contacts"


@pytest.fixture
def context() -> Context:
    return Context(clock=lambda: NOW, credentials={"hubspot_access_token": TOKEN}, limits=True)


@pytest.fixture
def store() -> Store:
    """Contacts of one minute each, in 21 pages."""
    store = Store("hubspot", {"contacts": {"lifecyclestage"}}, archiving_modifies=False)
    for n in range(1, CONTACTS + 1):
        at = NOW - timedelta(days=3) + timedelta(minutes=n)
        store.create("contacts", str(n), at, {"email": f"p{n}@acme.example", "lifecyclestage": "lead"})
    return store


def hubspot(url: str, **given: str) -> Connector:
    return connect("hubspot", {"access_token": TOKEN, "base_url": url, "search_per_second": "0", **given})


def sync(engine: sa.Engine, url: str, **how: Any) -> SyncCounts:
    connector = hubspot(url, api_reserve="0")
    return sync_stream(engine, connector, "contacts", words(), progress=lambda *_: None, **how)


def scalar(engine: sa.Engine, statement: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(sa.text(statement))


def renew(engine: sa.Engine, limits: Limits) -> None:
    """Another day: HubSpot counts from nothing, and so do we."""
    limits.daily += 1_000
    with transaction(engine) as connection:
        assert quota.forget(connection, "hubspot") > 0


@pytest.mark.parametrize("kind", ["night", "backfill"])
def test_a_used_up_day_defers_and_the_read_goes_on_from_there(
    warehouse: sa.Engine, store: Store, context: Context, monkeypatch: pytest.MonkeyPatch, seed: int, kind: str
) -> None:
    """Deferred at a random page; what was read is kept, no page is read twice but one, nothing is missing."""
    calls = random.Random(seed).randrange(*((8, 20) if kind == "night" else (30, 45)))
    limits = Limits(daily=calls)
    how: dict[str, Any] = {} if kind == "night" else {"backfill": Interval(NOW - timedelta(days=9), NOW)}
    with serving(create_app(store, context, limits)) as url:
        if kind == "backfill":
            monkeypatch.setattr("connectors.hubspot.search.CAP", 300)
        with pytest.raises(QuotaError) as caught:
            sync(warehouse, url, **how)
        assert caught.value.until is not None
        assert timedelta(hours=11) < caught.value.until - datetime.now(UTC) <= timedelta(hours=12), "midnight"
        kept = scalar(warehouse, "SELECT count(*) FROM raw.hubspot__contacts")
        assert 0 < kept <= CONTACTS - (kind == "night")
        assert scalar(warehouse, "SELECT count(*) FROM staging.person") == kept
        assert scalar(warehouse, "SELECT read_rows FROM ops.unfinished") == kept
        assert scalar(warehouse, "SELECT count(*) FROM ops.cursor") == 0
        asked = len(context.log.lines())
        with pytest.raises(QuotaError):
            sync(warehouse, url, **how)
        assert len(context.log.lines()) == asked, "what all know need not be asked again"
        renew(warehouse, limits)
        counts = sync(warehouse, url, **how)
    assert counts.window is not None
    assert scalar(warehouse, "SELECT count(*) FROM raw.hubspot__contacts") == CONTACTS
    assert scalar(warehouse, "SELECT count(*) FROM staging.person") == CONTACTS
    assert scalar(warehouse, "SELECT count(*) FROM ops.unfinished") == 0
    with warehouse.connect() as connection:
        row = connection.execute(
            sa.text('SELECT expected_rows, counted_rows, read_rows FROM ops."window" ORDER BY end_at LIMIT 1')
        ).one()
    assert row.expected_rows == row.counted_rows == CONTACTS
    assert CONTACTS <= row.read_rows <= CONTACTS + 300
    pages = Counter(line.path for line in context.log.lines() if line.status == 200)[LIST]
    if kind == "night":
        # 21 pages of the live, the archived by then and since then, and the page during which the day was used up
        assert pages <= 21 + 2 + 1
        assert timedelta(0) <= scalar(warehouse, "SELECT position_at FROM ops.cursor") - NOW < timedelta(minutes=5)


def test_all_who_use_an_account_keep_to_its_limit_and_use_it(
    make_warehouse: Callable[[], sa.Engine], store: Store, context: Context
) -> None:
    """Two nights and a backfill at work at once, each with connections of its own, as processes have."""
    burst, seconds = 100, 14.0
    engine = make_warehouse()
    with serving(create_app(store, context, Limits(burst=burst))) as url:
        done: Counter[str] = Counter()
        ends = time.monotonic() + seconds

        def work(name: str, *, is_urgent: bool) -> None:
            own = sa.create_engine(engine.url)
            connector: Any = hubspot(url)
            share(own, connector, is_urgent=is_urgent)
            while time.monotonic() < ends:
                connector.api.session.get("/crm/v3/owners", params={"limit": 1})
                done[name] += 1
            own.dispose()

        work_of = [("night", True), ("night", True), ("backfill", False), ("night", True), ("night", True)]
        threads = [threading.Thread(target=work, args=(n,), kwargs={"is_urgent": u}) for n, u in work_of]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    statuses = Counter(line.status for line in context.log.lines())
    assert statuses[429] <= 0.01 * statuses.total(), statuses
    assert statuses[200] >= 0.9 * burst * seconds / BURST_SECONDS, statuses
    assert 0 < done["backfill"] < 0.35 * done["night"], done


def test_a_task_whose_quota_is_used_up_is_rescheduled_by_airflow(warehouse: sa.Engine, tmp_path: Path) -> None:
    """Shortly before the account's midnight the day is used up once: the task waits for it, costs no retry, and goes on."""
    with running_sandbox(seed=7, people=30) as box:
        midnight = datetime.fromisoformat(box.today).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(1)
        box.world.advance_to(midnight - timedelta(seconds=5))
        box.world.freeze(frozen=True)
        box.context.faults.switch("hubspot.429_daily", count=1)
        connections = {
            "warehouse": warehouse.url.set(drivername="postgresql").render_as_string(hide_password=False),
            "hubspot": json.dumps(
                {
                    "conn_type": "http",
                    "host": box.hubspot_url,
                    "password": box.credentials["hubspot_access_token"],
                    "extra": {"search_per_second": "0"},
                }
            ),
        }
        environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
        environment |= {f"AIRFLOW_CONN_{name.upper()}": value for name, value in connections.items()}
        asked = json.dumps({"dag_id": "sync_hubspot", "logical_date": midnight.isoformat()})
        done = subprocess.run(
            [sys.executable, "-m", "dags.local"],
            input=asked + "\n",
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            check=False,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["state"], answer["failed"]) == ("success", []), f"{answer} {done.stderr[-6000:]}"
    airflow = sa.create_engine(f"sqlite:///{tmp_path / 'airflow.db'}")
    assert scalar(airflow, "SELECT count(*) FROM task_reschedule") >= 1
    assert scalar(airflow, "SELECT max(try_number) FROM task_instance WHERE task_id LIKE 'sync%'") == 1
    assert scalar(warehouse, "SELECT count(DISTINCT stream) FROM ops.cursor") == len(hubspot("http://x").streams)
