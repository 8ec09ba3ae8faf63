"""What Marketo's answers mean: errors come with status 200 and `success: false`; the rows say what each code asks for.

Codes are those of Adobe's page "Error Codes" (experienceleague.adobe.com, Marketo developer guide, REST API).
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import requests

from connectors.base.outcome import Outcome, Table

CENTRAL = ZoneInfo("America/Chicago")
"""Calls and exported bytes of a day are counted until midnight there."""

LONGEST_ERROR = 65_536
"""Bytes. An answer above this is a page or a file, never an error."""

QUEUE_FULL, EXPORT_QUOTA, QUEUED = "1029", "1029 quota", "1029 queued"
"""Marketo has one code for a full queue, a used-up day and a job that is queued already, told apart by the message."""

NOT_OFFERED = "1035"
"""A filter that this subscription does not have: no updatedAt on the older infrastructure."""

OUTCOMES: Table = {
    (200, "500"): Outcome.RETRY,
    (200, "502"): Outcome.RETRY,
    (200, "600"): Outcome.CREDENTIALS,
    (200, "601"): Outcome.REFRESH,
    (200, "602"): Outcome.REFRESH,
    (200, "603"): Outcome.SCOPE,
    (200, "604"): Outcome.RETRY,
    (200, "606"): Outcome.WAIT,  # 100 calls in 20 seconds; without Retry-After
    (200, "607"): Outcome.QUOTA,
    (200, "608"): Outcome.RETRY,
    (200, "610"): Outcome.MISSING,
    (200, "611"): Outcome.RETRY,
    (200, "614"): Outcome.RETRY,
    (200, "615"): Outcome.RETRY,  # ten at the same time
    (200, "702"): Outcome.MISSING,
    (200, "703"): Outcome.SCOPE,
    (200, "713"): Outcome.RETRY,
    (200, "719"): Outcome.RETRY,
    (200, "1004"): Outcome.MISSING,
    (200, "1013"): Outcome.MISSING,
    (200, "1003"): Outcome.MISSING,  # handed back where the reader has an answer to it
    (200, QUEUE_FULL): Outcome.MISSING,
    (200, QUEUED): Outcome.MISSING,
    (200, NOT_OFFERED): Outcome.MISSING,
    (200, EXPORT_QUOTA): Outcome.QUOTA,
    (413, ""): Outcome.FATAL,
    (414, ""): Outcome.FATAL,
}
"""Marketo's rows over the standard table."""


class _Error(msgspec.Struct):
    code: str | int = ""
    message: str = ""


class _Verdict(msgspec.Struct):
    success: bool = True
    errors: list[_Error] = []


def code_of(response: requests.Response) -> str:
    """The code of the first error in an answer, "" where there is none; bodies of files are not looked into."""
    is_json = "json" in response.headers.get("Content-Type", "").lower()
    length = response.headers.get("Content-Length", "")
    if not is_json or (length.isdigit() and int(length) > LONGEST_ERROR):
        return ""
    try:
        verdict = msgspec.json.decode(response.content, type=_Verdict)
    except (msgspec.DecodeError, requests.RequestException):
        return ""
    if verdict.success:
        return ""
    first = verdict.errors[0] if verdict.errors else _Error("no code")
    code = str(first.code)[:20]
    if code == QUEUE_FULL:
        kinds = {"quota": EXPORT_QUOTA, "already": QUEUED}
        return next((kind for word, kind in kinds.items() if word in first.message.lower()), code)
    return code


def midnight(at: datetime) -> datetime:
    """When the quotas of a day are free again: the next midnight in US Central time (UTC value)."""
    day = at.astimezone(CENTRAL).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)
