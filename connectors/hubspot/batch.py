"""Batch reads, and what their partial answers (207) mean."""

from typing import NamedTuple, Protocol, TypeVar

import msgspec

from connectors.base.model import Stream
from connectors.base.windows import settle
from connectors.hubspot.api import Api, Results
from errors import AnswerError, UnreachableError

TRIES = 4

ABSENT = ("NOT_FOUND", "NO_ASSOCIATIONS")
"""What stands in the category or sub-category where a 207 says that there is nothing, which is an answer."""

REFUSED = frozenset({"VALIDATION_ERROR", "MISSING_SCOPES"})
"""Codes that asking again does not mend."""


class Trouble(msgspec.Struct):
    """One of `errors` in a 207; the message is not read, since it may quote the record."""

    category: str = ""
    sub_category: object = msgspec.field(default=None, name="subCategory")


def codes_of(errors: list[msgspec.Raw]) -> set[str]:
    """The codes of errors that are more than "there is no such thing"."""
    codes: set[str] = set()
    for raw in errors:
        trouble = msgspec.json.decode(raw, type=Trouble)
        detail = trouble.sub_category if isinstance(trouble.sub_category, str) else ""
        if not any(word in f"{trouble.category} {detail}" for word in ABSENT):
            codes.add(trouble.category or detail or "unnamed")
    return codes


class _Partial(Protocol):
    errors: list[msgspec.Raw]


T = TypeVar("T", bound=_Partial)


def ask_batch(api: Api, path: str, body: object, shape: type[T], *, params: dict[str, str | int] | None = None) -> T:
    """A batch's answer, in the shape asked for, once every input is served or said not to exist.

    A batch of which HubSpot could not serve a part for the moment is sent again as a whole.

    Raises:
        UnreachableError: a part of it stays unserved.
        AnswerError: HubSpot refuses a part of it.
    """
    codes: set[str] = set()
    for attempt in range(TRIES):
        if attempt:
            settle(attempt - 1)
        answer = api.ask(path, shape, params=params, body=body)
        codes = codes_of(answer.errors)
        if not codes:
            return answer
        if codes & REFUSED:
            raise AnswerError(
                f"hubspot refuses a part of a batch at {path} ({', '.join(sorted(codes))}).",
                remedy="Report it with this line: the vendor's API may have changed.",
            )
    raise UnreachableError(
        f"hubspot could not serve all of a batch at {path} in {TRIES} attempts ({', '.join(sorted(codes))}).",
        remedy="The next run goes on from the same place.",
    )


class Fields(NamedTuple):
    """What to ask of each record: properties, those with their history, and whether live or archived records."""

    names: tuple[str, ...]
    history: tuple[str, ...] = ()
    archived: bool = False


def read_batch(api: Api, stream: Stream, ids: list[str], fields: Fields) -> list[msgspec.Raw]:
    """Up to 100 records by id (50 with history), in HubSpot's order; those that it does not have are left out."""
    body: dict[str, object] = {"inputs": [{"id": one} for one in ids], "properties": fields.names}
    if fields.history:
        body["propertiesWithHistory"] = fields.history
    params: dict[str, str | int] = {"archived": str(fields.archived).lower()}
    return ask_batch(api, f"{stream.path}/batch/read", body, Results, params=params).results
