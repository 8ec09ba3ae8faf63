"""One entity map over one batch: the staging frame it gives and the rejects.

Columns of the frame are exactly those of `warehouse.tables.staging.ENTITIES[entity]`, in their order and types.
"""

from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl
import sqlalchemy as sa

from glossary.model import EntityMap, FieldSpec
from transforms.normalize.columns import PREDICATES
from transforms.normalize.model import Reject
from transforms.normalize.times import Timestamp
from transforms.normalize.values import Number, Reading, listed
from warehouse.tables.staging import ENTITIES

BASE: Final = (
    "source_key",
    "source_system",
    "source_stream",
    "source_record_id",
    "source_url",
    "version_at",
    "is_deleted",
    "deleted_at",
    "merged_into_source_id",
    "load_id",
)
"""Columns that every row has from its raw record, not from a field map; source_id comes beside them."""
CUSTOM: Final = "custom."
_INTEGERS: Final = ((sa.BigInteger, pl.Int64()), (sa.SmallInteger, pl.Int16()), (sa.Integer, pl.Int32()))


def polars_type(column: sa.Column[Any]) -> pl.DataType:
    """The Polars type that a column of staging is filled from."""
    type_ = column.type
    if isinstance(type_, sa.ARRAY):
        return pl.List(pl.String)
    if isinstance(type_, sa.Numeric):
        return pl.Decimal(type_.precision or 38, type_.scale or 0)
    if isinstance(type_, sa.Boolean):
        return pl.Boolean()
    if isinstance(type_, sa.DateTime):
        return Timestamp
    if isinstance(type_, sa.Date):
        return pl.Date()
    return next((polars for kind, polars in _INTEGERS if isinstance(type_, kind)), pl.String())


@lru_cache(maxsize=32)
def schema(entity: str) -> dict[str, pl.DataType]:
    """Column -> Polars type of a staging entity, in the table's order."""
    return {column.name: polars_type(column) for column in ENTITIES[entity].columns}


@lru_cache(maxsize=32)
def required(entity: str) -> tuple[str, ...]:
    """Columns of the entity that may not be null and have no default."""
    table = ENTITIES[entity]
    own = {*BASE, "source_id"}
    return tuple(c.name for c in table.columns if not c.nullable and c.server_default is None and c.name not in own)


@lru_cache(maxsize=32)
def defaulted(entity: str) -> tuple[str, ...]:
    """Boolean columns that are false where nothing is said."""
    table = ENTITIES[entity]
    return tuple(
        c.name for c in table.columns if not c.nullable and isinstance(c.type, sa.Boolean) and c.name not in BASE
    )


def entity_frame(
    entity_map: EntityMap, reading: Reading, base: pl.DataFrame, parts: pl.Series | None
) -> tuple[pl.DataFrame, list[Reject]]:
    """The rows of one map.

    Args:
        entity_map: the map.
        reading: the columns of text, one row per (sub-)record.
        base: the columns of `BASE`, one row per (sub-)record.
        parts: what tells sub-records apart; null: the record itself.

    Returns:
        The frame, and rejects: fatal ones for rows that are not in it, others for values that became null.
    """
    entity = entity_map.entity
    types = schema(entity)
    columns = _values(entity_map, reading, types)
    key = base["source_key"]
    if parts is not None:
        key = pl.select(pl.when(parts.is_null()).then(key).otherwise(key + "#" + parts)).to_series()
    elif entity_map.part:
        key = key + f"#{entity_map.part}"
    frame = base.with_columns(key.alias("source_id"), *(c.alias(n) for n, c in columns.items()))
    missing = [name for name in types if name not in frame.columns]
    frame = frame.with_columns(
        *(pl.lit(None, dtype=types[name]).alias(name) for name in missing),
    ).with_columns(pl.col(defaulted(entity)).fill_null(value=False))

    applies = pl.Series([True]).new_from_index(0, base.height)
    if entity_map.when:
        applies = PREDICATES[entity_map.when]([reading.text[path] for path in entity_map.when_paths])
    kept = applies
    for column in entity_map.needs:
        kept = kept & frame[column].is_not_null()
    rejects: list[Reject] = []
    for column in dict.fromkeys((*required(entity), *(s.target for s in entity_map.fields if s.is_required))):
        lacking = frame[column].is_null()
        if lacking.any():
            rejects += _rejects(base, kept & lacking, entity, f"{column}_missing", column, is_fatal=True)
            kept = kept & ~lacking
    for loss in reading.losses:
        rejects += _rejects(base, kept & loss.rows, entity, loss.rule, loss.column, is_fatal=False)
        if loss.column in entity_map.needs:  # left out not because it says nothing, but because it cannot be read
            rejects += _rejects(base, applies & loss.rows, entity, loss.rule, loss.column, is_fatal=True)
    reading.losses.clear()
    frame = frame.select(pl.col(name).cast(type_) for name, type_ in types.items())
    return (frame if kept.all() else frame.filter(kept)), rejects


