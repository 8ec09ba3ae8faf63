"""`windows`, `quarantine`, `schema`, `quota`: what is in, what was set aside, which fields changed, what the vendors allow."""

from typing import Annotated

import sqlalchemy as sa
import typer

from cli.console import as_json, table
from cli.console import done as finish
from pipeline.warehouse import open_warehouse
from warehouse import fields
from warehouse import quota as quotas
from warehouse.engine import transaction
from warehouse.ledger import gaps as find_gaps
from warehouse.tables import ops

schema_app = typer.Typer(help="Fields of vendors' records: what was added, removed, retyped.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]


def windows(
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Only intervals that no window covers; exit code 1 where there are any")
    ] = False,
    totals: Annotated[
        bool,
        typer.Option("--totals", help="Counts and sums of the vendor itself beside those of staging, as last loaded"),
    ] = False,
    json: Json = False,
) -> None:
    """Which intervals of which stream are in the warehouse, with the vendor's count beside ours."""
    with open_warehouse().connect() as connection:
        if totals:
            told = [dict(r) for r in connection.execute(_TOTALS).mappings()]
            as_json(told) if json else table("Totals", told, empty="no stream has been loaded whose vendor counts")
            return
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


_t = ops.vendor_total.c
_TOTALS = sa.select(
    _t.vendor, _t.stream, _t.currency, _t.vendor_rows, _t.staged_rows, _t.set_aside_rows.label("set_aside"),
    _t.unsettled_rows.label("unsettled"), _t.vendor_amount, _t.staged_amount, _t.counted_at,
).order_by(_t.vendor, _t.stream, _t.currency)  # fmt: skip


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


def quota(
    forget: Annotated[
        str | None, typer.Option(help="Forget what is known of this vendor's limits: the next answers tell it anew")
    ] = None,
    json: Json = False,
) -> None:
    """What all tasks know of the vendors' limits, and until when nobody asks."""
    with transaction(open_warehouse()) as connection:
        if forget:
            done = quotas.forget(connection, forget)
            finish(f"{done} limits of {forget} forgotten.", "`smarketing sync`")
            return
        rows = [
            {
                "vendor": row["vendor"],
                "account": row["account"],
                "limit": row["policy"],
                "calls": f"{row['calls']:g} in {row['seconds']:g} s" if row["calls"] else None,
                "left": row["left_calls"],
                "renews_at": row["renews_at"],
                "closed_until": row["closed_until"] if row["is_closed"] else None,
            }
            for row in quotas.every(connection)
        ]
    as_json(rows) if json else table("Limits", rows, empty="no vendor has told a limit yet")


@schema_app.callback()
def _schema() -> None:
    """A group with one command stays a group."""


@schema_app.command("changes")
def schema_changes(json: Json = False, limit: Annotated[int, typer.Option(help="Lines to show")] = 20) -> None:
    """Fields that vendors added, removed or gave another type, as loads noticed it; newest first."""
    with open_warehouse().connect() as connection:
        rows = fields.changes(connection, limit)
    if json:
        as_json(rows)
        return
    table("Fields that changed", rows, empty="none since the first load of each stream")
    if rows:
        finish(
            'RUNBOOK.md, "A vendor\'s fields changed", says what each means.', "`smarketing sync VENDOR:STREAM --full`"
        )
