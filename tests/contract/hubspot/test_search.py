import json
import secrets
import threading
from collections.abc import Generator

import pytest

from connectors.base.model import Connector
from errors import AnswerError, CountMismatchError
from tests.contract.hubspot.fake import FakeHubSpot, Record, Reply, Request
from tests.contract.hubspot.helpers import START, ids_of, pages, read, window


@pytest.fixture
def seed() -> int:
    number = secrets.randbelow(2**32)
    print(f"seed {number}")  # noqa: T201 - shown when the test fails
    return number


def proof(hubspot: Connector, start: int, end: int) -> tuple[list[str], int, int]:
    got = pages(hubspot, "contacts", (start, end), "incremental")
    ids = ids_of(change for page in got for change in page.changes)
    return ids, sum(page.expected or 0 for page in got), sum(page.counted for page in got)


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 400, 401])
def test_window_shows_each_record_once_and_proves_it(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.add("contacts", *(Record(one, START + one % 7) for one in range(1, count + 1)))
    ids, expected, counted = proof(hubspot, START, START + 7)
    assert sorted(ids, key=int) == [str(one) for one in range(1, count + 1)]
    assert expected == counted == count


def test_window_is_half_open_in_milliseconds(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START + one) for one in range(1, 6)))
    assert proof(hubspot, START + 2, START + 4)[0] == ["2", "3"]
    assert proof(hubspot, START + 4, START + 4) == ([], 0, 0)


@pytest.mark.parametrize(("name", "cursor"), [("contacts", "lastmodifieddate"), ("deals", "hs_lastmodifieddate")])
def test_each_object_has_its_own_cursor(vendor: FakeHubSpot, hubspot: Connector, name: str, cursor: str) -> None:
    vendor.add(name, Record(1, START))
    assert ids_of(read(hubspot, name, (START, START + 1), "incremental")) == ["1"]
    (request,) = vendor.asked(f"{name}/search")
    assert {one["propertyName"] for one in request.body["filterGroups"][0]["filters"]} == {cursor}


def test_the_epoch_is_never_sent(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", Record(1, START))
    assert proof(hubspot, 0, START * 2)[0] == ["1"]


@pytest.mark.parametrize("count", [9_999, 10_000, 10_001, 10_201])
def test_around_the_cap_nothing_is_lost(vendor: FakeHubSpot, hubspot: Connector, seed: int, count: int) -> None:
    vendor.shuffle_seed = seed
    vendor.add("contacts", *(Record(one, START + one) for one in range(1, count + 1)))
    ids, expected, counted = proof(hubspot, START, START + count + 1)
    assert len(ids) == expected == counted == count
    assert set(ids) == {str(one) for one in range(1, count + 1)}


def test_more_than_the_cap_in_one_millisecond(vendor: FakeHubSpot, hubspot: Connector, seed: int) -> None:
    vendor.shuffle_seed = seed
    crowd = [*range(5, 9_000), *range(10_000_000_000, 10_000_003_500)]
    vendor.add("contacts", *(Record(one, START + 40) for one in crowd), Record(1, START), Record(2, START + 99))
    ids, expected, counted = proof(hubspot, START, START + 100)
    assert len(ids) == expected == counted == len(crowd) + 2
    assert set(ids) == {"1", "2", *map(str, crowd)}


def test_row_that_leaves_between_pages_takes_no_other_with_it(vendor: FakeHubSpot, hubspot: Connector) -> None:
    """The trap: the row that left makes the numbers agree although another slipped between two pages."""
    vendor.add("contacts", *(Record(one, START + 1) for one in range(1, 451)))
    moving = iter([3, 5])

    def update_while_reading(request: Request) -> Reply | None:
        if request.body.get("after") == "200" and (one := next(moving, None)):
            vendor.objects["contacts"][one].modified = START + 1_000
        return None

    vendor.answering = update_while_reading
    ids, expected, counted = proof(hubspot, START, START + 10)
    assert expected == counted == 448
    assert set(ids) == {str(one) for one in range(1, 451)} - {"3", "5"}


def test_restless_window_is_read_in_parts_that_fit_one_answer(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START + one % 50) for one in range(1, 1_001)))

    def update_at_each_further_page(request: Request) -> Reply | None:
        if request.body.get("after"):
            inside = [one for one in vendor.objects["contacts"].values() if one.modified < START + 50]
            inside[0].modified = START + 1_000
        return None

    vendor.answering = update_at_each_further_page
    ids, expected, counted = proof(hubspot, START, START + 50)
    still = {str(one.id) for one in vendor.objects["contacts"].values() if one.modified < START + 50}
    assert set(ids) >= still
    assert expected == counted == len(ids)


