"""`demo`: the nightly job from beginning to end on this machine: sandbox, warehouse, the real DAGs, and what came of it."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from cli import systems
from cli.console import done as finish
from cli.console import out, shown, table
from cli.explain import print_journey
from cli.processes import Talking
from errors import RunError
from pipeline import answers
from warehouse import embedded, migrate
from warehouse.engine import connect
from warehouse.settings import WarehouseSettings


def demo(
    people: Annotated[int, typer.Option(help="Size of the world")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo loaded")] = False,
) -> None:
    """Nights of the real DAGs on a made-up company: HubSpot, Salesforce, Marketo and Tryton in, one customer journey out.

    The first time there are two: all that there is, then what a day has changed. Run again, it goes on with the next one.
    """
    began = time.monotonic()
    # Ended from outside, it takes what it has started with it, as it does at Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    home = (WarehouseSettings().home / "demo").resolve()
    if fresh and home.exists():
        embedded.stop(home / "postgres")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    world = home / "world.json"
    days = _days_played(world, seed, people)
    with ExitStack() as stack:
        tryton = stack.enter_context(systems.tryton(home, home.parent / "tryton"))
        with _step("PostgreSQL (embedded)"):
            url = embedded.start(home / "postgres")
            engine = connect(url)
            migrate.upgrade(engine)
        # It starts while the world is made.
        airflow = stack.enter_context(systems.airflow(home, url.render_as_string(hide_password=False)))
        # The world is the same for the same seed: a later day of it is made anew, not kept.
        with _step(f"Sandbox: a world of {people:,} people, seed {seed}, {days} days on"):
            box = stack.enter_context(systems.sandbox(home, seed, people, days))
            tryton.begin(box)
            if days:
                tryton.advance(box)
        with _step("Airflow"):
            airflow.answer()
        if not days:
            has_tryton = _night(engine, airflow, box, tryton, "The first night: all that there is")
            _results(engine)
            box.advance()
            if has_tryton:
                tryton.advance(box)
            title = "A day later: the next night reads and rebuilds what changed"
            _night(engine, airflow, box, tryton if has_tryton else None, title)
            _totals(engine)
        else:
            title = f"Night {days + 1}: only what has changed since the last is read and rebuilt"
            _night(engine, airflow, box, tryton, title)
            _results(engine)
        # The next demo begins with the day after.
        world.write_text(json.dumps({"seed": seed, "people": people, "days": max(days, 1) + 1}))
    psql = url.set(drivername="postgresql").render_as_string(hide_password=False)
    out.print(
        f"\nConnect: [bold]psql '{psql}'[/]   (or set SMARKETING_WAREHOUSE_URL to it for the commands below)",
        soft_wrap=True,
    )
    finish(
        f"The demo took {time.monotonic() - began:.0f} s; the warehouse stays up.",
        "`smarketing journey EMAIL`, `smarketing explain marts.customers_by_source`, `make demo` for another night, "
        "README.md to connect your own HubSpot, Salesforce, Marketo or Tryton",
    )


def _days_played(world: Path, seed: int, people: int) -> int:
    if not world.exists():
        return 0
    played = json.loads(world.read_text())
    if (played["seed"], played["people"]) != (seed, people):
        raise RunError(
            f"The demo's warehouse holds another world (seed {played['seed']}, {played['people']:,} people).",
            remedy="Run `smarketing demo --fresh` to begin anew.",
        )
    return int(played["days"])


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    out.print(f"[green]✓[/] {name} [dim]{time.monotonic() - began:.1f} s[/]")


def _night(engine: sa.Engine, airflow: Talking, box: systems.Box, tryton: systems.Tryton | None, title: str) -> bool:
    """Run the DAGs of a night; returns whether Tryton was among them."""
    until = box.today + timedelta(hours=2)
    out.print(f"\n[bold]{title}[/] [dim](data until {until:%Y-%m-%d %H:%M} UTC)[/]")
    with engine.connect() as connection:
        last = connection.scalar(sa.text("SELECT coalesce(max(load_id), 0) FROM ops.load")) or 0
    for dag_id in ("sync_hubspot", "sync_salesforce", "sync_marketo"):
        given = {"logical_date": until.isoformat(), "connections": box.connections()}
        last = _dag(engine, airflow, last, dag_id=dag_id, **given)
    if (connections := _connected(tryton)) is not None:
        given = {"logical_date": until.isoformat(), "connections": connections}
        last = _dag(engine, airflow, last, dag_id="sync_tryton", **given)
    _dag(engine, airflow, last, dag_id="build_journey")
    return connections is not None


def _connected(tryton: systems.Tryton | None) -> dict[str, Any] | None:
    """The connection to Tryton, once it is ready; None, said in a line, where there is none."""
    if tryton is None:
        return None
    began = time.monotonic()
    try:
        with out.status("Tryton …"):
            connections = tryton.connection()
    except RunError as error:
        out.print(f"[yellow]![/] Tryton is left out: {shown(str(error))}", soft_wrap=True)
        return None
    if (waited := time.monotonic() - began) >= 1:
        out.print(f"[green]✓[/] Tryton (real server, made meanwhile) [dim]waited {waited:.1f} s[/]")
    return connections


def _dag(engine: sa.Engine, airflow: Talking, last: int, **asked: Any) -> int:
    """Run a DAG and show what it loaded after load `last`; returns the last load now."""
    dag_id = asked["dag_id"]
    with out.status(f"{dag_id} …"):
        answer = airflow.ask(**asked)
    with engine.connect() as connection:
        loads = answers.loads_after(connection, last)
    rows = [r for r in loads if r["new_rows"] or r["kind"] == "build" or r["read_rows"]]
    table(
        f"{dag_id}: {answer['state']} in {answer['seconds']} s",
        [
            {
                "what": r["what"],
                "rows read": r["read_rows"],
                "new": r["new_rows"],
                "rows written": r["staged_rows"],
                "seconds": r["seconds"],
            }
            for r in rows
        ],
        empty="nothing new",
    )
    if answer["state"] != "success":
        raise RunError(
            f"{dag_id} ended as {answer['state']}: {', '.join(answer['failed'])}.",
            remedy="Read .local/demo/airflow.log.",
        )
    return max((r["load_id"] for r in loads), default=last)


def _totals(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        counts = answers.totals(connection)
    out.print("In the warehouse: " + ", ".join(f"[bold]{shown(v)}[/] {k.replace('_', ' ')}" for k, v in counts.items()))


def _results(engine: sa.Engine) -> None:
    out.print()
    _totals(engine)
    with engine.connect() as connection:
        table("\nSet aside, and why", answers.quarantine_reasons(connection), empty="nothing")
        table("\nCustomers by marketing source", answers.customers_by_source(connection))
        table("\nConversion assists: on the path to a customer, but not last", answers.conversion_assists(connection))
        out.print()
        somebody = answers.telling_person(connection)
        if somebody is not None:
            print_journey(connection, somebody)
