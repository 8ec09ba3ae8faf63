"""An org of its own for each test, connectors to it, and pauses that do not wait."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from connectors import salesforce
from connectors.base import session
from connectors.base.model import Change, Page, Window
from connectors.salesforce.auth import SalesforceAuth, grant_of, login_session
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.client import Client
from connectors.salesforce.connector import Salesforce
from connectors.salesforce.reading import Reader
from tests.contract.salesforce.fake import NOW, Org

SECRET = "canary-secret-5b1f"


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    monkeypatch.setattr(session, "_pause", lambda _state: 0.0)
    fake = Org()
    yield fake
    fake.close()


@pytest.fixture
def made(org: Org) -> Iterator[Callable[..., Salesforce]]:
    """Makes connectors to the org, with small Bulk pages and no pauses, and closes their connections."""
    clients: list[Client] = []

    def make(
        *, threshold: int = 1000, page_rows: int = 50_000, reserve: float = 0.0, patience: float = 60.0
    ) -> Salesforce:
        login = login_session(org.url)
        grant = grant_of({"client_id": "app", "client_secret": SECRET}, login)
        client = Client(SalesforceAuth(login, grant), salesforce.API_VERSION, reserve=reserve)
        clients.append(client)
        bulk = Bulk(client, first_pause=0.0, page_rows=page_rows, patience=timedelta(seconds=patience))
        return Salesforce(client, Reader(client, bulk, threshold))

    yield make
    for client in clients:
        client.session.http.close()
        client.auth._login.http.close()


class Notes(dict[str, str]):
    """A memory that is a dictionary: what a test's processes share."""

    def remember(self, key: str, value: str) -> None:
        self[key] = value

    def recall(self, key: str) -> str | None:
        return self.get(key)

    def forget(self, key: str) -> None:
        self.pop(key, None)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def read(made: Callable[..., Salesforce]) -> Callable[..., list[Page]]:
    """All pages of leads in a window, by default all that there are."""

    def pages(connector: Salesforce | None = None, window: Window | None = None, **options: int) -> list[Page]:
        connector = connector or made(**options)
        window = window or Window("lead", NOW - timedelta(days=1), NOW + timedelta(days=3), "incremental")
        return list(connector.read(connector.streams["lead"], window))

    return pages


@pytest.fixture
def changes_of() -> Callable[[list[Page]], list[Change]]:
    return lambda pages: [change for page in pages for change in page.changes]
