"""Submissions, e-mail events, campaigns, forms, record counts, account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.store import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
START = datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)
MS = int(START.timestamp() * 1000)
SUBMISSIONS = "/form-integrations/v1/submissions/forms"
EVENTS = "/email/public/v1/events"


def test_submissions_are_newest_first_and_new_ones_shift_nothing(http: requests.Session, store: Store) -> None:
    ids: list[str] = []
    stamps: list[int] = []
    after: str | None = None
    while True:
        page = http.get(f"{SUBMISSIONS}/f-1", params={"limit": 50, "after": after}).json()
        ids += [s["conversionId"] for s in page["results"]]
        stamps += [s["submittedAt"] for s in page["results"]]
        assert all("formGuid" not in s for s in page["results"])
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
        at = NOW + timedelta(seconds=len(ids))
        store.create("form_submissions", f"new{len(ids)}", at, {"formGuid": "f-1", "conversionId": "new"})
    assert len(ids) == 120
    assert set(ids) == {f"c{n}" for n in range(120)}
    assert stamps == sorted(stamps, reverse=True)


def test_submissions_have_limits(http: requests.Session) -> None:
    assert len(http.get(f"{SUBMISSIONS}/f-1").json()["results"]) == 20
    assert http.get(f"{SUBMISSIONS}/f-1", params={"limit": "51"}).status_code == 400
    assert http.get(f"{SUBMISSIONS}/nowhere").status_code == 404
    refused = http.get(f"{SUBMISSIONS}/f-2")
    assert (refused.status_code, refused.json()["subCategory"]) == (400, "FORM_TYPE_NOT_ALLOWED")


def test_a_form_without_submissions(http: requests.Session, store: Store) -> None:
    store.create("forms", "f-3", START, {"name": "Unused"})
    assert http.get(f"{SUBMISSIONS}/f-3").json() == {"results": []}


def test_forms(http: requests.Session) -> None:
    names = {f["name"] for f in http.get("/marketing/v3/forms").json()["results"]}
    assert names == {"Newsletter"}
    pages: list[Any] = [http.get("/marketing/v3/forms", params=dict[str, Any]({"formTypes": "all", "limit": 1})).json()]
    after = pages[0]["paging"]["next"]["after"]
    pages.append(http.get("/marketing/v3/forms", params={"formTypes": "all", "limit": 1, "after": after}).json())
    assert [f["id"] for page in pages for f in page["results"]] == ["f-1", "f-2"]
    assert "paging" not in pages[1]
    assert http.get("/marketing/v3/forms/f-2").json()["formType"] == "blog_comment"


def events(http: requests.Session, **params: Any) -> list[str]:
    ids: list[str] = []
    stamps: list[int] = []
    offset: str | None = None
    while True:
        page = http.get(EVENTS, params={**params, "offset": offset}).json()
        ids += [e["id"] for e in page["events"]]
        stamps += [e["created"] for e in page["events"]]
        if not page["hasMore"]:
            assert stamps == sorted(stamps, reverse=True)
            return ids
        offset = page["offset"]


@pytest.mark.parametrize("limit", [1, 6, 10, 24, 25, 26, 1_000])
def test_events_of_an_interval(http: requests.Session, limit: int) -> None:
    assert events(http, limit=limit) == [f"e{n}" for n in range(24, -1, -1)]
    both_ends = events(http, limit=limit, startTimestamp=MS + 3_000, endTimestamp=MS + 9_000)
    assert both_ends == [f"e{n}" for n in range(9, 2, -1)]
    assert events(http, limit=limit, eventType="SENT") == ["e20", "e15", "e10", "e5", "e0"]
    assert events(http, limit=limit, recipient="nobody@acme.example") == []


def test_event_limits_and_lag(http: requests.Session, store: Store) -> None:
    assert http.get(EVENTS, params={"limit": 1_001}).status_code == 400
    assert http.get(EVENTS, params={"startTimestamp": "yesterday"}).status_code == 400
    assert http.get(EVENTS, params={"offset": "not a cursor"}).status_code == 400
    store.create("email_events", "late", START, {"type": "CLICK"}, lag=NOW + timedelta(seconds=1))
    assert "late" not in events(http)


def test_campaigns(http: requests.Session) -> None:
    params: dict[str, Any] = {"properties": "hs_name,hs_channel,hs_utm", "limit": 2}
    page = http.get("/marketing/v3/campaigns", params=params).json()
    assert page["results"][0]["properties"] == {"hs_name": "Campaign 0", "hs_channel": "email", "hs_utm": None}
    after = page["paging"]["next"]["after"]
    rest = http.get("/marketing/v3/campaigns", params={**params, "after": after}).json()
    assert [c["id"] for c in page["results"] + rest["results"]] == ["g-0", "g-1", "g-2"]
    assert page["total"] == 3
    refused = http.get("/marketing/v3/campaigns", params={"properties": "hs_name,hs_made_up"})
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")
    assert http.get("/marketing/v3/campaigns/g-1").json()["properties"] == {"hs_name": "Campaign 1"}


def test_record_counts_follow_the_store(http: requests.Session, store: Store) -> None:
    def usage() -> dict[str, int]:
        types = http.get("/crm/v3/limits/records").json()["hubspotDefinedObjectTypes"]
        return {t["objectTypeId"]: t["usage"] for t in types}

    assert usage() | {"0-48": 1} == usage()
    assert (usage()["0-1"], usage()["0-2"], usage()["0-3"]) == (230, 3, 2)
    store.archive("contacts", "1", NOW)
    store.delete("contacts", "2", NOW)
    assert usage()["0-1"] == 228


def test_details(http: requests.Session) -> None:
    details = http.get("/account-info/v3/details").json()
    assert (details["accountType"], details["timeZone"]) == ("STANDARD", "UTC")


def test_owners_and_pipelines(http: requests.Session, store: Store) -> None:
    assert http.get("/crm/v3/owners/11").json()["userId"] == 77
    assert http.get("/crm/v3/owners/12").status_code == 404
    archived = http.get("/crm/v3/owners/12", params={"archived": "true"}).json()
    assert (archived["userId"], archived["userIdIncludingInactive"]) == (None, 78)
    assert http.get("/crm/v3/owners", params={"email": "ana@seller.example"}).json()["results"][0]["id"] == "11"
    for n in range(100, 260):
        store.create("owners", str(n), START, {})
    page = http.get("/crm/v3/owners").json()
    assert len(page["results"]) == 100
    assert len(http.get("/crm/v3/owners", params={"after": page["paging"]["next"]["after"]}).json()["results"]) == 61
    assert [s["id"] for s in http.get("/crm/v3/pipelines/deals/default/stages").json()["results"]] == [
        "contractsent",
        "closedwon",
    ]
    assert http.get("/crm/v3/pipelines/contacts").json() == {"results": []}


def test_properties(http: requests.Session, store: Store) -> None:
    store.update("contacts", "1", NOW, {"disqualification_reason": "budget"})
    shown = {p["name"]: p for p in http.get("/crm/v3/properties/contacts").json()["results"]}
    reason = shown["disqualification_reason"]
    assert (reason["hubspotDefined"], reason["type"], reason["fieldType"]) == (False, "string", "text")
    assert shown["phone"]["fieldType"] == "phonenumber"
    assert shown["hubspotscore"]["calculated"]
    assert http.get("/crm/v3/properties/contacts/phone").json() == shown["phone"]
    assert http.get("/crm/v3/properties/contacts/no_such").status_code == 404
    assert http.get("/crm/v3/properties/contacts", params={"archived": "true"}).json() == {"results": []}
