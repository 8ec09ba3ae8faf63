"""Key, scopes, rate limits, headers, the log."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.context import Context
from sandbox.hubspot.limits import Limits

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "/crm/v3/objects/contacts"


@pytest.mark.parametrize("key", ["", "Bearer wrong", "pat-eu1-made-up-for-tests", "Basic cGF0"])
def test_wrong_keys(http: requests.Session, key: str) -> None:
    answer = http.get(URL, headers={"Authorization": key})
    assert answer.status_code == 401
    body = answer.json()
    assert (body["status"], body["category"]) == ("error", "INVALID_AUTHENTICATION")
    assert body["correlationId"] == answer.headers["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", URL, "crm.objects.contacts.read"),
        ("POST", f"{URL}/search", "crm.objects.contacts.read"),
        ("GET", "/crm/v3/objects/0-2", "crm.objects.companies.read"),
        ("GET", "/crm/v3/properties/deals", "crm.objects.deals.read"),
        ("GET", "/crm/v3/pipelines/deals", "crm.objects.deals.read"),
        ("GET", "/crm/v3/owners", "crm.objects.owners.read"),
        ("POST", "/crm/v4/associations/deals/contacts/batch/read", "crm.objects.contacts.read"),
        ("GET", "/crm/v4/objects/deals/1/associations/companies", "crm.objects.companies.read"),
        ("GET", "/marketing/v3/forms", "forms"),
        ("GET", "/form-integrations/v1/submissions/forms/f-1", "forms"),
        ("GET", "/email/public/v1/events", "content"),
        ("GET", "/marketing/v3/campaigns", "marketing.campaigns.read"),
    ],
)
def test_missing_scopes(http: requests.Session, context: Context, method: str, path: str, scope: str) -> None:
    context.credentials["hubspot_missing_scopes"] = f"tickets, {scope}"
    answer = http.request(method, path, json={"inputs": []} if method == "POST" else None)
    assert answer.status_code == 403
    body = answer.json()
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"]["requiredGranularScopes"] == [scope]
    assert http.get("/account-info/v3/details").status_code == 200


def test_clock_and_limit_headers(http: requests.Session, context: Context) -> None:
    context.limits = True
    answers = [http.get(URL) for _ in range(3)]
    assert {a.headers["Date"] for a in answers} == {"Tue, 10 Mar 2026 12:00:00 GMT"}
    assert [a.headers["X-HubSpot-RateLimit-Remaining"] for a in answers] == ["189", "188", "187"]
    assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert answers[0].headers["X-HubSpot-RateLimit-Daily-Remaining"] == "299"
    found = http.post(f"{URL}/search", json={})
    assert found.status_code == 200
    assert not [name for name in found.headers if "ratelimit" in name.lower()]


def test_log(http: requests.Session, context: Context) -> None:
    http.get(URL, params={"limit": 1})
    http.get("/nowhere")
    http.get(URL, headers={"Authorization": "wrong"})
    lines = [(line.time, line.vendor, line.method, line.path, line.status) for line in context.log.lines()]
    assert lines == [
        (NOW, "hubspot", "GET", URL, 200),
        (NOW, "hubspot", "GET", "/nowhere", 404),
        (NOW, "hubspot", "GET", URL, 401),
    ]


def test_compression(http: requests.Session) -> None:
    params = {"limit": 100}
    packed = http.get(URL, params=params)
    plain = http.get(URL, params=params, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content


def test_long_urls(http: requests.Session) -> None:
    names = ",".join(f"property_{n:08d}" for n in range(1_200))
    assert http.get(URL, params={"properties": names}).status_code == 414
    assert http.get(URL, params={"properties": names[:12_000]}).status_code == 200


def test_unknown_places(http: requests.Session) -> None:
    assert http.get("/crm/v3/objects/contacts/1/nowhere").status_code == 404
    assert http.get("/crm/v3/objects/planets").status_code == 400
    assert http.delete(f"{URL}/1").status_code == 405


class Ticks:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def limits(ticks: Ticks) -> Limits:
    return Limits(burst=190, searches=5, daily=300, clock=ticks)


def test_limits_are_off_by_default(http: requests.Session) -> None:
    assert {http.post(f"{URL}/search", json={}).status_code for _ in range(7)} == {200}


def test_searches_per_second(http: requests.Session, context: Context, ticks: Ticks) -> None:
    context.limits = True
    assert [http.post(f"{URL}/search", json={}).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = http.post(f"{URL}/search", json={})
    assert (refused.json()["policyName"], refused.json()["errorType"]) == ("SECONDLY", "RATE_LIMIT")
    assert refused.headers["Retry-After"] == "1"
    assert http.get(URL).status_code == 200, "lists have a window of their own"
    ticks.now += 1.01
    assert http.post(f"{URL}/search", json={}).status_code == 200


def test_calls_per_ten_seconds(http: requests.Session, context: Context, ticks: Ticks) -> None:
    context.limits = True
    path = "/account-info/v3/details"
    assert {http.get(path).status_code for _ in range(190)} == {200}
    refused = http.get(path)
    assert (refused.status_code, refused.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert refused.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    ticks.now += 10.01
    assert http.get(path).status_code == 200


def test_calls_per_day(http: requests.Session, context: Context, ticks: Ticks) -> None:
    context.limits = True
    path = "/account-info/v3/api-usage/daily/private-apps"
    answers: list[Any] = []
    for _ in range(301):
        ticks.now += 1
        answers.append(http.get(path))
    assert [a.status_code for a in answers] == [200] * 300 + [429]
    (usage,) = answers[299].json()["results"]
    assert (usage["currentUsage"], usage["usageLimit"]) == (300, 300)
    assert usage["resetsAt"] == "2026-03-11T00:00:00.000Z"
    assert answers[300].json()["policyName"] == "DAILY"
    assert "Retry-After" not in answers[300].headers
    context.clock = lambda: datetime(2026, 3, 11, 0, 0, 1, tzinfo=UTC)
    assert http.get(path).json()["results"][0]["currentUsage"] == 1


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/crm/v3/objects/tickets", "crm.objects.tickets.read"),
        ("/crm/v3/properties/line_items", "crm.objects.line_items.read"),
        ("/properties/v2/leads/properties", "crm.objects.leads.read"),
        ("/crm/v3/schemas", "crm.schemas.custom.read"),
    ],
)
def test_what_is_not_played_is_not_granted(http: requests.Session, path: str, scope: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["context"]["requiredGranularScopes"] == [scope]
    assert http.get(path + "x").status_code in {400, 404}


def test_nothing_is_linked_to_what_is_not_played(http: requests.Session) -> None:
    (plain,) = http.get(URL, params={"limit": 1}).json()["results"]
    asked = http.get(f"{URL}?limit=1&associations=tickets,line_items")
    assert asked.json()["results"] == [plain]
    linked = http.post("/crm/v4/associations/contacts/tickets/batch/read", json={"inputs": [{"id": plain["id"]}]})
    assert linked.json()["results"] == []
    assert [e["subCategory"] for e in linked.json()["errors"]] == ["crm.associations.NO_ASSOCIATIONS_FOUND"]


def test_the_older_list_of_properties_is_bare(http: requests.Session) -> None:
    assert (
        http.get("/properties/v2/contact/properties").json()
        == http.get("/crm/v3/properties/contacts").json()["results"]
    )
