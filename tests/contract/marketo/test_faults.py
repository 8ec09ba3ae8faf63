"""Faults that pass, faults that do not, and what must not be told."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base.model import Connector
from connectors.marketo import connect
from connectors.marketo.auth import DAMAGED_TRIES
from connectors.marketo.check import PROBES
from errors import (
    AnswerError,
    ConfigurationError,
    CredentialsError,
    QuotaError,
    ScopeError,
    SmarketingError,
    UnreachableError,
)
from tests.contract.marketo.fake import CLIENT, NOW, SECRET, FakeMarketo, Reply, day, refusal
from tests.contract.marketo.helpers import ids_of, read

CANARY = "ana.canary@firm.example"
EVERY = {str(number) for number in range(25)}


@pytest.fixture
def filled(vendor: FakeMarketo) -> FakeMarketo:
    vendor.page = 10
    for number in range(25):
        vendor.activity(number, 1, day(0.5), attributes={"Email": CANARY})
    return vendor


@pytest.mark.parametrize("code", ["500", "502", "604", "606", "608", "611", "614", "615", "713", "719"])
@pytest.mark.parametrize("path", ["v1/activities.json", "types.json", "pagingtoken.json"])
def test_passing_fault_costs_nothing_but_time(
    filled: FakeMarketo, marketo: Connector, sleeps: list[float], code: str, path: str
) -> None:
    filled.fail(path, refusal(code))
    assert set(ids_of(read(marketo, "activities"))) == EVERY
    assert filled.faults == []
    assert len(sleeps) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, b"oops"),
        Reply(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        Reply(503, b""),
        Reply(429, b"{}"),
        Reply(200, b'{"success": true, "result": [' + b" " * 500, damage="reset"),
        Reply(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"success": true, "res'),
        Reply(200, b""),
    ],
    ids=lambda reply: f"{reply.status}{reply.damage}{len(reply.body)}",
)
def test_passing_trouble_of_transport(filled: FakeMarketo, marketo: Connector, reply: Reply) -> None:
    filled.fail("v1/activities.json", reply)
    assert set(ids_of(read(marketo, "activities"))) == EVERY
    assert filled.faults == []


def test_rate_limit_is_outlasted(filled: FakeMarketo, marketo: Connector, sleeps: list[float]) -> None:
    filled.fail("v1/activities.json", *[refusal("606", "Max rate limit '100' exceeded with in '20' secs")] * 6)
    assert set(ids_of(read(marketo, "activities"))) == EVERY
    assert sum(sleeps) > 20


@pytest.mark.parametrize("code", ["601", "602"])
def test_token_that_ends_between_two_pages(filled: FakeMarketo, marketo: Connector, code: str) -> None:
    original = filled.by_time

    def ending(*args: object) -> Reply:
        if len(filled.asked("v1/activities.json")) == 2:
            filled.by_time = original  # type: ignore[method-assign]
            filled.end_token()
            return refusal(code)
        return original(*args)  # type: ignore[arg-type]

    filled.by_time = ending  # type: ignore[method-assign,assignment]
    assert set(ids_of(read(marketo, "activities"))) == EVERY
    assert filled.tokens == 2
    assert len(filled.asked("identity")) == 2


def test_one_token_serves_all_requests(filled: FakeMarketo, marketo: Connector) -> None:
    read(marketo, "activities")
    read(marketo, "leads")
    assert len(filled.asked("identity")) == 1
    assert all("access_token" not in request.query for request in filled.log)


@pytest.mark.parametrize("damage", [b'{"access_token": "half', b"<html>maintenance</html>", b""])
def test_damaged_token_is_asked_for_again(filled: FakeMarketo, marketo: Connector, damage: bytes) -> None:
    filled.fail("identity", Reply(200, damage), Reply(200, damage))
    assert read(marketo, "activities")
    assert len(filled.asked("identity")) == 3


def test_token_that_stays_damaged_is_an_answer_error(filled: FakeMarketo, marketo: Connector) -> None:
    filled.fail("identity", *[Reply(200, b"<html>canary</html>")] * DAMAGED_TRIES)
    with pytest.raises(AnswerError, match="token answer cannot be read") as caught:
        read(marketo, "activities")
    assert "canary" not in f"{caught.value} {caught.value.detail}"


def test_token_that_stays_refused_is_a_matter_of_credentials(filled: FakeMarketo, marketo: Connector) -> None:
    filled.fail("types.json", refusal("601"), refusal("601"))
    with pytest.raises(CredentialsError):
        read(marketo, "activities")


def test_wrong_secret(connected: Callable[..., Connector], vendor: FakeMarketo) -> None:
    with pytest.raises(CredentialsError, match="refuses the client id or secret") as caught:
        read(connected(client_secret="wrong-canary"), "activities")
    assert "canary" not in f"{caught.value} {caught.value.detail} {caught.value!r}"
    assert len(vendor.asked("identity")) == 1


@pytest.mark.parametrize("name", ["leads", "activities", "programs", "emails", "lists", "campaigns"])
def test_missing_permission(vendor: FakeMarketo, marketo: Connector, name: str) -> None:
    vendor.route = lambda _request: refusal("603", f"Access denied {CANARY}")  # type: ignore[method-assign,assignment]
    with pytest.raises(ScopeError, match="603") as caught:
        read(marketo, name)
    assert "connectors/marketo/README.md" in caught.value.remedy
    assert CANARY not in f"{caught.value} {caught.value.detail}"


def test_used_up_day_is_deferred_to_midnight_in_chicago(
    filled: FakeMarketo, marketo: Connector, sleeps: list[float]
) -> None:
    filled.fail("v1/activities.json", refusal("607", "Daily quota '50000' reached"))
    with pytest.raises(QuotaError) as caught:
        read(marketo, "activities")
    assert caught.value.until is not None
    there = NOW + (caught.value.until - datetime.now(UTC))
    assert abs(there - datetime(2026, 3, 11, 5, tzinfo=UTC)) < timedelta(minutes=1)
    assert sleeps == []


@pytest.mark.parametrize("code", ["609", "709", "1001", "9999"])
def test_error_in_a_success_is_never_taken_for_one(filled: FakeMarketo, marketo: Connector, code: str) -> None:
    filled.fail("v1/activities.json", refusal(code))
    with pytest.raises(AnswerError, match=f"code {code}") as caught:
        read(marketo, "activities")
    assert CANARY not in f"{caught.value} {caught.value.detail}"


def test_refusal_without_a_code_is_an_error(filled: FakeMarketo, marketo: Connector) -> None:
    filled.fail("v1/activities.json", Reply(200, b'{"requestId": "1", "success": false}'))
    with pytest.raises(AnswerError, match="no code"):
        read(marketo, "activities")


def test_server_errors_without_end_are_unreachable(
    filled: FakeMarketo, marketo: Connector, sleeps: list[float]
) -> None:
    filled.fail("v1/activities.json", *[refusal("611")] * 8)
    with pytest.raises(UnreachableError, match="8 attempts"):
        read(marketo, "activities")
    assert len(sleeps) == 7


def test_another_shape_says_where_and_not_what(filled: FakeMarketo, marketo: Connector) -> None:
    filled.fail("v1/activities.json", Reply(200, f'{{"success": true, "result": "{CANARY}"}}'.encode()))
    with pytest.raises(AnswerError, match="documented shape") as caught:
        read(marketo, "activities")
    assert "$.result" in caught.value.detail
    assert CANARY not in f"{caught.value} {caught.value.detail}"


def test_secrets_and_people_stay_out_of_logs_and_errors(
    filled: FakeMarketo, marketo: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)  # off by default
    told = ""
    for code in ("606", "611", "1001", "9999"):
        filled.fail("v1/activities.json", refusal(code))
        try:
            read(marketo, "activities")
        except SmarketingError as caught:
            told += f"{caught} {caught.detail} {caught.remedy} {caught!r}"
    assert told.count("AnswerError") == 2
    for text in (told, caplog.text, repr(vars(marketo)), repr(vars(vars(marketo)["api"]))):
        assert not [word for word in (CANARY, SECRET, "token-1:int") if word in text]
    assert caplog.text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base_url": ""}, "needs base_url, client_id and client_secret"),
        ({"client_secret": ""}, "needs base_url, client_id and client_secret"),
        ({"base_url": "123-ABC-456"}, "is not a web address"),
        ({"calls_per_20_seconds": "101"}, "calls_per_20_seconds .* from 0 to 100"),
        ({"poll_seconds": "often"}, "poll_seconds .* not a number"),
        ({"start_date": "03/01/2019"}, "start_date .* not a day"),
    ],
)
def test_settings_that_cannot_be_used(given: dict[str, str], message: str) -> None:
    usable = {"base_url": "https://123-ABC-456.mktorest.com", "client_id": CLIENT, "client_secret": SECRET}
    assert connect({**usable, "base_url": "https://123-ABC-456.mktorest.com/rest/"})
    with pytest.raises(ConfigurationError, match=message) as caught:
        connect({**usable, **given})
    assert SECRET not in str(caught.value)


def test_check_passes_with_all_permissions(vendor: FakeMarketo, marketo: Connector) -> None:
    lines = marketo.check()
    names = ["key", *(f"permission {probe.permission}" for probe in PROBES), "calls", "exports", "clock"]
    assert [line.name for line in lines] == names
    assert all(line.is_ok for line in lines), lines
    assert "1,234" in next(line.message for line in lines if line.name == "calls")
    assert vendor.log


def test_check_tells_what_today_used(vendor: FakeMarketo, marketo: Connector) -> None:
    read(marketo, "activities", day(20), day(10))
    vendor.jobs[0].told = {"fileSize": 480_000_000}
    exports = next(line for line in marketo.check() if line.name == "exports")
    assert (exports.is_ok, "480.0 MB" in exports.message) == (False, True)
    assert exports.remedy
    vendor.jobs[0].told["finishedAt"] = "2026-03-10T04:59:00Z"  # yesterday in Chicago
    assert next(line for line in marketo.check() if line.name == "exports").is_ok


def test_check_names_the_missing_permission(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.fail("asset/v1/programs", refusal("603"))
    bad = [line for line in marketo.check() if not line.is_ok]
    assert [line.name for line in bad] == ["permission Read-Only Assets"]
    assert "Read-Only Assets" in bad[0].remedy


def test_check_stops_at_a_refused_key(connected: Callable[..., Connector], vendor: FakeMarketo) -> None:
    (line,) = connected(client_id="wrong").check()
    assert (line.name, line.is_ok) == ("key", False)
    assert line.remedy
    assert len(vendor.log) == 1


def test_check_of_an_unreachable_address(connected: Callable[..., Connector], sleeps: list[float]) -> None:
    lines = connected(base_url="http://127.0.0.1:1").check()
    assert [line.is_ok for line in lines] == [False]
    assert "no usable answer" in lines[0].message
    assert sleeps


def test_clock_is_the_vendors(marketo: Connector) -> None:
    apart = marketo.now() - datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert timedelta(0) <= apart < timedelta(minutes=1)
    assert "minutes from ours" in marketo.check()[-1].message
