"""Writing a migration for changed tables: `python -m warehouse.revise "what changes"`, or `make migration M="what changes"`.

A scratch database on an embedded server is brought to the newest migration, compared with the table metadata, and dropped; the
warehouse in force is not touched. The file that is written is a draft: read it, above all for renames, which look like a drop
and an addition.
"""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from errors import ConfigurationError, SmarketingError
from warehouse import embedded, migrate
from warehouse.engine import connect
from warehouse.settings import WarehouseSettings


def revise(engine: sa.Engine, message: str) -> Path | None:
    """Write a migration from the newest one to the table metadata.

    Args:
        engine: an empty database to compare with; it is migrated.
        message: what changes; becomes the file's name and docstring.

    Returns:
        The file; None where migrations and metadata agree.

    Raises:
        ConfigurationError: there is no message.
    """
    if not message.strip():
        raise ConfigurationError("A migration needs a message.", remedy='Run `make migration M="what changes"`.')
    migrate.upgrade(engine)
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    newest = ScriptDirectory.from_config(config).get_current_head() or "0"
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        made = command.revision(
            config,
            message.strip(),
            autogenerate=True,
            rev_id=f"{int(newest) + 1:04d}",
            process_revision_directives=_unless_empty,
        )
    return Path(made.path) if isinstance(made, Script) else None


def _unless_empty(_context: MigrationContext, _revision: object, directives: list[Any]) -> None:
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


@contextmanager
def scratch() -> Iterator[sa.Engine]:
    """An empty database on the embedded server that tests use too; dropped at the end, the server goes on."""
    name = f"revise_{uuid.uuid4().hex[:12]}"
    url = embedded.start(WarehouseSettings().home / "test-postgres", name)
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()
        admin = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def main(arguments: list[str]) -> int:
    """Write the migration and say where it is; returns the exit code."""
    try:
        with scratch() as engine:
            made = revise(engine, " ".join(arguments))
    except SmarketingError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(
        f"wrote {made}: read it, then run make test\n" if made else "migrations and metadata agree: nothing to write\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
