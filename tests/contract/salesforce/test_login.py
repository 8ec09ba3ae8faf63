"""Logging in, what is refused and how it is told; and that nothing secret is ever told."""

import base64
import json
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import salesforce
from connectors.salesforce.auth import SalesforceAuth, audience_of, grant_of, login_session
from connectors.salesforce.connector import Salesforce
from errors import AnswerError, ConfigurationError, CredentialsError, QuotaError, SmarketingError, UnreachableError
from tests.contract.salesforce.fake import Org, Reply, leads, refusal

SECRET = "canary-secret-9d2c"
TOKEN = "oauth2/token"


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


@pytest.fixture
def connect(org: Org) -> Iterator[Callable[..., Salesforce]]:
    made: list[Salesforce] = []

    def call(**credentials: str) -> Salesforce:
        connector = salesforce.connect({"login_url": org.url, "client_id": "app", **credentials})
        assert isinstance(connector, Salesforce)
        made.append(connector)
        return connector

    yield call
    for connector in made:
        connector._client.session.http.close()
        connector._client.auth._login.http.close()


def test_client_credentials(org: Org, connect: Callable[..., Salesforce]) -> None:
    assert connect(client_secret=SECRET).check()[0].is_ok
    assert org.forms == [{"grant_type": "client_credentials", "client_id": "app", "client_secret": SECRET}]


@pytest.mark.parametrize("line_end", ["\n", "\\n"])
def test_jwt_bearer(org: Org, connect: Callable[..., Salesforce], private_key: str, line_end: str) -> None:
    org.clock_ahead = timedelta(hours=3)
    key = private_key.replace("\n", line_end)
    assert connect(username="sync@org.example", private_key=key).check()[0].is_ok
    form = org.forms[0]
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "===")) for part in form["assertion"].split(".")[:2])
    assert header["alg"] == "RS256"
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("app", "sync@org.example", org.url)
    ahead = claims["exp"] - (datetime.now(UTC) + org.clock_ahead).timestamp()
    assert 0 < ahead <= 300, "Salesforce refuses assertions that expire more than five minutes ahead"


