"""A made-up org and connectors to it, as each new process would have them: small Bulk pages, no pauses."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from connectors import salesforce
from connectors.base import session
from connectors.salesforce.auth import SalesforceAuth, grant_of, login_session
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.client import Client
from connectors.salesforce.connector import Salesforce
from connectors.salesforce.reading import Reader
from tests.contract.salesforce.fake import Org


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    monkeypatch.setattr(session, "_pause", lambda _state: 0.0)
    fake = Org()
    fake.listed_page = 5
    yield fake
    fake.close()


@pytest.fixture
def connected(org: Org) -> Iterator[Callable[..., Salesforce]]:
    clients: list[Client] = []

    def make(*, threshold: int = 1000) -> Salesforce:
        org.clock_ahead += timedelta(minutes=1)  # windows end by this clock: each connector is another night's
        login = login_session(org.url)
        client = Client(SalesforceAuth(login, grant_of({"client_id": "app", "client_secret": "s"}, login)), "66.0")
        clients.append(client)
        return Salesforce(client, Reader(client, Bulk(client, first_pause=0.0, page_rows=2), threshold))

    assert salesforce.API_VERSION == "66.0", "the fake org speaks no other"
    yield make
    for client in clients:
        client.session.http.close()
        client.auth._login.http.close()
