"""From staging rows to what the vendor sent: the raw version that a row was made of, the load that brought it, the vendor's page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse.tables.staging import ENTITIES


@dataclass(frozen=True, slots=True)
class Record:
    """A staging row with its way back.

    version_at, op, load_id: of the raw version that the row is made of, the newest; None where raw has none.
    load_kind, loaded_at: what the load was, and when it ended.
    version_count: versions in raw.
    """

    entity: str
    source_id: str
    source_url: str | None
    is_deleted: bool
    raw_table: str
    record_id: str
    version_at: datetime | None = None
    op: str | None = None
    load_id: int | None = None
    load_kind: str | None = None
    loaded_at: datetime | None = None
    version_count: int = 0


_STAGED = "SELECT '{entity}' AS entity, source_id, source_key, source_url, is_deleted FROM {table} WHERE source_id = ANY(:ids)"
_VERSION = """
SELECT v.*, l.kind AS load_kind, l.finished_at AS loaded_at FROM (
  SELECT DISTINCT ON (record_id) record_id, version_at, op, load_id, count(*) OVER (PARTITION BY record_id) AS version_count
  FROM {table} WHERE record_id = ANY(:ids) ORDER BY record_id, version_at DESC, load_id DESC, content_hash
) AS v LEFT JOIN ops.load AS l ON l.load_id = v.load_id
"""


def find_records(
    connection: sa.Connection, source_ids: Iterable[str], entities: Sequence[str] = tuple(ENTITIES)
) -> dict[str, list[Record]]:
    """source_id -> the staging rows of that id in `entities`, each with its raw version."""
    ids = sorted(set(source_ids))
    if not ids:
        return {}
    union = " UNION ALL ".join(_STAGED.format(entity=e, table=ENTITIES[e].fullname) for e in entities)
    staged = connection.execute(sa.text(union), {"ids": ids}).mappings().all()
    by_table: dict[str, set[str]] = {}
    for row in staged:
        table, record_id = _raw(row["source_key"])
        by_table.setdefault(table, set()).add(record_id)
    versions = {table: _versions(connection, table, wanted) for table, wanted in by_table.items()}
    found: dict[str, list[Record]] = {}
    for row in staged:
        table, record_id = _raw(row["source_key"])
        told = {k: row[k] for k in ("entity", "source_id", "source_url", "is_deleted")}
        version = versions[table].get(record_id, {})
        found.setdefault(row["source_id"], []).append(
            Record(**told, raw_table=table, record_id=record_id, **version),
        )
    return found


def _raw(source_key: str) -> tuple[str, str]:
    system, stream, record_id = source_key.split(":", 2)
    return f"raw.{system}__{stream}", record_id


def _versions(connection: sa.Connection, table: str, record_ids: Iterable[str]) -> Mapping[str, dict[str, Any]]:
    schema, name = table.split(".")
    quoted = f'{schema}."{name}"'
    if connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": quoted}) is None:
        return {}
    rows = connection.execute(sa.text(_VERSION.format(table=quoted)), {"ids": sorted(record_ids)}).mappings()
    return {r["record_id"]: {k: v for k, v in r.items() if k != "record_id"} for r in rows}
