"""What goes into normalise and what comes out of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import polars as pl


class RawRecord(NamedTuple):
    """The state of one raw record that staging is to show.

    record_id: the vendor's id.
    version_at: aware UTC; when the vendor says the record got this state.
    load_id: the load that brought it.
    record: JSON of the newest version that has fields, as text or exact bytes; None where there never was one.
    is_deleted, deleted_at, merged_into: from the newest version of all.
    """

    record_id: str
    version_at: datetime
    load_id: int
    record: bytes | str | None
    is_deleted: bool = False
    deleted_at: datetime | None = None
    merged_into: str | None = None


class Reject(NamedTuple):
    """One thing that could not be normalised, for ops.quarantine.

    rule: `json_unreadable`, `payload_missing`, `record_unreadable`, `<column>_missing`, `<type>_invalid`, `word_unknown`.
    reason: one sentence without the value itself (it may be personal data).
    is_fatal: True: the row is not loaded; False: it is, with null in the column.
    """

    source_key: str
    entity: str
    rule: str
    reason: str
    column_name: str | None
    record_id: str
    load_id: int
    is_fatal: bool


@dataclass(frozen=True, slots=True)
class NormalizeResult:
    """Frames by staging entity, with exactly the columns of `warehouse.tables.staging.ENTITIES`, and what went wrong.

    A frame is there for every entity that the stream's maps fill, also where it is empty: then nothing is left of the
    records' earlier rows in that entity.
    """

    frames: dict[str, pl.DataFrame]
    rejects: list[Reject] = field(default_factory=list)
