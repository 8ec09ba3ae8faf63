"""A small HubSpot account made by hand, served by uvicorn over real HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hubspot
import pytest
import requests

from sandbox.context import Context
from sandbox.hubspot.app import create_app
from sandbox.hubspot.associations import default_link
from sandbox.hubspot.limits import Limits
from sandbox.store import Store
from tests.support.serving import Server

TOKEN = "pat-eu1-made-up-for-tests"
START = datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
CONTACTS = 230
HUB = 1_300


class Swap:
    """The app that the one server of all tests serves just now."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Swap, str]]:
    swap = Swap()
    server = Server(swap)
    server.thread.start()
    assert server.ready.wait(20)
    yield swap, f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    server.should_exit = True
    server.thread.join(20)
    server.socket.close()


@pytest.fixture
def store() -> Store:
    """230 contacts in two pages and a bit, 3 companies, 2 deals, engagements, settings, marketing; see each line."""
    store = Store(
        "hubspot",
        {"contacts": {"lifecyclestage", "hs_lead_status"}, "deals": {"dealstage", "amount"}},
        archiving_modifies=False,
    )
    for n in range(1, CONTACTS + 1):
        at = START + timedelta(minutes=n)
        store.create("contacts", str(n), at, contact(n))
    for n, name in enumerate(("Acme Example", "Birch Example", "Hub Example"), start=7501):
        domain = f"{name.split()[0].lower()}.example"
        store.create("companies", str(n), START, {"name": name, "domain": domain, "annualrevenue": "1000000"})
    store.create("deals", "901", START, {"dealname": "Pilot", "amount": "1200.50", "dealstage": "closedwon"})
    store.create("deals", "902", START, {"dealname": "Renewal", "amount": "90", "dealstage": "contractsent"})
    for kind, id_ in (("calls", "801"), ("emails", "802"), ("meetings", "803"), ("tasks", "804"), ("notes", "805")):
        store.create(kind, id_, START, {"hs_timestamp": "2026-03-01T08:00:00.000Z", "hubspot_owner_id": "11"})
    store.update("contacts", "5", NOW - timedelta(hours=3), {"lifecyclestage": "customer"}, by="77")
    _settings(store)
    _marketing(store)
    return store


def contact(n: int) -> dict[str, str | None]:
    return {
        "email": f"Person{n}@acme.example",
        "firstname": f"Given{n}",
        "lastname": "O'Müller-李" if n % 2 else None,
        "lifecyclestage": "lead",
        "hubspotscore": str(n % 10),
        "phone": "",
        "createdate": (START + timedelta(minutes=n)).isoformat(timespec="milliseconds")[:-6] + "Z",
    }


def _settings(store: Store) -> None:
    store.create("owners", "11", START, {"email": "ana@seller.example", "firstName": "Ana", "userId": 77})
    store.create("owners", "12", START, {"email": "rui@seller.example", "firstName": "Rui", "userId": 78})
    store.archive("owners", "12", NOW - timedelta(days=1))
    stages = [
        {"id": "contractsent", "label": "Contract sent", "metadata": {"isClosed": "false", "probability": "0.9"}},
        {"id": "closedwon", "label": "Closed won", "metadata": {"isClosed": "true", "probability": "1.0"}},
    ]
    store.create("pipelines", "default", START, {"label": "Sales", "stages": stages})


def _marketing(store: Store) -> None:
    store.create("forms", "f-1", START, {"name": "Newsletter"})
    store.create("forms", "f-2", START, {"name": "Comments", "formType": "blog_comment"})
    for n in range(120):
        at = START + timedelta(seconds=n // 2)
        fields = {"formGuid": "f-1", "conversionId": f"c{n}", "submittedAt": int(at.timestamp() * 1000), "values": []}
        store.create("form_submissions", f"c{n}", at, fields)
    for n in range(25):
        at = START + timedelta(seconds=n)
        fields = {"type": "OPEN" if n % 5 else "SENT", "recipient": "person1@acme.example", "emailCampaignId": 5}
        store.create("email_events", f"e{n}", at, fields)
    for n in range(3):
        store.create("campaigns", f"g-{n}", START, {"hs_name": f"Campaign {n}", "hs_channel": "email"})


@pytest.fixture
def hub(store: Store) -> list[str]:
    """Company 7503 gets 1,300 further contacts; the first one is its primary contact too."""
    for n in range(10_001, 10_001 + HUB):
        store.create("contacts", str(n), START, {"email": f"hub{n}@hub.example"})
        plain = default_link("companies", "contacts"), default_link("contacts", "companies")
        store.link("companies", "7503", "contacts", str(n), *plain)
    primary = (
        default_link("companies", "contacts", primary=True),
        default_link("contacts", "companies", primary=True),
    )
    store.link("companies", "7503", "contacts", "10001", *primary)
    return [str(n) for n in range(10_001, 10_001 + HUB)]


@pytest.fixture
def context() -> Context:
    return Context(clock=lambda: NOW, credentials={"hubspot_access_token": TOKEN})


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def url(served: tuple[Swap, str], store: Store, context: Context, limits: Limits) -> str:
    swap, url = served
    swap.app = create_app(store, context, limits)
    return url


@pytest.fixture
def http(url: str) -> Iterator[requests.Session]:
    with Http(url) as http:
        yield http


@pytest.fixture
def client(url: str) -> Any:
    return hubspot.Client.create(access_token=TOKEN, host=url)


class Http(requests.Session):
    """requests with the base URL and the key."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.headers["Authorization"] = f"Bearer {TOKEN}"

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 20)
        return super().request(method, f"{self.url}{url!s}", *args, **kwargs)
