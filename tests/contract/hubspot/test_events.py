import json
from datetime import timedelta

import pytest

from connectors.base.model import EPOCH, Connector
from errors import AnswerError, ConfigurationError
from tests.contract.hubspot.fake import FakeHubSpot, Json, Reply, error
from tests.contract.hubspot.helpers import START, ids_of, read


def event(one: int) -> Json:
    return {"id": f"e{one}", "created": START + one, "type": "OPEN", "recipient": "a@b.example"}


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001])
def test_email_events_show_each_once(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.events = [event(one) for one in range(count)]
    changes = read(hubspot, "email_events")
    assert sorted(ids_of(changes)) == sorted(f"e{one}" for one in range(count))
    assert sorted((json.loads(one.payload) for one in changes), key=lambda one: int(one["created"])) == vendor.events


def test_email_events_of_exactly_the_window(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.events = [event(one) for one in range(10)]
    changes = read(hubspot, "email_events", (START + 3, START + 7), "backfill")
    assert ids_of(changes) == ["e6", "e5", "e4", "e3"]
    assert changes[0].version_at == EPOCH + timedelta(milliseconds=START + 6)


def test_email_events_loop_stops(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.answering = lambda _request: Reply(body='{"events": [], "hasMore": true, "offset": "x"}')
    with pytest.raises(AnswerError, match="same next page twice"):
        read(hubspot, "email_events")


def submission(one: int, **more: object) -> Json:
    return {"submittedAt": START + one, "values": [{"name": "email", "value": "a@b.example"}], **more}


@pytest.mark.parametrize("count", [0, 1, 50, 51, 101])
def test_submissions_show_each_once_with_their_form(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    newest_first = [submission(one, conversionId=f"c{one}") for one in reversed(range(count))]
    vendor.submissions = {'f"1': newest_first, "f2": [submission(7)], "f3": []}
    changes = read(hubspot, "form_submissions", ids=['f"1', "f2", "f3", "gone"])
    assert ids_of(changes)[:-1] == [f"c{one}" for one in reversed(range(count))]
    payloads = [json.loads(change.payload) for change in changes]
    assert payloads == [{"formGuid": 'f"1', "submission": one} for one in newest_first] + [
        {"formGuid": "f2", "submission": submission(7)}
    ]


def test_submission_bytes_are_exact_and_its_own_id_is_stable(vendor: FakeHubSpot, hubspot: Connector) -> None:
    odd = '{"submittedAt": 1700000000001,"values":[ {"name":"n", "value":"\\ud83d \\u0000"}],"pageUrl":null}'
    vendor.answering = lambda _request: Reply(body=f'{{"results": [{odd} , {odd.replace("001", "002")}]}}')
    first, second = read(hubspot, "form_submissions", ids=["f1"])
    assert first.payload == b'{"formGuid":"f1","submission":' + odd.encode() + b"}"
    assert first.record_id != second.record_id
    assert [one.record_id for one in read(hubspot, "form_submissions", ids=["f1"])] == [
        first.record_id,
        second.record_id,
    ]
    assert read(hubspot, "form_submissions", ids=["f2"])[0].record_id != first.record_id


def test_submissions_stop_at_the_window(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.submissions = {"f1": [submission(one, conversionId=f"c{one}") for one in reversed(range(1_000))]}
    changes = read(hubspot, "form_submissions", (START + 960, START + 990), "incremental", ids=["f1"])
    assert ids_of(changes) == [f"c{one}" for one in reversed(range(960, 990))]
    assert len(vendor.asked("submissions")) == 2


def test_submissions_that_came_out_of_order_are_kept(vendor: FakeHubSpot, hubspot: Connector) -> None:
    times = [80, 10, 79, *range(78, 30, -1), 81]
    vendor.submissions = {"f1": [submission(one, conversionId=f"c{one}") for one in times]}
    changes = read(hubspot, "form_submissions", (START + 60, START + 100), "incremental", ids=["f1"])
    assert set(ids_of(changes)) == {f"c{one}" for one in times if one >= 60}


def test_forms_that_give_no_submissions_are_passed_over(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.submissions = {"f2": [submission(1, conversionId="c1")]}
    vendor.fail("forms/blog", error(400, "", errorType="FORM_TYPE_NOT_ALLOWED"))
    assert ids_of(read(hubspot, "form_submissions", ids=["blog", "gone", "f2"])) == ["c1"]


@pytest.mark.parametrize("name", ["email_events", "form_submissions"])
def test_what_cannot_be_read_by_id_says_so(hubspot: Connector, name: str) -> None:
    with pytest.raises(ConfigurationError, match="backfill"):
        list(hubspot.read_ids(hubspot.streams[name], ["1"]))


def test_event_without_id_stops_with_a_sentence(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.answering = lambda _request: Reply(body='{"events": [{"created": 1}], "hasMore": false}')
    with pytest.raises(AnswerError, match="email_events that cannot be read"):
        read(hubspot, "email_events")
