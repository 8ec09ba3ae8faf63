"""One HTTP session per connector: timeouts, retries with Retry-After, the vendor's clock, and logs that tell no secrets.

Retrying is tenacity's; connection pooling is requests'. What an answer means is the vendor's table (see `outcome`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter

from connectors.base.outcome import Outcome, Table, outcome_of
from connectors.base.quota import DAY, LONGEST_WAIT, RESERVE, Allowance, Quota, Store
from errors import AnswerError, CredentialsError, QuotaError, ScopeError, UnreachableError, VendorError

log = logging.getLogger(__name__)


def path_of(url: str) -> str:
    """Host and path of a URL: what may stand in a log. Queries may carry keys, addresses and cursors."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def no_code(_response: requests.Response) -> str:
    """For vendors that put no code in the body."""
    return ""


@dataclass(frozen=True, slots=True)
class Limits:
    """A vendor's limits, and how its answers tell of them.

    declared: what it allows, where no answer says it.
    told: what an answer says of allowances.
    until: from an answer with outcome QUOTA, when the quota is free again, by our clock.
    exhausted: the policy that is used up, from the code of an answer with outcome QUOTA.
    policy_of: the policy by which the vendor counts a request, from its method and URL.
    reserve: share of each allowance that is left to the account's other tools.
    """

    declared: tuple[Allowance, ...] = ()
    told: Callable[[requests.Response], Iterable[Allowance]] = lambda _response: ()
    until: Callable[[requests.Response], datetime | None] = lambda _response: None
    exhausted: Callable[[str], str] = lambda _code: DAY
    policy_of: Callable[[str, str], str] = lambda _method, _url: "requests"
    reserve: float = RESERVE


class _Again(Exception):  # noqa: N818 - a signal to tenacity, never seen outside
    def __init__(self, why: str, wait: float | None) -> None:
        super().__init__(why)
        self.wait = wait


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Again) and error.wait is not None:
        return error.wait
    return float(tenacity.wait_exponential_jitter(multiplier=0.5, max=30)(state))


