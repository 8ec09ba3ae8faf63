"""A past interval is read again: rows removed by hand come back, exactly that interval is read, and the cursor stays."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from connectors.base.session import Session
from pipeline.build import build
from pipeline.sync import SyncCounts
from pipeline.validate import validate
from pipeline.windows import Interval
from pipeline.words import words
from sandbox.store import Store
from tests.support.nights import contents, credentials, differences, sync_all
from tests.support.truth import MAIN, settle, stores

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OTHER_WORDS = ("raw.marketo__program_members", "raw.marketo__list_members")
"""Marketo tells the same membership in an export's words or in REST's; its log tells also of those that ended before the first night."""

OBJECTS = ("contacts", "companies", "deals", "calls", "emails", "meetings", "tasks", "notes")


class Repair(NamedTuple):
    """What was there before rows were removed, and after the interval was read again; and how it was read."""

    interval: Interval
    removed: Mapping[str, int]
    before: dict[str, list[str]]
    damaged: dict[str, list[str]]
    after: dict[str, list[str]]
    cursors: tuple[list[Any], list[Any]]
    counts: list[SyncCounts]
    asked: list[tuple[str, str, Any]]
    paths: list[str]


@pytest.fixture(scope="module")
def repair(module_box: Any, module_warehouse: sa.Engine) -> Repair:
    """A night; rows of twenty days taken out of raw, staging, core and marts; a backfill of these days; a build."""
    settle(module_box)
    keys = credentials(module_box)
    sync_all(module_warehouse, keys)
    _finish(module_warehouse)
    now = datetime.fromisoformat(module_box.today).replace(hour=0, minute=0, second=0, microsecond=0)
    interval = Interval(now - timedelta(days=60), now - timedelta(days=40))
    before, cursors = contents(module_warehouse), _cursors(module_warehouse)
    removed = _remove(module_warehouse, module_box.world, interval)
    damaged = contents(module_warehouse)
    module_box.context.log.clear()
    asked: list[tuple[str, str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_exchange", _noting(Session._exchange, asked))
        counts = sync_all(module_warehouse, keys, backfill=interval)
    paths = [line.path for line in module_box.context.log.lines("hubspot")]
    _finish(module_warehouse)
    after = contents(module_warehouse)
    after["raw.marketo__leads"] = _without_unknown(after["raw.marketo__leads"], before["raw.marketo__leads"])
    return Repair(
        interval, removed, before, damaged, after, (cursors, _cursors(module_warehouse)), counts, asked, paths
    )


def _without_unknown(leads: list[str], before: list[str]) -> list[str]:
    """Without the deletes and merges of leads that were gone before the first night: Marketo's log tells of the last
    fortnight's to a first read, and to a backfill of its own interval's."""
    known = {row.partition("|")[0] for row in before}
    return [row for row in leads if row.partition("|")[0] in known or not _is_gone(row)]


def _is_gone(row: str) -> bool:
    return row.endswith("|delete") or "|merge|" in row


def _noting(exchange: Any, asked: list[tuple[str, str, Any]]) -> Any:
    def noted(self: Session, method: str, url: str, **kwargs: Any) -> Any:
        asked.append((method, url, kwargs.get("data")))
        return exchange(self, method, url, **kwargs)

    return noted


def _finish(engine: sa.Engine) -> None:
    validate(engine, words())
    build(engine, words(), progress=lambda *_: None)


def _cursors(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(r) for r in connection.execute(sa.text("SELECT * FROM ops.cursor ORDER BY vendor, stream"))]


def _modified(store: Store, kind: str, interval: Interval) -> set[str]:
    """Ids of the records whose present state the vendor dates in the interval."""
    found = set()
    for record in store.records[kind].values():
        at = record.modified_at
        if store.vendor == "hubspot" and record.archived_at is not None:
            at = record.archived_at
        is_before = (
            at <= interval.end if store.vendor == "marketo" else at < interval.end
        )  # its filters take both ends in
        if interval.start <= at and is_before and record.merged_into is None:
            found.add(record.id)
    return found


def _remove(engine: sa.Engine, world: Any, interval: Interval) -> dict[str, int]:
    """Take the records of the interval, and what was made of them, out of the warehouse; returns how many by table."""
    removed: dict[str, int] = {}
    with engine.begin() as connection:

        def delete(table: str, where: str, **values: Any) -> None:
            done = connection.execute(sa.text(f"DELETE FROM {table} WHERE {where}"), values)
            removed[table] = removed.get(table, 0) + done.rowcount

        people: list[str] = []
        for (vendor, kind), (stream, entity) in MAIN.items():
            if kind in ("owners", "forms", "campaigns", "form_submissions"):
                continue
            ids = sorted(_modified(stores(world)[vendor], kind, interval))
            keys = [f"{vendor}:{stream}:{id_}" for id_ in ids]
            delete(f"raw.{vendor}__{stream}", "record_id = ANY(:ids)", ids=ids)
            delete(f"staging.{entity}", "source_key = ANY(:keys)", keys=keys)
            people += keys if entity == "person" else []
        query = "SELECT DISTINCT person_id FROM core.identity_link WHERE source_id = ANY(:keys)"
        persons = list(connection.scalars(sa.text(query), {"keys": people}))
        for table in ("core.identity_evidence", "core.identity_link"):
            delete(table, "source_id = ANY(:keys)", keys=people)
        made = ("core.person", "core.touchpoint", "core.stage_change", "marts.customer_journey", "marts.person_journey")
        for table in made:
            delete(table, "person_id = ANY(:persons)", persons=persons)
    return removed


def test_rows_removed_by_hand_come_back(repair: Repair) -> None:
    of_salesforce = sum(rows for table, rows in repair.removed.items() if table.startswith("raw.salesforce"))
    assert min(of_salesforce, *(repair.removed[table] for table in ("raw.hubspot__contacts", "staging.person"))) > 0
    assert repair.removed["core.person"] > 0
    assert differences(repair.before, repair.damaged) != []
    assert [line for line in differences(repair.before, repair.after) if not line.startswith(OTHER_WORDS)] == []


def test_the_cursor_stays_where_it_was(repair: Repair) -> None:
    before, after = repair.cursors
    assert before == after != []


def test_exactly_the_interval_is_read(repair: Repair, module_box: Any, module_warehouse: sa.Engine) -> None:
    assert {(c.window.start, c.window.end, c.window.kind) for c in repair.counts if c.window} == {
        (*repair.interval, "backfill")
    }
    read = {(c.vendor, c.stream): c.read for c in repair.counts}
    # Short lists are read whole each time. Marketo's leads and members are read as they are now, whatever date that has.
    kinds = [
        k for k in MAIN if k[1] not in ("owners", "forms", "campaigns") and (k[0] != "marketo" or k[1] == "activities")
    ]
    assert {k: read[k[0], MAIN[k][0]] for k in kinds} == {
        k: _shown(stores(module_box.world)[k[0]], k[1], repair.interval) for k in kinds
    }
    assert _noted(module_warehouse, repair.interval).keys() == read.keys()


def _shown(store: Store, kind: str, interval: Interval) -> int:
    """How many records the vendor has to tell of: those of the interval, and those merged into them (or then)."""
    records, ids = store.records[kind], _modified(store, kind, interval)
    if store.vendor == "salesforce":  # merged ones are deleted rows there, with a date of their own
        then = {r.id for r in records.values() if r.merged_into and interval.start <= r.modified_at < interval.end}
        return len(ids | then)
    # Merges have the date of their record's last change, also where it was archived later.
    dated = [records[id_] for id_ in ids if interval.start <= records[id_].modified_at < interval.end]
    merged = [str(record.fields.get("hs_merged_object_ids") or "") for record in dated]
    return len(ids | {loser for losers in merged for loser in losers.split(";") if loser})


def _noted(engine: sa.Engine, interval: Interval) -> dict[tuple[str, str], int]:
    """(vendor, stream) -> rows read, of the backfills of an interval that the ledger knows."""
    query = "SELECT vendor, stream, read_rows FROM ops.\"window\" WHERE kind = 'backfill' AND start_at = :start AND end_at = :end"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), interval._asdict())
        return {(vendor, stream): read for vendor, stream, read in rows}


def test_the_vendors_are_asked_for_no_more(repair: Repair) -> None:
    """HubSpot is searched by the interval's milliseconds and never listed but for the archive; Salesforce asked by its moments."""
    start, end = (int(at.timestamp() * 1000) for at in repair.interval)
    searches = [data for _, url, data in repair.asked if url.endswith("/search")]
    assert len(searches) >= len(OBJECTS)
    assert all(str(start).encode() in data for data in searches)
    assert all(f"/crm/v3/objects/{name}/search" in repair.paths for name in OBJECTS)
    lists = [url for method, url, _ in repair.asked if method == "GET" and "/crm/v3/objects/" in url]
    assert all("archived=true" in url for url in lists)
    assert len(lists) == len(OBJECTS)
    queries = [url for _, url, _ in repair.asked if "/queryAll?q=SELECT" in url and "SystemModstamp+%3E%3D" in url]
    moments = [at.astimezone(UTC).strftime("%Y-%m-%dT%H%%3A%M%%3A%S.000Z") for at in repair.interval]
    assert queries
    assert all(moment in url for url in queries for moment in moments)
    assert end > start


