"""Meetings of which the vendor does not say whether they took place: they did once the stream is read beyond their time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.normalize import come_due
from pipeline.words import words
from tests.support.staging_rows import StagingRows

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAST, NEXT_WEEK = "salesforce:event:1", "salesforce:event:2"


@pytest.fixture
def connection(warehouse: sa.Engine) -> Iterator[sa.Connection]:
    """One meeting that was, one that is to come, one that a vendor calls off, and a task; read up to now."""
    with warehouse.connect() as connection:
        rows = StagingRows(connection)
        for source_id, at, type_, done in (
            (PAST, NOW - timedelta(days=1), "meeting", None),
            (NEXT_WEEK, NOW + timedelta(days=7), "meeting", None),
            ("salesforce:event:3", NOW - timedelta(days=1), "meeting", False),
            ("salesforce:event:4", NOW - timedelta(days=1), "task", None),
            ("hubspot:meetings:5", NOW - timedelta(days=1), "meeting", None),
        ):
            rows.put("engagement", source_id, type=type_, occurred_at=at, is_completed=done)
        connection.execute(sa.text("DELETE FROM ops.staging_change"))
        read_until(connection, NOW)
        yield connection


def read_until(connection: sa.Connection, moment: datetime) -> None:
    connection.execute(sa.text("DELETE FROM ops.cursor"))
    cursor = "INSERT INTO ops.cursor (vendor, stream, position_at, load_id) VALUES ('salesforce', 'event', :moment, 1)"
    connection.execute(sa.text(cursor), {"moment": moment})


def done(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.text("SELECT source_id FROM staging.engagement WHERE is_completed")))


def queued(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.text("SELECT source_key FROM ops.staging_change ORDER BY 1")))


def test_a_meeting_took_place_once_its_time_is_read_and_is_built_again_once(connection: sa.Connection) -> None:
    come_due(connection, "salesforce", "event", words(), 7)
    assert done(connection) == {PAST}
    assert queued(connection) == [PAST]
    come_due(connection, "salesforce", "event", words(), 8)
    assert queued(connection) == [PAST]
    read_until(connection, NOW + timedelta(days=8))
    come_due(connection, "salesforce", "event", words(), 9)
    assert done(connection) == {PAST, NEXT_WEEK}
    assert queued(connection) == [PAST, NEXT_WEEK]


def test_streams_without_engagements_and_without_a_cursor_are_left_alone(connection: sa.Connection) -> None:
    come_due(connection, "salesforce", "lead", words(), 7)
    come_due(connection, "hubspot", "meetings", words(), 7)
    assert done(connection) == set()
