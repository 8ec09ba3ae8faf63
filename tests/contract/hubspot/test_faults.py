import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.base.model import Connector
from connectors.hubspot import connect
from connectors.hubspot.check import PROBES
from errors import AnswerError, CredentialsError, QuotaError, ScopeError, SmarketingError, UnreachableError
from tests.contract.hubspot.fake import TOKEN, FakeHubSpot, Record, Reply, error
from tests.contract.hubspot.helpers import START, ids_of, read

CANARY = "ana.canary@firm.example"


@pytest.fixture
def filled(vendor: FakeHubSpot) -> FakeHubSpot:
    vendor.add("contacts", *(Record(one, START + 1, {"email": CANARY}) for one in range(1, 451)))
    return vendor


EVERY = {str(one) for one in range(1, 451)}


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (error(429, "RATE_LIMITS", policyName="SECONDLY"), None),
        (error(429, "RATE_LIMITS", policyName="TEN_SECONDLY_ROLLING"), None),
        (Reply(429, "{}", {"Retry-After": "7"}), 7.0),
        (Reply(429, "<html>slow down</html>", {"Retry-After": "3"}), 3.0),
        (Reply(477, "{}", {"Retry-After": "60"}), 60.0),
        (error(423, "LOCKED"), None),
        (Reply(500, "oops"), None),
        (Reply(502, ""), None),
        (Reply(503, "", {"Retry-After": "5"}), None),
        (Reply(504, ""), None),
        (Reply(521, ""), None),
        (Reply(200, '{"results": [' + " " * 500, damage="reset"), None),
        (Reply(200, '{"results": []}' + " " * 500, damage="short-gzip"), "free"),
        (Reply(200, "<html>maintenance</html>"), "free"),
        (Reply(200, ""), "free"),
    ],
    ids=lambda value: None if isinstance(value, float | str) or value is None else f"{value.status}{value.damage}",
)
@pytest.mark.parametrize("path", ["/contacts/search", "objects/contacts", "properties/contacts"])
def test_passing_fault_costs_nothing_but_time(
    filled: FakeHubSpot, hubspot: Connector, sleeps: list[float], reply: Reply, waits: float | str | None, path: str
) -> None:
    filled.fail(path, reply)
    assert set(ids_of(read(hubspot, "contacts"))) == EVERY
    assert filled.faults == []
    if waits != "free":
        assert len(sleeps) == 1
        assert waits is None or sleeps == [waits]


def test_gzip_without_its_trailer_is_either_whole_or_asked_for_again(filled: FakeHubSpot, hubspot: Connector) -> None:
    filled.fail("objects/contacts", Reply(200, '{"total": 450, "results": []}', damage="late-gzip"))
    assert set(ids_of(read(hubspot, "contacts"))) == EVERY


def test_server_errors_without_end_are_unreachable(
    filled: FakeHubSpot, hubspot: Connector, sleeps: list[float]
) -> None:
    filled.fail("search", *[Reply(503, CANARY)] * 6)
    with pytest.raises(UnreachableError, match=r"6 attempts \(status 503\)"):
        read(hubspot, "contacts")
    assert len(sleeps) == 5


def test_damage_without_end_is_an_answer_error(filled: FakeHubSpot, hubspot: Connector) -> None:
    filled.answering = lambda _request: Reply(200, f'{{"results": [{{"email": "{CANARY}"')
    with pytest.raises(AnswerError, match="no whole JSON in 3 attempts") as caught:
        read(hubspot, "contacts")
    assert CANARY not in f"{caught.value} {caught.value.detail}"


def test_another_shape_says_where_and_not_what(filled: FakeHubSpot, hubspot: Connector) -> None:
    filled.answering = lambda _request: Reply(200, f'{{"results": "{CANARY}"}}')
    with pytest.raises(AnswerError, match="documented shape") as caught:
        read(hubspot, "contacts")
    assert "$.results" in caught.value.detail
    assert CANARY not in f"{caught.value} {caught.value.detail}"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3600"}])
def test_used_up_day_is_deferred(
    filled: FakeHubSpot, hubspot: Connector, sleeps: list[float], headers: dict[str, str]
) -> None:
    reply = error(429, "RATE_LIMITS", policyName="DAILY")
    reply.headers = headers
    filled.fail("search", reply)
    with pytest.raises(QuotaError) as caught:
        read(hubspot, "contacts")
    until, now = caught.value.until, datetime.now(UTC)
    assert until is not None
    assert now < until <= now + timedelta(days=1)
    if headers:
        assert abs(until - now - timedelta(hours=1)) < timedelta(minutes=1)
    else:
        assert (until.hour, until.minute) == (0, 0)
    assert sleeps == []