def _busiest(store: Store, until: datetime) -> Interval:
    """The interval of one nightly run (02:00 to 02:00) in which the vendor's records changed most, in the last sixty days."""
    nights = [(until - timedelta(days=n)).replace(hour=2, minute=0, second=0, microsecond=0) for n in range(3, 60)]
    intervals = [Interval(at, at + timedelta(days=1)) for at in nights]
    return max(intervals, key=lambda one: sum(_shown(store, kind, one) for kind in store.records))


def test_a_backfill_by_airflow_repairs_its_interval_and_leaves_the_cursor(
    repair: Repair, module_box: Any, module_warehouse: sa.Engine, tmp_path: Path
) -> None:
    """`airflow backfill create` makes the run; it goes through Airflow's own loop without a scheduler (see the helper)."""
    assert repair.counts
    store = module_box.world.salesforce
    interval = _busiest(store, datetime.fromisoformat(module_box.today))
    before, cursors = contents(module_warehouse, ("raw", "staging")), _cursors(module_warehouse)
    with module_warehouse.begin() as connection:
        for (vendor, kind), (stream, entity) in MAIN.items():
            ids = sorted(_modified(store, kind, interval)) if vendor == "salesforce" else []
            values = {"ids": ids, "keys": [f"{vendor}:{stream}:{id_}" for id_ in ids]}
            connection.execute(sa.text(f"DELETE FROM raw.{vendor}__{stream} WHERE record_id = ANY(:ids)"), values)
            connection.execute(sa.text(f"DELETE FROM staging.{entity} WHERE source_key = ANY(:keys)"), values)
    assert differences(before, contents(module_warehouse, ("raw", "staging"))) != []
    answers = _airflow_backfill(module_warehouse, module_box, interval, tmp_path)
    assert [(a["type"], a["state"], a["failed"]) for a in answers] == [("backfill", "success", [])]
    assert Interval(*(datetime.fromisoformat(answers[0][end]) for end in ("start", "end"))) == interval
    assert differences(before, contents(module_warehouse, ("raw", "staging"))) == []
    assert _noted(module_warehouse, interval) == {
        (vendor, stream): _shown(store, kind, interval)
        for (vendor, kind), (stream, _) in MAIN.items()
        if vendor == "salesforce"
    }
    assert _cursors(module_warehouse) == cursors
    assert _leaks(tmp_path, module_box) == []


