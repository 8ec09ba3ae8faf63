"""`make migration`: a draft from the newest migration to the table metadata, and none where they agree."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from errors import ConfigurationError
from warehouse import migrate, revise
from warehouse.tables import metadata
from warehouse.tables.base import Text, column, table
from warehouse.tables.raw import raw_table


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, so that what a test writes does not stay."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "MIGRATIONS", copy)
    return copy


@pytest.fixture
def another_table() -> Iterator[sa.Table]:
    one = table("ops", "probe", "Only for a test", column("probe_id", Text, "Key", key=True), distribution=None)
    yield one
    metadata.remove(one)


def test_nothing_is_written_where_migrations_and_metadata_agree(migrations: Path, warehouse: sa.Engine) -> None:
    raw_table("probe", "stream")  # declared on first use, never by migration
    before = sorted(migrations.rglob("*.py"))
    assert revise.revise(warehouse, "nothing changed") is None
    assert sorted(migrations.rglob("*.py")) == before


def test_a_new_table_becomes_the_next_migration(
    migrations: Path, warehouse: sa.Engine, another_table: sa.Table
) -> None:
    newest = max(p.name[:4] for p in (migrations / "versions").glob("[0-9]*.py"))
    made = revise.revise(warehouse, "A table for probing")
    assert made is not None
    assert made.parent == migrations / "versions"
    assert made.name == f"{int(newest) + 1:04d}_a_table_for_probing.py"
    tree = ast.parse(made.read_text())
    assert ast.get_docstring(tree) == "A table for probing"
    calls = [n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    assert calls.count("create_table") == 1
    assert "drop_table" not in calls
    assert repr(another_table.name).strip("'") in made.read_text()
    # And it applies: the warehouse that lacked the table has it.
    assert migrate.upgrade(warehouse) == made.name[:4]
    assert sa.inspect(warehouse).has_table("probe", schema="ops")


def test_a_migration_without_a_message_is_refused(warehouse: sa.Engine) -> None:
    with pytest.raises(ConfigurationError, match="needs a message"):
        revise.revise(warehouse, "  ")