def test_unreachable_address(sleeps: list[float]) -> None:
    hubspot = connect({"access_token": TOKEN, "base_url": "http://127.0.0.1:1", "search_per_second": "0"})
    assert sleeps == []
    with pytest.raises(UnreachableError):
        read(hubspot, "owners")


@pytest.mark.parametrize("name", ["contacts", "owners", "email_events", "contact_to_company", "contact_history"])
def test_wrong_key(connected: Callable[[str], Connector], name: str) -> None:
    with pytest.raises(CredentialsError, match="refuses the key") as caught:
        read(connected("pat-na1-wrong-canary"), name, ids=["1"])
    assert "canary" not in f"{caught.value} {caught.value.detail}"


@pytest.mark.parametrize("name", ["contacts", "owners", "email_events", "contact_to_company", "contact_history"])
def test_revoked_scope(vendor: FakeHubSpot, hubspot: Connector, name: str) -> None:
    vendor.answering = lambda _request: error(403, "MISSING_SCOPES")
    with pytest.raises(ScopeError, match="MISSING_SCOPES") as caught:
        read(hubspot, name, ids=["1"])
    assert "connectors/hubspot/README.md" in caught.value.remedy
    assert CANARY not in f"{caught.value} {caught.value.detail}"


def test_secrets_and_people_stay_out_of_logs_and_errors(
    filled: FakeHubSpot, hubspot: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.INFO)  # its debug lines are urllib3's, and off by default
    faults = [Reply(500, CANARY), error(429, "RATE_LIMITS"), error(400, "VALIDATION_ERROR"), error(404, "NOT_FOUND")]
    told = ""
    for fault in faults:
        filled.fail("contacts/search", fault)
        told += _told_while_reading(hubspot)
    assert filled.faults == []
    assert told.count("AnswerError") == 2
    assert CANARY not in told
    assert TOKEN not in told
    assert caplog.text
    assert CANARY not in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(vars(hubspot))


def _told_while_reading(hubspot: Connector) -> str:
    try:
        read(hubspot, "contacts")
    except SmarketingError as caught:
        return f"{caught} {caught.detail} {caught.remedy} {caught!r}"
    return ""


def test_check_passes_with_all_scopes(hubspot: Connector) -> None:
    lines = hubspot.check()
    assert [line.name for line in lines] == ["key", *(f"scope {probe.scopes}" for probe in PROBES), "clock"]
    assert all(line.is_ok for line in lines)


def test_check_names_the_missing_scope(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.fail("marketing/v3/forms", error(403, "MISSING_SCOPES"))
    bad = [line for line in hubspot.check() if not line.is_ok]
    assert [line.name for line in bad] == ["scope forms"]
    assert "Add the scope forms" in bad[0].remedy


def test_check_stops_at_a_refused_key(connected: Callable[[str], Connector], vendor: FakeHubSpot) -> None:
    (line,) = connected("pat-wrong").check()
    assert (line.name, line.is_ok) == ("key", False)
    assert line.remedy
    assert len(vendor.log) == 1


def test_check_of_an_unreachable_address(sleeps: list[float]) -> None:
    lines = connect({"access_token": TOKEN, "base_url": "http://127.0.0.1:1"}).check()
    assert len(sleeps) == 5
    assert [line.is_ok for line in lines] == [False]
    assert "no usable answer" in lines[0].message


def test_clock_is_the_vendors(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.answering = lambda _request: Reply(headers={"Date": format_datetime(datetime(2031, 5, 6, 7, tzinfo=UTC))})
    assert datetime(2031, 5, 6, 7, tzinfo=UTC) <= hubspot.now() < datetime(2031, 5, 6, 7, 1, tzinfo=UTC)
    clock = hubspot.check()[-1]
    assert (clock.name, clock.is_ok) == ("clock", True)
    assert "minutes from ours" in clock.message
    assert clock.remedy


def test_clock_is_known_even_without_the_scope(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.answering = lambda _request: error(403, "MISSING_SCOPES")
    assert abs(hubspot.now() - datetime.now(UTC)) < timedelta(minutes=1)
