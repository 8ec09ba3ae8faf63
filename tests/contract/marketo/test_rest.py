"""Short windows through REST: paging, deletes, merges, lists, members."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base.model import Connector, Window
from errors import AnswerError, ConfigurationError
from tests.contract.marketo.fake import NOW, FakeMarketo, at, day, ok
from tests.contract.marketo.helpers import ids_of, pages, read


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30, 31])
@pytest.mark.parametrize("between", ["", "empty pages"])
def test_all_activities_of_all_types_at_any_page_size(
    vendor: FakeMarketo, marketo: Connector, count: int, between: str
) -> None:
    vendor.page, vendor.empty_pages = 10, bool(between)
    kinds = [1, 2, 10, 12, 13, 100_001]
    for number in range(count):
        vendor.activity(number, kinds[number % 6], day(0.5) + timedelta(seconds=number))
    changes = read(marketo, "activities")
    assert sorted(ids_of(changes), key=int) == [str(number) for number in range(count)]
    assert vendor.jobs == []
    assert all(len(request.query["activityTypeIds"].split(",")) <= 10 for request in vendor.asked("v1/activities.json"))


def test_payload_is_what_was_sent_and_version_its_date(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.activity(5, 1, day(0.25), attributes={"Webpage URL": "/ação?x=1"})
    (change,) = read(marketo, "activities")
    assert (change.record_id, change.version_at) == ("5", day(0.25))
    assert json.loads(change.payload)["attributes"] == [{"name": "Webpage URL", "value": "/ação?x=1"}]
    assert b"a\\u00e7\\u00e3o" in change.payload


def test_window_ends_before_its_end_and_begins_at_its_start(vendor: FakeMarketo, marketo: Connector) -> None:
    for number, when in enumerate((day(1) - timedelta(seconds=1), day(1), NOW - timedelta(seconds=1), NOW)):
        vendor.activity(number, 1, when)
    # What is given from before the start is read once more; what belongs to the next window is not read.
    assert set(ids_of(read(marketo, "activities"))) >= {"1", "2"}
    assert "3" not in ids_of(read(marketo, "activities"))


def test_a_token_that_repeats_ends_in_an_error(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.activity(1, 1, day(0.5))
    again = ok(result=[], moreResult=True, nextPageToken=f"{at(day(1) - timedelta(seconds=1))}|0")
    vendor.fail("v1/activities.json", *[again] * 4)
    assert ids_of(read(marketo, "activities")) == ["1"]
    vendor.fail("v1/activities.json", *[again] * 20)
    with pytest.raises(AnswerError, match="same next page twice"):
        read(marketo, "activities")


def test_changed_leads_are_read_once_in_their_present_state(vendor: FakeMarketo, marketo: Connector) -> None:
    for id_ in range(1, 701):
        vendor.lead(id_, day(0.5), day(40), email=f"p{id_}@x.example")
    for number, lead in enumerate([*range(1, 651), 3, 4]):
        vendor.activity(number, (12, 13, 22)[number % 3], day(0.5), lead)
    changes = read(marketo, "leads")
    assert sorted(map(int, ids_of(changes))) == list(range(1, 651))
    assert len(vendor.asked("v1/leads.json")) == 3
    assert json.loads(changes[0].payload)["productInterest"] is None  # a custom field, asked for by its discovery
    assert vendor.jobs == []


def test_deletes_and_merges(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.lead(1, day(0.5), day(40))
    vendor.activity(100, 37, day(0.4), 2)
    vendor.activity(101, 37, day(0.3), 3)  # told of twice: as deleted and as merged away
    vendor.activity(102, 32, day(0.3), 1, attributes={"Merge IDs": "[3, 4]", "Master Updated": True})
    vendor.activity(103, 32, day(0.2), 1, attributes={"Merge IDs": "5"})
    vendor.activity(104, 37, NOW, 9)  # belongs to the next window
    tombstones = [change for change in read(marketo, "leads") if change.op != "upsert"]
    assert {(c.record_id, c.op, c.merged_into, c.version_at) for c in tombstones} == {
        ("2", "delete", None, day(0.4)),
        ("3", "merge", "1", day(0.3)),
        ("4", "merge", "1", day(0.3)),
        ("5", "merge", "1", day(0.2)),
    }
    assert all(change.payload == b"" for change in tombstones)


def test_deletes_beyond_fourteen_days_are_found_by_their_activity(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.activity(1, 37, day(20), 2)
    vendor.activity(2, 37, day(2), 3)
    assert set(ids_of(read(marketo, "leads", day(25)), "delete")) == {"2", "3"}
    assert ids_of(read(marketo, "leads", day(3)), "delete") == ["3"]


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 400, 401])
def test_asset_lists_are_read_whole(vendor: FakeMarketo, marketo: Connector, count: int) -> None:
    rows = [{"id": id_, "name": "x", "updatedAt": "2026-02-01T10:00:00Z+0000"} for id_ in range(count)]
    vendor.assets["emails"] = rows
    changes = read(marketo, "emails")
    assert sorted(map(int, ids_of(changes))) == list(range(count))
    assert all(f"{change.version_at:%Y-%m-%d %H:%M}" == "2026-02-01 10:00" for change in changes)


def test_a_row_that_slips_between_two_pages_is_not_lost(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.assets["forms"] = [{"id": id_} for id_ in range(450)]
    original = vendor.by_offset

    def shifting(name: str, query: dict[str, str]) -> object:
        reply = original(name, query)
        if query["offset"] == "0" and vendor.assets["forms"][0]["id"] == 0:
            del vendor.assets["forms"][0]
        return reply

    vendor.by_offset = shifting  # type: ignore[method-assign,assignment]
    assert set(ids_of(read(marketo, "forms"))) >= {str(id_) for id_ in range(1, 450)}


@pytest.mark.parametrize("count", [0, 1, 300, 301])
def test_lists_and_their_members_in_full(vendor: FakeMarketo, marketo: Connector, count: int) -> None:
    vendor.assets["lists"] = [{"id": 7, "name": "a", "updatedAt": "2026-02-01T10:00:00Z"}, {"id": 8, "name": "b"}]
    vendor.lists = {7: list(range(count)), 8: [5]}
    assert ids_of(read(marketo, "lists")) == ["7", "8"]
    changes = read(marketo, "list_members", kind="full", ids=["7", "8"])
    assert sorted(ids_of(changes)) == sorted([*(f"7-{lead}" for lead in range(count)), "8-5"])
    assert json.loads(changes[-1].payload) == {"listId": "8", "lead": {"id": 5}}
    assert {change.version_at for change in changes} == {None}


def test_list_members_follow_the_activities(vendor: FakeMarketo, marketo: Connector) -> None:
    for number, (type_, lead, ago) in enumerate([(24, 1, 0.5), (25, 1, 0.4), (24, 2, 0.4), (25, 3, 0.4), (24, 3, 0.3)]):
        vendor.activity(number, type_, day(ago), lead, primaryAttributeValueId=7)
    vendor.lists = {7: [2, 3]}
    changes = read(marketo, "list_members", ids=["7"])
    assert {(c.record_id, c.op, c.version_at) for c in changes} == {
        ("7-1", "delete", None),
        ("7-2", "upsert", None),
        ("7-3", "upsert", None),
    }
    (full, *_) = read(marketo, "list_members", kind="full", ids=["7"])
    assert full.payload in {change.payload for change in changes}


def test_an_activity_of_the_past_does_not_bring_back_who_left_the_list_since(
    vendor: FakeMarketo, marketo: Connector
) -> None:
    vendor.activity(1, 24, day(40), 1, primaryAttributeValueId=7)
    vendor.activity(2, 25, day(30), 1, primaryAttributeValueId=7)
    vendor.lists = {7: [2]}
    window = Window("list_members", day(41), day(35), "backfill")
    changes = [c for page in marketo.read(marketo.streams["list_members"], window, ["7"]) for c in page.changes]
    assert [(c.record_id, c.op) for c in changes] == [("7-1", "delete")]


def test_program_members_follow_the_activities(vendor: FakeMarketo, marketo: Connector) -> None:
    member = {"leadId": 1, "programId": 9, "statusName": "Attended", "updatedAt": "2026-03-10T02:00:00Z"}
    vendor.members = {(9, 1): member, (9, 5): {**member, "leadId": 5}}
    vendor.activity(1, 104, day(0.5), 1, primaryAttributeValueId=9)
    vendor.activity(2, 104, day(0.4), 2, primaryAttributeValueId=9)
    changes = read(marketo, "program_members", ids=["9"])
    assert {(c.record_id, c.op) for c in changes} == {("9-1", "upsert"), ("9-2", "delete")}
    assert json.loads(changes[0].payload)["attendance"] is None  # a custom field of members
    assert [c.version_at for c in changes if c.op == "delete"] == [None]  # when it left, only another window may know


def test_members_of_engagement_programs_by_last_change(vendor: FakeMarketo, marketo: Connector) -> None:
    for program, type_ in ((8, "Engagement"), (9, "Event")):
        vendor.programs[program] = {"id": program, "type": type_}
        for lead, ago in ((1, 0.5), (2, 10), (3, 30)):
            vendor.members[program, lead] = {
                "leadId": lead,
                "programId": program,
                "updatedAt": f"{day(ago):%Y-%m-%dT%H:%M:%SZ}",
            }
    assert ids_of(read(marketo, "program_members", ids=["8", "9"])) == ["8-1"]
    assert sorted(ids_of(read(marketo, "program_members", day(20), ids=["8", "9"]))) == ["8-1", "8-2"]


def test_merge_moves_memberships_without_a_word(vendor: FakeMarketo, marketo: Connector) -> None:
    member = {"leadId": 1, "programId": 9, "statusName": "Attended", "updatedAt": "2026-03-01T02:00:00Z"}
    vendor.members = {(9, 1): member}
    vendor.of_lead = {(1, "programMembership"): [{"id": 9}], (1, "listMembership"): [{"listId": 7}, {"listId": 8}]}
    vendor.activity(1, 32, day(0.5), 1, attributes={"Merge IDs": "[2]"})
    vendor.activity(2, 32, day(0.5), 5, attributes={"Merge IDs": "[6]"})  # a winner that is gone by now
    vendor.activity(3, 25, day(0.25), 1, primaryAttributeValueId=8)
    vendor.lists = {7: [1], 8: []}
    found = {(c.record_id, c.op) for c in read(marketo, "program_members", ids=["9"])}
    assert found == {("9-1", "upsert"), ("9-2", "delete")}
    found = {(c.record_id, c.op) for c in read(marketo, "list_members", ids=["7", "8"])}
    assert found == {("7-1", "upsert"), ("7-2", "delete"), ("8-1", "delete"), ("8-2", "delete")}


def test_programs_bring_their_costs_and_their_keys(vendor: FakeMarketo, marketo: Connector) -> None:
    for id_, ago in ((1, 40), (2, 0.5)):
        stamp = f"{day(ago):%Y-%m-%dT%H:%M:%SZ}+0000"
        vendor.programs[id_] = {"id": id_, "name": "p", "updatedAt": stamp, "costs": [{"cost": 5}]}
    (change,) = read(marketo, "programs")
    assert (change.record_id, json.loads(change.payload)["costs"]) == ("2", [{"cost": 5}])
    assert change.version_at == day(0.5)
    assert ids_of(read(marketo, "programs", kind="full")) == ["1", "2"]
    assert list(marketo.read_keys(marketo.streams["programs"])) == [["1", "2"]]
    found = [c for page in marketo.read_ids(marketo.streams["programs"], ["2", "77"]) for c in page.changes]
    assert ids_of(found) == ["2"]


def test_leads_by_id_leave_out_who_is_gone(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.lead(1, day(3))
    found = [c for page in marketo.read_ids(marketo.streams["leads"], ["1", "2"]) for c in page.changes]
    assert ids_of(found) == ["1"]


def test_what_cannot_be_asked_says_so(marketo: Connector) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read by id"):
        list(marketo.read_ids(marketo.streams["activities"], ["1"]))
    with pytest.raises(ConfigurationError, match="not by keys"):
        list(marketo.read_keys(marketo.streams["leads"]))
    with pytest.raises(ConfigurationError, match="not by keys"):
        marketo.count(marketo.streams["leads"])


def test_long_queries_go_as_post(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.fields += [f"customFieldNumber{number}" for number in range(600)]
    vendor.lead(1, day(0.5))
    vendor.activity(1, 13, day(0.5), 1)
    assert ids_of(read(marketo, "leads")) == ["1"]
    (request,) = vendor.asked("v1/leads.json")
    assert (request.method, request.query["_method"]) == ("POST", "GET")


def test_beginning_is_before_the_lead_with_the_lowest_id(
    vendor: FakeMarketo, connected: Callable[..., Connector]
) -> None:
    vendor.lead(1_004, day(50), day(50))
    vendor.lead(1_005, day(10), day(10))
    assert sorted(ids_of(read(connected(start_date=""), "leads", kind="full"))) == ["1004", "1005"]
    spans = [job.body["filter"]["createdAt"] for job in vendor.jobs if job.kind == "leads"]
    assert min(span["startAt"] for span in spans) == f"{day(50 + 92):%Y-%m-%dT%H:%M:%SZ}"
    assert len(spans) == 5


def test_pages_without_rows_are_still_yielded_for_lists(vendor: FakeMarketo, marketo: Connector) -> None:
    assert pages(marketo, "campaigns")[0].changes == []
    assert vendor.asked("campaigns")
