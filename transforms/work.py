"""One build at work: runs named statements on the caller's connection and keeps its temporary tables in order.

Statements are text with table names in braces, as `{core.person}`: they are taken from the table metadata, so that a
renamed table is an error here and not a silent miss. Temporary tables carry plain names and live until the transaction
ends.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from string import Formatter
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from transforms.settings import Settings
from warehouse.tables import SCHEMAS, metadata


class _Schema:
    """Full table names of one schema, as attributes."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, table: str) -> str:
        return metadata.tables[f"{self._name}.{table}"].fullname


FEW_STATISTICS = 10
"""Statistics target of a build's temporary tables: how many common values and histogram steps of a column are kept."""

_FEW_ROWS = 1000
_LARGE_SHARE = 0.2

_NAMES: Mapping[str, Any] = {name: _Schema(name) for name in SCHEMAS}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build: what was done, rows written, seconds."""

    name: str
    rows: int
    seconds: float


@dataclass
class Work:
    """A build in progress.

    full: everything is rebuilt; otherwise only what the taken changes reach.
    """

    connection: sa.Connection
    settings: Settings
    full: bool
    steps: list[Step] = field(default_factory=list)
    _since: float = field(default_factory=perf_counter)

    def text(self, statement: str, **literals: str) -> str:
        """The statement with table names, settings ({cap}, {zone}, {reporting}) and `literals` filled in."""
        values = {
            **_NAMES,
            "cap": str(self.settings.shared_value_cap),
            "zone": quoted(self.settings.time_zone),
            "reporting": quoted(self.settings.reporting_currency),
            **literals,
        }
        return Formatter().vformat(statement, (), values)

    def run(self, statement: str, /, **literals: str) -> int:
        """Run one statement; returns the rows that it wrote."""
        return self._execute(self.text(statement, **literals)).rowcount

    def temp(self, name: str, query: str, /, *, index: str = "", **literals: str) -> None:
        """Make the temporary table `name` from a query, index it in an incremental build, and analyze it.

        A full build joins whole tables and has no use for indexes on temporary ones: they cost a twentieth of it, and by them the
        planner reads a table that is larger than `temp_buffers` page by page in an order that is not the disk's.

        Args:
            name: name of the table; one of the same name from an earlier build in this transaction is replaced.
            query: a select.
            index: columns of one index each, parted by `;`.
            literals: further names for the braces.
        """
        indexes = [] if self.full else filter(None, index.split(";"))
        statements = [
            f"DROP TABLE IF EXISTS pg_temp.{name}",
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {self.text(query, **literals)}",
            *(f"CREATE INDEX ON pg_temp.{name} ({columns})" for columns in indexes),
            # Without statistics the planner takes a temporary table for large and scans what it should look up.
            f"ANALYZE pg_temp.{name}",
        ]
        # One round trip: a small night is many small statements.
        self._execute("; ".join(statements))

    def changed_rows(self, table: str, change: str) -> str:
        """A relation: the rows of a table whose source_key is in the temporary table `change`, or all in a full build."""
        if self.full:
            return table
        return f"(SELECT r.* FROM pg_temp.{change} AS c JOIN {table} AS r ON r.source_key = c.source_key)"

    def _execute(self, statement: str) -> sa.CursorResult[Any]:
        # No parameters: the driver then leaves percent signs alone.
        return self.connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def value(self, statement: str, /, **literals: str) -> int:
        """The one number that a statement gives."""
        return int(self._execute(self.text(statement, **literals)).scalar_one())

    def count(self, name: str) -> int:
        """Rows of a temporary table."""
        return self.value(f"SELECT count(*) FROM pg_temp.{name}")

    def step(self, name: str, rows: int) -> None:
        """Note that a step is done; its time runs from the step before."""
        now = perf_counter()
        self.steps.append(Step(name, rows, round(now - self._since, 3)))
        self._since = now

    def replace(self, target: str, source: str, where: str, *, query: str = "", noting: str = "") -> int:
        """As `refresh`; a full build writes all anew instead, which is less work than comparing.

        query: what the temporary table `source` is to be made of, where it is not there; a full build makes none.

        Returns the rows written.
        """
        table = metadata.tables[target]
        if not self.full:
            if query:
                self.temp(source, query, index=_key_of(table))
            return self.refresh(target, source, where, noting=noting)
        new_rows = f"({self.text(query)}) AS n" if query else f"pg_temp.{source}"
        gone = self.run(f"DELETE FROM {target} WHERE {where}")
        # What was deleted others still see: their queries must not wait.
        return self._fill(table, new_rows, gone, is_new=not gone and self._is_empty(target))

    def refresh(
        self, target: str, source: str, where: str = "true", *, noting: str = "", into: str = "rewritten"
    ) -> int:
        """Make `target` (where `where` holds) equal to a temporary table, writing only rows that differ.

        A row that only a later load has told again is the same row, and keeps the load that brought it. A first build fills the
        table: a look at the key before each row would be a quarter of that.

        noting: column whose values in the rows that are written or deleted an incremental build adds to the temporary table
        `into` of that one column, for what follows from them.

        Returns the rows written.
        """
        table = metadata.tables[target]
        if self.full and self._is_empty(target):
            return self._fill(table, f"pg_temp.{source}", 0, is_new=True)
        columns = columns_of(table)
        told = [name for name in _built(table) if name != "load_id"]
        key = " AND ".join(f"s.{c.name} = t.{c.name}" for c in table.primary_key.columns)
        mine, other = (", ".join(f"{side}.{name}" for name in told) for side in "ts")
        gone = self._write(
            f"DELETE FROM {target} AS t WHERE {where} AND NOT EXISTS (SELECT FROM pg_temp.{source} AS s"
            f" WHERE {key} AND ({mine}) IS NOT DISTINCT FROM ({other}))",
            "" if self.full else noting,
            into,
        )
        # What is still there is equal. An anti-join would do the same, but is planned badly for a table just filled.
        new = self._write(
            f"INSERT INTO {target} ({columns}) SELECT {columns} FROM pg_temp.{source} ORDER BY {_key_of(table)} ON CONFLICT DO NOTHING",
            "" if self.full else noting,
            into,
        )
        return self._written(target, gone, new)

    def _fill(self, table: sa.Table, rows: str, gone: int, *, is_new: bool) -> int:
        """Insert rows in the order of their key: a page of an index larger than memory is then written once, not for each row.

        is_new: the table has no rows, for nobody.
        """
        columns = columns_of(table)
        with self._indexed_afterwards(table) if is_new and table.indexes else nullcontext():
            new = self.run(
                f"INSERT INTO {table.fullname} ({columns}) SELECT {columns} FROM {rows} ORDER BY {_key_of(table)}"
            )
        return self._written(table.fullname, gone, new)

    @contextmanager
    def _indexed_afterwards(self, table: sa.Table) -> Iterator[None]:
        """Take the indexes off a table without rows, and make them of all that the block brings.

        So they are made in a fraction of the time that they would take row by row, and are smaller. Until the transaction ends
        others' queries on the table wait, which would find it empty; where one of them is at work on it already, or the role
        may not change the table, the indexes stay.
        """
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        try:
            with self.connection.begin_nested():
                self.run(f"LOCK TABLE {table.fullname} IN ACCESS EXCLUSIVE MODE NOWAIT")
                for index in indexes:
                    index.drop(self.connection)
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):
            indexes = []
        yield
        for index in indexes:
            index.create(self.connection)

    def _is_empty(self, table: str) -> bool:
        return not self.value(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) AS one")

    def _write(self, statement: str, noting: str, into: str) -> int:
        if not noting:
            return self.run(statement)
        noted = f"INSERT INTO pg_temp.{into} SELECT DISTINCT {noting} FROM written"
        whole = f"WITH written AS ({statement} RETURNING {noting}), noted AS ({noted}) SELECT count(*) FROM written"
        return self.value(whole)

    def _written(self, target: str, gone: int, new: int) -> int:
        """Give the planner statistics of a table that this transaction has changed a lot; returns the rows written."""
        if gone + new > _FEW_ROWS:
            query = sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)")
            before = float(self.connection.execute(query, {"name": target}).scalar_one())
            if gone + new > before * _LARGE_SHARE:
                # Of a table that stays, as many as the server is set to gather; queries of others need them, too.
                self.run("SET LOCAL default_statistics_target TO DEFAULT")
                self.run(f"ANALYZE {target}")
                self.run(f"SET LOCAL default_statistics_target TO {FEW_STATISTICS}")
        return gone + new


def columns_of(table: sa.Table) -> str:
    """All columns that a build gives, parted by commas: when a row was found so, the database stamps itself."""
    return ", ".join(_built(table))


def _key_of(table: sa.Table) -> str:
    return ", ".join(c.name for c in table.primary_key.columns)


def _built(table: sa.Table) -> list[str]:
    return [c.name for c in table.columns if c.server_default is None]


def quoted(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
