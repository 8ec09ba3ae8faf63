"""The connector on the sandbox's org: Bulk with each of its faults, a formula that goes stale, fields that change."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base.model import EPOCH, Window
from connectors.salesforce.auth import SalesforceAuth, grant_of, login_session
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.client import Client
from connectors.salesforce.connector import Salesforce
from connectors.salesforce.reading import Reader
from pipeline.sync import sync_stream
from pipeline.words import words
from sandbox.serve import running_sandbox
from tests.support.nights import credentials
from warehouse.fields import changes

FAULTS = {
    "bulk_failed": 1,
    "bulk_aborted": 1,
    "bulk_stuck": 5,
    "bulk_vanished": 1,
    "bulk_short_page": 3,
    "bulk_locator_expired": 1,
    "bulk_lost_page": 1,
    "no_result_pages": None,
    "session_expired": 1,
}


@pytest.fixture(scope="module")
def box() -> Iterator[Any]:
    with running_sandbox(seed=7, people=60) as running:
        yield running


@pytest.fixture
def make(box: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Connectors to the org, with pages so small that there are many."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("sandbox.salesforce.app.PAGE_ROWS", 2)
    clients: list[Client] = []

    def connector(*, threshold: int = 0) -> Salesforce:
        keys = credentials(box)["salesforce"]
        login = login_session(keys["login_url"])
        client = Client(SalesforceAuth(login, grant_of(keys, login)), "66.0")
        clients.append(client)
        bulk = Bulk(client, first_pause=0.0, page_rows=1, patience=timedelta(seconds=30))
        return Salesforce(client, Reader(client, bulk, threshold))

    box.context.faults.off()
    yield connector
    box.context.faults.off()
    for client in clients:
        client.session.http.close()
        client.auth._login.http.close()


def ids(connector: Salesforce, stream: str) -> list[str]:
    window = Window(stream, EPOCH, connector.now(), "full")
    pages = list(connector.read(connector.streams[stream], window))
    found = [change.record_id for page in pages for change in page.changes]
    assert sum(page.expected or 0 for page in pages) == len(found) == len(set(found))
    return sorted(found)


@pytest.mark.parametrize("stream", ["lead", "task"])
def test_bulk_and_rest_give_the_same_records(make: Any, stream: str) -> None:
    by_rest = ids(make(threshold=10**9), stream)
    assert len(by_rest) > 10, "more than one answer of result pages"
    assert ids(make(), stream) == by_rest


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_costs_a_record_or_leaves_a_job(box: Any, make: Any, fault: str) -> None:
    everything = ids(make(threshold=10**9), "lead")
    connector = make()
    box.context.log.clear()
    box.context.faults.switch(f"salesforce.{fault}", count=FAULTS[fault])
    assert ids(connector, "lead") == everything
    struck = box.context.faults.switched()[f"salesforce.{fault}"].struck
    assert struck or FAULTS[fault] is None, "the fault was never met"
    box.context.faults.off()
    jobs = connector._client.session.get(connector._client.url("/services/data/v66.0/jobs/query")).json()["records"]
    assert jobs == []


def test_a_formula_that_goes_stale_is_found_and_told_as_a_new_field(box: Any, make: Any, warehouse: sa.Engine) -> None:
    def night() -> int:
        with warehouse.begin() as connection:
            connection.execute(sa.text("UPDATE ops.cursor SET recalculated_at = NULL"))
        connector = make(threshold=1000)
        return sync_stream(warehouse, connector, "lead", words(), progress=lambda *_: None).new

    def ages() -> set[float | None]:
        statement = """
            SELECT DISTINCT ON (record_id) CAST(record ->> 'Age_Days__c' AS float) - extract(
                day FROM CAST(:now AS timestamptz) - CAST(record ->> 'CreatedDate' AS timestamptz))
            FROM raw.salesforce__lead WHERE op = 'upsert' ORDER BY record_id, version_at DESC, load_id DESC
        """
        with warehouse.connect() as connection:
            return set(connection.scalars(sa.text(statement), {"now": make().now()}))

    assert night() > 0
    assert ages() == {None}
    box.context.faults.switch("salesforce.formula_field")
    box.context.faults.switch("salesforce.retyped_field")
    box.advance(1 / 24)
    assert night() > 0, "all have the new formula now"
    assert ages() == {0.0}
    with warehouse.connect() as connection:
        told = [(row["field"], row["change"], row["type_after"]) for row in changes(connection, 9)]
    assert sorted(told) == [("Age_Days__c", "added", "double"), ("Rating", "retyped", "textarea")]
    box.advance(1)
    night()
    assert ages() == {0.0}, "a day older, without any edit"