class Session:
    """Sends requests to one vendor account.

    Args:
        vendor: name for messages.
        base_url: scheme and host; relative paths are joined to it.
        auth: a requests AuthBase; its optional `refresh()` gets a new token after a 401.
        outcomes: the vendor's rows over the standard table. If one is about a success, the vendor puts errors into answers
            with status 200, and `code_of` is asked about those, too.
        code_of: reads the vendor's error code from an answer's body (never its text).
        limits: the vendor's limits, and how its answers tell of them.
        tries: attempts per request before UnreachableError.
        timeout: seconds to connect, seconds between bytes.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        auth: requests.auth.AuthBase | None = None,
        *,
        outcomes: Table | None = None,
        code_of: Callable[[requests.Response], str] = no_code,
        limits: Limits | None = None,
        tries: int = 6,
        timeout: tuple[float, float] = (10.0, 60.0),
        pool: int = 16,
    ) -> None:
        self.vendor = vendor
        self.base_url = base_url.rstrip("/")
        self.auth = auth
        self.requests_sent = 0
        self._outcomes = outcomes or {}
        self._code_of = code_of
        self._looks_into_successes = any(status < 400 for status, _ in self._outcomes)
        self._limits = limits or Limits()
        self._tries = tries
        self._timeout = timeout
        # Made once: a request that succeeds at the first attempt should cost no more than itself.
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries),
            wait=_pause,
            retry=tenacity.retry_if_exception_type(_Again),
            before_sleep=self._tell,
        )
        self._lock = threading.Lock()
        self._clock: tuple[datetime, float] | None = None
        self.http = requests.Session()
        self.http.trust_env = False
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, HTTPAdapter(pool_connections=pool, pool_maxsize=pool))
        self.quota = Quota(vendor, reserve=self._limits.reserve)
        self._learn(self._limits.declared)

    def share(self, store: Store, *, is_urgent: bool) -> None:
        """Take turns with all who keep what they know of this account in `store`. is_urgent: False for backfills."""
        self.quota = Quota(self.vendor, store, reserve=self._limits.reserve, is_urgent=is_urgent)
        self._learn(self._limits.declared)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """`send("GET", ...)`."""
        return self.send("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        """`send("POST", ...)`."""
        return self.send("POST", path, **kwargs)

    def send(self, method: str, path: str, *, missing_ok: bool = False, **kwargs: Any) -> requests.Response:
        """Send until there is an answer that can be used.

        Args:
            method: HTTP method.
            path: absolute URL, or a path below base_url.
            missing_ok: return the 404 rather than raise.
            kwargs: as for requests (params, json, headers, stream).

        Raises:
            CredentialsError, ScopeError, QuotaError, UnreachableError, AnswerError: as their names say.
        """
        url = path if path.startswith(("http://", "https://")) else f"{self.base_url}{path}"
        refreshed = False

        def once(method: str, url: str) -> requests.Response:
            nonlocal refreshed
            response = self._exchange(method, url, **kwargs)
            code = self._code_of(response) if self._looks_into_successes or response.status_code >= 400 else ""
            outcome = outcome_of(response.status_code, code, self._outcomes)
            if outcome is Outcome.OK or (outcome is Outcome.MISSING and missing_ok):
                return response
            response.close()  # of a stream nobody reads on
            refresh = getattr(self.auth, "refresh", None)
            if outcome is Outcome.REFRESH and not refreshed and callable(refresh):
                refreshed = True
                refresh()
                raise _Again("token refreshed", 0.0)
            if outcome is Outcome.RETRY:
                raise _Again(f"status {response.status_code}", None)
            if outcome is Outcome.WAIT:
                wait = _retry_after(response)
                if wait is None or wait <= LONGEST_WAIT.total_seconds():
                    self.quota.penalise(self._limits.policy_of(method, url), wait)
                    raise _Again(f"status {response.status_code}", wait)
                raise self._error(Outcome.QUOTA, response, code, url)
            raise self._error(outcome, response, code, url)

        try:
            return self._retrying(once, method, url)
        except tenacity.RetryError as error:
            why = error.last_attempt.exception()
            raise UnreachableError(
                f"{self.vendor} gave no usable answer at {path_of(url)} in {self._tries} attempts ({why}).",
                remedy="Check the address and the network, or the vendor's status page; the next run goes on from the same place.",
            ) from None

    def _tell(self, state: tenacity.RetryCallState) -> None:
        method, url = state.args
        why = state.outcome.exception() if state.outcome else ""
        log.info("%s: %s %s: %s, attempt %d", self.vendor, method, path_of(url), why, state.attempt_number + 1)

    def _exchange(self, method: str, url: str, *, stream: bool = False, **kwargs: Any) -> requests.Response:
        self.quota.take(self._limits.policy_of(method, url))
        self.requests_sent += 1
        try:
            response = self.http.request(method, url, auth=self.auth, timeout=self._timeout, stream=True, **kwargs)
            if not stream:
                # As `content` does, which takes gzip apart in pieces of 10 KB: each waits for Python's lock (profiled 2026-11).
                response._content = b"".join(response.iter_content(None))  # noqa: SLF001
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _Again(type(error).__name__, None) from None
        except requests.exceptions.ContentDecodingError:
            raise _Again("damaged compressed body", None) from None
        self._note_clock(response)
        self._learn(self._limits.told(response))
        return response

    def _learn(self, allowances: Iterable[Allowance]) -> None:
        for allowance in allowances:
            self.quota.learn(allowance)

    def _note_clock(self, response: requests.Response) -> None:
        if date := response.headers.get("Date"):
            try:
                at = parsedate_to_datetime(date).astimezone(UTC)
            except ValueError:
                return
            with self._lock:
                self._clock = (at, time.monotonic())

    def now(self) -> datetime:
        """The vendor's clock as last seen in a Date header, moved on by our own; our clock before the first answer."""
        with self._lock:
            if self._clock is None:
                return datetime.now(UTC)
            at, seen = self._clock
            return at + timedelta(seconds=time.monotonic() - seen)

    @property
    def has_clock(self) -> bool:
        """Whether the vendor has told its time yet."""
        return self._clock is not None

    def _error(self, outcome: Outcome, response: requests.Response, code: str, url: str) -> Exception:
        where = f"{self.vendor} at {path_of(url)}"
        detail = f"status {response.status_code}{f', code {code}' if code else ''}"
        if outcome in (Outcome.REFRESH, Outcome.CREDENTIALS):
            return CredentialsError(
                f"{self.vendor} refuses the key ({detail}).",
                remedy=f"Put a valid key into the {self.vendor} connection, then run `smarketing doctor`.",
                detail=where,
            )
        if outcome is Outcome.SCOPE:
            return ScopeError(
                f"{where} is not allowed with this key ({detail}).",
                remedy=f"Grant the scopes named in connectors/{self.vendor}/README.md, then run `smarketing doctor`.",
                detail=where,
            )
        if outcome is Outcome.QUOTA:
            until = self._limits.until(response) or _until(response)
            if until:
                self.quota.exhaust(until, self._limits.exhausted(code))
            return QuotaError(
                f"{self.vendor}'s quota is used up ({detail}).",
                until=until,
                remedy=f"The run goes on after {until:%Y-%m-%d %H:%M} UTC."
                if until
                else "Run again when the quota is free.",
                detail=where,
            )
        kind = AnswerError if outcome in (Outcome.MISSING, Outcome.FATAL) else VendorError
        return kind(
            f"{where} does not accept the request ({detail}).",
            remedy="Report it with this line: the vendor's API may have changed.",
        )


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


def _until(response: requests.Response) -> datetime | None:
    wait = _retry_after(response)
    return datetime.now(UTC) + timedelta(seconds=wait) if wait is not None else None
