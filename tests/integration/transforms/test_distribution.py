"""What a distributed PostgreSQL would need: tables by one column each, keys that hold it, and joins on it; says where not."""

from typing import Any

import pytest
import sqlalchemy as sa
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from tests.support.random_history import RandomHistory
from tests.support.staging_rows import StagingRows, settings
from transforms.build import build
from transforms.work import Work
from warehouse.tables import metadata

DISTRIBUTED = {
    name: table.info["distribution"] for name, table in metadata.tables.items() if table.info.get("distribution")
}
MOVES: set[str] = set()
"""Joins that are not on the distribution columns of both tables: their rows travel. Each has to be: a record is found by its own
id, a person by theirs, a deal by its own, and these joins lead from one to the other."""


def test_no_table_hangs_on_another_and_every_key_holds_the_distribution_column() -> None:
    assert {t.fullname for t in metadata.tables.values() if t.foreign_keys} == set()
    for name, column in DISTRIBUTED.items():
        keys = [metadata.tables[name].primary_key, *(c for c in metadata.tables[name].constraints if isinstance(c, sa.UniqueConstraint))]
        assert all(column in {c.name for c in key.columns} for key in keys), name


def joins(statement: str) -> set[str]:
    """Equal columns of two distributed tables that a statement joins, where they are not both tables' distribution columns."""
    found: set[str] = set()
    for part in sqlglot.parse(statement, read="postgres"):
        if part is None or not part.find(exp.Select):
            continue
        for scope in traverse_scope(part):
            found |= _joins_of(scope)
    return found


def _joins_of(scope: Scope) -> set[str]:
    tables = {
        alias: f"{source.db}.{source.name}"
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table) and f"{source.db}.{source.name}" in DISTRIBUTED
    }
    equal = [
        (left, right)
        for each in scope.find_all(exp.EQ)
        if isinstance(left := each.left, exp.Column) and isinstance(right := each.right, exp.Column)
        if left.table in tables and right.table in tables and left.table != right.table
    ]
    together = {
        frozenset((left.table, right.table))
        for left, right in equal
        if left.name == DISTRIBUTED[tables[left.table]] and right.name == DISTRIBUTED[tables[right.table]]
    }
    return {
        " = ".join(sorted((f"{tables[left.table]}.{left.name}", f"{tables[right.table]}.{right.name}")))
        for left, right in equal
        if frozenset((left.table, right.table)) not in together
    }


def test_joins_are_on_the_distribution_columns_but_for_those_that_are_named(
    world: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    statements: set[str] = set()
    execute = Work._execute

    def noting(self: Work, statement: str) -> Any:
        statements.add(statement)
        return execute(self, statement)

    monkeypatch.setattr(Work, "_execute", noting)
    history = RandomHistory(seed)
    for full in (False, True):
        for _ in range(60):
            history.change(StagingRows(world.connection))
        build(world.connection, settings(), full=full)
    assert set().union(*map(joins, statements)) == MOVES


def test_a_join_that_moves_rows_is_seen() -> None:
    on = "SELECT 1 FROM core.person AS p JOIN core.touchpoint AS t ON {} WHERE t.event_id IS NOT NULL"
    assert joins(on.format("t.person_id = p.person_id")) == set()
    assert joins(on.format("t.account_id = p.account_id")) == {"core.person.account_id = core.touchpoint.account_id"}
