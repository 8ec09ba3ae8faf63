"""`doctor`: is everything in place? One line per check, with the remedy."""

import sqlalchemy as sa
import typer

from cli.console import done, out
from connectors import VENDORS, connect
from connectors.base.model import Check
from errors import SmarketingError
from pipeline import credentials
from pipeline.warehouse import open_warehouse
from pipeline.words import words

OLDEST = 150_000
"""PostgreSQL 15, as server_version_num."""


def doctor() -> None:
    """Check the warehouse, the glossary, and each configured vendor's key, scopes and clock."""
    checks = [*_warehouse(), _glossary()]
    configured = credentials.configured_vendors()
    for vendor in VENDORS:
        if vendor in configured:
            checks += _vendor(vendor)
        else:
            out.print(f"  – {vendor}: not configured; connectors/{vendor}/README.md says how")
    for check in checks:
        out.print(
            f"[green]✓[/] {check.name}: {check.message}" if check.is_ok else f"[red]✗[/] {check.name}: {check.message}"
        )
        if not check.is_ok and check.remedy:
            out.print(f"    → {check.remedy}")
    failed = sum(not c.is_ok for c in checks)
    if failed:
        raise typer.Exit(1)
    done("All is well.", "`smarketing sync`" if configured else "`smarketing demo`, or set a vendor's key in .env")


def _warehouse() -> list[Check]:
    try:
        engine = open_warehouse()
        with engine.connect() as connection:
            number = int(connection.scalar(sa.text("SHOW server_version_num")) or 0)
            version = connection.scalar(sa.text("SHOW server_version"))
    except SmarketingError as error:
        return [Check("warehouse", is_ok=False, message=error.message, remedy=error.remedy)]
    is_ok = number >= OLDEST
    return [
        Check(
            "warehouse",
            is_ok,
            f"PostgreSQL {version}, schema up to date",
            "" if is_ok else "Use PostgreSQL 15 or newer.",
        )
    ]


def _glossary() -> Check:
    try:
        glossary = words()
    except SmarketingError as error:
        return Check("glossary", is_ok=False, message=error.message, remedy=error.remedy)
    return Check("glossary", is_ok=True, message=f"version {glossary.version_id}")


def _vendor(vendor: str) -> list[Check]:
    try:
        found = connect(vendor, credentials.from_environment(vendor)).check()
    except SmarketingError as error:
        return [Check(vendor, is_ok=False, message=error.message, remedy=error.remedy)]
    return [c._replace(name=f"{vendor} {c.name}") for c in found]
