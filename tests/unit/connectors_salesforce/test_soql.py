"""Spans in SOQL: what they say, and that halves neither overlap nor leave a gap."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.salesforce.soql import BEGINNING, SMALLEST, URI_LIMIT, Query, id_batches, literal

START = datetime(2026, 1, 1, tzinfo=UTC)
LEADS = Query("Lead", ("Id", "Email"), "SystemModstamp", START, START + timedelta(days=1))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (START, "2026-01-01T00:00:00.000Z"),
        (START.replace(microsecond=1000), "2026-01-01T00:00:00.001Z"),
        (START.replace(microsecond=1), "2026-01-01T00:00:00.001Z"),
        (START.replace(second=59, microsecond=999_001), "2026-01-01T00:01:00.000Z"),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00.000Z"),
    ],
)
def test_literals_are_utc_and_round_up_to_milliseconds(at: datetime, text: str) -> None:
    assert literal(at) == text


def test_a_bounded_span() -> None:
    where = "WHERE SystemModstamp >= 2026-01-01T00:00:00.000Z AND SystemModstamp < 2026-01-02T00:00:00.000Z"
    assert LEADS.select == f"SELECT Id, Email FROM Lead {where}"
    assert LEADS.count == f"SELECT COUNT() FROM Lead {where}"
    assert str(LEADS) == "Lead from 2026-01-01T00:00:00.000Z to 2026-01-02T00:00:00.000Z"


def test_an_open_span_with_a_condition() -> None:
    query = Query("User", ("Id",), "CreatedDate", condition="IsDeleted = false")
    assert query.select == "SELECT Id FROM User WHERE IsDeleted = false"
    assert Query("User", ("Id",), "CreatedDate").count == "SELECT COUNT() FROM User"
    assert str(query) == "User from the beginning to now"


@given(moments, st.timedeltas(timedelta(0), timedelta(days=20_000)))
def test_halves_are_the_whole(start: datetime, width: timedelta) -> None:
    query = Query("Lead", ("Id",), "SystemModstamp", start, start + width)
    halves = query.halves()
    if width <= SMALLEST:
        assert halves is None
        return
    if halves is None:
        assert width <= 2 * SMALLEST
        return
    left, right = halves
    assert (left.start, left.end, right.end) == (query.start, right.start, query.end)
    assert left.end is not None
    assert start < left.end < start + width


def test_halves_of_an_open_span_stay_open() -> None:
    left, right = Query("Lead", ("Id",), "CreatedDate").halves() or (None, None)
    assert left is not None
    assert right is not None
    assert (left.start, right.end) == (None, None)
    assert left.end == right.start
    assert left.end is not None
    assert left.end > BEGINNING


def test_only_known_fields_are_kept_in_order() -> None:
    assert LEADS.only(frozenset({"Email", "Id", "More"})).fields == ("Id", "Email")


def test_too_long_is_measured_as_it_is_sent() -> None:
    names = tuple(f"Field_{number:03d}__c" for number in range(1000))
    longest = max(size for size in range(1000) if not Query("Lead", names[:size], "SystemModstamp").is_too_long)
    assert len(quote_plus(Query("Lead", names[:longest], "SystemModstamp").select)) <= URI_LIMIT
    assert len(quote_plus(Query("Lead", names[: longest + 1], "SystemModstamp").select)) > URI_LIMIT


@settings(max_examples=40)
@given(st.integers(0, 1200), st.integers(1, 400))
def test_every_id_is_in_one_batch_and_batches_fit(count: int, width: int) -> None:
    query = Query("Lead", tuple(f"A_custom_field_{number:04d}__c" for number in range(width)), "SystemModstamp")
    ids = [f"00Q{number:012d}AAA" for number in range(count)]
    batches = id_batches(ids, query)
    asked = [each for batch in batches for each in batch.condition.split("'")[1::2]]
    assert asked == ids
    assert all(len(quote_plus(batch.count)) <= URI_LIMIT for batch in batches)
    if width < 100:
        assert not any(batch.is_too_long for batch in batches)


def test_what_is_no_id_never_reaches_the_soql() -> None:
    wrong = ["", "short", "0" * 16, "00Q00000000000'AAA", "00Q0000000000é1AAA", "') OR Id != ('"]
    assert id_batches(wrong, LEADS) == []
    assert [each.condition for each in id_batches([*wrong, "0" * 18, "0" * 18, "1" * 15], LEADS)] == [
        f"Id IN ('{'0' * 18}','{'1' * 15}')"
    ]


@pytest.mark.parametrize("count", [0, 1, 400, 1200])
def test_pieces_have_every_field_once_and_what_tells_versions_apart(count: int) -> None:
    names = tuple(f"A_custom_field_with_a_long_name_{number:04d}__c" for number in range(count))
    head = ("Id", "CreatedDate", "SystemModstamp")
    query = Query("Lead", (*head[:1], *names, *head[1:]), "SystemModstamp", condition="IsDeleted = false")
    pieces = query.pieces()
    assert all(piece.fields[: len(head)] == head for piece in pieces)
    assert tuple(name for piece in pieces for name in piece.fields[len(head) :]) == names
    assert not any(piece.is_too_long for piece in pieces)
    assert (len(pieces) == 1) == (not query.is_too_long)
    assert {(piece.axis, piece.condition, piece.count) for piece in pieces} == {
        (query.axis, query.condition, query.count)
    }
