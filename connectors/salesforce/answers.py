"""What Salesforce's answers mean: its error codes as rows over the standard table."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import requests

from connectors.base.exact import decode_page
from connectors.base.outcome import Outcome, Table
from connectors.base.quota import DAY, Allowance, now
from errors import SmarketingError, VendorError

QUOTA_PAUSE = timedelta(hours=1)
"""Daily calls are counted over a rolling 24 hours, and no answer says when some are free again: look in an hour."""

SPLITS = {"QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "OPERATION_TOO_LARGE", "EXCEEDED_ID_LIMIT"}
"""Refusals that a shorter span may not meet."""

OUTCOMES: Table = {
    (403, "REQUEST_LIMIT_EXCEEDED"): Outcome.QUOTA,
    (403, "TXN_SECURITY_METERING_ERROR"): Outcome.QUOTA,
    (403, "CONCURRENT_LIMIT"): Outcome.RETRY,
    (503, "REQUEST_LIMIT_EXCEEDED"): Outcome.QUOTA,
    (400, "REQUEST_LIMIT_EXCEEDED"): Outcome.QUOTA,
    (400, "EXCEEDED_QUOTA"): Outcome.QUOTA,
    (400, "LIMIT_EXCEEDED"): Outcome.QUOTA,
    # Refusals of one query that the reader itself answers (see client): handed back rather than raised.
    (400, "INVALID_QUERY_LOCATOR"): Outcome.MISSING,
    (400, "INVALID_FIELD"): Outcome.MISSING,
    (400, "INVALID_TYPE"): Outcome.MISSING,
    (400, "INVALIDENTITY"): Outcome.MISSING,
    (400, "INVALIDJOB"): Outcome.MISSING,
    (400, "INVALIDJOBSTATE"): Outcome.MISSING,
    (409, ""): Outcome.MISSING,
    (500, "QUERY_TIMEOUT"): Outcome.MISSING,
    (503, "QUERY_TIMEOUT"): Outcome.MISSING,
    **{(400, code): Outcome.MISSING for code in SPLITS},
    (414, ""): Outcome.FATAL,
    (431, ""): Outcome.FATAL,
}


T = TypeVar("T")

_DAMAGED_TRIES = 3


def decoded(ask: Callable[[], requests.Response], kind: type[T]) -> tuple[requests.Response, T | None]:
    """An answer and its JSON; a damaged body is asked for again. None where it is a refusal, or stays damaged."""
    for _ in range(_DAMAGED_TRIES):
        response = ask()
        if response.status_code >= requests.codes.bad_request:
            return response, None
        try:
            return response, decode_page(response.content, kind, "records")
        except msgspec.MsgspecError:
            continue
    return response, None


class _Problem(msgspec.Struct):
    errorCode: str = ""  # noqa: N815 - Salesforce's name
    message: str = ""


def code_of(response: requests.Response) -> str:
    """Salesforce's error code: `errorCode` of the list that REST answers with, or `error` of an OAuth answer.

    Too many calls at once have the code of a used-up day and differ by their message alone: they get their own.
    """
    try:
        body = msgspec.json.decode(response.content)
        if isinstance(body, dict) and isinstance(body.get("error"), str):
            return str(body["error"])
        problem = msgspec.convert(body[0] if isinstance(body, list) else body, _Problem)
    except (msgspec.MsgspecError, ValueError, IndexError, requests.RequestException):
        return ""
    if problem.errorCode == "REQUEST_LIMIT_EXCEEDED" and problem.message.startswith("Concurrent"):
        return "CONCURRENT_LIMIT"
    return problem.errorCode


def allowances_of(response: requests.Response) -> Iterator[Allowance]:
    """The org's calls of the last 24 hours, which every answer tells; they come back one by one, so look again in an hour."""
    match = re.search(r"api-usage=(\d+)/(\d+)", response.headers.get("Sforce-Limit-Info", ""))
    if match:
        used, limit = int(match[1]), int(match[2])
        yield Allowance(DAY, limit, timedelta(days=1).total_seconds(), limit - used, now() + QUOTA_PAUSE)


def limit_until(_response: requests.Response) -> datetime:
    """When to look again after a used-up quota (see QUOTA_PAUSE)."""
    return now() + QUOTA_PAUSE


class Unproved(Exception):  # noqa: N818 - a signal inside the connector; users meet `error`
    """One reading of a span that cannot be used.

    error: what to raise if nothing helps.
    again: reading the same span once more may help.
    split: reading its halves may help.
    """

    def __init__(self, error: SmarketingError, *, again: bool = True, split: bool = True) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again
        self.split = split


def unproved(message: str, *, again: bool = True, split: bool = True, detail: str = "") -> Unproved:
    """An Unproved whose error says that the vendor did not do its part."""
    remedy = "Nothing was loaded from it; run again, and look at Salesforce's trust page if it stays so."
    return Unproved(VendorError(message, remedy=remedy, detail=detail), again=again, split=split)
