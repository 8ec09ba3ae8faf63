"""HubSpot's properties come, go and change their type, 1,200 of them: in raw at once, no record lost, each change told."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base.model import Describing
from connectors.hubspot import connect
from pipeline.sync import sync_stream
from pipeline.words import words
from tests.contract.hubspot.fake import TOKEN, FakeHubSpot, Record, Reply, Request, serving
from tests.contract.hubspot.helpers import START
from warehouse.fields import changes

MANY = [f"a_rather_long_custom_property_{number}" for number in range(1_200)]
IDS = {str(number) for number in range(1, 131)}


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHubSpot]:
    for module in ("tenacity.nap", "connectors.base.windows"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=lambda _: None))
    with serving() as fake:
        fake.custom["contacts"] = list(MANY)
        fake.add("contacts", *(Record(int(one), START, {MANY[0]: "kept", MANY[-1]: one}) for one in IDS))
        yield fake


def sync(engine: sa.Engine, vendor: FakeHubSpot, **options: Any) -> None:
    connector = connect({"access_token": TOKEN, "base_url": vendor.url, "search_per_second": "0"})
    assert isinstance(connector, Describing)
    sync_stream(engine, connector, "contacts", words(), progress=lambda *_: None, **options)


def newest(engine: sa.Engine) -> dict[str, dict[str, Any]]:
    statement = "SELECT record_id, CAST(record AS text) FROM raw.hubspot__contacts ORDER BY version_at, load_id"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(statement)).all()
    return {id_: json.loads(text)["properties"] for id_, text in rows}


def told(engine: sa.Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return sorted(
            (row["field"], row["change"], row["type_before"], row["type_after"]) for row in changes(connection, 99)
        )


def test_changes_between_two_runs(warehouse: sa.Engine, vendor: FakeHubSpot) -> None:
    sync(warehouse, vendor)
    assert told(warehouse) == []
    assert {id_: each[MANY[-1]] for id_, each in newest(warehouse).items()} == {id_: id_ for id_ in IDS}
    assert max(request.length for request in vendor.log) < 14_000
    vendor.custom["contacts"] = [*MANY[:-1], "new_one"]
    vendor.types[MANY[0]] = "number"
    for record in vendor.objects["contacts"].values():
        record.properties.update({MANY[0]: "7", "new_one": "n"})
        del record.properties[MANY[-1]]
    sync(warehouse, vendor, full=True)
    assert told(warehouse) == [
        (MANY[0], "retyped", "string", "number"),
        (MANY[-1], "removed", "string", None),
        ("new_one", "added", None, "string"),
    ]
    found = newest(warehouse)
    assert set(found) == IDS
    assert {(each[MANY[0]], each["new_one"], each.get(MANY[-1])) for each in found.values()} == {("7", "n", None)}


def test_a_property_that_comes_between_two_pages(warehouse: sa.Engine, vendor: FakeHubSpot) -> None:
    sync(warehouse, vendor)
    pages: list[Request] = []

    def answering(request: Request) -> Reply | None:
        if request.path.endswith("/crm/v3/objects/contacts") and "after" in request.query:
            pages.append(request)
            vendor.custom["contacts"] = [*MANY, "new_one"]
        return None

    vendor.answering = answering
    sync(warehouse, vendor, full=True)
    assert pages, "there was no second page"
    assert told(warehouse) == [], "asked for before it was made"
    changed = vendor.objects["contacts"][7]
    changed.properties["new_one"] = "n"
    changed.modified += 60_000
    sync(warehouse, vendor, full=True)
    assert told(warehouse) == [("new_one", "added", None, "string")]
    assert newest(warehouse)["7"]["new_one"] == "n"
    assert set(newest(warehouse)) == IDS
