"""Fields that come, go and change their type: no row is lost, and ops.schema_change tells of each."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.app import app
from connectors.salesforce.connector import Salesforce
from pipeline.sync import sync_stream
from pipeline.words import words
from tests.contract.salesforce.fake import Org, Reply, lead
from warehouse.fields import FieldChange, changes, compare, note

Connected = Callable[..., Salesforce]
NIGHT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)


def custom(name: str, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "type": kind, "custom": True, "calculated": False}


def sync(engine: sa.Engine, connector: Salesforce) -> None:
    sync_stream(engine, connector, "lead", words(), progress=lambda *_: None)


def seen(engine: sa.Engine) -> list[tuple[object, ...]]:
    names = ("vendor", "stream", "field", "change", "type_before", "type_after")
    with engine.connect() as connection:
        return [tuple(row[name] for name in names) for row in reversed(changes(connection, 100))]


def raw(engine: sa.Engine) -> dict[str, dict[str, Any]]:
    statement = "SELECT record_id, CAST(record AS text) FROM raw.salesforce__lead ORDER BY version_at, load_id"
    with engine.connect() as connection:
        return {id_: json.loads(text) for id_, text in connection.execute(sa.text(statement))}


def edit(org: Org, number: int, **values: Any) -> None:
    """Somebody edits a lead just now, as far as windows see it."""
    at = datetime.now(UTC) - timedelta(minutes=7)
    org.rows["Lead"][number].update(values, SystemModstamp=f"{at:%Y-%m-%dT%H:%M:%S}.000+0000")


def test_what_changed_between_two_looks() -> None:
    known = {"a": "string", "b": "string", "c": "double"}
    assert compare(known, known) == []
    assert compare(known, {"b": "boolean", "c": "double", "d": "date"}) == [
        FieldChange("a", "removed", "string", None),
        FieldChange("b", "retyped", "string", "boolean"),
        FieldChange("d", "added", None, "date"),
    ]


def test_the_first_look_changes_nothing_and_streams_stand_alone(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        assert note(connection, "v", "s", {"a": "x", "b": "x"}, 1) == []
        assert note(connection, "v", "other", {"c": "x"}, 2) == []
        assert note(connection, "v", "s", {"a": "x", "b": "x"}, 3) == []
        assert [each.field for each in note(connection, "v", "s", {"a": "y", "c": "x"}, 4)] == ["a", "b", "c"]
        assert note(connection, "v", "s", {"a": "y", "c": "x"}, 5) == []
        rows = changes(connection, 2)
    assert [(row["field"], row["change"], row["load_id"]) for row in rows] == [("c", "added", 4), ("b", "removed", 4)]
    assert [row["change"] for row in rows] == ["added", "removed"]


@pytest.mark.parametrize("threshold", [0, 1000])
def test_fields_that_change_between_two_runs(
    warehouse: sa.Engine, org: Org, connected: Connected, threshold: int
) -> None:
    org.rows["Lead"] = [lead(number, NIGHT, Old__c="o", Flips__c="7") for number in range(6)]
    org.shown["Lead"] = [*lead(0), custom("Old__c"), custom("Flips__c")]
    sync(warehouse, connected(threshold=threshold))
    assert seen(warehouse) == []
    org.shown["Lead"] = [*lead(0), custom("Flips__c", "double"), custom("New__c")]
    for row in org.rows["Lead"]:
        del row["Old__c"]
    edit(org, 2, New__c="n", Flips__c=7)
    sync(warehouse, connected(threshold=threshold))
    assert seen(warehouse) == [
        ("salesforce", "lead", "Flips__c", "retyped", "string", "double"),
        ("salesforce", "lead", "New__c", "added", None, "string"),
        ("salesforce", "lead", "Old__c", "removed", "string", None),
    ]
    records = raw(warehouse)
    assert set(records) == {row["Id"] for row in org.rows["Lead"]}
    assert records[org.rows["Lead"][1]["Id"]]["Old__c"] == "o", "what was sent once stays"
    newest = records[org.rows["Lead"][2]["Id"]]
    assert (newest["New__c"], str(newest["Flips__c"]), "Old__c" in newest) == ("n", "7", False)
    sync(warehouse, connected(threshold=threshold))
    assert len(seen(warehouse)) == 3, "told once"


@pytest.mark.parametrize("threshold", [0, 1000])
def test_values_of_a_field_that_came_are_read_though_no_record_changed(
    warehouse: sa.Engine, org: Org, connected: Connected, threshold: int
) -> None:
    """Added with a default, or hidden from the key on a night in which records changed."""
    org.rows["Lead"] = [lead(number, NIGHT, Hidden__c=f"h{number}") for number in range(6)]
    org.shown["Lead"] = [*lead(0), custom("Hidden__c")]
    sync(warehouse, connected(threshold=threshold))
    org.shown["Lead"] = [*lead(0)]
    edit(org, 2, Company="Changed meanwhile")
    sync(warehouse, connected(threshold=threshold))
    assert "Hidden__c" not in raw(warehouse)[org.rows["Lead"][2]["Id"]]
    org.shown["Lead"] = [*lead(0), custom("Hidden__c"), custom("Default__c")]
    for number in (0, 4):
        org.rows["Lead"][number]["Default__c"] = "standard"
    sync(warehouse, connected(threshold=threshold))
    records = [raw(warehouse)[row["Id"]] for row in org.rows["Lead"]]
    assert [record["Hidden__c"] for record in records] == [f"h{number}" for number in range(6)]
    assert [record.get("Default__c") for record in records] == ["standard", None, None, None, "standard", None]
    with warehouse.connect() as connection:
        count = connection.scalar(sa.text("SELECT count(*) FROM raw.salesforce__lead"))
    assert count == 6 + 1 + 3, "the others need no new version"


def test_a_field_that_vanishes_between_two_pages_is_told_by_the_same_load(
    warehouse: sa.Engine, org: Org, connected: Connected
) -> None:
    org.rows["Lead"] = [lead(number, NIGHT, Old__c="o") for number in range(6)]
    org.shown["Lead"] = [*lead(0), custom("Old__c")]
    sync(warehouse, connected())
    for number in range(6):
        edit(org, number)
    org.page_sizes = [2]

    def vanish(_reply: Reply) -> Reply:
        org.shown["Lead"] = [*lead(0)]
        return Reply(400, [{"errorCode": "INVALID_FIELD", "message": "No such column 'Old__c' on entity 'Lead'."}])

    org.fail(r"GET \S+/query/01g", vanish, skip=1)
    sync(warehouse, connected())
    assert seen(warehouse) == [("salesforce", "lead", "Old__c", "removed", "string", None)]
    with warehouse.connect() as connection:
        counted = connection.execute(
            sa.text("SELECT expected_rows, counted_rows FROM ops.window WHERE kind = 'incremental'")
        ).all()
    assert [tuple(row) for row in counted] == [(6, 6)]
    assert all("Old__c" not in record for record in raw(warehouse).values())


def test_the_command_shows_them(warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.ledger.open_warehouse", lambda: warehouse)
    run = CliRunner().invoke
    assert "none since the first load" in run(app, ["schema", "changes"]).output
    with warehouse.begin() as connection:
        note(connection, "hubspot", "contacts", {"a": "string"}, 1)
        note(connection, "hubspot", "contacts", {"a": "number", "b": "date"}, 2)
    shown = run(app, ["schema", "changes"]).output
    assert all(word in shown for word in ("hubspot", "contacts", "retyped", "string", "number", "added", "date"))
    listed = json.loads(run(app, ["schema", "changes", "--json", "--limit", "1"]).output)
    assert [(each["field"], each["change"], each["type_after"]) for each in listed] == [("b", "added", "date")]
