"""`windows` and `quarantine`: what is in, what is not, and what was set aside."""

from typing import Annotated

import sqlalchemy as sa
import typer

from cli.console import as_json, table
from cli.console import done as finish
from pipeline.warehouse import open_warehouse
from warehouse.ledger import gaps as find_gaps
from warehouse.tables import ops

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]


def windows(
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Only intervals that no window covers; exit code 1 where there are any")
    ] = False,
    json: Json = False,
) -> None:
    """Which intervals of which stream are in the warehouse, with the vendor's count beside ours."""
    with open_warehouse().connect() as connection:
        if gaps:
            missing = [g._asdict() for g in find_gaps(connection)]
            as_json(missing) if json else table("Gaps", missing, empty="none: every stream is covered up to its cursor")
            if missing:
                raise typer.Exit(1)
            return
        w, c = ops.window.c, ops.cursor.c
        joined = ops.cursor.outerjoin(ops.window, (w.vendor == c.vendor) & (w.stream == c.stream))
        statement = (
            sa.select(
                c.vendor,
                c.stream,
                c.position_at.label("complete_until"),
                sa.func.count(w.end_at).label("windows"),
                _total(w.expected_rows).label("expected"),
                _total(w.counted_rows).label("counted"),
                _total(w.read_rows).label("read"),
            )
            .select_from(joined)
            .group_by(c.vendor, c.stream, c.position_at)
            .order_by(c.vendor, c.stream)
        )
        rows = [dict(r) for r in connection.execute(statement).mappings()]
    if json:
        as_json(rows)
        return
    table("Coverage", rows, empty="nothing has been read yet")
    finish(f"{len(rows)} streams.", "`smarketing windows --gaps`" if rows else "`smarketing sync`")


def _total(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    # PostgreSQL adds bigints up as numeric, which would show with two decimals.
    return sa.cast(sa.func.sum(column), sa.BigInteger)


def quarantine(json: Json = False, limit: Annotated[int, typer.Option(help="Lines to show")] = 20) -> None:
    """What was set aside, why, and what to do about it."""
    with open_warehouse().connect() as connection:
        c = ops.quarantine.c
        summary = [
            dict(r)
            for r in connection.execute(
                sa.select(
                    c.entity,
                    c.rule,
                    c.is_loaded,
                    sa.func.count().label("records"),
                    sa.func.min(c.reason).label("reason"),
                )
                .group_by(c.entity, c.rule, c.is_loaded)
                .order_by(sa.func.count().desc(), c.entity, c.rule)
            ).mappings()
        ]
        lines = [
            dict(r)
            for r in connection.execute(
                sa.select(c.source_key, c.entity, c.rule, c.column_name, c.raw_table, c.is_loaded, c.quarantined_at)
                .order_by(c.quarantined_at.desc(), c.source_key)
                .limit(limit)
            ).mappings()
        ]
    if json:
        as_json(lines)
        return
    table("Set aside, by reason (loaded: only the value is missing)", summary, empty="nothing")
    if lines:
        table("The latest", lines)
        finish("Mend the cause at the vendor or in the field map.", "`smarketing replay`, then `smarketing build`")
