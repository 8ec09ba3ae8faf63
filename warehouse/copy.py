"""COPY on SQLAlchemy's own connection, so that bulk loads share its transaction."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import polars as pl
import sqlalchemy as sa
from psycopg import Connection as PsycopgConnection

_BINARY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END = b"\xff\xff"


def driver(connection: sa.Connection) -> PsycopgConnection[Any]:
    """The psycopg connection below `connection`."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, PsycopgConnection)  # noqa: S101 - the engine factory makes no other
    return raw


def copy_binary(connection: sa.Connection, target: str, columns: Sequence[str], chunks: Iterable[bytes]) -> None:
    """COPY rows that are in PostgreSQL's binary form already, in chunks of any size."""
    names = ", ".join(f'"{c}"' for c in columns)
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(_BINARY_HEAD)
        for chunk in chunks:
            copy.write(chunk)
        copy.write(_BINARY_END)


class Packed(NamedTuple):
    """Rows as COPY takes them: the columns that have any value, the rows' number, and CSV."""

    columns: tuple[str, ...]
    rows: int
    csv: bytes


def pack(frame: pl.DataFrame) -> Packed:
    """A frame as CSV that Polars writes, whole columns at a time; needs no connection.

    Lists become PostgreSQL array literals. An empty text stays apart from null: CSV writes it quoted, null unquoted. Columns
    without any value are left to the table, which has null for them too: the server need not look for it in every row.
    """
    if frame.is_empty():
        return Packed((), 0, b"")
    frame = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
    plain = frame.with_columns(
        *(_array_literal(name) for name, type_ in frame.schema.items() if isinstance(type_, pl.List)),
        *(
            pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
            for name, type_ in frame.schema.items()
            if isinstance(type_, pl.Datetime)
        ),
    )
    data = BytesIO()
    plain.write_csv(data, include_header=False, quote_style="non_numeric", null_value="")
    return Packed(tuple(frame.columns), frame.height, data.getvalue())


def copy_packed(connection: sa.Connection, target: str, packed: Packed) -> None:
    """COPY packed rows into `target`."""
    if not packed.rows:
        return
    names = ", ".join(f'"{c}"' for c in packed.columns)
    with driver(connection).cursor() as cursor, cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(packed.csv)


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
