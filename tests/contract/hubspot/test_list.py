import json
from datetime import timedelta

import pytest

from connectors.base.model import EPOCH, Connector
from errors import AnswerError
from tests.contract.hubspot.fake import FakeHubSpot, Record, Reply, Request
from tests.contract.hubspot.helpers import START, ids_of, pages, read

OBJECTS = ["contacts", "companies", "deals", "calls", "emails", "meetings", "tasks", "notes"]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 201])
def test_full_read_shows_each_record_once_and_proves_it(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.add("contacts", *(Record(one, START + one) for one in range(1, count + 1)))
    got = pages(hubspot, "contacts", (0, START * 2), "full")
    changes = [change for page in got for change in page.changes]
    assert ids_of(changes) == [str(one) for one in range(1, count + 1)]
    assert {change.op for change in changes} <= {"upsert"}
    assert sum(page.expected or 0 for page in got) == sum(page.counted for page in got) == count
    assert any(page.expected is not None for page in got)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_stream_is_read_by_list_and_by_search(vendor: FakeHubSpot, hubspot: Connector, name: str) -> None:
    vendor.add(name, *(Record(one, START + one) for one in range(1, 5)), Record(9, START, archived_at=START + 50))
    full = read(hubspot, name)
    assert (ids_of(full), ids_of(full, "delete")) == (["1", "2", "3", "4"], ["9"])
    some = read(hubspot, name, (START + 2, START + 4), "incremental")
    assert (ids_of(some), ids_of(some, "delete")) == (["2", "3"], ["9"])
    back = read(hubspot, name, (START + 2, START + 4), "backfill")
    assert (ids_of(back), ids_of(back, "delete")) == (["2", "3"], [])


def test_payload_is_the_exact_slice_of_the_answer(vendor: FakeHubSpot, hubspot: Connector) -> None:
    odd = (
        '{"id":"7",  "properties": {"email" : "not-an-email", "firstname":null,"n":"\\u0000\\ud83d \\"\\u00e9\\"",'
        '"x":"\U0001f600\'\U0001f600", "amount":"1e3","hs_merged_object_ids":null},"createdAt":"2024-01-01T00:00:00Z",'
        ' "updatedAt":"2024-02-03T04:05:06.789Z" , "archived":false, "big":123456789012345678901234567890.10 }'
    )
    vendor.add("contacts", Record(7, START, text=odd), Record(8, START, {"firstname": "\U0001f600" * 10_000}))
    changes = read(hubspot, "contacts")
    assert changes[0].payload == odd.encode()
    assert changes[0].version_at is not None
    assert changes[0].version_at.isoformat() == "2024-02-03T04:05:06.789000+00:00"
    assert json.loads(changes[1].payload)["properties"]["firstname"] == "\U0001f600" * 10_000


def test_odd_types_in_one_record_do_not_stop_the_page(vendor: FakeHubSpot, hubspot: Connector) -> None:
    texts = {
        1: '{"id":1,"updatedAt":1704067200000,"properties":[]}',
        2: '{"id":"2","updatedAt":"","properties":{"hs_merged_object_ids":90}}',
        3: '{"id":"3","updatedAt":"2024-01-01T00:00:00","archived":"no"}',
        4: '{"id":"4","updatedAt":"yesterday"}',
        5: '{"id":"5","updatedAt":{"at":1},"properties":null}',
    }
    vendor.add("deals", *(Record(one, START, text=text) for one, text in texts.items()))
    changes = read(hubspot, "deals")
    assert ids_of(changes) == ["1", "2", "3", "4", "5"]
    assert ids_of(changes, "merge") == ["90"]
    versions = {change.record_id: change.version_at for change in changes if change.op == "upsert"}
    new_year = EPOCH + timedelta(milliseconds=1_704_067_200_000)
    assert versions == {"1": new_year, "2": None, "3": new_year, "4": None, "5": None}
    assert {change.record_id: change.payload.decode() for change in changes if change.op == "upsert"} == {
        str(one): text for one, text in texts.items()
    }


def test_record_without_id_stops_with_a_sentence(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("deals", Record(1, START, text='{"properties":{}}'))
    with pytest.raises(AnswerError, match="without an id"):
        read(hubspot, "deals")


def test_a_backfill_brings_the_archived_records_of_its_interval_alone(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START, archived_at=START + one) for one in range(1, 10)))
    found = read(hubspot, "contacts", (START + 3, START + 6), "backfill")
    assert ids_of(found, "delete") == ["3", "4", "5"]
    assert ids_of(read(hubspot, "contacts", (START + 3, START + 6), "incremental"), "delete") == list("123456789")


