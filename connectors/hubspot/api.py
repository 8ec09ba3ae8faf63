"""Requests to HubSpot and their answers as typed structures."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec
import requests

from connectors.base import quota
from connectors.base.exact import decode_page
from connectors.base.outcome import Outcome, Table
from connectors.base.session import Limits, Session, path_of
from connectors.hubspot import limits
from connectors.hubspot.auth import Settings
from errors import AnswerError, ScopeError

T = TypeVar("T")

OUTCOMES: Table = {
    (400, "VALIDATION_ERROR"): Outcome.MISSING,  # `ask(optional=True)` may go on without it
    (400, "FORM_TYPE_NOT_ALLOWED"): Outcome.MISSING,
    (401, ""): Outcome.CREDENTIALS,  # a private app's key cannot be refreshed
    (423, ""): Outcome.RETRY,  # locked for a moment by the account's own bulk work
    (429, "DAILY"): Outcome.QUOTA,
    (477, ""): Outcome.WAIT,  # the account is being moved to another data centre
    (530, ""): Outcome.CREDENTIALS,  # what the edge answers to a malformed key
}
"""HubSpot's rows over the standard table. Code: `policyName` on 429, else `category`, else `errorType` (old APIs)."""

DAMAGED_TRIES = 3
JSON = {"Content-Type": "application/json"}

Params = Mapping[str, str | int]


class Next(msgspec.Struct):
    """`paging.next`."""

    after: str | int


class Paging(msgspec.Struct):
    """`paging`; on the last page HubSpot leaves it out, or sends null, or sends it without `next`."""

    next: Next | None = None


class Results(msgspec.Struct):
    """A page: each element of `results` as the exact bytes sent.

    total: how many there are in all; only searches and campaigns say.
    errors: what a 207 says about the inputs that it could not serve.
    """

    results: list[msgspec.Raw]
    paging: Paging | None = None
    total: int | None = None
    errors: list[msgspec.Raw] = []


def next_of(page: Results) -> str | None:
    """The token of the next page."""
    return str(page.paging.next.after) if page.paging and page.paging.next else None


class _Complaint(msgspec.Struct):
    policy_name: str = msgspec.field(default="", name="policyName")
    category: str = ""
    error_type: str = msgspec.field(default="", name="errorType")


def code_of(response: requests.Response) -> str:
    """HubSpot's code for an error, which names its kind and tells nothing of a record."""
    try:
        complaint = msgspec.json.decode(response.content, type=_Complaint)
    except msgspec.DecodeError:
        return ""
    code = complaint.policy_name or complaint.category or complaint.error_type
    return code if code.replace("_", "").isalnum() else ""


class _Request(NamedTuple):
    path: str
    params: Params | None = None
    body: object = None
    is_optional: bool = False


class Api:
    """One HubSpot account.

    Args:
        settings: key, address and limits.
        session: for tests; made from the settings otherwise.
    """

    def __init__(self, settings: Settings, session: Session | None = None) -> None:
        def renewed_at() -> datetime:
            there = self.session.now()
            return quota.now() + (midnight_after(there, settings) - there)

        def limit_until(response: requests.Response) -> datetime | None:
            # The session reads Retry-After.
            return None if response.headers.get("Retry-After") else renewed_at()

        self.session = session or Session(
            "hubspot",
            settings.base_url,
            settings.auth,
            outcomes=OUTCOMES,
            code_of=code_of,
            limits=Limits(
                declared=tuple(limits.declared(settings)),
                told=lambda response: limits.told(response.headers, renewed_at),
                until=limit_until,
                policy_of=limits.policy_of,
                reserve=settings.reserve,
            ),
        )

    def ask(self, path: str, shape: type[T], *, params: Params | None = None, body: object = None) -> T:
        """The answer to a GET, or to a POST if there is a body, in the shape asked for.

        A body that was cut short or is no JSON (a maintenance page, a gzip stream that ends early) is asked for again.

        Raises:
            AnswerError: it stays damaged, or does not have that shape; otherwise as `Session.send`.
        """
        answer = self._ask(_Request(path, params, body), shape)
        if answer is None:
            raise AnswerError(f"hubspot has nothing at {path}.", remedy="Report it with this line.")
        return answer

    def ask_optional(self, path: str, shape: type[T], *, params: Params | None = None) -> T | None:
        """As `ask`, but None where HubSpot has no such thing or does not take these parameters."""
        return self._ask(_Request(path, params, is_optional=True), shape)

    def _ask(self, request: _Request, shape: type[T]) -> T | None:
        for _ in range(DAMAGED_TRIES):
            response = self._send(request)
            if response.status_code >= requests.codes.bad_request:
                return None
            try:
                answer = decode_page(response.content, shape)
            except msgspec.ValidationError as error:
                raise AnswerError(
                    f"hubspot's answer at {path_of(request.path)} does not have the documented shape.",
                    remedy="Report it with this line: the vendor's API may have changed.",
                    detail=place_of(error),
                ) from None
            except msgspec.DecodeError:
                continue
            return answer
        raise AnswerError(
            f"hubspot's answer at {path_of(request.path)} was no whole JSON in {DAMAGED_TRIES} attempts.",
            remedy="Check proxies between here and the vendor, or the vendor's status page, then run again.",
            detail=f"status {response.status_code}, {len(response.content)} bytes",
        )

    def _send(self, request: _Request) -> requests.Response:
        more: dict[str, Any] = {"params": request.params, "missing_ok": request.is_optional}
        if request.body is None:
            return self.session.get(request.path, **more)
        body = msgspec.json.encode(request.body)
        return self.session.post(request.path, data=body, headers=JSON, **more)

    def now(self) -> datetime:
        """HubSpot's clock; asks for it once if no answer has told it yet."""
        if not self.session.has_clock:
            with contextlib.suppress(AnswerError, ScopeError):
                self.session.get("/crm/v3/owners", params={"limit": 1})
        return self.session.now()


def midnight_after(at: datetime, settings: Settings) -> datetime:
    """When the daily quota is renewed: the next midnight in the account's time zone (UTC value)."""
    local = at.astimezone(settings.time_zone)
    following = (local + timedelta(days=1)).date()
    return datetime(following.year, following.month, following.day, tzinfo=settings.time_zone).astimezone(UTC)


def place_of(error: msgspec.ValidationError) -> str:
    """Where in the document the shape was wrong, without the value: msgspec puts the path in backquotes at the end."""
    return str(error).rpartition(" - at ")[2]
