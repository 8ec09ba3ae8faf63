"""Shared pieces of the table declarations: the metadata object, and columns that always carry a comment."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

SCHEMAS = ("raw", "staging", "core", "marts", "glossary", "ops")

metadata = sa.MetaData()

Text = sa.Text()
Timestamp = sa.TIMESTAMP(timezone=True)
Money = sa.Numeric(20, 4)
Json = pg.JSONB(none_as_null=True)
Uuid = sa.Uuid()


def column(
    name: str,
    type_: Any,
    comment: str,
    *,
    key: bool = False,
    null: bool = True,
    identity: bool = False,
    default: Any = None,
    values: Sequence[str] | None = None,
) -> sa.Column[Any]:
    """One column with its comment.

    Args:
        name: snake_case singular noun; `_at` for timestamptz in UTC, `_on` for a date, `_amount` with `currency`.
        type_: the SQLAlchemy type.
        comment: what an analyst needs to know; shown by psql and in the data dictionary.
        key: part of the primary key.
        null: whether the column may be null (keys never are).
        identity: numbered by the database.
        default: server default as SQL text.
        values: closed list of values; the validation suites check it.
    """
    args: list[Any] = [sa.Identity(always=False)] if identity else []
    return sa.Column(
        name,
        type_,
        *args,
        comment=comment,
        primary_key=key,
        nullable=null and not key,
        server_default=sa.text(default) if default else None,
        info={"values": tuple(values)} if values else {},
    )


def table(
    schema: str,
    name: str,
    comment: str,
    *columns: sa.Column[Any],
    distribution: str | None,
    indexes: Sequence[str] = (),
) -> sa.Table:
    """A table of `schema`, distributed by `distribution`, with one plain index per entry (comma-separated columns)."""
    if distribution is not None and distribution not in {c.name for c in columns if c.primary_key}:
        raise ValueError(f"{schema}.{name}: the distribution column {distribution} must be part of the primary key")
    return sa.Table(
        name,
        metadata,
        *columns,
        *(sa.Index(f"ix_{name}_{i.replace(',', '_')}", *i.split(",")) for i in indexes),
        schema=schema,
        comment=comment,
        info={"distribution": distribution},
    )
