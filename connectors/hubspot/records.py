"""From the exact bytes of one record to what it tells: it lives, it is archived, others were merged into it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import EPOCH, Change
from errors import AnswerError

LONGEST_NUMBER = 17
"""Digits of milliseconds up to the year 9999 are fewer."""


class _Merges(msgspec.Struct):
    hs_merged_object_ids: str | None = None


class Head(msgspec.Struct):
    """What is read of a record; all else stays bytes. `id` is text, times are aware UTC."""

    id: str
    updated_at: datetime | None = msgspec.field(default=None, name="updatedAt")
    archived: bool = False
    archived_at: datetime | None = msgspec.field(default=None, name="archivedAt")
    properties: _Merges = msgspec.field(default_factory=_Merges)


def head_of(raw: msgspec.Raw) -> Head:
    """The head of a record; a field of an odd type or form counts as not given, since one record must not stop a page.

    Raises:
        AnswerError: the record has no id.
    """
    try:
        head = decode_record(raw, Head)
    except msgspec.ValidationError:
        head = _patient_head(decode_record(raw, dict))
    if head.updated_at is not None and head.updated_at.tzinfo is None:
        head.updated_at = head.updated_at.replace(tzinfo=UTC)
    return head


def _patient_head(record: Any) -> Head:
    identity = record.get("id") if isinstance(record, dict) else None
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise AnswerError(
            "hubspot sent a record without an id.",
            remedy="Report it with this line: the vendor's API may have changed.",
        )
    properties = record.get("properties")
    merged = properties.get("hs_merged_object_ids") if isinstance(properties, dict) else None
    return Head(
        str(identity),
        moment(record.get("updatedAt")),
        record.get("archived") is True,
        moment(record.get("archivedAt")),
        _Merges(str(merged) if isinstance(merged, str | int) else None),
    )


def moment(value: object) -> datetime | None:
    """A time as HubSpot may write it: ISO 8601, or milliseconds since 1970 as number or text; None if it is neither."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            if not (value.isascii() and value.isdecimal() and len(value) < LONGEST_NUMBER):
                return None
            value = int(value)
        else:
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return EPOCH + timedelta(milliseconds=value)
        except (OverflowError, ValueError):
            return None
    return None


def changes_of(raw: msgspec.Raw, head: Head) -> list[Change]:
    """First the record's own change, then one merge for each record that was merged into it."""
    op_is_delete = head.archived
    at = (head.archived_at or head.updated_at) if op_is_delete else head.updated_at
    changes = [Change(head.id, at, "delete" if op_is_delete else "upsert", bytes(raw))]
    if merged := head.properties.hs_merged_object_ids:
        changes.extend(
            Change(loser, head.updated_at, "merge", b"", head.id)
            for loser in dict.fromkeys(part.strip() for part in merged.split(";"))
            if loser and loser != head.id
        )
    return changes
