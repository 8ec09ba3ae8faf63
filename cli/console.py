"""The one place that prints: people on a terminal, plain lines elsewhere, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

WIDTH = 140
"""Columns where the output is no terminal: wide enough for the tables, whatever a pipe claims to be."""


def _console(*, stderr: bool = False) -> Console:
    console = Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else Console(highlight=False, stderr=stderr, width=WIDTH)


out = _console()
err = _console(stderr=True)


def as_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as one JSON array."""
    out.print_json(json.dumps([dict(r) for r in rows], default=_plain))


def table(
    title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None, empty: str = "none"
) -> None:
    """Print rows as a table with right-aligned figures; `empty` where there are none."""
    if not rows:
        out.print(f"[bold]{title}[/]: {empty}")
        return
    names = list(columns or rows[0])
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for name in names:
        figures = any(isinstance(r[name], int | float | Decimal) and not isinstance(r[name], bool) for r in rows)
        grid.add_column(name.replace("_", " "), justify="right" if figures else "left", no_wrap=figures)
    for row in rows:
        grid.add_row(*(shown(row[n]) for n in names))
    out.print(grid)


def shown(value: Any) -> str:  # noqa: PLR0911 - one line per type
    """A value as people read it: thousands parted, ISO dates, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal | float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("[", "\\[")


def done(sentence: str, next_step: str = "") -> None:
    """The last line: what is done, and the next step."""
    out.print(f"[green]✓[/] {sentence}")
    if next_step:
        out.print(f"  next: {next_step}")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")
