"""The walk from rows of a mart to their parts, and from these to the vendors' records. Reads only, in one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from errors import SmarketingError
from glossary import Glossary
from pipeline.lineage import MARTS, arithmetic
from pipeline.lineage.model import Lineage, Measure, Parts
from pipeline.lineage.records import Record, find_records
from transforms.settings import Settings
from transforms.work import Work
from warehouse.tables import metadata

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure beside what its parts give.

    value: what the mart says. from_parts: what the parts give. made: how, in words.
    """

    column: str
    value: Any
    from_parts: Any
    made: str

    @property
    def adds_up(self) -> bool:
        """Whether both are the same."""
        return bool(self.value == self.from_parts)


@dataclass(frozen=True, slots=True)
class Part:
    """One row that was counted, and the records that tell of it.

    lost: source_ids that staging has no more: a sync has taken them out since the build.
    """

    shown: Row
    records: Sequence[Record]
    lost: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The parts of one kind: how many there are, and the first of them."""

    name: str
    count: int
    first: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Explained:
    """A row with its figures and what was counted for them; a table of no mart has neither, but the row's own record."""

    row: Row
    figures: Sequence[Figure] = ()
    counted: Sequence[Counted] = ()
    records: Sequence[Record] = ()


def explain_rows(
    engine: sa.Engine,
    words: Glossary | Settings,
    table: str,
    where: str,
    *,
    limit: int | None = None,
    parts: int | None = None,
    column: str = "",
) -> list[Explained]:
    """Rows of a table with what they are made of.

    Args:
        engine: the warehouse.
        words: the glossary in force, or settings made from one; months are cut in its time zone.
        table: full name, as marts.attribution.
        where: SQL condition on the table's columns.
        limit: rows at most, in order of the key; None: all.
        parts: parts of a kind at most that come with their records; all of them are counted. None: all.
        column: the one figure that is asked about; empty: all of the mart's.

    Raises:
        SmarketingError: the condition cannot be read.
    """
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ")  # a build may publish meanwhile
    with snapshot.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        asked = _asked(table, where, limit)
        rows = _rows_where(connection, table, asked)
        lineage = MARTS.get(table)
        if lineage is None:
            found = find_records(connection, [_source(r) for r in rows if _source(r)])
            return [Explained(r, records=found.get(_source(r), ())) for r in rows]
        settings = words if isinstance(words, Settings) else Settings.of(words)
        work = Work(connection, settings, full=True)
        return _explain_mart(work, lineage, rows, asked, parts, column)


def _asked(table: str, where: str, limit: int | None) -> str:
    keys = ", ".join(c.name for c in metadata.tables[table].primary_key.columns)
    # The condition stands in lines of its own, so that a comment in it ends with it.
    most = "" if limit is None else f" LIMIT {limit:d}"
    return f"SELECT * FROM {metadata.tables[table].fullname} WHERE (\n{where}\n) ORDER BY {keys}{most}"


def _rows_where(connection: sa.Connection, table: str, asked: str) -> list[Row]:
    try:
        return _read(connection, asked)
    except sa.exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if not state or state.startswith(("08", "57", "53")):  # it is not the condition's fault
            raise
        # Of what the condition itself says (class 42), PostgreSQL quotes the words; elsewhere it might quote a row.
        diagnosis = getattr(error.orig, "diag", None)
        says = getattr(diagnosis, "message_primary", None) if state.startswith("42") else None
        raise SmarketingError(
            f"The condition on {table} cannot be used: {says or f'SQLSTATE {state}'}.",
            remedy=f"Write it as in SQL after WHERE, on: {', '.join(metadata.tables[table].c.keys())}.",
        ) from None


def _explain_mart(
    work: Work, lineage: Lineage, rows: Sequence[Row], asked: str, most: int | None, column: str
) -> list[Explained]:
    table = metadata.tables[lineage.mart]
    keys = [c.name for c in table.primary_key.columns]
    measures = _measures(lineage, column)
    kinds = [p for p in lineage.parts if not column or p.name in {m.parts for m in measures}]
    counted = {kind.name: _by_key(_counted(work, kind, asked), keys) for kind in kinds}
    records = {kind.name: _records(work.connection, kind, counted[kind.name].values(), most) for kind in kinds}
    found: list[Explained] = []
    for row in rows:
        key = tuple(row[k] for k in keys)
        parts = {kind.name: counted[kind.name].get(key, []) for kind in kinds}
        shown = [_shown(kind, parts[kind.name], records[kind.name], most) for kind in kinds]
        found.append(Explained(row, _figures(table, row, measures, parts), shown))
    return found


def _measures(lineage: Lineage, column: str) -> list[Measure]:
    """The measures that are asked about, after those that they are made of."""
    by_name = {m.column: m for m in lineage.measures}
    if column not in by_name:
        return list(lineage.measures)
    wanted = {column, *by_name[column].figures}
    return [m for m in lineage.measures if m.column in wanted]


def _counted(work: Work, kind: Parts, asked: str) -> list[Row]:
    # The condition comes last: its text may hold braces.
    query = work.text(kind.query)
    return _read(
        work.connection,
        f"WITH figure AS MATERIALIZED ({asked}) SELECT * FROM ({query}) AS part ORDER BY {kind.order}",
    )


def _figures(
    table: sa.Table, row: Row, measures: Sequence[Measure], parts: Mapping[str, Sequence[Row]]
) -> list[Figure]:
    made: dict[str, Figure] = {}
    for measure in measures:
        type_ = table.c[measure.column].type
        scale = type_.scale if isinstance(type_, sa.Numeric) else None
        if measure.rule == "quotient":
            value, words = arithmetic.quotient(measure, {n: f.from_parts for n, f in made.items()}, scale)
        else:
            value, words = arithmetic.figure(measure, parts[measure.parts], scale)
        made[measure.column] = Figure(measure.column, row[measure.column], value, words)
    return list(made.values())


def _records(
    connection: sa.Connection, kind: Parts, groups: Iterable[Sequence[Row]], most: int | None
) -> Mapping[str, Sequence[Record]]:
    return find_records(
        connection, [s for parts in groups for p in parts[:most] for s in p["source_ids"]], kind.entities
    )


def _shown(kind: Parts, parts: Sequence[Row], records: Mapping[str, Sequence[Record]], most: int | None) -> Counted:
    first = [
        Part(
            {c: p[c] for c in kind.shows},
            [r for s in p["source_ids"] for r in records.get(s, ())],
            [s for s in p["source_ids"] if s not in records],
        )
        for p in parts[:most]
    ]
    return Counted(kind.name, len(parts), first)


def _by_key(parts: Sequence[Row], keys: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for part in parts:
        grouped.setdefault(tuple(part[k] for k in keys), []).append(part)
    return grouped


def _read(connection: sa.Connection, statement: str) -> list[Row]:
    # No parameters: colons and percent signs of a condition are left alone.
    result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    return [dict(r) for r in result.mappings()]


def _source(row: Row) -> str:
    return str(row.get("source_id") or "")
