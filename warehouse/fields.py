"""Which fields a vendor's records have, and what changed since they were last looked at. In the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from warehouse.tables import ops


class FieldChange(NamedTuple):
    """A field that is not as it was; types are the vendor's words, None where there is no field."""

    field: str
    change: str
    type_before: str | None
    type_after: str | None


def compare(known: Mapping[str, str], fields: Mapping[str, str]) -> list[FieldChange]:
    """What changed from `known` to `fields` (field -> type), by name."""
    changes = []
    for name in sorted(known.keys() | fields.keys()):
        before, after = known.get(name), fields.get(name)
        if before != after:
            change = "added" if before is None else "removed" if after is None else "retyped"
            changes.append(FieldChange(name, change, before, after))
    return changes


def note(
    connection: sa.Connection, vendor: str, stream: str, fields: Mapping[str, str], load_id: int
) -> list[FieldChange]:
    """Keep `fields` as what is known, and what changed as rows of ops.schema_change; the first look changes nothing."""
    c = ops.known_field.c
    here = sa.and_(c.vendor == vendor, c.stream == stream)
    known = {row.field: row.type for row in connection.execute(sa.select(c.field, c.type).where(here))}
    changes = compare(known, fields)
    if not changes:
        return []
    if gone := [each.field for each in changes if each.type_after is None]:
        connection.execute(sa.delete(ops.known_field).where(here, c.field.in_(gone)))
    if rows := [
        {"vendor": vendor, "stream": stream, "field": each.field, "type": each.type_after}
        for each in changes
        if each.type_after is not None
    ]:
        statement = insert(ops.known_field)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["vendor", "stream", "field"], set_={"type": statement.excluded.type}
            ),
            rows,
        )
    if not known:
        return []
    connection.execute(
        sa.insert(ops.schema_change),
        [{"vendor": vendor, "stream": stream, "load_id": load_id, **each._asdict()} for each in changes],
    )
    return changes


def came(connection: sa.Connection, vendor: str, stream: str, fields: Mapping[str, str]) -> set[str]:
    """Those of `fields` that are not known; none before the first look."""
    c = ops.known_field.c
    known = set(connection.scalars(sa.select(c.field).where(c.vendor == vendor, c.stream == stream)))
    return fields.keys() - known if known else set()


def changes(connection: sa.Connection, limit: int) -> Sequence[Mapping[str, object]]:
    """The latest changes, newest first."""
    c = ops.schema_change.c
    columns = (c.noticed_at, c.vendor, c.stream, c.field, c.change, c.type_before, c.type_after, c.load_id)
    statement = sa.select(*columns).order_by(c.change_id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(statement).mappings()]
