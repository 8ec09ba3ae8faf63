"""A small world behind the sandbox's Marketo, and marketorestpython to drive it."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from marketorestpython.client import MarketoClient
from marketorestpython.helper import http_lib

from sandbox.marketo.limits import Limits
from sandbox.serve import Sandbox, running_sandbox
from sandbox.store import Record
from sandbox.world import TODAY

PAST = TODAY - timedelta(days=365)


class Marketo(requests.Session):
    """requests with the base URL, and a token that it gets at the first call."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__()
        self.box = box
        self.trust_env = False

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 20)
        return super().request(method, f"{self.box.marketo_url}{url!s}", *args, **kwargs)

    def login(self, **instead: str) -> requests.Response:
        keys = self.box.credentials
        query = {
            "grant_type": "client_credentials",
            "client_id": keys["marketo_client_id"],
            "client_secret": keys["marketo_client_secret"],
            **instead,
        }
        answer = self.get("/identity/oauth/token", params=query)
        if answer.ok:
            self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def rows(self, path: str, **query: Any) -> list[Any]:
        """The result of one successful answer."""
        answer = self.get(path, params=query).json()
        assert answer["success"], answer
        found: list[Any] = answer.get("result", [])
        return found

    def code(self, path: str, **query: Any) -> str:
        """The code of an error that is answered in HTTP 200."""
        return error_of(self.get(path, params=query))

    def since(self, at: datetime) -> str:
        """A paging token of a moment."""
        text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        token = self.get("/rest/v1/activities/pagingtoken.json", params={"sinceDatetime": text}).json()["nextPageToken"]
        assert isinstance(token, str)
        return token

    def feed(self, path: str, since: datetime = PAST, **query: Any) -> list[Any]:
        """All of a feed of activities, following moreResult."""
        token, more, found = self.since(since), True, []
        while more:
            answer = self.get(path, params={"nextPageToken": token, **query}).json()
            assert answer["success"], answer
            found += answer.get("result", [])
            token, more = answer["nextPageToken"], answer["moreResult"]
        return found

    def job(self, kind: str, filter_: dict[str, Any], **more: Any) -> str:
        """Create a job and enqueue it; its id."""
        answer = self.post(f"/bulk/v1/{kind}/export/create.json", json={"filter": filter_, **more}).json()
        assert answer["success"], answer
        id_ = str(answer["result"][0]["exportId"])
        assert self.post(f"/bulk/v1/{kind}/export/{id_}/enqueue.json").json()["result"][0]["status"] == "Queued"
        return id_

    def done(self, kind: str, id_: str) -> dict[str, Any]:
        """Ask for the status until the job has ended; its last answer."""
        for _ in range(30):
            info: dict[str, Any] = self.rows(f"/bulk/v1/{kind}/export/{id_}/status.json")[0]
            if info["status"] in {"Completed", "Failed", "Cancelled"}:
                return info
        raise AssertionError(f"job {id_} does not end")

    def file(self, kind: str, filter_: dict[str, Any], **more: Any) -> bytes:
        """The file of a new job."""
        id_ = self.job(kind, filter_, **more)
        assert self.done(kind, id_)["status"] == "Completed"
        return self.get(f"/bulk/v1/{kind}/export/{id_}/file.json").content


def error_of(answer: requests.Response) -> str:
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, False), body
    assert set(body) == {"requestId", "success", "errors"}
    assert set(body["errors"][0]) == {"code", "message"}
    return str(body["errors"][0]["code"])


def span(start: datetime, end: datetime) -> dict[str, str]:
    return {"startAt": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "endAt": end.strftime("%Y-%m-%dT%H:%M:%SZ")}


def months(until: datetime) -> list[dict[str, str]]:
    """Spans of 31 days from the world's start on; each begins a second after the one before ends."""
    found, start = [], PAST
    while start <= until:
        found.append(span(start, start + timedelta(days=31) - timedelta(seconds=1)))
        start += timedelta(days=31)
    return found


@pytest.fixture(scope="package")
def _seed() -> int:
    seed = int(datetime.now(UTC).timestamp()) % 10**6
    print(f"seed {seed}")  # noqa: T201 # shown on failure
    return seed


@pytest.fixture(scope="module")
def box(_seed: int) -> Iterator[Sandbox]:
    """600 people, three days on; tests may act on it."""
    with running_sandbox(seed=_seed, people=600) as running:
        running.advance(3)
        print(f"seed {running.world.seed}")  # noqa: T201 # shown on failure
        yield running


@pytest.fixture
def limits(box: Sandbox) -> Iterator[Limits]:
    """The limits of the running app, as they are by default again after the test."""
    app: Any = box._servers["marketo"].config.app
    found: Limits = app.app.limits
    usual = {
        name: getattr(found, name) for name in ("burst", "concurrent", "daily", "export_bytes", "latency", "_clock")
    }
    yield found
    for name, value in usual.items():
        setattr(found, name, value)


@pytest.fixture(autouse=True)
def _quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """No fault and no limit outlives its test."""
    yield
    if "box" in request.fixturenames:
        box: Sandbox = request.getfixturevalue("box")
        box.context.faults.off()
        box.context.limits = False
        box.context.marketo_updated_at = True


@pytest.fixture
def marketo(box: Sandbox) -> Iterator[Marketo]:
    with Marketo(box) as session:
        session.login()
        yield session


@pytest.fixture
def live(box: Sandbox) -> Callable[[str], dict[str, Record]]:
    """Kind -> the records that are there, by id."""
    return lambda kind: {record.id: record for record in box.world.marketo.live(kind)}


@pytest.fixture
def client(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> MarketoClient:
    """marketorestpython as it is, but for its pause of a fifth of a second before each call."""
    monkeypatch.setattr(http_lib, "time", SimpleNamespace(time=time.time, sleep=lambda _: None))
    keys = box.credentials
    client = MarketoClient(
        "123-SND-456", keys["marketo_client_id"], keys["marketo_client_secret"], max_retry_time=1, requests_timeout=20
    )
    client.host = box.marketo_url
    return client