def _leaks(home: Path, box: Any) -> list[str]:
    """Which files of Airflow (its database with XCom and task names, its logs) hold the secret or anybody's address."""
    leads = box.world.salesforce.live("Lead")
    addresses = {
        str(lead.fields["Email"]).strip().encode() for lead in leads if "@" in (lead.fields.get("Email") or "")
    }
    secrets = {credentials(box)["salesforce"]["client_secret"].encode(), *addresses}
    files = [path for path in home.rglob("*") if path.is_file()]
    assert addresses
    assert any(path.name == "airflow.db" for path in files)
    return [
        f"{path}: {text!r}" for path in files for content in [path.read_bytes()] for text in secrets if text in content
    ]


def _airflow_backfill(engine: sa.Engine, box: Any, interval: Interval, home: Path) -> list[dict[str, Any]]:
    keys = credentials(box)["salesforce"]
    connection = {
        "conn_type": "generic",
        "host": keys["login_url"],
        "login": keys["client_id"],
        "password": keys["client_secret"],
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SMARKETING", "AIRFLOW"))}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_SALESFORCE": json.dumps(connection),
        "SMARKETING_WAREHOUSE_URL": engine.url.render_as_string(hide_password=False),
    }
    days = [at.date().isoformat() for at in interval]
    program = [sys.executable, "-m", "tests.support.dag_backfill", "sync_salesforce", *days]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return answers
