"""`explain`, `journey`, `glossary`: what a figure means and where it comes from."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from cli.console import as_json, out, shown, table
from cli.console import done as finish
from pipeline import answers
from pipeline.lineage.arithmetic import plain
from pipeline.lineage.records import Record
from pipeline.lineage.walk import Counted, Explained, Figure, explain_rows
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
        typer.Option("--where", help="SQL condition; walks the rows' figures down to what was counted and who sent it"),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Rows to show")] = 5,
    parts: Annotated[int, typer.Option(min=0, help="Parts of a figure to show; all are counted")] = 10,
    json: Json = False,
) -> None:
    """Say what a table or column means, and how the figures of its rows are made, down to the vendors' records."""
    table_name, found, column = _named(what)
    if where:
        explained = explain_rows(open_warehouse(), words(), table_name, where, limit=limit, parts=parts, column=column)
        if json:
            as_json(map(asdict, explained))
            return
        out.print(f"[bold]{what}[/]: {found.c[column].comment if column else found.comment}.")
        print_explained(explained, what)
        return
    columns = [
        {"column": c.name, "type": str(c.type), "meaning": c.comment or ""}
        for c in found.columns
        if column in ("", c.name)
    ]
    if json:
        as_json(columns)
        return
    if column:
        out.print(f"[bold]{what}[/] ({found.c[column].type}): {found.c[column].comment}.")
        return
    out.print(f"[bold]{table_name}[/]: {found.comment}.")
    out.print(f"One row per: {', '.join(c.name for c in found.primary_key.columns)}.")
    table("Columns", columns)
    with open_warehouse().connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(found))
        built = connection.scalar(sa.text("SELECT max(finished_at) FROM ops.load WHERE kind = 'build'"))
        out.print(f"{shown(rows)} rows as of {shown(built) or 'no build yet'}.")


def _named(what: str) -> tuple[str, sa.Table, str]:
    """Table and column that are named; the column is empty where a whole table is."""
    parts = what.split(".")
    name = ".".join(parts[:2])
    if name not in metadata.tables:
        near = ", ".join(sorted(t for t in metadata.tables if t.split(".")[0] == parts[0])) or ", ".join(
            sorted(metadata.tables)
        )
        raise typer.BadParameter(f"there is no table {name}; there are: {near}")
    found = metadata.tables[name]
    column = ".".join(parts[2:])
    if column and column not in found.c:
        raise typer.BadParameter(f"{name} has no column {column}; it has: {', '.join(found.c.keys())}")
    return name, found, column


def print_explained(explained: Sequence[Explained], what: str) -> None:
    """Print rows, their figures as sums, what was counted for them, and the records behind it."""
    for each in explained:
        out.print("\n· " + ", ".join(f"{k}={shown(v)}" for k, v in each.row.items() if v is not None), soft_wrap=True)
        for figure in each.figures:
            if figure.value is not None or not figure.adds_up:
                _print_figure(figure)
        for counted in each.counted:
            _print_counted(counted)
        for record in each.records:
            _print_record(record)
    wrong = sum(not f.adds_up for each in explained for f in each.figures)
    if not explained:
        out.print(f"No row of {what} meets the condition.")
    elif wrong:
        out.print(f"[red]✗[/] {wrong} figures are not what their parts give: run `smarketing build --full`.")


def _print_figure(figure: Figure) -> None:
    out.print(f"  [bold]{figure.column}[/] {plain(figure.value)} = {shown(figure.made)}", soft_wrap=True)
    if not figure.adds_up:
        out.print(f"    [red]✗[/] but its parts give {plain(figure.from_parts)}")


def _print_counted(counted: Counted) -> None:
    if not counted.count:
        return
    out.print(f"  [bold]{counted.name}[/] ({counted.count:,})")
    for part in counted.first:
        told = ", ".join(f"{k.replace('_', ' ')} {shown(v)}" for k, v in part.shown.items() if v not in (None, ""))
        out.print(f"    {told}", soft_wrap=True)
        for record in part.records:
            _print_record(record)
        for source_id in part.lost:
            out.print(f"      ← {shown(source_id)}: no longer in staging; the next build leaves it out", soft_wrap=True)
    if rest := counted.count - len(counted.first):
        out.print(f"    … and {rest:,} more: --parts shows them")


def _print_record(record: Record) -> None:
    out.print(f"      ← {shown(_way(record))}", soft_wrap=True)


def _way(record: Record) -> str:
    """The way from a staging row to the vendor in a line."""
    steps = [f"staging.{record.entity} {record.source_id}{' (deleted)' if record.is_deleted else ''}"]
    if record.version_at:
        steps.append(
            f"{record.raw_table}, record_id {record.record_id}, version_at {record.version_at.isoformat()}"
            f" ({record.op}, newest of {record.version_count})"
        )
        steps.append(f"load {record.load_id} ({record.load_kind}, {shown(record.loaded_at)})")
    if record.source_url:
        steps.append(record.source_url)
    return " ← ".join(steps)


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
