"""A past interval is read again: rows removed by hand come back, exactly that interval is read, and the cursor stays."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from connectors.base.session import Session
from pipeline.build import build
from pipeline.sync import Interval, SyncCounts
from pipeline.validate import validate
from pipeline.words import words
from sandbox.store import Store
from tests.support.nights import contents, credentials, differences, sync_all
from tests.support.truth import MAIN, settle, stores

pytestmark = pytest.mark.slow

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
    return Repair(
        interval, removed, before, damaged, after, (cursors, _cursors(module_warehouse)), counts, asked, paths
    )


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
        if interval.start <= at < interval.end and record.merged_into is None:
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
    assert differences(repair.before, repair.after) == []


def test_the_cursor_stays_where_it_was(repair: Repair) -> None:
    before, after = repair.cursors
    assert before == after != []


def test_exactly_the_interval_is_read(repair: Repair, module_box: Any, module_warehouse: sa.Engine) -> None:
    windows = {(c.vendor, c.stream): c for c in repair.counts}
    assert {(c.window.start, c.window.end, c.window.kind) for c in repair.counts if c.window} == {
        (*repair.interval, "backfill")
    }
    for (vendor, kind), (stream, _) in MAIN.items():
        if kind in ("owners", "forms", "campaigns"):  # short lists, read whole each time
            continue
        store = stores(module_box.world)[vendor]
        expected = _modified(store, kind, repair.interval)
        if vendor == "salesforce":  # merged ones are rows of their own there
            expected |= {
                r.id
                for r in store.records[kind].values()
                if r.merged_into and repair.interval.start <= r.modified_at < repair.interval.end
            }
        merged = {
            loser
            for id_ in expected & {r.id for r in store.records[kind].values()}
            for loser in str(store.records[kind][id_].fields.get("hs_merged_object_ids") or "").split(";")
            if loser
        }
        assert windows[vendor, stream].read == len(expected | merged), (vendor, stream)
    with module_warehouse.connect() as connection:
        query = (
            "SELECT vendor, stream FROM ops.\"window\" WHERE kind = 'backfill' AND start_at = :start AND end_at = :end"
        )
        noted = {tuple(r) for r in connection.execute(sa.text(query), repair.interval._asdict())}
    assert noted == set(windows)


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
