"""`identity`: who is who, where evidence is not enough: what to look at, and what was decided."""

from collections.abc import Mapping
from typing import Annotated

import sqlalchemy as sa
import typer

from cli.console import as_json, out, shown, table
from cli.console import done as finish
from pipeline.review import accept as accept_pair
from pipeline.review import reject as reject_pair
from pipeline.review import review as find_likely
from pipeline.review import waiting
from pipeline.warehouse import open_warehouse
from warehouse import decisions
from warehouse.engine import transaction
from warehouse.tables import core, ops

app = typer.Typer(
    help="Who is who: evidence that was not trusted, records to split or join, decisions to take back.",
    no_args_is_help=True,
)

Record = Annotated[str, typer.Argument(metavar="RECORD", help="Source id, such as hubspot:contacts:101")]
Other = Annotated[str, typer.Argument(metavar="OTHER", help="Source id of the other record")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, for those who read it later")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]
Limit = Annotated[int, typer.Option(min=1, help="Lines to show")]

APPLY = "`smarketing build`"


@app.command()
def conflicts(limit: Limit = 20, json: Json = False) -> None:
    """Evidence that was not trusted (shared mailboxes, doubtful names, wrong cross ids), and who has too many records."""
    c = core.identity_conflict.c
    with open_warehouse().connect() as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(core.identity_conflict))
        query = sa.select(core.identity_conflict).order_by(c.conflict, c.kind, c.rule, c.value)
        rows = [dict(r) for r in connection.execute(query if json else query.limit(limit)).mappings()]
    if json:
        as_json(rows)
        return
    lines = [
        {**row, "source_ids": ", ".join(row["source_ids"][:4]) + (" …" if len(row["source_ids"]) > 4 else "")}
        for row in rows
    ]
    table("Evidence that was not trusted, and large groups", lines, empty="none")
    finish(
        f"{total} in all.", "`smarketing identity join RECORD OTHER` where two are one, `split RECORD` where one is two"
    )


@app.command()
def review(
    accept_above: Annotated[
        float | None, typer.Option(min=0.5, max=1, help="Join pairs of at least this probability at once")
    ] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Look for people who are probably one, and list them for somebody to accept or reject."""
    engine = open_warehouse()
    done = find_likely(engine, accept_above=accept_above)
    with engine.connect() as connection:
        rows = waiting(connection, None if json else limit)
    if json:
        as_json(rows)
        return
    for row in rows:
        out.print(f"[bold]{row['probability']}[/] {row['source_id']}: {_told(row, '')}", soft_wrap=True)
        out.print(f"       {row['other_source_id']}: {_told(row, 'other_')}", soft_wrap=True)
    joined = f" {done.joined} were joined." if done.joined else ""
    finish(
        f"{done.waiting} pairs wait.{joined}",
        APPLY if done.joined else "`smarketing identity accept RECORD OTHER`, or reject",
    )


def _told(row: Mapping[str, object], side: str) -> str:
    values = (row[f"{side}{name}"] for name in ("name", "email", "phone", "company"))
    return " · ".join(shown(value) for value in values if value)


@app.command()
def accept(record: Record, other: Other, reason: Reason = None) -> None:
    """Say of a pair that waits that it is one person."""
    with transaction(open_warehouse()) as connection:
        number = accept_pair(connection, record, other, reason)
    finish(f"Decision {number}: {record} and {other} are one.", APPLY)


@app.command()
def reject(record: Record, other: Other, reason: Reason = None) -> None:
    """Say of a pair that waits that it is two people: it is not asked again."""
    with transaction(open_warehouse()) as connection:
        number = reject_pair(connection, record, other, reason)
    finish(f"Decision {number}: {record} and {other} stay two.", "`smarketing identity review`")


@app.command("decisions")
def list_decisions(json: Json = False) -> None:
    """What was decided and is in force."""
    d = ops.identity_decision
    with open_warehouse().connect() as connection:
        query = sa.select(d).where(d.c.withdrawn_at.is_(None)).order_by(d.c.decision_id)
        rows = [{k: v for k, v in r.items() if k != "withdrawn_at"} for r in connection.execute(query).mappings()]
    if json:
        as_json(rows)
        return
    table("Decisions in force", rows, empty="none")
    finish(f"{len(rows)} decisions.", "`smarketing identity undo DECISION` takes one back")


@app.command()
def split(record: Record, reason: Reason = None) -> None:
    """Split a record off: all evidence that ties it to others is closed, until new evidence comes."""
    with transaction(open_warehouse()) as connection:
        closed = decisions.split(connection, record, reason)
    rows = [{"decision": r.decision_id, "record": r.source_id, "rule": r.rule, "value": r.value} for r in closed]
    table("Closed", rows)
    finish(f"{record} will stand alone.", APPLY)


@app.command()
def join(record: Record, other: Other, reason: Reason = None) -> None:
    """Decide that two records are one person, account or deal."""
    with transaction(open_warehouse()) as connection:
        number = decisions.join(connection, record, other, reason)
    finish(f"Decision {number}: {record} and {other} are one.", APPLY)


@app.command()
def undo(decision: Annotated[int, typer.Argument(help="Number, from `smarketing identity decisions`")]) -> None:
    """Take a decision back."""
    with transaction(open_warehouse()) as connection:
        decisions.withdraw(connection, decision)
    finish(f"Decision {decision} is withdrawn.", APPLY)
