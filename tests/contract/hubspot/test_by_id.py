import json

import pytest

from connectors.base.model import Change, Connector
from errors import AnswerError, ConfigurationError, UnreachableError
from tests.contract.hubspot.fake import FakeHubSpot, Json, Record, Reply
from tests.contract.hubspot.helpers import START, ids_of, read


def by_id(hubspot: Connector, name: str, *ids: str) -> list[Change]:
    return [change for page in hubspot.read_ids(hubspot.streams[name], ids) for change in page.changes]


@pytest.mark.parametrize("count", [0, 1, 100, 101, 450])
def test_read_ids_gives_each_live_record_once_in_order(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.custom["contacts"] = ["own"]
    vendor.add("contacts", *(Record(one, START, {"own": "x"}) for one in range(1, count + 1)))
    wanted = [str(one) for one in range(1, count + 1)]
    changes = by_id(hubspot, "contacts", *wanted, *wanted[:3])
    assert ids_of(changes) == wanted
    assert all(json.loads(change.payload)["properties"]["own"] == "x" for change in changes)


def test_merged_away_archived_and_unknown_ids_are_left_out(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", Record(3, START, {"hs_merged_object_ids": "1;2"}), Record(4, START, archived_at=START))
    vendor.aliases = {1: 3, 2: 3}
    assert by_id(hubspot, "contacts", "1", "4", "99") == []
    changes = by_id(hubspot, "contacts", "1", "3", "4")
    assert [(one.record_id, one.op, one.merged_into) for one in changes] == [
        ("3", "upsert", None),
        ("1", "merge", "3"),
        ("2", "merge", "3"),
    ]


@pytest.mark.parametrize("count", [0, 1, 100, 101, 200])
def test_keys_are_the_ids_of_all_live_records_and_agree_with_the_count(
    vendor: FakeHubSpot, hubspot: Connector, count: int
) -> None:
    vendor.add("contacts", *(Record(one, START) for one in range(1, count + 1)), Record(900, START, archived_at=START))
    stream = hubspot.streams["contacts"]
    assert [one for batch in hubspot.read_keys(stream) for one in batch] == [str(one) for one in range(1, count + 1)]
    assert hubspot.count(stream) == count


def test_streams_that_are_read_whole_or_never_change_have_no_keys(hubspot: Connector) -> None:
    for name in ("owners", "email_events", "contact_history"):
        with pytest.raises(ConfigurationError, match=name):
            hubspot.read_keys(hubspot.streams[name])
        with pytest.raises(ConfigurationError, match=name):
            hubspot.count(hubspot.streams[name])


def partial(category: str) -> Reply:
    trouble = {"status": "error", "category": category, "message": "about ana.canary@firm.example"}
    return Reply(207, json.dumps({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [trouble]}))


def test_partial_answer_is_asked_for_again(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.add("contacts", Record(1, START))
    vendor.fail("batch/read", partial("INTERNAL_ERROR"), partial("RATE_LIMITS"))
    assert ids_of(by_id(hubspot, "contacts", "1")) == ["1"]


def test_partial_answer_that_stays_is_an_error_not_a_loss(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.fail("batch/read", *[partial("INTERNAL_ERROR")] * 4)
    with pytest.raises(UnreachableError, match="INTERNAL_ERROR") as caught:
        by_id(hubspot, "contacts", "1")
    assert "canary" not in f"{caught.value} {caught.value.detail}"
    vendor.fail("batch/read", partial("MISSING_SCOPES"))
    with pytest.raises(AnswerError, match="MISSING_SCOPES"):
        by_id(hubspot, "contacts", "1")


@pytest.mark.parametrize("count", [0, 1, 50, 51, 201])
@pytest.mark.parametrize(("name", "kind"), [("contact_history", "contacts"), ("deal_history", "deals")])
def test_history_of_each_record(vendor: FakeHubSpot, hubspot: Connector, name: str, kind: str, count: int) -> None:
    vendor.add(kind, *(Record(one, START, {"lifecyclestage": "lead", "amount": "5"}) for one in range(1, count + 1)))
    changes = read(hubspot, name, kind="incremental", ids=(str(one) for one in range(1, count + 1)))
    assert ids_of(changes) == [str(one) for one in range(1, count + 1)]
    wanted = set(hubspot.streams[name].options["properties"])  # type: ignore[call-overload]
    assert all(set(json.loads(change.payload)["propertiesWithHistory"]) == wanted for change in changes)


def link(to: int | str, *types: int) -> Json:
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": one, "label": None} for one in types]
    return {"toObjectId": to, "associationTypes": kinds}


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 3001])
def test_links_of_each_record(vendor: FakeHubSpot, hubspot: Connector, count: int) -> None:
    vendor.links["contacts", "companies"] = {str(one): [link(one * 10, 279)] for one in range(1, count, 2)}
    changes = read(hubspot, "contact_to_company", ids=[str(one) for one in range(1, count + 1)])
    assert ids_of(changes) == [str(one) for one in range(1, count + 1)]
    got = {one["from"]["id"]: one["to"] for one in (json.loads(change.payload) for change in changes)}
    assert got == {str(one): [link(one * 10, 279)] if one % 2 and one < count else [] for one in range(1, count + 1)}
    assert all(change.version_at is None for change in changes)


@pytest.mark.parametrize("pages", [1, 2, 3, 14])
def test_hubs_have_all_their_pages_joined(vendor: FakeHubSpot, hubspot: Connector, pages: int) -> None:
    vendor.link_page = 100
    hub = [link(one, 4) for one in range(1, pages * 100 + 1)]
    vendor.links["deals", "contacts"] = {"1": hub, "2": hub[:100], "3": [*hub, link(99_999, 4)], "4": []}
    changes = read(hubspot, "deal_to_contact", ids=["1", "2", "3", "4"])
    got = {change.record_id: [one["toObjectId"] for one in json.loads(change.payload)["to"]] for change in changes}
    every = list(range(1, pages * 100 + 1))
    assert got == {"1": every, "2": every[:100], "3": [*every, 99_999], "4": []}


def test_links_have_one_form_whatever_the_order(vendor: FakeHubSpot, hubspot: Connector) -> None:
    forms = [
        [link("9", 2, 1), link("10", 5)],
        [link("10", 5), link("9", 1, 2)],
        [link("9", 1), link("10", 5), link("9", 2, 1)],
    ]
    payloads = set()
    for one in forms:
        vendor.links["deals", "companies"] = {"1": one}
        payloads.add(read(hubspot, "deal_to_company", ids=["1"])[0].payload)
    (payload,) = payloads
    assert json.loads(payload) == {"from": {"id": "1"}, "to": [link("9", 1, 2), link("10", 5)]}


def test_links_of_a_merged_record_are_not_taken_for_those_of_the_id(vendor: FakeHubSpot, hubspot: Connector) -> None:
    other = {"results": [{"from": {"id": "77"}, "to": [link(5, 1)]}]}
    vendor.fail("associations", Reply(body=json.dumps(other)))
    changes = read(hubspot, "contact_to_company", ids=["1"])
    assert [(one.record_id, json.loads(one.payload)["to"]) for one in changes] == [("1", [])]


def test_links_loop_stops(vendor: FakeHubSpot, hubspot: Connector) -> None:
    loop = {"results": [{"from": {"id": "1"}, "to": [link(5, 1)], "paging": {"next": {"after": "a"}}}]}
    vendor.answering = lambda _request: Reply(body=json.dumps(loop))
    with pytest.raises(AnswerError, match="same next page of one record twice"):
        read(hubspot, "contact_to_company", ids=["1"])
