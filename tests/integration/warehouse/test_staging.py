"""What putting rows in place of others puts on the queue: records whose rows really changed, with the columns that did."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from transforms.normalize.entity import schema
from warehouse import staging

T0 = datetime(2026, 5, 1, tzinfo=UTC)
KEYS = [f"hubspot:contacts:{n}" for n in range(3)]


def frame(*people: dict[str, Any]) -> pl.DataFrame:
    """Persons as normalise writes them. What is not given is null, or the plainest value."""
    rows = [
        {
            "source_id": one["source_key"],
            "source_system": "hubspot",
            "source_stream": "contacts",
            "source_record_id": one["source_key"].rsplit(":", 1)[1],
            "version_at": T0,
            "is_deleted": False,
            "load_id": 1,
            **one,
        }
        for one in people
    ]
    columns = schema("person")
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=columns)


PEOPLE = [{"source_key": key, "email": "one@acme.test", "other_emails": ["two@acme.test"]} for key in KEYS]


@pytest.fixture
def connection(warehouse: sa.Engine) -> Iterator[sa.Connection]:
    """Three persons in staging, and nothing waiting."""
    with warehouse.connect() as connection:
        put(connection, [], *PEOPLE)
        assert queued(connection) == dict.fromkeys(KEYS)
        yield connection


def put(connection: sa.Connection, before: list[str], *people: dict[str, Any]) -> None:
    rows = {"person": staging.ready("person", frame(*people))} if people else {}
    assert staging.replace(connection, before, ["person"], rows, load_id=2) == len(people)


def queued(connection: sa.Connection) -> dict[str, list[str] | None]:
    """Empties the queue: record -> columns that changed; none where it came or went."""
    taken = connection.execute(
        sa.text("DELETE FROM ops.staging_change RETURNING source_key, changed_columns, entity, load_id")
    ).all()
    assert all((row.entity, row.load_id) == ("person", 2) for row in taken)
    assert len({row.source_key for row in taken}) == len(taken)
    return {row.source_key: row.changed_columns for row in taken}


def test_rows_that_are_told_again_are_no_change(connection: sa.Connection) -> None:
    put(connection, KEYS, *({**one, "load_id": 9} for one in PEOPLE))
    assert queued(connection) == {}


def test_each_record_is_named_with_the_columns_that_changed(connection: sa.Connection) -> None:
    first, second, third = PEOPLE
    changed = {**first, "email": None, "job_title": "Buyer", "version_at": T0 + timedelta(days=1)}
    put(connection, KEYS, changed, {**second, "other_emails": []}, third)
    assert queued(connection) == {KEYS[0]: ["email", "job_title", "version_at"], KEYS[1]: ["other_emails"]}


def test_a_record_that_comes_or_goes_is_named_without_columns(connection: sa.Connection) -> None:
    put(connection, KEYS[:2], PEOPLE[0], {**PEOPLE[1], "source_key": "hubspot:contacts:new"})
    assert queued(connection) == {KEYS[1]: None, "hubspot:contacts:new": None}


def test_a_record_of_which_a_part_goes_is_named_without_columns(connection: sa.Connection) -> None:
    part = {**PEOPLE[0], "source_id": f"{KEYS[0]}#1", "email": "part@acme.test"}
    put(connection, KEYS[:1], PEOPLE[0], part)
    assert queued(connection) == {KEYS[0]: None}
    put(connection, KEYS[:1], {**PEOPLE[0], "city": "Recife"})
    assert queued(connection) == {KEYS[0]: None}
