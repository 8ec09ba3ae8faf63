"""Logins over HTTP: client credentials, JWT bearer, password; and sessions."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.context import Context
from tests.contract.sandbox_salesforce.conftest import CLIENT, DATA, NOW, SECRET, USER, Clock, Http

TOKEN = "/services/oauth2/token"
CREDENTIALS = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def web(url: str) -> Iterator[Http]:
    with Http(url) as web:
        yield web


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: rsa.RSAPrivateKey, alg: str = "RS256", **changes: Any) -> str:
    claims = {"iss": CLIENT, "sub": USER, "aud": "https://login.salesforce.com"}
    claims |= {"exp": int((NOW + timedelta(minutes=3)).timestamp())} | changes
    head, body = (
        base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=")
        for part in ({"alg": alg}, {k: v for k, v in claims.items() if v is not None})
    )
    signature = base64.urlsafe_b64encode(key.sign(head + b"." + body, PKCS1v15(), SHA256())).rstrip(b"=")
    return b".".join((head, body, signature)).decode()


@pytest.fixture
def trusted(context: Context, key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    context.credentials["salesforce_public_key"] = pem.decode()
    return key


def test_client_credentials(web: Http) -> None:
    answer = web.post(TOKEN, data=CREDENTIALS)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["instance_url"], body["token_type"]) == (web.url, "Bearer")
    assert body["issued_at"] == str(int(NOW.timestamp() * 1000))
    assert body["id"].startswith(f"{web.url}/id/00D")
    assert "expires_in" not in body
    for scheme in ("Bearer", "OAuth"):
        headers = {"Authorization": f"{scheme} {body['access_token']}"}
        assert web.get(f"{DATA}/limits", headers=headers).status_code == 200


def test_client_credentials_in_the_header(web: Http) -> None:
    form = {"grant_type": "client_credentials"}
    assert web.post(TOKEN, data=form, auth=(CLIENT, SECRET)).status_code == 200
    assert web.post(TOKEN, data=form, headers={"Authorization": "Basic !"}).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "other"}, 400, "invalid_client_id"),
        ({"client_secret": "other"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, 400, "invalid_grant"),
    ],
)
def test_wrong_credentials(web: Http, change: dict[str, str], status: int, error: str) -> None:
    answer = web.post(TOKEN, data=CREDENTIALS | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert SECRET not in answer.text


def test_refresh_token(web: Http, context: Context) -> None:
    context.credentials["salesforce_refresh_token"] = "made-up-refresh-token"
    form = CREDENTIALS | {"grant_type": "refresh_token", "refresh_token": "made-up-refresh-token"}
    body = web.post(TOKEN, data=form).json()
    assert body["instance_url"] == web.url
    assert "refresh_token" not in body  # rotation is off
    for changed in ({"refresh_token": "another"}, {"refresh_token": ""}):
        assert web.post(TOKEN, data=form | changed).json()["error"] == "invalid_grant"
    assert web.post(TOKEN, data=form | {"client_secret": "wrong"}).status_code == 401


def test_jwt_bearer(web: Http, trusted: rsa.RSAPrivateKey) -> None:
    for audience in ("https://login.salesforce.com", "https://test.salesforce.com", web.url):
        answer = web.post(TOKEN, data={"grant_type": JWT, "assertion": signed(trusted, aud=audience)})
        assert answer.status_code == 200
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert web.get(f"{DATA}/limits", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("change", "error", "description"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "other@org.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"exp": None}, "invalid_grant", "assertion has no expiry"),
        ({"exp": int(NOW.timestamp()) - 1}, "invalid_grant", "assertion expired"),
        ({"exp": int(NOW.timestamp()) + 600}, "invalid_grant", "assertion expired"),
        ({"alg": "none"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_bad_claims(
    web: Http, trusted: rsa.RSAPrivateKey, change: dict[str, Any], error: str, description: str
) -> None:
    answer = web.post(TOKEN, data={"grant_type": JWT, "assertion": signed(trusted, **change)})
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_another_key_or_a_changed_text_is_refused(web: Http, trusted: rsa.RSAPrivateKey) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, signature = signed(trusted).split(".")
    forged = base64.urlsafe_b64encode(msgspec.json.encode({"iss": CLIENT, "sub": USER})).decode().rstrip("=")
    for assertion in (signed(stranger), f"{head}.{forged}.{signature}", f"{head}.{body}", "", "a.b.c"):
        answer = web.post(TOKEN, data={"grant_type": JWT, "assertion": assertion})
        assert (answer.status_code, answer.json()["error_description"]) == (400, "invalid assertion")
    assert web.post(TOKEN, data={"grant_type": JWT, "assertion": f"{head}.{body}.{signature}"}).status_code == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic abc"])
def test_no_session(web: Http, header: str | None) -> None:
    answer = web.get(f"{DATA}/limits", headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert "Sforce-Limit-Info" not in answer.headers


@pytest.mark.parametrize(("setting", "seconds"), [(None, 7_200), ("90", 90)])
def test_a_session_lasts_two_hours_or_as_set(
    web: Http, context: Context, clock: Clock, setting: str | None, seconds: int
) -> None:
    if setting:
        context.credentials["salesforce_session_seconds"] = setting
    web.login()
    clock.now = NOW + timedelta(seconds=seconds - 1)
    assert web.get(f"{DATA}/limits").status_code == 200
    clock.now = NOW + timedelta(seconds=seconds)
    assert web.get(f"{DATA}/limits").status_code == 401
    web.login()
    assert web.get(f"{DATA}/limits").status_code == 200
