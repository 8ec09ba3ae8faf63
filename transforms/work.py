"""One build at work: runs named statements on the caller's connection and keeps its temporary tables in order.

Statements are text with table names in braces, as `{core.person}`: they are taken from the table metadata, so that a
renamed table is an error here and not a silent miss. Temporary tables carry plain names and live until the transaction
ends.
"""

from collections.abc import Mapping
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
        # No parameters: the driver then leaves percent signs alone.
        options = {"no_parameters": True}
        return self.connection.exec_driver_sql(self.text(statement, **literals), execution_options=options).rowcount

    def temp(self, name: str, query: str, /, *, index: str = "", **literals: str) -> int:
        """Make the temporary table `name` from a query, index and analyze it; returns its rows.

        Args:
            name: name of the table; one of the same name from an earlier build in this transaction is replaced.
            query: a select.
            index: columns of one index each, parted by `;`.
            literals: further names for the braces.
        """
        self.run(f"DROP TABLE IF EXISTS pg_temp.{name}")
        rows = self.run(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {query}", **literals)
        for columns in filter(None, index.split(";")):
            self.run(f"CREATE INDEX ON pg_temp.{name} ({columns})")
        # Without statistics the planner takes a temporary table for large and scans what it should look up.
        self.run(f"ANALYZE pg_temp.{name}")
        return rows

    def changed_rows(self, table: str) -> str:
        """A relation: the rows of a staging table that changed, or all of them in a full build."""
        if self.full:
            return table
        return f"(SELECT r.* FROM change AS c JOIN {table} AS r ON r.source_key = c.source_key)"

    def count(self, name: str) -> int:
        """Rows of a temporary table."""
        return int(self.connection.exec_driver_sql(f"SELECT count(*) FROM pg_temp.{name}").scalar_one())

    def step(self, name: str, rows: int) -> None:
        """Note that a step is done; its time runs from the step before."""
        now = perf_counter()
        self.steps.append(Step(name, rows, round(now - self._since, 3)))
        self._since = now

    def replace(self, target: str, source: str, where: str) -> int:
        """Put the rows of a temporary table in place of those of `target` for which `where` holds; returns rows written."""
        columns = ", ".join(c.name for c in metadata.tables[target].columns)
        gone = self.run(f"DELETE FROM {target} WHERE {where}")
        return gone + self.run(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM pg_temp.{source}")

    def refresh(self, target: str, source: str, where: str = "true") -> int:
        """Make `target` (where `where` holds) equal to a temporary table, writing only rows that differ.

        Returns the rows written.
        """
        table = metadata.tables[target]
        columns = ", ".join(c.name for c in table.columns)
        same = f"({', '.join(f't.{c.name}' for c in table.columns)}) IS NOT DISTINCT FROM ({columns_of(table, 's')})"
        key = " AND ".join(f"s.{c.name} = t.{c.name}" for c in table.primary_key.columns)
        gone = self.run(
            f"DELETE FROM {target} AS t WHERE {where}"
            f" AND NOT EXISTS (SELECT FROM pg_temp.{source} AS s WHERE {key} AND {same})"
        )
        return gone + self.run(
            f"INSERT INTO {target} ({columns}) SELECT {columns} FROM pg_temp.{source} AS s"
            f" WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE {key})"
        )


def columns_of(table: sa.Table, alias: str) -> str:
    """All columns of a table behind an alias, parted by commas."""
    return ", ".join(f"{alias}.{c.name}" for c in table.columns)


def quoted(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