def test_whom_an_assertion_is_addressed_to() -> None:
    assert audience_of("https://test.salesforce.com") == "https://test.salesforce.com"
    assert audience_of("https://acme.my.salesforce.com") == "https://login.salesforce.com"
    assert audience_of("https://acme--uat.sandbox.my.salesforce.com") == "https://test.salesforce.com"


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"client_id": "app"},
        {"client_secret": SECRET},
        {"client_id": "app", "username": "u"},
        {"client_id": "app", "private_key": SECRET},
        {"client_id": "app", "client_secret": SECRET, "bulk_threshold": "many"},
        {"client_id": "app", "client_secret": SECRET, "api_reserve": "-1"},
    ],
)
def test_missing_or_wrong_settings_are_named_before_anything_is_sent(credentials: Mapping[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        salesforce.connect(credentials)
    assert caught.value.remedy
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [
        (400, "invalid_client_id", "consumer key"),
        (400, "invalid_grant", "run-as user"),
        (401, "invalid_client", "consumer secret"),
        (400, "unsupported_grant_type", "My Domain"),
        (400, "inactive_user", "Activate"),
        (400, "something_new", "README"),
    ],
)
def test_a_refused_login_has_a_remedy(
    org: Org, connect: Callable[..., Salesforce], status: int, error: str, remedy: str
) -> None:
    org.fail(TOKEN, Reply(status, {"error": error, "error_description": f"about {SECRET}"}))
    lines = connect(client_secret=SECRET).check()
    assert [line.is_ok for line in lines] == [False]
    assert error in lines[0].message
    assert remedy in lines[0].remedy
    assert SECRET not in str(lines)


def test_a_login_address_that_is_not_salesforce(org: Org, connect: Callable[..., Salesforce]) -> None:
    org.fail(TOKEN, Reply(404, b"<html>"))
    connector = connect(client_secret=SECRET)
    with pytest.raises(ConfigurationError, match="does not give Salesforce tokens"):
        connector.now()


def test_used_up_logins_defer(org: Org, connect: Callable[..., Salesforce]) -> None:
    org.fail(TOKEN, Reply(400, {"error": "rate_limit_exceeded"}))
    with pytest.raises(QuotaError):
        connect(client_secret=SECRET).now()


def test_a_token_answer_without_a_token(org: Org, connect: Callable[..., Salesforce]) -> None:
    org.fail(TOKEN, Reply(body={"instance_url": org.url}), times=9)
    with pytest.raises(AnswerError, match="access_token"):
        connect(client_secret=SECRET).now()


def test_a_key_that_cannot_sign(connect: Callable[..., Salesforce]) -> None:
    with pytest.raises(CredentialsError, match="cannot sign") as caught:
        connect(username="u", private_key=f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n").now()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_many_threads_with_one_dead_token_log_in_once(org: Org) -> None:
    login = login_session(org.url)
    auth = SalesforceAuth(login, grant_of({"client_id": "app", "client_secret": SECRET}, login))
    start = threading.Barrier(8)

    def work(_number: int) -> None:
        auth(requests.Request("GET", f"{auth.instance_url}/x").prepare())
        start.wait(timeout=10)
        auth.refresh()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    login.http.close()
    assert org.tokens_given == 2


def test_the_token_goes_to_the_instance_only(org: Org) -> None:
    login = login_session(org.url)
    auth = SalesforceAuth(login, grant_of({"client_id": "app", "client_secret": SECRET}, login))
    for url, is_signed in (
        (f"{org.url}/x", True),
        (f"{org.url}/x".replace("//", "//evil.example/"), False),
        ("https://evil.example/", False),
    ):
        assert ("Authorization" in auth(requests.Request("GET", url).prepare()).headers) is is_signed
    login.http.close()


def test_the_doctor_reads_well(org: Org, connect: Callable[..., Salesforce]) -> None:
    connector = connect(client_secret=SECRET)
    for stream in connector.streams.values():
        fields = stream.options["fields"]
        assert isinstance(fields, tuple)
        org.rows[stream.path], org.shown[stream.path] = [], list(fields)
    org.shown["Lead"].remove("Disqualified_Reason__c")
    org.shown["Task"].remove("IsDeleted")
    del org.rows["Campaign"]
    lines = {line.name: line for line in connector.check()}
    assert list(lines) == ["login", "API version", *connector.streams, "daily calls", "clock"]
    assert sorted(name for name, line in lines.items() if not line.is_ok) == ["campaign", "task"]
    assert lines["lead"].message == "25 of 26 fields of Lead; without Disqualified_Reason__c"
    assert "IsDeleted" in lines["task"].remedy
    assert "Campaign" in lines["campaign"].remedy
    assert lines["daily calls"].message == "14976 of 15000 are left"


def test_the_doctor_tells_a_clock_that_differs(org: Org, connect: Callable[..., Salesforce]) -> None:
    org.clock_ahead = timedelta(seconds=7200)
    line = connect(client_secret=SECRET).check()[-1]
    assert line.is_ok, "windows follow the vendor's clock"
    assert re.match(r"(7199|7200|7201) s between", line.message)


def test_the_doctor_names_an_api_version_that_the_org_lacks(connect: Callable[..., Salesforce]) -> None:
    lines = {line.name: line for line in connect(client_secret=SECRET, api_version="v99.0").check()}
    assert not lines["API version"].is_ok
    assert "66.0" in lines["API version"].remedy


def test_no_secret_and_no_person_in_logs_or_errors(
    org: Org, connect: Callable[..., Salesforce], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    org.rows["Lead"] = leads(30)
    told: list[str] = []
    canary = f"{SECRET} lead3@people.example"
    faults = [
        ("describe", refusal(403, "INSUFFICIENT_ACCESS", canary)),
        ("COUNT", refusal(400, "MALFORMED_QUERY", canary)),
        ("COUNT", refusal(403, "REQUEST_LIMIT_EXCEEDED", canary)),
        ("q=SELECT Id", Reply(body={"totalSize": 1, "done": True, "records": [{"Email": canary}]})),
        ("GET", Reply(500, canary.encode())),
        (TOKEN, Reply(400, {"error": "invalid_grant", "error_description": canary})),
    ]
    for pattern, reply in faults:
        connector = connect(client_secret=SECRET)
        org.faults.clear()
        org.fail(pattern, reply, times=99)
        with pytest.raises(SmarketingError) as caught:
            list(connector.read_ids(connector.streams["lead"], ["00Q000000000003AAA"]))
        told += [*traceback.format_exception(caught.value), caught.value.detail, caught.value.remedy]
    text = "".join(told) + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("connectors")
    )
    assert org.valid_token
    for secret in (SECRET, "people.example", org.valid_token):
        assert secret not in text


def test_an_address_where_nobody_listens(org: Org, connect: Callable[..., Salesforce]) -> None:
    connector = connect(client_secret=SECRET)
    org.close()
    with pytest.raises(UnreachableError):
        connector.now()