def test_archived_records_are_deletes_with_their_fields(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add(
        "contacts", *(Record(one, START, {"email": f"{one}@firm.example"}, START + one) for one in range(1, 252))
    )
    changes = read(hubspot, "contacts", (START, START + 1), "incremental")
    assert ids_of(changes, "delete") == [str(one) for one in range(1, 252)]
    assert changes[4].version_at == EPOCH + timedelta(milliseconds=START + 5)
    assert json.loads(changes[4].payload)["properties"]["email"] == "5@firm.example"


def test_merge_names_each_loser_once(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("companies", Record(30, START, {"hs_merged_object_ids": "10; 20;10;;30"}))
    changes = read(hubspot, "companies")
    assert [(one.record_id, one.op, one.merged_into, one.version_at) for one in changes] == [
        ("30", "upsert", None, EPOCH + timedelta(milliseconds=START)),
        ("10", "merge", "30", EPOCH + timedelta(milliseconds=START)),
        ("20", "merge", "30", EPOCH + timedelta(milliseconds=START)),
    ]


def test_custom_properties_are_asked_for_once_per_type(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.custom["contacts"] = ["zeta", "alpha"]
    vendor.add("contacts", Record(1, START, {"alpha": "1", "zeta": None, "email": "a@b.example"}))
    for _ in range(2):
        (change,) = read(hubspot, "contacts")
        shown = json.loads(change.payload)["properties"]
        assert shown["alpha"] == "1"
        assert shown["zeta"] is None
        assert set(hubspot.streams["contacts"].options["properties"]) < set(shown)  # type: ignore[call-overload]
    assert len(vendor.asked("/crm/v3/properties/contacts")) == 1


@pytest.mark.parametrize("count", [0, 1, 100, 101])
def test_too_many_properties_for_a_url_are_read_by_batch(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.custom["contacts"] = [f"a_rather_long_custom_property_{one}" for one in range(1_200)]
    rich = {"a_rather_long_custom_property_1199": "kept"}
    vendor.add("contacts", *(Record(one, START, dict(rich)) for one in range(1, count + 1)))
    vendor.add("contacts", Record(999, START, dict(rich), archived_at=START))
    changes = read(hubspot, "contacts")
    assert ids_of(changes) == [str(one) for one in range(1, count + 1)]
    assert ids_of(changes, "delete") == ["999"]
    for change in changes:
        properties = json.loads(change.payload)["properties"]
        assert properties["a_rather_long_custom_property_1199"] == "kept"
        assert len(properties) > 1_200
    assert max(request.length for request in vendor.log) < 14_000


def test_repeated_token_stops(vendor: FakeHubSpot, hubspot: Connector) -> None:
    def broken(request: Request) -> Reply | None:
        if request.path.endswith("/contacts") and "properties" in request.query:
            return Reply(body='{"results": [{"id":"1"}], "paging": {"next": {"after": "1"}}}')
        return None

    vendor.answering = broken
    with pytest.raises(AnswerError, match="same next page twice"):
        read(hubspot, "contacts")
    assert len(vendor.asked("objects/contacts")) <= 6


@pytest.mark.parametrize("paging", ["", ', "paging": null', ', "paging": {}', ', "paging": {"next": null}'])
def test_ends_of_lists_as_hubspot_writes_them(vendor: FakeHubSpot, hubspot: Connector, paging: str) -> None:
    vendor.fail("objects/contacts/search", Reply(body='{"results": [], "total": 1}'))
    vendor.fail("objects/contacts", Reply(body=f'{{"results": [{{"id":"5"}}]{paging}}}'))
    assert ids_of(read(hubspot, "contacts")) == ["5"]


def test_list_that_falls_short_is_completed_by_search(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START + one) for one in range(1, 151)))
    vendor.fail("objects/contacts/search", Reply(body='{"results": [], "total": 150}'))
    vendor.fail("objects/contacts", Reply(body='{"results": [{"id":"1","updatedAt":"2023-11-14T22:13:20.001Z"}]}'))
    got = pages(hubspot, "contacts", (0, START * 2), "full")
    assert set(ids_of(change for page in got for change in page.changes)) == {str(one) for one in range(1, 151)}
    assert sum(page.expected or 0 for page in got) == sum(page.counted for page in got) == 150


def test_list_ahead_of_the_index_gives_no_proof_and_loses_nothing(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", *(Record(one, START + one) for one in range(1, 4)))
    stale = Reply(body='{"results": [], "total": 2}')
    vendor.fail("objects/contacts/search", stale, stale)
    got = pages(hubspot, "contacts", (0, START * 2), "full")
    assert ids_of(change for page in got for change in page.changes) == ["1", "2", "3"]
    assert [(page.expected, page.counted) for page in got] == [(None, 0)]
