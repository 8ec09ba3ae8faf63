"""Runs DAGs here and now, without a scheduler: one line of JSON in, one out, until the input ends.

    {"dag_id": "sync_hubspot", "logical_date": "2026-06-02T02:00:00+00:00"}   ->   {"dag_id": ..., "state": "success", "seconds": 4.2}

`logical_date` is the end of the data interval, as Airflow's own `dag.test` takes it; without it a run has no dates, as
asset-triggered runs have none. `connections` ({"tryton": {"conn_type": "http", "host": ...}}) are there from that line on.
Airflow's own output goes to standard error. For the demo and for trying a DAG out.
"""

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO


def prepare(home: Path) -> None:
    """Make Airflow's own database below `home`, when there is none. Pools need a scheduler, so none are made."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "airflow.db").exists():
        migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
        subprocess.run(migrate, check=True, stdout=sys.stderr, stderr=sys.stderr)  # noqa: S603 - our own command


def warm_up() -> None:
    """What a first task would wait for, done beforehand: Airflow's API for tasks, which is made at its first call, and imports.

    It takes some ten seconds of processor time; whoever starts this process has something else to wait for.
    """
    supervisor: Any = import_module("airflow.sdk.execution_time.supervisor")
    supervisor.InProcessTestSupervisor._api_client().request("GET", "health/ping")  # noqa: SLF001 - as `dag.test` asks it
    for name in ("connectors", "pipeline.sync", "pipeline.validate", "pipeline.build"):
        import_module(name)
    import_module("expectations.runner").import_great_expectations()


def environment(home: Path) -> dict[str, str]:
    """Airflow's settings for runs without a scheduler: SQLite below `home`, only our DAGs, quiet logs."""
    return {
        "AIRFLOW_HOME": str(home.resolve()),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.resolve() / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent.resolve()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.resolve() / "logs"),
    }


def _run(dag: Any, logical_date: str | None) -> dict[str, Any]:
    from airflow.sdk.definitions.mappedoperator import MappedOperator  # noqa: PLC0415 - as below
    from airflow.sdk.timezone import parse  # noqa: PLC0415

    began = time.monotonic()
    for task in dag.tasks:
        # Somebody looks on: what fails is told at once, not tried again after minutes.
        if isinstance(task, MappedOperator):
            task.partial_kwargs["retries"] = 0
        else:
            task.retries = 0
    run = dag.test(logical_date=parse(logical_date) if logical_date else None)
    failed = [
        f"{ti.task_id}[{ti.map_index}]"
        for ti in run.get_task_instances()
        if str(ti.state) not in ("success", "skipped")
    ]
    return {"state": str(run.state), "failed": sorted(failed), "seconds": round(time.monotonic() - began, 1)}


def main(answers: TextIO) -> None:
    """Answer each line of standard input on `answers`."""
    home = Path(os.environ["AIRFLOW_HOME"])
    os.environ.update(environment(home))
    prepare(home)
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - seconds, and only once Airflow's database is there

    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    for file, error in bag.import_errors.items():
        sys.stderr.write(f"{file}: {error}\n")
    warm_up()
    answers.write(json.dumps({"state": "ready", "dags": sorted(bag.dags)}) + "\n")
    answers.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        for name, connection in asked.get("connections", {}).items():
            os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)
        answer = {"dag_id": asked["dag_id"], **_run(bag.dags[asked["dag_id"]], asked.get("logical_date"))}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # Whatever Airflow prints goes to standard error, so that answers stay lines of JSON.
    with os.fdopen(os.dup(1), "w") as stdout:
        os.dup2(2, 1)
        main(stdout)
