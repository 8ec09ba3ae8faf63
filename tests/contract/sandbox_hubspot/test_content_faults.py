"""Faults of what an answer holds: each does what its line says, and the next answer is as it was."""

from collections import Counter
from typing import Any

import pytest
import requests

from sandbox.context import Context
from sandbox.drift import ADDED
from sandbox.faults import FAULTS
from sandbox.hubspot.associations import default_link
from sandbox.hubspot.gate import LONGEST_TARGET
from sandbox.hubspot.properties import WIDE
from sandbox.store import Store

CONTACTS = "/crm/v3/objects/contacts"
LINKS = "/crm/v4/associations/companies/contacts/batch/read"


def batch(http: requests.Session, ids: list[str]) -> Any:
    answer = http.post(f"{CONTACTS}/batch/read", json={"inputs": [{"id": i} for i in ids], "properties": ["city"]})
    return answer.status_code, answer.json()


def test_searches_alone_have_their_own_429(http: requests.Session, context: Context) -> None:
    context.faults.switch("hubspot.429_secondly", count=1)
    assert http.get(CONTACTS).status_code == 200
    answer = http.post(f"{CONTACTS}/search", json={})
    assert (answer.status_code, answer.json()["policyName"]) == (429, "SECONDLY")
    assert http.post(f"{CONTACTS}/search", json={}).status_code == 200


def test_a_partial_batch_names_what_it_could_not_serve(http: requests.Session, context: Context) -> None:
    ids = ["1", "2", "3"]
    context.faults.switch("hubspot.partial_batch", count=1)
    status, body = batch(http, ids)
    assert status == 207
    assert [record["id"] for record in body["results"]] == ["3"]
    named = [(error["category"], error["context"]["ids"]) for error in body["errors"]]
    assert named == [("INTERNAL_ERROR", ["1"]), ("INTERNAL_ERROR", ["2"])]
    assert (batch(http, ids)[0], len(batch(http, ids)[1]["results"])) == (200, 3)


def test_links_come_two_at_a_time_and_all_in_the_end(http: requests.Session, context: Context, hub: list[str]) -> None:
    context.faults.switch("hubspot.small_link_pages")
    seen: list[str] = []
    wanted: dict[str, str] = {"id": "7503"}
    for _ in range(5):
        (result,) = http.post(LINKS, json={"inputs": [wanted]}).json()["results"]
        seen += [str(link["toObjectId"]) for link in result["to"]]
        wanted = {"id": "7503", "after": result["paging"]["next"]["after"]}
    assert seen == hub[:10]
    context.faults.off()
    (rest,) = http.post(LINKS, json={"inputs": [wanted]}).json()["results"]
    assert [str(link["toObjectId"]) for link in rest["to"]] == hub[10:510]


def test_a_link_and_its_types_stand_twice(http: requests.Session, context: Context, store: Store) -> None:
    store.link("companies", "7501", "contacts", "1", default_link("companies", "contacts"))
    context.faults.switch("hubspot.double_links", count=1)
    (result,) = http.post(LINKS, json={"inputs": [{"id": "7501"}]}).json()["results"]
    assert [(link["toObjectId"], len(link["associationTypes"])) for link in result["to"]] == [("1", 2), ("1", 2)]
    (result,) = http.post(LINKS, json={"inputs": [{"id": "7501"}]}).json()["results"]
    assert len(result["to"]) == 1


def test_a_wide_schema_does_not_fit_into_a_url(http: requests.Session, context: Context) -> None:
    def names() -> set[str]:
        return {each["name"] for each in http.get("/crm/v3/properties/deals").json()["results"]}

    before = names()
    context.faults.switch("hubspot.wide_schema")
    assert names() == before | WIDE
    assert len(WIDE) == 1_200
    assert len(",".join(WIDE)) > LONGEST_TARGET
    url = f"/crm/v3/objects/deals?properties={','.join(WIDE)}"
    assert http.get(url).status_code == 414
    one = min(WIDE)
    shown = http.get(f"/crm/v3/objects/deals?properties={one}").json()["results"]
    assert [record["properties"][one] for record in shown] == [None, None]
    context.faults.off()
    assert names() == before


@pytest.mark.parametrize("read", ["list", "search", "batch"])
def test_fields_drift_for_one_page(http: requests.Session, context: Context, read: str) -> None:
    def page() -> list[dict[str, Any]]:
        names = ["city", "hubspotscore"]
        if read == "list":
            answer = http.get(CONTACTS, params={"limit": "3", "properties": ",".join(names)})
        elif read == "search":
            answer = http.post(f"{CONTACTS}/search", json={"limit": 3, "properties": names})
        else:
            inputs = [{"id": str(n)} for n in range(1, 4)]
            answer = http.post(f"{CONTACTS}/batch/read", json={"inputs": inputs, "properties": names})
        return [record["properties"] for record in answer.json()["results"]]

    before = page()
    assert len(before) == 3
    context.faults.switch("hubspot.field_added", count=1)
    assert page() == [{**each, ADDED: "1"} for each in before]
    context.faults.switch("hubspot.field_removed", count=1)
    assert page() == [{k: v for k, v in each.items() if k != "city"} for each in before]
    context.faults.switch("hubspot.field_retyped", count=1)
    assert page() == [{**each, "hubspotscore": int(each["hubspotscore"])} for each in before]
    assert page() == before


def test_of_a_hostile_day_most_answers_can_be_used(http: requests.Session, context: Context, seed: int) -> None:
    for number, (name, known) in enumerate(FAULTS.items()):
        if name.startswith("hubspot.") and not name.endswith("slow_drip"):
            context.faults.switch(name, rate=known.rate, seed=seed + number)
    statuses: Counter[int] = Counter()
    for _ in range(300):
        try:
            statuses[http.get(CONTACTS, params={"limit": 5}).status_code] += 1
        except requests.RequestException:
            statuses[0] += 1
    assert 200 < statuses[200] < 300
