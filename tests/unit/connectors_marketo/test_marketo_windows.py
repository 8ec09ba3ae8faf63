from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.model import Window
from connectors.marketo.answers import midnight
from connectors.marketo.windows import LONGEST, spans, suits_rest

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
moments = st.datetimes(datetime(2006, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given its zone


@given(moments, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_spans_cover_the_window_in_whole_seconds_of_at_most_31_days(start: datetime, length: timedelta) -> None:
    end = start + length
    parts = list(spans(start, end))
    if start == end.replace(microsecond=0) or not parts:
        assert length < timedelta(seconds=1)
        return
    assert parts[0].start <= start
    assert end <= parts[-1].end < end + timedelta(seconds=1)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert all(timedelta(0) < part.end - part.start <= LONGEST for part in parts)
    assert all(moment.microsecond == 0 for part in parts for moment in part)


def test_filters_are_written_without_fractions() -> None:
    (part,) = spans(datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC), datetime(2026, 1, 2, 0, 0, 0, 1, UTC))
    assert part.filter == {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:01Z"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(1, 0, True), (3, 0, True), (3.1, 0, False), (2, 1, True), (2, 1.1, False), (400, 399, False)],
)
def test_rest_reads_what_is_short_and_ends_about_now(start: float, end: float, expected: bool) -> None:  # noqa: FBT001
    window = Window("leads", NOW - timedelta(days=start), NOW - timedelta(days=end), "incremental")
    assert suits_rest(window, NOW) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 1, 16, 6, tzinfo=UTC)),
        (datetime(2026, 1, 15, 5, 59, tzinfo=UTC), datetime(2026, 1, 15, 6, tzinfo=UTC)),
        (datetime(2026, 7, 15, 12, tzinfo=UTC), datetime(2026, 7, 16, 5, tzinfo=UTC)),
        (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 3, 9, 5, tzinfo=UTC)),  # the clock is put forward
    ],
)
def test_quotas_are_free_again_at_midnight_in_chicago(at: datetime, expected: datetime) -> None:
    assert midnight(at) == expected
