"""Publishing the glossary: its rows in the schema `glossary`, with the version that brought them."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from warehouse.tables import glossary, metadata


def publish(connection: sa.Connection, version_id: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Put `rows` (table name -> rows) in place of what is published; False when this version is in force already."""
    current = connection.scalar(sa.select(glossary.version.c.version_id).where(glossary.version.c.is_current))
    if current == version_id:
        return False
    connection.execute(sa.update(glossary.version).values(is_current=False))
    statement = insert(glossary.version).values(version_id=version_id, is_current=True)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["version_id"], set_={"is_current": True, "published_at": sa.func.now()}
        )
    )
    for name, lines in rows.items():
        table = metadata.tables[f"glossary.{name}"]
        connection.execute(sa.delete(table))
        if lines:
            connection.execute(sa.insert(table), [{**line, "version_id": version_id} for line in lines])
    return True
