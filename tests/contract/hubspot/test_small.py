import json
from datetime import timedelta

import pytest

from connectors.base.model import EPOCH, Connector
from errors import AnswerError, CountMismatchError
from tests.contract.hubspot.fake import FakeHubSpot, Json, Reply, iso
from tests.contract.hubspot.helpers import START, ids_of, pages, read


def row(one: int, **more: object) -> Json:
    return {"id": str(one), "createdAt": iso(START), "updatedAt": iso(START + one), **more}


@pytest.mark.parametrize("name", ["owners", "forms", "campaigns"])
@pytest.mark.parametrize("count", [0, 1, 100, 101])
def test_small_list_shows_each_row_once(vendor: FakeHubSpot, hubspot: Connector, name: str, count: int) -> None:
    vendor.lists[name] = [row(one) for one in range(1, count + 1)]
    changes = read(hubspot, name)
    assert ids_of(changes) == [str(one) for one in range(1, count + 1)]
    assert [json.loads(change.payload) for change in changes] == vendor.lists[name]
    assert all(change.version_at == EPOCH + timedelta(milliseconds=START + int(change.record_id)) for change in changes)


@pytest.mark.parametrize("name", ["owners", "forms"])
def test_archived_rows_are_deletes(vendor: FakeHubSpot, hubspot: Connector, name: str) -> None:
    vendor.lists[name] = [row(1), row(2, archived=True, archivedAt=iso(START + 90)), row(3, archived=True)]
    changes = read(hubspot, name)
    assert [(one.record_id, one.op) for one in changes] == [("1", "upsert"), ("2", "delete"), ("3", "delete")]
    assert changes[1].version_at == EPOCH + timedelta(milliseconds=START + 90)


def test_pipeline_is_as_new_as_its_newest_stage(vendor: FakeHubSpot, hubspot: Connector) -> None:
    stages = [{"id": "closedwon", "updatedAt": iso(START + 70)}, {"id": "contractsent", "updatedAt": None}]
    vendor.lists["deals"] = [row(1, label="Sales", stages=stages), row(2, stages=[])]
    changes = read(hubspot, "pipelines")
    assert [change.version_at for change in changes] == [EPOCH + timedelta(milliseconds=START + n) for n in (70, 2)]
    assert json.loads(changes[0].payload)["stages"] == stages


@pytest.mark.parametrize("has_custom", [True, False])
def test_campaigns_without_the_custom_property_are_read_all_the_same(
    vendor: FakeHubSpot, hubspot: Connector, *, has_custom: bool
) -> None:
    standard = set(hubspot.streams["campaigns"].options["properties"])  # type: ignore[call-overload]
    vendor.allowed_campaign_properties = standard | ({"hs_channel"} if has_custom else set())
    vendor.lists["campaigns"] = [row(1)]
    assert ids_of(read(hubspot, "campaigns")) == ["1"]
    asked = set(vendor.asked("campaigns")[-1].query["properties"].split(","))
    assert asked == vendor.allowed_campaign_properties


def test_lost_page_of_campaigns_is_noticed(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.lists["campaigns"] = [row(1), row(2)]
    probe, short = Reply(body='{"results": []}'), Reply(body='{"total": 2, "results": [{"id":"1"}]}')
    vendor.fail("campaigns", probe, short)
    got = pages(hubspot, "campaigns", (0, START), "full")
    assert [(ids_of(page.changes), page.expected, page.counted) for page in got] == [(["1", "2"], 2, 2)]
    vendor.fail("campaigns", probe, short, short, short)
    with pytest.raises(CountMismatchError, match="counts 2 records but shows 1"):
        read(hubspot, "campaigns")


def test_repeated_token_stops(vendor: FakeHubSpot, hubspot: Connector) -> None:
    loop = Reply(body='{"results": [{"id":"1"}], "paging": {"next": {"after": "1"}}}')
    vendor.answering = lambda _request: loop
    with pytest.raises(AnswerError, match="same next page twice"):
        read(hubspot, "owners")


def test_read_ids_of_a_small_list(vendor: FakeHubSpot, hubspot: Connector) -> None:
    vendor.lists["owners"] = [row(1), row(2), row(3, archived=True)]
    changes = [one for page in hubspot.read_ids(hubspot.streams["owners"], ["2", "3", "9"]) for one in page.changes]
    assert ids_of(changes) == ["2"]
    assert len(changes) == 1
