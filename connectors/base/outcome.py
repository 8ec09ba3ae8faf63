"""What an answer means: a table from status and body code to what the caller should do. Vendors override rows, not code."""

from collections.abc import Mapping
from enum import Enum


class Outcome(Enum):
    """What to do with an answer."""

    OK = "use it"
    RETRY = "try again after a pause that grows"
    WAIT = "try again after the pause the vendor asks for"
    REFRESH = "get a new token, then try once more"
    CREDENTIALS = "stop: the key is refused"
    SCOPE = "stop: the key lacks a permission"
    QUOTA = "defer: the quota is used up"
    MISSING = "the thing asked for does not exist"
    FATAL = "stop: the vendor does not accept the request"


Table = Mapping[tuple[int, str], Outcome]
"""(status, body code) -> outcome; the body code "" stands for any."""

STANDARD: Table = {
    (400, ""): Outcome.FATAL,
    (401, ""): Outcome.REFRESH,
    (403, ""): Outcome.SCOPE,
    (404, ""): Outcome.MISSING,
    (408, ""): Outcome.RETRY,
    (410, ""): Outcome.MISSING,
    (425, ""): Outcome.RETRY,
    (429, ""): Outcome.WAIT,
}


def outcome_of(status: int, code: str, overrides: Table) -> Outcome:
    """The outcome of an answer: the vendor's row for (status, code), else for the status, else the standard one.

    A success that carries a code is none: a vendor that puts errors into answers with status 200 has a row for each code that
    it documents, and any other one is fatal.
    """
    for table in (overrides, STANDARD):
        for key in ((status, code), (status, "")):
            if key in table:
                return table[key]
    if status < 400 and not code:
        return Outcome.OK
    return Outcome.RETRY if status >= 500 else Outcome.FATAL
