"""The world's small parts: agenda, ids, moments, names, dirt, faults, log."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sandbox.context import Faults, RequestLog
from sandbox.world.agenda import Agenda
from sandbox.world.dirt import amount_text, date_forms, mistyped
from sandbox.world.ids import Keys, Numbers, _checksum
from sandbox.world.moments import DAY, HOUR, at_local, hubspot_text, is_weekend, salesforce_text, to_datetime, to_ms
from sandbox.world.names import _LONG_FAMILY, _LONG_GIVEN, CULTURES, draw_name, fold
from sandbox.world.people import Addresses
from sandbox.world.places import COUNTRIES, Country, draw_phone


def test_the_agenda_plays_in_order_of_time_then_of_planning(seed: int) -> None:
    rng = random.Random(seed)
    agenda = Agenda(100 * DAY)
    done: list[tuple[int, int]] = []

    def note(ms: int, number: int) -> None:
        assert agenda.now == ms
        done.append((ms, number))
        if number < 40:
            agenda.plan(ms + rng.randrange(2 * DAY), note, number + 100)

    planned = [(100 * DAY + rng.randrange(5 * DAY), n) for n in range(60)]
    for ms, number in planned:
        agenda.plan(ms, note, number)
    for day in range(101, 110):
        agenda.play(day * DAY)
        assert all(ms < day * DAY for ms, _ in done)
        assert agenda.now == day * DAY
    assert done == sorted(done, key=lambda line: line[0])
    assert len(done) == 100
    assert {line for line in done if line[1] < 100} == set(planned)


def test_what_is_planned_for_the_past_happens_now() -> None:
    agenda = Agenda(10 * DAY)
    done: list[int] = []
    agenda.plan(3 * DAY, done.append)
    agenda.play(10 * DAY + 1)
    assert done == [10 * DAY]


@pytest.mark.parametrize(
    ("first", "whole"), [("001A0000006Vm9r", "001A0000006Vm9rIAC"), ("00Q000000000000", "00Q000000000000EAA")]
)
def test_the_checksum_is_salesforces(first: str, whole: str) -> None:
    assert first + "".join(_checksum(first[i : i + 5]) for i in (0, 5, 10)) == whole


def test_ids_do_not_repeat() -> None:
    keys, numbers = Keys(), Numbers()
    given = [keys.new("Lead") for _ in range(5_000)]
    assert len(set(given)) == len({id_.lower() for id_ in given}) == 5_000
    assert {len(id_) for id_ in given} == {18}
    assert len({numbers.event() for _ in range(5_000)}) == 5_000
    calls = [numbers.new("calls"), numbers.new("calls")]
    assert int(calls[1]) == int(calls[0]) + 1


def test_moments_are_written_as_the_vendors_do() -> None:
    ms = to_ms(datetime(2026, 5, 1, 12, 0, 7, 45_000, tzinfo=UTC))
    assert hubspot_text(ms) == "2026-05-01T12:00:07.045Z"
    assert salesforce_text(ms) == "2026-05-01T12:00:07.045+0000"
    assert to_datetime(ms) == datetime(2026, 5, 1, 12, 0, 7, 45_000, tzinfo=UTC)


def test_local_times_follow_daylight_saving() -> None:
    winter, summer = (to_ms(datetime(2026, m, 2, tzinfo=UTC)) // DAY for m in (2, 7))
    assert at_local("Europe/Berlin", winter, 9 * HOUR) == winter * DAY + 8 * HOUR
    assert at_local("Europe/Berlin", summer, 9 * HOUR) == summer * DAY + 7 * HOUR


def test_weekends() -> None:
    monday = to_ms(datetime(2026, 6, 1, tzinfo=UTC)) // DAY
    assert [is_weekend(monday + i) for i in range(7)] == [False] * 5 + [True] * 2


def test_names_fold_to_addresses_that_nobody_shares(seed: int) -> None:
    rng = random.Random(seed)
    addresses = Addresses()
    drawn = [draw_name(rng, culture) for _ in range(200) for culture in CULTURES]
    given = [addresses.new(name, "x.example", number) for number, name in enumerate(drawn)]
    assert len(given) == len(set(given))
    assert all(email.split("@")[0].replace(".", "").isalnum() and email.isascii() for email in given)
    assert fold("d'Ávila") == "davila"
    assert fold("Weiß") == "weiss"
    assert len(f"{_LONG_GIVEN} {_LONG_FAMILY}") == 60


def test_amounts_keep_their_value_in_every_form(seed: int) -> None:
    rng = random.Random(seed)
    forms = set()
    for number in range(200):
        cents = rng.randrange(1, 10**9)
        text = amount_text(number, cents)
        assert Decimal(text) == Decimal(cents) / 100
        forms.add("E" in text)
    assert forms == {True, False}


def test_dates_keep_their_day_in_every_form() -> None:
    ms = to_ms(datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert {date_forms(n, ms) for n in range(60)} == {"2026-05-01T12:00:00.000Z", "2026-05-01", str(ms)}


def test_most_addresses_are_typed_well(seed: int) -> None:
    rng = random.Random(seed)
    typed = [mistyped(rng, "ana@gmail.com", n) for n in range(2_000)]
    assert 0.85 < typed.count("ana@gmail.com") / 2_000 < 0.97
    assert {"ana@gmial.com", " ana@gmail.com ", "ana@gmail.com.", "ANA@GMAIL.COM", "not-an-email"} <= set(typed)


def test_faults_strike_at_their_rate_and_count() -> None:
    faults = Faults()
    assert not faults.strikes("x.y")
    faults.switch("x.y", rate=0.3, seed=4)
    struck = [faults.strikes("x.y") for _ in range(1_000)]
    assert 200 < sum(struck) < 400
    faults.switch("x.y", rate=0.3, seed=4)
    assert [faults.strikes("x.y") for _ in range(1_000)] == struck
    faults.switch("x.y", count=2)
    assert [faults.strikes("x.y") for _ in range(4)] == [True, True, False, False]
    assert not faults.active("x.y")
    faults.switch("x.z")
    assert faults.active("x.z")
    assert list(faults.switched()) == ["x.y", "x.z"]
    faults.switch("x.z", rate=0)
    assert list(faults.switched()) == ["x.y"]
    faults.off()
    assert faults.switched() == {}


@pytest.mark.parametrize(("rate", "count"), [(1.5, None), (-0.1, None), (1.0, -1)])
def test_impossible_faults_are_refused(rate: float, count: int | None) -> None:
    with pytest.raises(ValueError, match=r"fault x\.y"):
        Faults().switch("x.y", rate=rate, count=count)


def test_the_log_keeps_the_newest_and_counts_all() -> None:
    log = RequestLog(most=2)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    for n in range(3):
        log.append(at, ("a", "b", "a")[n], "acc", "GET", f"/{n}", 200)
    assert log.total == 3
    assert [line.path for line in log.lines()] == ["/1", "/2"]
    assert log.export("a") == [
        {"time": at.isoformat(), "vendor": "a", "account": "acc", "method": "GET", "path": "/2", "status": 200}
    ]
    log.clear()
    assert (log.total, log.lines()) == (0, [])


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.code)
def test_a_country_has_enough_numbers_that_namesakes_do_not_share_one(country: Country, seed: int) -> None:
    """Two of one name who share a number are one person to anybody who compares."""
    rng = random.Random(seed)
    assert len({draw_phone(rng, country)[0] for _ in range(2_000)}) > 1_980
