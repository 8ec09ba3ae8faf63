"""COPY on SQLAlchemy's own connection, so that bulk loads share its transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa
from psycopg import Connection as PsycopgConnection


def driver(connection: sa.Connection) -> PsycopgConnection[Any]:
    """The psycopg connection below `connection`."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, PsycopgConnection)  # noqa: S101 - the engine factory makes no other
    return raw


def copy_rows(connection: sa.Connection, target: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY `rows` into `target` (a quoted table name); returns their number."""
    count = 0
    names = ", ".join(f'"{c}"' for c in columns)
    with driver(connection).cursor() as cursor, cursor.copy(f"COPY {target} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_frame(connection: sa.Connection, target: str, frame: pl.DataFrame) -> int:
    """COPY a frame into `target` through CSV that Polars writes, whole columns at a time; returns its rows.

    Lists become PostgreSQL array literals. An empty text stays apart from null: CSV writes it quoted, null unquoted.
    """
    if frame.is_empty():
        return 0
    plain = frame.with_columns(
        *(_array_literal(name) for name, type_ in frame.schema.items() if isinstance(type_, pl.List)),
        *(
            pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
            for name, type_ in frame.schema.items()
            if isinstance(type_, pl.Datetime)
        ),
    )
    names = ", ".join(f'"{c}"' for c in frame.columns)
    data = plain.write_csv(None, include_header=False, quote_style="non_numeric", null_value="")
    with driver(connection).cursor() as cursor, cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(data)
    return frame.height


def _array_literal(name: str) -> pl.Expr:
    quoted = (
        pl.col(name)
        .cast(pl.List(pl.String))
        .list.eval(
            pl.concat_str(
                pl.lit('"'),
                pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True),
                pl.lit('"'),
            )
        )
    )
    return (
        pl.when(pl.col(name).is_null())
        .then(None)
        .otherwise(pl.concat_str(pl.lit("{"), quoted.list.join(","), pl.lit("}")))
        .alias(name)
    )
