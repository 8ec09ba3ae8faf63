"""The recorded pages hold what was asked for, whole and in order, and what a reader needs around them."""

import random
from typing import Any

import pytest
import requests

from sandbox.hubspot.contacts import contacts
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.recorded import recorded_contacts_app

URL = "/crm/v3/objects/contacts"


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_pages_hold_every_contact_once(served: Any, count: int, encoding: str) -> None:
    seed = random.randrange(1 << 32)
    swap, url = served
    swap.app = recorded_contacts_app(count, 40, seed)
    found: list[Any] = []
    after: str | None = None
    with requests.Session() as http:
        http.trust_env = False
        http.headers["Accept-Encoding"] = encoding
        while True:
            params: dict[str, Any] = {"limit": 100, "properties": "email,phone", "after": after}
            answer = http.get(url + URL, params=params, timeout=20)
            assert answer.headers.get("Content-Encoding", "identity") == encoding
            found += answer.json()["results"]
            if "paging" not in answer.json():
                break
            after = answer.json()["paging"]["next"]["after"]
    assert found == list(contacts(count, 40, seed)), f"seed {seed}"
    assert len({c["id"] for c in found}) == count


def test_what_stands_around_the_pages(served: Any) -> None:
    swap, url = served
    swap.app = recorded_contacts_app(120, 44)
    with requests.Session() as http:
        http.trust_env = False
        assert http.get(url + URL, params={"limit": "100", "archived": "true"}, timeout=20).json() == {"results": []}
        assert http.get(url + URL, params={"limit": "10"}, timeout=20).status_code == 400
        assert http.get(url + URL, params={"limit": "100", "after": "1"}, timeout=20).status_code == 400
        names = [p["name"] for p in http.get(f"{url}/crm/v3/properties/contacts", timeout=20).json()["results"]]
        assert len(names) == len(set(names)) == 44
        first = http.get(url + URL, params={"limit": "100"}, timeout=20).json()["results"][0]
        assert set(first["properties"]) == set(names)
        changed = {
            "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1"}]}]
        }
        assert http.post(f"{url}{URL}/search", json=changed, timeout=20).json()["total"] == 0
        assert http.post(f"{url}{URL}/search", json={"filterGroups": []}, timeout=20).json()["total"] == 120
        assert http.get(f"{url}/crm/v3/objects/deals", timeout=20).json() == {"results": []}


def test_beyond_its_limits_it_refuses_and_tells_so(served: Any) -> None:
    swap, url = served
    swap.app = recorded_contacts_app(1, 40, limits=Limits(burst=3, searches=1))
    with requests.Session() as http:
        http.trust_env = False
        answers = [http.get(url + URL, params={"limit": "100"}, timeout=20) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["X-HubSpot-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
        found = [http.post(f"{url}{URL}/search", json={"filterGroups": []}, timeout=20) for _ in range(2)]
        assert [answer.status_code for answer in found] == [200, 429]
        assert "X-HubSpot-RateLimit-Remaining" not in found[0].headers
        assert http.get(f"{url}/log", timeout=20).json() == {"200": 4, "429": 2}


def test_values_are_likely() -> None:
    made = [c["properties"] for c in contacts(2_000, 40, random.randrange(1 << 32))]
    phones = [p["phone"] for p in made if p["phone"]]
    assert 0.55 < len(phones) / len(made) < 0.65
    assert all(phone.startswith("+") and phone[1:].isdecimal() for phone in phones)
    assert len({p["email"] for p in made}) == len(made)
    assert all(p["email"].endswith(".example") for p in made)
    assert {p["lifecyclestage"] for p in made} > {"subscriber", "lead", "customer"}
    assert len({p["hs_analytics_source"] for p in made}) > 5
