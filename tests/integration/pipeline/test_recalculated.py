"""Formula and roll-up fields change without a new date: the nightly comparison finds them, and nothing else."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base.model import Stream
from connectors.salesforce.connector import Salesforce
from pipeline import recalculated
from pipeline.sync import sync_stream
from pipeline.windows import Interval
from pipeline.words import words
from tests.contract.salesforce.fake import Org, lead

Connected = Callable[..., Salesforce]
NIGHT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
LIGHT = r"SELECT Id, Deals__c, Last__c FROM Lead WHERE IsDeleted = false"
SELECT_BY_ID = r"Id IN \("


@pytest.fixture
def scored(org: Org) -> Org:
    """Six leads with a roll-up of numbers and one of moments, and a plain field."""
    org.rows["Lead"] = [lead(number, NIGHT, Deals__c=float(number), Last__c=None, Plain__c="p") for number in range(6)]
    org.shown["Lead"] = [
        *lead(0),
        {"name": "Deals__c", "type": "double", "custom": True, "calculated": True},
        {"name": "Last__c", "type": "datetime", "custom": True, "calculated": True},
        {"name": "Plain__c", "type": "string", "custom": True, "calculated": False},
    ]
    return org


def night(engine: sa.Engine, connector: Salesforce, *, is_due: bool = True, **options: Any) -> int:
    """A sync; how many versions were new."""
    if is_due:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE ops.cursor SET recalculated_at = now() - interval '1 day'"))
    return sync_stream(engine, connector, "lead", words(), progress=lambda *_: None, **options).new


def versions(engine: sa.Engine, id_: str) -> list[tuple[datetime, Any]]:
    statement = sa.text(
        "SELECT version_at, CAST(record AS text) FROM raw.salesforce__lead WHERE record_id = :id"
        " ORDER BY version_at, load_id"
    )
    with engine.connect() as connection:
        return [
            (at, float(value) if (value := json.loads(text)["Deals__c"]) else value)
            for at, text in connection.execute(statement, {"id": id_})
        ]


@pytest.mark.parametrize("threshold", [0, 1000])
def test_stale_values_are_found_and_dated_after_what_they_replace(
    warehouse: sa.Engine, scored: Org, connected: Connected, threshold: int
) -> None:
    assert night(warehouse, connected(threshold=threshold)) == 6
    scored.rows["Lead"][2]["Deals__c"] = 77.0
    scored.rows["Lead"][4]["Last__c"] = "2026-01-01T00:00:00.000+0000"
    scored.rows["Lead"][5]["Plain__c"] = "an edit would have dated this"
    assert night(warehouse, connected(threshold=threshold)) == 2
    id_, tick = scored.rows["Lead"][2]["Id"], timedelta(microseconds=1)
    assert versions(warehouse, id_) == [(NIGHT, 2.0), (NIGHT + tick, 77.0)]
    # Back and forth: each is a version of its own, and the newest is the newest.
    scored.rows["Lead"][2]["Deals__c"] = 2.0
    assert night(warehouse, connected(threshold=threshold)) == 1
    assert versions(warehouse, id_)[-1] == (NIGHT + 2 * tick, 2.0)
    # An edit outranks them, however soon it came after the version they follow.
    scored.rows["Lead"][2].update(Deals__c=5.0, SystemModstamp=_stamp(NIGHT + timedelta(milliseconds=1)))
    interval = Interval(NIGHT - timedelta(hours=1), NIGHT + timedelta(hours=1))
    assert night(warehouse, connected(threshold=1000), backfill=interval) >= 1
    assert versions(warehouse, id_)[-1] == (NIGHT + timedelta(milliseconds=1), 5.0)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


@pytest.mark.parametrize(("first", "then"), [(0, 1000), (1000, 0)])
def test_json_and_csv_tell_the_same_values(
    warehouse: sa.Engine, scored: Org, connected: Connected, first: int, then: int
) -> None:
    scored.rows["Lead"][4]["Last__c"] = "2026-01-01T00:00:00.000+0000"
    scored.rows["Lead"][3]["Deals__c"] = 1.5e7
    night(warehouse, connected(threshold=first))
    assert night(warehouse, connected(threshold=then)) == 0
    assert (len(scored.asked(LIGHT)), len(scored.asked(r"POST \S+/jobs/query"))) == (int(then > 0), 1)
    assert not scored.asked(SELECT_BY_ID)


def test_it_is_done_when_due_and_only_then(warehouse: sa.Engine, scored: Org, connected: Connected) -> None:
    night(warehouse, connected())
    scored.rows["Lead"][2]["Deals__c"] = 77.0
    assert night(warehouse, connected(), is_due=False) == 0, "a full read has just seen them all"
    assert night(warehouse, connected(), backfill=Interval(NIGHT - timedelta(days=9), NIGHT - timedelta(days=8))) == 0
    assert not scored.asked(LIGHT)
    assert night(warehouse, connected()) == 1
    assert night(warehouse, connected(), is_due=False) == 0
    assert len(scored.asked(LIGHT)) == 1


def test_where_nothing_is_calculated_nothing_is_asked(warehouse: sa.Engine, org: Org, connected: Connected) -> None:
    org.rows["Lead"] = [lead(1, NIGHT)]
    night(warehouse, connected())
    asked = len(org.seen)
    assert night(warehouse, connected()) == 0
    assert not [each for each in org.seen[asked:] if "SELECT Id FROM" in each]


def test_deleted_and_unknown_records_are_left_alone(warehouse: sa.Engine, scored: Org, connected: Connected) -> None:
    night(warehouse, connected())
    at = datetime.now(UTC) - timedelta(minutes=7)
    scored.rows["Lead"][2].update(IsDeleted=True, Deals__c=None, SystemModstamp=_stamp(at))
    # Made in this very moment: no window has it yet.
    scored.rows["Lead"].append(lead(99, datetime.now(UTC) - timedelta(seconds=1), Deals__c=3.0, Last__c=None))
    assert night(warehouse, connected()) == 1
    with warehouse.connect() as connection:
        ops = connection.execute(sa.text("SELECT op, count(*) FROM raw.salesforce__lead GROUP BY op ORDER BY op"))
        assert [tuple(row) for row in ops] == [("delete", 1), ("upsert", 6)]


def test_what_this_load_has_just_read_is_not_read_again(
    warehouse: sa.Engine, scored: Org, connected: Connected
) -> None:
    night(warehouse, connected())
    edited = scored.rows["Lead"][2]
    edited.update(Deals__c=8.0, SystemModstamp=_stamp(datetime.now(UTC) - timedelta(minutes=7)))

    def recalculate(line: str) -> None:
        if re.search(LIGHT, line):
            edited["Deals__c"] = 9.0

    scored.delay = recalculate
    assert night(warehouse, connected()) == 1
    assert edited["Deals__c"] == 9.0
    scored.delay = lambda _line: None
    assert night(warehouse, connected()) == 1, "the next night finds it"
    assert versions(warehouse, edited["Id"])[-1][1] == 9.0


def test_a_record_that_lives_again_is_noticed(warehouse: sa.Engine, scored: Org, connected: Connected) -> None:
    night(warehouse, connected())
    row = scored.rows["Lead"][2]
    row.update(IsDeleted=True, SystemModstamp=_stamp(datetime.now(UTC) - timedelta(minutes=7)))
    assert night(warehouse, connected()) == 1
    row.update(IsDeleted=False, Deals__c=10.0)
    assert night(warehouse, connected()) == 1
    assert versions(warehouse, row["Id"])[-1][1] == 10.0


def test_very_many_are_read_as_a_whole(
    warehouse: sa.Engine,
    scored: Org,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("MANY", "FEW"):
        monkeypatch.setattr(recalculated, name, 3)
    night(warehouse, connected())
    for row in scored.rows["Lead"][:4]:
        row["Deals__c"] += 0.5
    with caplog.at_level("WARNING"):
        assert night(warehouse, connected()) == 4
    assert not scored.asked(SELECT_BY_ID)
    assert "calculated or new fields changed in 4 of 6 records" in caplog.text


@pytest.mark.parametrize(
    ("hours", "is_due"), [(None, True), (0, False), (12, False), (21, False), (22, True), (24, True), (90, True)]
)
def test_when_it_is_due(hours: int | None, is_due: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    last = None if hours is None else NIGHT - timedelta(hours=hours)
    assert recalculated.is_due(Stream("s", recalculated_every=timedelta(days=1)), last, NIGHT) is is_due
    assert not recalculated.is_due(Stream("s"), last, NIGHT)
