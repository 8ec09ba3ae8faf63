"""Pages: the complete set at none, one, exactly full and one more; filters and their limits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.serve import Sandbox
from sandbox.store import Record
from tests.contract.sandbox_marketo.conftest import PAST, Marketo

Live = Callable[[str], dict[str, Record]]
ACTIVITIES = "/rest/v1/activities.json"


def by_token(marketo: Marketo, path: str, **query: Any) -> list[list[Any]]:
    """The pages of a result set by position."""
    pages, token = [], None
    while True:
        answer = marketo.get(path, params={**query, **({"nextPageToken": token} if token else {})}).json()
        assert answer["success"], answer
        pages.append(answer.get("result", []))
        token = answer.get("nextPageToken")
        if token is None:
            return pages


def add_leads(box: Sandbox, list_id: int, count: int) -> set[int]:
    """So many new leads on a list."""
    ids = set()
    for number in range(count):
        fields = {"email": f"page{number}@acted.example", "company": f"Pages {list_id}"}
        lead = box.world.act("marketo", "create", "leads", None, fields)
        box.world.act("marketo", "create", "list_members", None, {"listId": list_id, "leadId": int(lead)})
        ids.add(int(lead))
    return ids


@pytest.mark.parametrize("count", [0, 1, 300, 301])
def test_leads_of_a_list_of_so_many(marketo: Marketo, box: Sandbox, count: int) -> None:
    list_id = int(box.world.act("marketo", "create", "lists", None, {"name": f"Pages {count}"}))
    ids = add_leads(box, list_id, count)
    pages = by_token(marketo, f"/rest/v1/lists/{list_id}/leads.json")
    assert [row["id"] for page in pages for row in page] == sorted(ids)
    assert [len(page) for page in pages] == ([300, 1] if count == 301 else [count])
    found = by_token(marketo, "/rest/v1/leads.json", filterType="company", filterValues=f"pages {list_id}")
    assert [row["id"] for page in found for row in page] == sorted(ids)


def test_more_than_1000_leads_that_match_are_refused(marketo: Marketo, box: Sandbox) -> None:
    list_id = int(box.world.act("marketo", "create", "lists", None, {"name": "A thousand"}))
    add_leads(box, list_id, 1_000)
    query = {"filterType": "company", "filterValues": f"Pages {list_id}"}
    assert len(marketo.rows("/rest/v1/leads.json", **query)) == 300
    add_leads(box, list_id, 1)
    assert marketo.code("/rest/v1/leads.json", **query) == "1003"


@pytest.mark.parametrize("more", [0, 1, 299, 300, 301])
def test_activities_of_so_many(marketo: Marketo, box: Sandbox, live: Live, more: int) -> None:
    box.advance(1)
    marketo.login()
    since = box.world.now()
    lead = next(iter(live("leads")))
    made = {
        box.world.act("marketo", "create", "activities", None, {"leadId": lead, "activityTypeId": 24})
        for _ in range(more)
    }
    found = marketo.feed(ACTIVITIES, since, activityTypeIds="24")
    assert len(found) == more
    assert {row["marketoGUID"] for row in found} == made


def test_a_page_counts_activities_of_all_types(marketo: Marketo, box: Sandbox) -> None:
    query = {"nextPageToken": marketo.since(PAST), "activityTypeIds": "32"}
    sizes, merges = [], 0
    while True:
        answer = marketo.get(ACTIVITIES, params=query).json()
        sizes.append(len(answer.get("result", [])))
        merges += sizes[-1]
        query["nextPageToken"] = answer["nextPageToken"]
        if not answer["moreResult"]:
            break
    store = box.world.marketo
    every = len(store.records["activities"]) + len(store.records["deleted_leads"])
    assert len(sizes) == -(-every // 300)
    assert 0 in sizes[:-1], "no page was empty although there were more"
    assert merges == sum(r.fields["activityTypeId"] == 32 for r in store.live("activities")) > 0


def test_the_last_token_goes_on_with_what_comes_later(marketo: Marketo, box: Sandbox, live: Live) -> None:
    token = marketo.since(box.world.now() - timedelta(days=2))
    for _ in range(50):
        answer = marketo.get(ACTIVITIES, params={"nextPageToken": token, "activityTypeIds": "25"}).json()
        token = answer["nextPageToken"]
        if not answer["moreResult"]:
            break
    lead = next(iter(live("leads")))
    new = box.world.act("marketo", "create", "activities", None, {"leadId": lead, "activityTypeId": 25})
    answer = marketo.get(ACTIVITIES, params={"nextPageToken": token, "activityTypeIds": "25"}).json()
    assert [row["marketoGUID"] for row in answer["result"]] == [new]


def test_activities_of_some_leads_of_a_list_and_of_assets(marketo: Marketo, live: Live) -> None:
    every = marketo.feed(ACTIVITIES, activityTypeIds="6,7")
    leads = sorted({row["leadId"] for row in every})[:3]
    some = marketo.feed(ACTIVITIES, activityTypeIds="6,7", leadIds=",".join(map(str, leads)))
    assert some == [row for row in every if row["leadId"] in leads]
    list_id = min(r.fields["listId"] for r in live("list_members").values())
    on_it = {r.fields["leadId"] for r in live("list_members").values() if r.fields["listId"] == list_id}
    assert marketo.feed(ACTIVITIES, activityTypeIds="6,7", listId=list_id) == [r for r in every if r["leadId"] in on_it]
    asset = every[0]["primaryAttributeValueId"]
    of_asset = [r for r in every if r["primaryAttributeValueId"] == asset]
    assert marketo.feed(ACTIVITIES, activityTypeIds="6,7", assetIds=asset) == of_asset


@pytest.mark.parametrize("size", [1, 20, 41, 42, 43, 200])
def test_assets_by_offset(marketo: Marketo, live: Live, size: int) -> None:
    found, offset = [], 0
    while rows := marketo.rows("/rest/asset/v1/programs.json", maxReturn=size, offset=offset):
        found += [row["id"] for row in rows]
        offset += size
    assert found == sorted(map(int, live("programs")))
    answer = marketo.get("/rest/asset/v1/programs.json", params={"maxReturn": size, "offset": offset}).json()
    assert answer["warnings"] == ["No assets found for the given search criteria."]
    assert "result" not in answer


def test_assets_by_time_of_their_last_change(marketo: Marketo, box: Sandbox) -> None:
    since = box.world.now() - timedelta(days=60)
    times = {r.id: r.modified_at for r in box.world.marketo.live("programs")}
    query = {"maxReturn": 200, "earliestUpdatedAt": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    rows = marketo.rows("/rest/asset/v1/programs.json", **query)
    assert {str(row["id"]) for row in rows} == {id_ for id_, at in times.items() if at >= since}
    before = (since - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = marketo.rows("/rest/asset/v1/programs.json", maxReturn=200, latestUpdatedAt=before)
    assert {str(row["id"]) for row in rows} == {id_ for id_, at in times.items() if at < since}


def test_members_by_every_filter_and_by_token(marketo: Marketo, box: Sandbox) -> None:
    path = "/rest/v1/programs/1001/members.json"
    members = {
        r.fields["leadId"]: r for r in box.world.marketo.live("program_members") if r.fields["programId"] == 1001
    }
    pages = by_token(marketo, path, filterType="statusName", filterValues="Member,Engaged,Influenced", batchSize=7)
    assert [row["leadId"] for page in pages for row in page] == sorted(members)
    assert all(len(page) == 7 for page in pages[:-1])
    success = marketo.rows(path, filterType="reachedSuccess", filterValues="true", fields="leadId,statusName")
    assert {row["leadId"] for row in success} == {i for i, r in members.items() if r.fields["reachedSuccess"]}
    assert {row["statusName"] for row in success} <= {"Influenced"}
    first = min(members)
    assert [r["leadId"] for r in marketo.rows(path, filterType="leadId", filterValues=first)] == [first]
    now = box.world.now()
    week = {"startAt": (now - timedelta(days=7)).isoformat(), "endAt": now.isoformat()}
    recent = {i for i, r in members.items() if r.modified_at >= now - timedelta(days=7)}
    assert {r["leadId"] for r in marketo.rows(path, filterType="updatedAt", **week)} == recent
    longer = week | {"startAt": (now - timedelta(days=7, seconds=1)).isoformat()}
    assert marketo.code(path, filterType="updatedAt", **longer) == "1003"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/rest/v1/leads.json", {}, "1002"),
        ("/rest/v1/leads.json", {"filterType": "id"}, "1002"),
        ("/rest/v1/leads.json", {"filterType": "updatedAt", "filterValues": "2026-05-01"}, "1011"),
        ("/rest/v1/leads.json", {"filterType": "firstName", "filterValues": "Ana"}, "1011"),
        ("/rest/v1/leads.json", {"filterType": "id", "filterValues": "x"}, "1001"),
        ("/rest/v1/leads.json", {"filterType": "id", "filterValues": ",".join(map(str, range(301)))}, "1003"),
        ("/rest/v1/leads.json", {"filterType": "id", "filterValues": "1", "fields": "nothing"}, "1006"),
        ("/rest/v1/leads.json", {"filterType": "id", "filterValues": "1", "batchSize": "301"}, "1003"),
        ("/rest/v1/lists/1/leads.json", {}, "1013"),
        ("/rest/v1/lists/1.json", {}, "1013"),
        ("/rest/v1/campaigns/1.json", {}, "1013"),
        ("/rest/v1/programs/1/members.json", {"filterType": "leadId", "filterValues": "1"}, "1013"),
        ("/rest/v1/programs/1001/members.json", {}, "1002"),
        ("/rest/v1/programs/1001/members.json", {"filterType": "email", "filterValues": "a"}, "1011"),
        ("/rest/v1/activities/pagingtoken.json", {}, "1002"),
        ("/rest/v1/activities/pagingtoken.json", {"sinceDatetime": "yesterday"}, "704"),
        ("/rest/v1/activities.json", {"activityTypeIds": "1"}, "1002"),
        ("/rest/v1/activities.json", {"nextPageToken": "x", "activityTypeIds": "1"}, "1003"),
        ("/rest/v1/activities.json", {"activityTypeIds": "1,2,6,7,8,9,10,11,12,13,22"}, "1003"),
        ("/rest/v1/activities.json", {"activityTypeIds": "4711"}, "1003"),
        ("/rest/v1/activities/leadchanges.json", {}, "1002"),
        ("/rest/asset/v1/programs.json", {"maxReturn": "201"}, "1003"),
        ("/rest/asset/v1/emails.json", {"maxReturn": "many"}, "1001"),
        ("/rest/v1/leads/schema/fields/nothing.json", {}, "1006"),
    ],
)
def test_what_is_refused(marketo: Marketo, path: str, query: dict[str, str], code: str) -> None:
    assert marketo.code(path, **query) == code


def test_an_asset_alone(marketo: Marketo, live: Live) -> None:
    for one, kind in (("program", "programs"), ("email", "emails"), ("form", "forms"), ("landingPage", "landing_pages"),
                      ("smartCampaign", "campaigns"), ("staticList", "lists")):  # fmt: skip
        id_, record = next(iter(live(kind).items()))
        assert marketo.rows(f"/rest/asset/v1/{one}/{id_}.json")[0]["name"] == record.fields["name"]
        by_name = marketo.rows(f"/rest/asset/v1/{one}/byName.json", name=record.fields["name"])
        assert int(id_) in {row["id"] for row in by_name}
        assert marketo.rows(f"/rest/asset/v1/{one}/1.json") == []