def test_bulk_edit_in_a_restless_day_is_found_in_a_few_cuts(vendor: FakeHubSpot, hubspot: Connector) -> None:
    """A day of milliseconds halved until one is alone takes 27 cuts, each of which reads all of its rows twice."""
    day, edited = 86_400_000, START + 10_800_123
    vendor.add("contacts", *(Record(one, edited) for one in range(1, 1_001)), Record(2_000, START))
    rows = vendor.objects["contacts"]
    asked: list[str] = []

    def edit_at_each_further_page(request: Request) -> Reply | None:
        asked.append(request.path)
        if request.body.get("after"):
            next(one for one in rows.values() if one.modified == edited).modified = START + day
        return None

    vendor.answering = edit_at_each_further_page
    ids, expected, counted = proof(hubspot, START, START + day)
    assert set(ids) >= {str(one.id) for one in rows.values() if one.modified < START + day}
    assert expected == counted == len(ids)
    assert sum(path.endswith("/search") for path in asked) < 130


def test_short_answer_is_read_again(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", Record(1, START), Record(2, START))
    vendor.fail("/search", Reply(body='{"total": 2, "results": [{"id":"1"}]}'))
    assert proof(hubspot, START, START + 1) == (["1", "2"], 2, 2)


def test_phantom_count_fails_with_both_numbers(vendor: FakeHubSpot, hubspot: Connector, sleeps: list[float]) -> None:
    def phantom(request: Request) -> Reply | None:
        return Reply(body='{"total": 3, "results": [{"id":"1"}]}') if "search" in request.path else None

    vendor.answering = phantom
    with pytest.raises(CountMismatchError, match=r"counts 3 records but shows 1, after 5 .*cursor has not moved"):
        proof(hubspot, START, START + 10)
    assert sleeps == [0.5, 1.0, 2.0, 4.0]


def test_phantom_among_many_fails_too(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START) for one in range(1, 700)))

    def one_row_never_shows(request: Request) -> Reply | None:
        if "search" not in request.path:
            return None
        answer = json.loads(vendor.route(request).body)
        answer["results"] = [one for one in answer["results"] if one["id"] != "350"]
        return Reply(body=json.dumps(answer))

    vendor.answering = one_row_never_shows
    with pytest.raises(CountMismatchError):
        proof(hubspot, START, START + 10)


def test_row_shown_twice_counts_once(vendor: FakeHubSpot, hubspot: Connector) -> None:
    twice = '{"id":"1","updatedAt":"2023-11-14T22:13:20Z"}'
    vendor.add("contacts", Record(1, START), Record(2, START))
    vendor.fail("/search", Reply(body=f'{{"total": 2, "results": [{twice},{twice}]}}'))
    assert proof(hubspot, START, START + 1) == (["1", "2"], 2, 2)


def test_search_without_total_proves_nothing(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.fail("/search", Reply(body='{"results": [{"id":"1"}]}'))
    with pytest.raises(AnswerError, match="no total"):
        proof(hubspot, START, START + 1)


def test_repeated_token_stops(vendor: FakeHubSpot, hubspot: Connector) -> None:
    body = '{"total": 300, "results": [{"id":"1"}], "paging": {"next": {"after": "200"}}}'
    vendor.answering = lambda request: Reply(body=body) if "search" in request.path else None
    with pytest.raises(AnswerError, match="same next page twice"):
        proof(hubspot, START, START + 1)


def test_closing_early_leaves_no_thread_behind(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START) for one in range(1, 900)))
    stream = hubspot.streams["contacts"]
    reading = hubspot.read(stream, window("contacts", 0, START * 2, "full"))
    assert isinstance(reading, Generator)
    next(reading)
    reading.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("page-ahead")] == []
