"""How the connector proves who it is: OAuth 2.0 client credentials, or a JWT bearer assertion.

Both flows give an access token (a Salesforce session, two hours by default) and the address of the org's instance.
Neither gives a refresh token: a new token is asked for with the same proof. Signing is Authlib's.
"""

import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec
import requests

from connectors.base.outcome import Outcome, Table
from connectors.base.session import Limits, Session
from connectors.salesforce.answers import code_of, decoded, limit_until
from errors import AnswerError, ConfigurationError, CredentialsError, QuotaError

DEFAULT_LOGIN = "https://login.salesforce.com"
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - an address, not a secret
ASSERTION_LIFE = 180  # seconds; Salesforce refuses assertions that expire more than five minutes ahead

_TOKEN_OUTCOMES: Table = {
    (400, ""): Outcome.MISSING,
    (401, ""): Outcome.MISSING,
    (403, ""): Outcome.MISSING,
    (429, ""): Outcome.WAIT,
}

_REMEDIES = {
    "invalid_client_id": "Set client_id to the app's consumer key (a new app needs ten minutes to be known).",
    "invalid_client": "Set client_secret to the app's current consumer secret.",
    "invalid_grant": "Client credentials: enable that flow in the app with a run-as user. JWT: check username and"
    " private_key, pre-authorise the user for the app, and set this machine's clock.",
    "unsupported_grant_type": "Enable the flow in the app; client credentials need login_url to be your My Domain.",
    "invalid_app_access": "Pre-authorise the user for the connected app (permission set, Manage connected apps).",
    "inactive_user": "Activate the integration user, or name another one.",
    "inactive_org": "The org is locked or expired: see its status at Salesforce.",
}
_REMEDY = "Check the salesforce connection against connectors/salesforce/README.md, then run `smarketing doctor`."


class _Token(msgspec.Struct):
    access_token: str
    instance_url: str


def audience_of(login_url: str) -> str:
    """Whom an assertion is addressed to: for a My Domain, the login host of production or of sandboxes behind it."""
    host = urlsplit(login_url).hostname or ""
    if not host.endswith(".my.salesforce.com"):
        return login_url
    is_sandbox = "--" in host or host.endswith(".sandbox.my.salesforce.com")
    return "https://test.salesforce.com" if is_sandbox else DEFAULT_LOGIN


def login_session(login_url: str) -> Session:
    """The session that asks for tokens: without auth of its own, and with OAuth's refusals handed back."""
    return Session("salesforce", login_url, outcomes=_TOKEN_OUTCOMES, code_of=code_of, limits=Limits(until=limit_until))


def grant_of(credentials: Mapping[str, str], login: Session) -> Callable[[], dict[str, str]]:
    """What makes the form of a token request, by the flow that the credentials allow.

    Raises:
        ConfigurationError: a key is missing.
    """
    client_id = credentials.get("client_id", "")
    secret = credentials.get("client_secret", "")
    username = credentials.get("username", "")
    # A key in one line of an environment file has its line ends written as \n.
    key = credentials.get("private_key", "").replace("\\n", "\n").strip()
    if not client_id or not (secret or (username and key)):
        raise ConfigurationError(
            "The salesforce connection needs client_id and either client_secret or username and private_key.",
            remedy="Set them as in connectors/salesforce/README.md, then run `smarketing doctor`.",
        )

    def client_credentials() -> dict[str, str]:
        return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}

    def jwt_bearer() -> dict[str, str]:
        # Here, since they take half a second to load and the other flow does not need them.
        from authlib.oauth2.rfc7523 import JWTBearerGrant  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import RSAKey  # noqa: PLC0415

        if not login.has_clock:
            # The assertion is dated by Salesforce's clock; this address needs no token.
            login.get("/services/data/", missing_ok=True)
        audience = credentials.get("audience") or audience_of(login.base_url)
        try:
            assertion = JWTBearerGrant.sign(
                RSAKey.import_key(key),
                issuer=client_id,
                audience=audience,
                subject=username,
                issued_at=int(login.now().timestamp()),
                expires_in=ASSERTION_LIFE,
                alg="RS256",
            )
        except (ValueError, TypeError, JoseError):
            # From None: the cause may quote the key.
            raise CredentialsError(
                "The private_key of the salesforce connection cannot sign.",
                remedy="Set it to the PEM text of the RSA key whose certificate the connected app has.",
            ) from None
        return {"grant_type": JWTBearerGrant.GRANT_TYPE, "assertion": str(assertion)}

    return client_credentials if secret else jwt_bearer


class SalesforceAuth(requests.auth.AuthBase):
    """Puts the current token on requests to the org's instance, and on no others.

    Args:
        login: the session to ask for tokens with.
        grant: makes the form of a token request.
    """

    def __init__(self, login: Session, grant: Callable[[], dict[str, str]]) -> None:
        self._login = login
        self._grant = grant
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._used = threading.local()

    @property
    def instance_url(self) -> str:
        """Scheme and host of the org's instance; asks for a token if there is none yet."""
        return self._current().instance_url

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request."""
        token = self._current()
        if (request.url or "").startswith(f"{token.instance_url}/"):
            self._used.token = token
            request.headers["Authorization"] = f"Bearer {token.access_token}"
        return request

    def refresh(self) -> None:
        """Get a new token, unless another thread has done so since this one's last request."""
        with self._lock:
            if self._token is None or self._token is getattr(self._used, "token", None):
                self._token = self._fetch()

    def _current(self) -> _Token:
        with self._lock:
            if self._token is None:
                self._token = self._fetch()
            return self._token

    def _fetch(self) -> _Token:
        response, token = decoded(lambda: self._login.post(TOKEN_PATH, data=self._grant(), missing_ok=True), _Token)
        if token is not None:
            return _Token(token.access_token, token.instance_url.rstrip("/"))
        if response.status_code < requests.codes.bad_request:
            raise AnswerError("Salesforce's token answer has no access_token and instance_url.", remedy=_REMEDY)
        code = code_of(response)
        if not code:
            host = urlsplit(self._login.base_url).netloc
            raise ConfigurationError(
                f"{host} does not give Salesforce tokens (status {response.status_code}).",
                remedy="Set login_url to your My Domain, such as https://NAME.my.salesforce.com.",
            )
        if code == "rate_limit_exceeded":
            raise QuotaError(
                "Salesforce's hourly logins are used up.", until=limit_until(response), remedy="Run again in an hour."
            )
        raise CredentialsError(
            f"Salesforce refuses the login ({code[:60]}).", remedy=_REMEDIES.get(code, _REMEDY), detail=TOKEN_PATH
        )
