"""How often a vendor is asked for its totals, and what becomes of answers that do not agree."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import connect
from connectors.base.model import EPOCH, Stream, Total, Window
from pipeline.totals import TRIES, note
from pipeline.words import words
from warehouse import raw
from warehouse.engine import transaction

NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Telling:
    """Stands for HubSpot: tells how many there are, and what changed."""

    vendor = "hubspot"
    totals_lag = True

    def __init__(self, records: int, *, is_restless: bool) -> None:
        self.records, self.is_restless = records, is_restless
        self.asked: list[str] = []
        self.numbers = count()
        self.streams = connect("hubspot", {"access_token": "x"}).streams

    def totals(self, _stream: Stream, until: datetime) -> list[Total]:
        assert until <= NOW - timedelta(minutes=1)
        self.asked.append("total")
        return [Total("", self.records)]

    def changed_ids(self, _stream: Stream, _since: datetime) -> set[str]:
        self.asked.append("ids")
        return {str(next(self.numbers))} if self.is_restless else set()


def noted(engine: sa.Engine, connector: Any) -> list[tuple[int, int]]:
    stream, window = connector.streams["deals"], Window("deals", EPOCH, NOW, "full")
    with transaction(engine) as connection:
        raw.ensure_table(connection, connector.vendor, stream.name)
        note(connection, connector, stream, window, words(), 1)
        rows = connection.execute(sa.text("SELECT vendor_rows, staged_rows FROM ops.vendor_total"))
        return [(row.vendor_rows, row.staged_rows) for row in rows]


@pytest.mark.parametrize(
    ("records", "is_restless", "rows", "asked"),
    [
        (0, False, [(0, 0)], ["ids", "total"]),
        (5, False, [(5, 0)], ["ids", "total", "ids"]),
        (5, True, [], ["ids", "total", "ids"] * TRIES),
    ],
    ids=["agrees", "differs", "differs while records change"],
)
def test_a_vendor_is_asked_again_only_where_it_counts_otherwise(
    warehouse: sa.Engine, *, records: int, is_restless: bool, rows: list[tuple[int, int]], asked: list[str]
) -> None:
    connector = Telling(records, is_restless=is_restless)
    assert noted(warehouse, connector) == rows
    assert connector.asked == asked
