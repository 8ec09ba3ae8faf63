"""The Marketo instance behind the API: its store as it is now, the log of activities, pages by token."""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.requests import Request

from sandbox.context import Context
from sandbox.drift import drift
from sandbox.marketo.answers import ApiError, number_of, stamp
from sandbox.marketo.schema import DEFAULT_LEAD_FIELDS, LEAD_FIELDS, Field
from sandbox.store import Record, Store

PAGE = 300
LOST_FIELD = "productInterest"
"""The lead field that is gone while the fault `marketo.missing_field` is on: from what describes fields, and from requests."""

T = TypeVar("T")


class Instance:
    """One instance.

    Args:
        store: its records.
        context: clock, faults and flags.
    """

    def __init__(self, store: Store, context: Context) -> None:
        self.store = store
        self.context = context
        self._log: list[Record] = []
        self._dates: list[datetime] = []
        self._version = (-1, -1)

    def now(self) -> datetime:
        """The vendor's clock, UTC."""
        return self.context.clock()

    def strikes(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        return self.context.faults.strikes(fault)

    def drifted(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records of a page, as they are answered where the schema drifts meanwhile (see `sandbox.drift`)."""
        drift(self.context.faults, "marketo", rows)
        return rows

    def lead_fields(self) -> dict[str, Field]:
        """The lead fields that the account has now."""
        if not self.context.faults.active("marketo.missing_field"):
            return LEAD_FIELDS
        return {name: field for name, field in LEAD_FIELDS.items() if name != LOST_FIELD}

    def lead_names(self, wanted: list[str]) -> list[str]:
        """The lead fields that a request wants, with id; the usual ones where it names none.

        Raises:
            ApiError: 1006, there is no such field.
        """
        known = self.lead_fields()
        for name in wanted:
            if name not in known:
                raise ApiError("1006", f"Field '{name}' not found")
        return list(dict.fromkeys(["id", *wanted])) if wanted else list(DEFAULT_LEAD_FIELDS)

    def live(self, kind: str) -> list[Record]:
        """The records of a kind that are there, by id."""
        with self.store.lock:
            return sorted(self.store.live(kind), key=_by_number)

    def get(self, kind: str, id_: str) -> Record | None:
        """A record that is there; a lead that was merged away is not."""
        record = self.store.get(kind, id_)
        return None if record is None or record.archived_at is not None else record

    def many(self, kind: str, ids: Iterable[str]) -> list[Record]:
        """The records that are there among `ids`, by id."""
        found = (record for id_ in dict.fromkeys(ids) if (record := self.get(kind, id_)))
        return sorted(found, key=_by_number)

    def log(self) -> tuple[list[Record], list[datetime]]:
        """All activities, deletes too, in order of time, and their dates. It only grows, so a place in it lasts."""
        with self.store.lock:
            version = (self.store.version["activities"], self.store.version["deleted_leads"])
            if version != self._version:
                records = [*self.store.records["activities"].values(), *self.store.records["deleted_leads"].values()]
                self._log = sorted(records, key=lambda r: (r.created_at, int(r.id)))
                self._dates = [r.created_at for r in self._log]
                self._version = version
            return self._log, self._dates

    def place(self, token: str) -> int:
        """The place in the log that a paging token means."""
        kind, value = untoken(token)
        if kind == "p":
            return int(value)
        return bisect_left(self.log()[1], datetime.fromisoformat(value))


def _by_number(record: Record) -> tuple[int, ...]:
    return tuple(map(int, record.id.split("-")))


def token(kind: str, value: object) -> str:
    """A paging token: by date ("d") or by position ("p")."""
    return base64.b32encode(f"{kind}:{value}".encode()).decode()


def date_token(at: datetime) -> str:
    """A paging token that means a moment."""
    return token("d", at.astimezone(UTC).isoformat())


def untoken(text: str) -> tuple[str, str]:
    """Kind and value of a paging token.

    Raises:
        ApiError: 1003, it is none.
    """
    try:
        kind, _, value = base64.b32decode(text).decode().partition(":")
        if kind == "p":
            int(value)
        else:
            datetime.fromisoformat(value)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ApiError("1003", "Invalid nextPageToken") from None
    return kind, value


def paged(request: Request, found: list[T], shown: Callable[[T], Any]) -> tuple[list[Any], dict[str, Any]]:
    """A page of a result set by position, and the members that lead to the next one.

    Raises:
        ApiError: 1003, the token or the batch size is not valid.
    """
    size = number_of(request, "batchSize", PAGE, PAGE) or PAGE
    text = request.query_params.get("nextPageToken")
    start = int(untoken(text)[1]) if text else 0
    rows = [shown(item) for item in found[start : start + size]]
    more: dict[str, Any] = {"moreResult": start + size < len(found)}
    if more["moreResult"]:
        more["nextPageToken"] = token("p", start + size)
    return rows, more


def lead_value(record: Record, name: str) -> Any:
    """A field of a lead, None where it is empty."""
    if name == "id":
        return int(record.id)
    if name == "createdAt":
        return stamp(record.created_at)
    if name == "updatedAt":
        return stamp(record.modified_at)
    return record.fields.get(name)


def member_value(record: Record, name: str) -> Any:
    """A field of a program member, None where it is empty."""
    if name in {"createdAt", "updatedAt"}:
        return lead_value(record, name)
    return record.fields.get(name)
