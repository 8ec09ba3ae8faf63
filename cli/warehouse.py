"""`warehouse`: where it is, bring it to this version, stop the embedded server."""

from typing import Annotated

import typer

from cli.console import done, out
from pipeline.warehouse import open_warehouse
from warehouse import embedded, migrate
from warehouse.engine import connect, warehouse_url
from warehouse.settings import WarehouseSettings

app = typer.Typer(help="Where the warehouse is; bring it to this version.", no_args_is_help=True)


@app.command()
def url(
    show_password: Annotated[bool, typer.Option("--show-password", help="Do not hide the password")] = False,
    psql: Annotated[bool, typer.Option("--psql", help="As psql and BI tools take it")] = False,
) -> None:
    """Print the warehouse's URL; starts the embedded server when it is that."""
    found = warehouse_url()
    if psql:
        found = found.set(drivername="postgresql")
    out.print(found.render_as_string(hide_password=not show_password), soft_wrap=True)


@app.command("migrate")
def migrate_() -> None:
    """Bring the schema to this version, from nothing or from any earlier one."""
    done(f"The schema is at revision {migrate.upgrade(connect())}.", "`smarketing sync`")


@app.command()
def stop() -> None:
    """Stop the embedded server; its data stays."""
    home = WarehouseSettings().home
    done("Stopped." if embedded.stop(home / "postgres") else "It was not running.")


@app.command()
def start() -> None:
    """Start the embedded server, or check the one that is set, and migrate it."""
    open_warehouse().dispose()
    done("The warehouse is up.", "`smarketing warehouse url --psql`")