def _values(entity_map: EntityMap, reading: Reading, types: dict[str, pl.DataType]) -> dict[str, pl.Series]:
    """Column -> values of all fields of a map."""
    by_target: dict[str, list[FieldSpec]] = {}
    # Telephone numbers are read in the record's country, so that comes first.
    for spec in sorted(entity_map.fields, key=lambda s: s.type != "country"):
        by_target.setdefault(spec.target, []).append(spec)
    columns: dict[str, pl.Series] = {}
    custom: dict[str, pl.Series] = {}
    reading.regions = None
    for target, specs in by_target.items():
        if target.startswith(CUSTOM):
            type_ = Number if specs[0].type in {"money", "number"} else pl.String()
            custom[target.removeprefix(CUSTOM)] = _first([reading.read(s, type_) for s in specs])
        elif specs[0].vocabulary or f"{target}_raw" in types:
            has_raw = f"{target}_raw" in types
            pairs = [reading.word(s, has_raw=has_raw) for s in specs]
            columns[target] = _first([term for term, _ in pairs])
            if has_raw:
                columns[f"{target}_raw"] = _first([raw for _, raw in pairs])
        elif isinstance(types[target], pl.List):
            columns[target] = _merged([reading.read(s, pl.String()) for s in specs], reading.height)
        else:
            columns[target] = _first([reading.read(s, types[target]) for s in specs])
            if specs[0].type == "country":
                reading.regions = columns[target]
    if custom:
        columns["custom"] = _custom(custom, reading.height)
    return columns


def _first(columns: list[pl.Series]) -> pl.Series:
    found = columns[0]
    for column in columns[1:]:
        found = found.zip_with(found.is_not_null(), column)
    return found


def _merged(columns: list[pl.Series], height: int) -> pl.Series:
    """Lists and single values of several fields as one list per row."""
    longs = []
    for column in columns:
        long = pl.DataFrame({"row": pl.int_range(height, eager=True), "item": column}).drop_nulls("item")
        longs.append(long.explode("item") if isinstance(column.dtype, pl.List) else long)
    return listed(pl.concat(longs), height)


def _custom(columns: dict[str, pl.Series], height: int) -> pl.Series:
    """A user's own fields as one JSON text per row, without nulls; null where none is given."""
    encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
    lists = {name: column.to_list() for name, column in columns.items()}
    texts = []
    for row in range(height):
        given = {name: values[row] for name, values in lists.items() if values[row] is not None}
        texts.append(encode(given).decode() if given else None)
    return pl.Series(texts, dtype=pl.String)


def _rejects(
    base: pl.DataFrame, rows: pl.Series, entity: str, rule: str, column: str, *, is_fatal: bool
) -> list[Reject]:
    if not rows.any():
        return []
    what = "is missing or unreadable; the row is not loaded" if is_fatal else "could not be read and is loaded as null"
    reason = f"The value for {entity}.{column} {what}."
    if rule == "word_unknown":
        outcome = "the row is not loaded" if is_fatal else "it is loaded as null"
        reason = f"The vendor's word for {entity}.{column} is not in the glossary; {outcome}."
    lost = base.filter(rows).select("source_key", "source_record_id", "load_id")
    return [Reject(k, entity, rule, reason, column, r, load, is_fatal) for k, r, load in lost.iter_rows()]
