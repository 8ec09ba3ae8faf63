"""`explain`, `journey`, `glossary`: what a figure means and where it comes from."""

from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from cli.console import as_json, out, shown, table
from cli.console import done as finish
from pipeline import answers
from pipeline.warehouse import open_warehouse
from pipeline.words import words
from warehouse.tables import metadata

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]

TIMELINE = ("occurred_at", "team", "title", "channel", "campaign", "funnel_stage", "amount", "system")
"""What of an event fits on a line."""

glossary_app = typer.Typer(help="The shared words: check them, find vendor words that they lack.", no_args_is_help=True)


def explain(
    what: Annotated[str, typer.Argument(metavar="TABLE[.COLUMN]", help="e.g. marts.customers_by_source.win_rate")],
    where: Annotated[
        str,
        typer.Option(
            "--where", help="SQL condition; shows rows with the records they come from, where the table names them"
        ),
    ] = "",
    limit: Annotated[int, typer.Option(help="Rows to show")] = 5,
) -> None:
    """Say what a table or column means, and where its rows come from."""
    parts = what.split(".")
    name = ".".join(parts[:2])
    if name not in metadata.tables:
        near = ", ".join(sorted(t for t in metadata.tables if t.split(".")[0] == parts[0])) or ", ".join(
            sorted(metadata.tables)
        )
        raise typer.BadParameter(f"there is no table {name}; there are: {near}")
    found = metadata.tables[name]
    if len(parts) == 3:
        if parts[2] not in found.c:
            raise typer.BadParameter(f"{name} has no column {parts[2]}; it has: {', '.join(found.c.keys())}")
        out.print(f"[bold]{what}[/] ({found.c[parts[2]].type}): {found.c[parts[2]].comment}.")
        return
    out.print(f"[bold]{name}[/]: {found.comment}.")
    out.print(f"One row per: {', '.join(c.name for c in found.primary_key.columns)}.")
    table("Columns", [{"column": c.name, "type": str(c.type), "meaning": c.comment or ""} for c in found.columns])
    with open_warehouse().connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(found))
        built = connection.scalar(sa.text("SELECT max(finished_at) FROM ops.load WHERE kind = 'build'"))
        out.print(f"{shown(rows)} rows as of {shown(built) or 'no build yet'}.")
        if where:
            _sources(connection, found, where, limit)


def _sources(connection: sa.Connection, found: sa.Table, where: str, limit: int) -> None:
    lines = connection.execute(sa.select(found).where(sa.text(where)).limit(limit)).mappings().all()
    for line in lines:
        out.print("· " + ", ".join(f"{k}={shown(v)}" for k, v in line.items() if v is not None))
        if source_id := line.get("source_id"):
            system, stream, record = str(source_id).partition("#")[0].split(":", 2)
            url = line.get("source_url")
            out.print(f"    from raw.{system}__{stream}, record_id {record}" + (f", {url}" if url else ""))


def journey(
    who: Annotated[
        str,
        typer.Argument(metavar="PERSON", help="Person id, e-mail address, or source id such as hubspot:contacts:101"),
    ],
    json: Json = False,
) -> None:
    """One person's journey over all systems, and why these records are one person."""
    with open_warehouse().connect() as connection:
        person_id = answers.find_person(connection, who)
        if json:
            as_json(answers.timeline(connection, person_id))
            return
        print_journey(connection, person_id)


def print_journey(connection: sa.Connection, person_id: object) -> None:
    """Print a person's timeline and evidence."""
    summary = answers.person(connection, person_id)
    events = answers.timeline(connection, person_id)
    out.print(
        f"[bold]The journey of {shown(summary['full_name']) or 'somebody without a name'}[/]: {summary['event_count']} events, "
        f"{summary['marketing_touch_count']} touches by marketing, {summary['sales_touch_count']} by sales, "
        f"outcome {summary['outcome']}, seen in {summary['system_count']} systems"
    )
    table("", [{k: v for k, v in e.items() if k in TIMELINE} for e in events])
    table("These records are one person because of", answers.why_one_person(connection, person_id))


@glossary_app.command("check")
def check(
    overlay: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Words of your own, laid over the shipped ones; nothing: SMARKETING_GLOSSARY"
        ),
    ] = None,
) -> None:
    """Load the glossary and report every mistake with file, line and remedy."""
    finish(f"The glossary is sound: version {words(overlay).version_id}.", "`smarketing build`")


@glossary_app.command("gaps")
def gaps(json: Json = False) -> None:
    """Vendor words that the glossary does not know yet."""
    with open_warehouse().connect() as connection:
        rows = [
            dict(r)
            for r in connection.execute(
                sa.text(
                    "SELECT vocabulary, vendor_value, row_count, nearest_term, last_seen_at FROM marts.glossary_gap "
                    "ORDER BY row_count DESC, 1, 2"
                )
            ).mappings()
        ]
    if json:
        as_json(rows)
        return
    table("Words that the glossary does not know", rows, empty="none")
    finish(
        f"{len(rows)} gaps.",
        "add a line to your overlay of glossary/data, then `smarketing replay VENDOR` and `smarketing build`"
        if rows
        else "",
    )
