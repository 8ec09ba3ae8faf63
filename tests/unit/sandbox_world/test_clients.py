"""What clients read over HTTP is what the truth says: every record of every kind, live, archived, merged."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hubspot import HubSpot

from sandbox.serve import Sandbox, running_sandbox

OBJECTS = ("contacts", "companies", "deals", "calls", "emails", "meetings", "tasks", "notes")


@pytest.fixture(scope="module")
def played() -> Iterator[Sandbox]:
    with running_sandbox(seed=int(datetime.now(UTC).timestamp()) % 10**6, people=600) as running:
        running.advance(3)
        yield running


def told(box: Sandbox, vendor: str) -> dict[str, dict[str, set[str]]]:
    """kind -> state -> ids."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in box.world.truth.rows("vendor_record"):
        if row["vendor"] == vendor:
            found[row["kind"]][row["state"]].add(row["record_id"])
    return found


def client(box: Sandbox) -> HubSpot:
    hubspot = HubSpot(access_token=box.credentials["hubspot_access_token"])
    hubspot.config["host"] = box.hubspot_url
    return hubspot


def test_hubspots_own_client_reads_all_objects_there_are(played: Sandbox) -> None:
    truth, hubspot = told(played, "hubspot"), client(played)
    print(f"seed {played.world.seed}")  # noqa: T201 # shown on failure
    for kind in OBJECTS:
        api = hubspot.crm.objects
        live = {r.id for r in _all(api, kind, archived=False)}
        archived = {r.id for r in _all(api, kind, archived=True)}
        assert live == truth[kind]["live"], kind
        assert archived == truth[kind]["archived"], kind
        assert live, kind


def _all(api: Any, kind: str, *, archived: bool) -> Iterator[Any]:
    after = None
    while True:
        page = api.basic_api.get_page(kind, limit=100, after=after, archived=archived)
        yield from page.results
        if page.paging is None:
            return
        after = page.paging.next.after


def test_hubspots_own_client_finds_the_changes_of_a_day_by_search(played: Sandbox) -> None:
    now = played.world.now()
    start = now.replace(hour=0)
    expected = {
        r["record_id"]
        for r in played.world.truth.rows("vendor_record")
        if r["kind"] == "companies" and r["state"] == "live" and r["modified_at"] >= start.replace(day=start.day - 1)
    }
    since = int(start.replace(day=start.day - 1).timestamp() * 1000)
    request = {
        "filterGroups": [
            {"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(since)}]}
        ],
        "limit": 200,
    }
    found = client(played).crm.companies.search_api.do_search(request)
    assert {r.id for r in found.results} == expected
    assert found.total == len(expected) > 0


def test_associations_are_those_of_the_store(played: Sandbox) -> None:
    hubspot = client(played)
    deals = list(told(played, "hubspot")["deals"]["live"])
    answer = hubspot.crm.associations.v4.batch_api.get_page(
        from_object_type="deals", to_object_type="contacts", batch_input_public_fetch_associations_batch_request={
            "inputs": [{"id": id_} for id_ in deals]
        },
    )  # fmt: skip
    found = {(r._from.id, str(to.to_object_id)) for r in answer.results for to in r.to}
    store = played.world.hubspot
    expected = {
        (deal, contact)
        for deal in deals
        for contact, kinds in store.links["deals", "contacts"].get(deal, {}).items()
        if kinds and store.records["contacts"][contact].archived_at is None
    }
    assert found == expected
    assert len(expected) > 10


def test_salesforce_answers_all_rows_there_are(played: Sandbox) -> None:
    keys = played.credentials
    login = {
        "grant_type": "client_credentials",
        "client_id": keys["salesforce_client_id"],
        "client_secret": keys["salesforce_client_secret"],
    }
    token = requests.post(f"{played.salesforce_url}/services/oauth2/token", data=login, timeout=30).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    for kind, states in told(played, "salesforce").items():
        flag = ", IsDeleted" if kind != "User" else ""
        url = f"/services/data/v60.0/queryAll?q=SELECT+Id{flag}+FROM+{kind}"
        live: set[str] = set()
        deleted: set[str] = set()
        while url:
            page = requests.get(played.salesforce_url + url, headers=headers, timeout=30).json()
            for row in page["records"]:
                (deleted if row.get("IsDeleted") else live).add(row["Id"])
            url = page.get("nextRecordsUrl", "")
        assert live == states["live"], kind
        assert deleted == states["archived"] | states["merged"], kind


def test_mail_events_and_submissions_are_all_there(played: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {played.credentials['hubspot_access_token']}"}
    truth = told(played, "hubspot")
    events, offset = set(), ""
    while True:
        query = {"limit": "1000", **({"offset": offset} if offset else {})}
        page = requests.get(f"{played.hubspot_url}/email/public/v1/events", query, headers=headers, timeout=30).json()
        events |= {e["id"] for e in page["events"]}
        offset = page["offset"]
        if not page["hasMore"]:
            break
    assert events == truth["email_events"]["live"]
    count = 0
    for form in truth["forms"]["live"]:
        after: str | None = ""
        while after is not None:
            url = f"{played.hubspot_url}/form-integrations/v1/submissions/forms/{form}"
            query = {"limit": "50", **({"after": after} if after else {})}
            page = requests.get(url, query, headers=headers, timeout=30).json()
            count += len(page["results"])
            after = page.get("paging", {}).get("next", {}).get("after")
    assert count == len(truth["form_submissions"]["live"])
