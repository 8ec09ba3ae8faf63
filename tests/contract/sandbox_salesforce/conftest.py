"""A small Salesforce org made by hand, served by uvicorn over real HTTP."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
import uvicorn
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from sandbox.context import Context
from sandbox.salesforce.app import create_app
from sandbox.salesforce.gate import Calls
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.schema import SOBJECTS
from sandbox.store import Store

CLIENT, SECRET, USER = "3MVG9-made-up-consumer-key", "made-up-secret", "integration@org.example"
START = datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
DATA = "/services/data/v66.0"
HOSTILE = 'Ana "a" O\'Neil,\r\nsecond line\ttab \x00 李 🎉; |^`'


class Server(uvicorn.Server):
    """uvicorn in a thread, on a port that it picks."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="critical", date_header=False, server_header=False, lifespan="off")
        )
        # With its protocol named, asyncio switches Nagle's algorithm off: without, each answer waits 40 ms.
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.socket.bind(("127.0.0.1", 0))
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve([self.socket])))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Swap:
    """The app that the one server of all tests serves just now."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class ToSandbox(HTTPAdapter):
    """Sends what is meant for https://*.salesforce.com to the sandbox, over plain http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.place = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = urlunsplit((self.place.scheme, self.place.netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


class Http(requests.Session):
    """requests with the base URL, and a token that it gets at the first call."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 20)
        return super().request(method, f"{self.url}{url!s}", *args, **kwargs)

    def login(self) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        answer = self.post("/services/oauth2/token", data=form)
        self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def soql(self, text: str, resource: str = "query", **kwargs: Any) -> requests.Response:
        return self.get(f"{DATA}/{resource}", params={"q": text}, **kwargs)

    def all_ids(self, text: str, resource: str = "query", **kwargs: Any) -> list[str]:
        """Ids of all pages, each of which must be whole and counted."""
        answer = self.soql(text, resource, **kwargs).json()
        ids = [record["Id"] for record in answer["records"]]
        while not answer["done"]:
            answer = self.get(answer["nextRecordsUrl"], **kwargs).json()
            ids += [record["Id"] for record in answer["records"]]
        assert answer["totalSize"] == len(ids)
        return ids


def id_of(kind: str, number: int) -> str:
    return make_id(SOBJECTS[kind].prefix, number)


def lead(number: int) -> dict[str, Any]:
    return {
        "Email": f"Person{number}@acme.example",
        "FirstName": f"Given{number}",
        "LastName": "O'Müller-李",
        "Company": "Acme Example",
        "Status": "Open - Not Contacted" if number % 2 else "Working - Contacted",
        "LeadSource": "Web" if number % 3 else None,
        "OwnerId": id_of("User", 1),
        "City": "São Paulo",
        "CountryCode": "BR",
        "IsConverted": False,
    }


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
    """Six leads (5 deleted, 6 merged into 1), an account with a deal, a campaign member that was hard-deleted."""
    store = Store("salesforce", archiving_modifies=True)
    store.create("User", id_of("User", 1), START, {"Name": "Rui Seller", "Email": "rui@org.example", "IsActive": True})
    for n in range(1, 7):
        store.create("Lead", id_of("Lead", n), START + timedelta(minutes=n), lead(n))
    account = {"Name": "Acme Example", "AnnualRevenue": 12_500_000.0, "NumberOfEmployees": 40, "BillingCity": HOSTILE}
    store.create("Account", id_of("Account", 1), START, account)
    deal = {
        "Name": HOSTILE,
        "AccountId": id_of("Account", 1),
        "Amount": 1200,
        "CurrencyIsoCode": "EUR",
        "StageName": "Closed Won",
        "IsWon": True,
        "CloseDate": "2026-03-05",
        "Probability": 100,
    }
    store.create("Opportunity", id_of("Opportunity", 1), START, deal)
    store.create("Opportunity", id_of("Opportunity", 2), START, {"Name": "No account", "StageName": "Prospecting"})
    member = {"CampaignId": id_of("Campaign", 1), "LeadId": id_of("Lead", 1), "Status": "Sent"}
    store.create("CampaignMember", id_of("CampaignMember", 1), START, member)
    change = {"LeadId": id_of("Lead", 1), "Field": "Status", "OldValue": None, "NewValue": "Nurturing"}
    store.create("LeadHistory", id_of("LeadHistory", 1), START, change)
    store.archive("Lead", id_of("Lead", 5), NOW - timedelta(hours=4))
    store.merge("Lead", id_of("Lead", 6), id_of("Lead", 1), NOW - timedelta(hours=3))
    store.delete("CampaignMember", id_of("CampaignMember", 1), NOW - timedelta(hours=2))
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(clock: Clock) -> Context:
    credentials = {"salesforce_client_id": CLIENT, "salesforce_client_secret": SECRET, "salesforce_username": USER}
    return Context(clock=clock, credentials=credentials)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def url(served: tuple[Swap, str], store: Store, context: Context, calls: Calls) -> str:
    swap, url = served
    swap.app = create_app(store, context, calls)
    return url


@pytest.fixture
def http(url: str) -> Iterator[Http]:
    with Http(url) as http:
        http.login()
        yield http


@pytest.fixture
def connected(url: str) -> Iterator[Callable[..., Salesforce]]:
    """Makes simple-salesforce clients whose requests reach the sandbox."""
    sessions: list[requests.Session] = []

    def connect(**credentials: Any) -> Salesforce:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", ToSandbox(url))
        sessions.append(session)
        return Salesforce(session=session, version="66.0", **credentials)

    yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def sf(connected: Callable[..., Salesforce]) -> Salesforce:
    return connected(consumer_key=CLIENT, consumer_secret=SECRET, domain="acme.my")
