"""From what Salesforce sends, as JSON or as CSV, to changes."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Op


class _Head(msgspec.Struct, gc=False):
    """The part of a record that a change needs; names as at Salesforce. The rest travels as bytes."""

    Id: str
    SystemModstamp: str | None = None
    CreatedDate: str | None = None
    IsDeleted: bool = False
    MasterRecordId: str | None = None


_encode = msgspec.json.Encoder().encode


def moment(text: str | None) -> datetime | None:
    """A Salesforce timestamp (2026-01-31T08:15:00.000+0000 in JSON, ...000Z in CSV) as aware UTC.

    Raises:
        ValueError: it is not a timestamp.
    """
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a timestamp without its zone")
    return at.astimezone(UTC) if at.tzinfo is not UTC else at


def _op(*, is_deleted: bool, master: str | None) -> Op:
    if not is_deleted:
        return "upsert"
    return "merge" if master else "delete"


def from_json(raw: msgspec.Raw) -> Change:
    """One element of `records`, with its exact bytes.

    Raises:
        msgspec.DecodeError, ValueError: it is no record.
    """
    head = decode_record(raw, _Head)
    op = _op(is_deleted=head.IsDeleted, master=head.MasterRecordId)
    version_at = moment(head.SystemModstamp or head.CreatedDate)
    return Change(head.Id, version_at, op, bytes(raw), head.MasterRecordId if op == "merge" else None)


def csv_reader(header: list[str]) -> Callable[[list[str]], Change]:
    """What turns a Bulk CSV row under this header into a change.

    The payload is a JSON object of the columns in their order, all values text. CSV cannot tell null from the empty
    text; Salesforce itself stores empty text as null, so empty means null.
    """
    positions = {name: at for at, name in enumerate(header)}
    nothing = len(header)  # one past the row, where from_row appends an empty value
    at_id = positions["Id"]
    stamps = [positions.get(name, nothing) for name in ("SystemModstamp", "CreatedDate")]
    at_deleted = positions.get("IsDeleted", nothing)
    at_master = positions.get("MasterRecordId", nothing)

    def from_row(row: list[str]) -> Change:
        payload = _encode({name: value or None for name, value in zip(header, row, strict=True)})
        row.append("")
        op = _op(is_deleted=row[at_deleted] == "true", master=row[at_master])
        version_at = moment(row[stamps[0]] or row[stamps[1]])
        return Change(row[at_id], version_at, op, payload, row[at_master] if op == "merge" else None)

    return from_row
