"""`demo`: the nightly job from beginning to end on this machine: sandbox, warehouse, the real DAGs, and what came of it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Annotated, Any

import requests
import sqlalchemy as sa
import typer

from cli.console import done as finish
from cli.console import out, shown, table
from cli.explain import print_journey
from errors import RunError
from pipeline import answers
from warehouse import embedded, migrate
from warehouse.engine import connect
from warehouse.settings import WarehouseSettings

SYNCS = ("sync_hubspot", "sync_salesforce")


def demo(
    people: Annotated[int, typer.Option(help="Size of the world")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo loaded")] = False,
) -> None:
    """Two nights of the real DAGs on a made-up company: HubSpot and Salesforce in, one customer journey out.

    Run again, it goes on where it stopped: the night before is up to date, and a new one comes.
    """
    began = time.monotonic()
    home = (WarehouseSettings().home / "demo").resolve()
    if fresh and home.exists():
        embedded.stop(home / "postgres")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    world = home / "world.json"
    days = _days_played(world, seed, people)
    with ExitStack() as stack:
        with _step("PostgreSQL (embedded)"):
            url = embedded.start(home / "postgres")
            engine = connect(url)
            migrate.upgrade(engine)
        with _step(f"Sandbox: a world of {people:,} people, seed {seed}, {days} days on"):
            box = stack.enter_context(_sandbox(home, seed, people, days))
        with _step("Airflow"):
            airflow = stack.enter_context(_airflow(home, box, url.render_as_string(hide_password=False)))
        _night(
            engine,
            airflow,
            box,
            "The first night" if days == 0 else f"Night {days + 1}: the one before has read this already",
        )
        _results(engine)
        requests.post(f"{box['control']}/advance", json={"days": 1}, timeout=120).raise_for_status()
        world.write_text(json.dumps({"seed": seed, "people": people, "days": days + 1}))
        _night(engine, airflow, box, "A day later: the next night reads and rebuilds what changed")
        _totals(engine)
    psql = url.set(drivername="postgresql").render_as_string(hide_password=False)
    out.print(
        f"\nConnect: [bold]psql '{psql}'[/]   (or set SMARKETING_WAREHOUSE_URL to it for the commands below)",
        soft_wrap=True,
    )
    finish(
        f"The demo took {time.monotonic() - began:.0f} s; the warehouse stays up.",
        "`smarketing journey EMAIL`, `smarketing explain marts.customers_by_source`, `make demo` for another night, "
        "README.md to connect your own HubSpot, Salesforce or Tryton",
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


@contextmanager
def _sandbox(home: Path, seed: int, people: int, days: int) -> Iterator[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "sandbox.serve",
        "--port",
        "0",
        "--seed",
        str(seed),
        "--people",
        str(people),
        "--days",
        str(days),
    ]
    with (home / "sandbox.log").open("w") as log, _process(command, log) as process:
        yield _answer(process, home / "sandbox.log")


@contextmanager
def _airflow(home: Path, box: dict[str, Any], warehouse_url: str) -> Iterator["subprocess.Popen[str]"]:
    keys = box["credentials"]
    connections = {
        "WAREHOUSE": warehouse_url.replace("postgresql+psycopg", "postgresql"),
        "HUBSPOT": json.dumps(
            {
                "conn_type": "http",
                "host": box["hubspot"],
                "password": keys["hubspot_access_token"],
                "extra": {"search_per_second": "0"},
            }
        ),
        "SALESFORCE": json.dumps(
            {
                "conn_type": "http",
                "host": box["salesforce"],
                "login": keys["salesforce_client_id"],
                "password": keys["salesforce_client_secret"],
            }
        ),
    }
    environment = {f"AIRFLOW_CONN_{name}": value for name, value in connections.items()}
    environment["AIRFLOW_HOME"] = str(home / "airflow")
    with (
        (home / "airflow.log").open("w") as log,
        _process([sys.executable, "-m", "dags.local"], log, environment) as process,
    ):
        _answer(process, home / "airflow.log")
        yield process


@contextmanager
def _process(
    command: list[str], log: IO[str], environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _answer(process: "subprocess.Popen[str]", log: Path) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RunError("A process of the demo ended early.", remedy=f"Read {log}.")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _night(engine: sa.Engine, airflow: "subprocess.Popen[str]", box: dict[str, Any], title: str) -> None:
    health = requests.get(f"{box['control']}/health", timeout=30).json()
    until = datetime.fromisoformat(health["today"]) + timedelta(hours=2)
    out.print(f"\n[bold]{title}[/] [dim](data until {until:%Y-%m-%d %H:%M} UTC)[/]")
    with engine.connect() as connection:
        last = connection.scalar(sa.text("SELECT coalesce(max(load_id), 0) FROM ops.load")) or 0
    for dag_id, date in (*((s, until.isoformat()) for s in SYNCS), ("build_journey", None)):
        last = _dag(engine, airflow, dag_id, date, last)


def _dag(engine: sa.Engine, airflow: "subprocess.Popen[str]", dag_id: str, date: str | None, last: int) -> int:
    if airflow.stdin is None:
        raise RunError("Airflow does not listen.")
    airflow.stdin.write(json.dumps({"dag_id": dag_id, "logical_date": date}) + "\n")
    airflow.stdin.flush()
    with out.status(f"{dag_id} …"):
        answer = _answer(airflow, Path("airflow.log"))
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
