"""Runs `airflow backfill create` and then the runs that it made, in one process: what a scheduler would do, without its minutes.

    python -m tests.support.dag_backfill sync_salesforce 2026-05-01 2026-05-02

Airflow's own command line makes the runs (type, interval, order); Airflow's own `dag.test` loop then works through each of
them, handed the run that is there instead of one that it would make. Prints one line of JSON: the runs with type, interval
and state, and the tasks that did not succeed.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dags.local import environment


def main(dag_id: str, from_date: str, to_date: str) -> None:
    """Create the backfill and run it."""
    home = Path(os.environ["AIRFLOW_HOME"])
    os.environ.update(environment(home))
    warnings.simplefilter("ignore")
    _airflow("db", "migrate")
    _airflow("pools", "set", dag_id.removeprefix("sync_"), "8", "tasks that read it")
    _airflow("dags", "reserialize")
    _airflow("backfill", "create", "--dag-id", dag_id, "--from-date", from_date, "--to-date", to_date)
    logging.disable(logging.INFO)
    sys.stdout.write("\n" + json.dumps(_run_all(dag_id)) + "\n")


def _airflow(*arguments: str) -> None:
    from airflow.__main__ import main as command  # noqa: PLC0415 - only once the settings above are there

    with patch.object(sys, "argv", ["airflow", *arguments]):
        command()  # type: ignore[no-untyped-call] # Airflow's


def _run_all(dag_id: str) -> list[dict[str, Any]]:
    import sqlalchemy as sa  # noqa: PLC0415
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from airflow.utils.state import DagRunState  # noqa: PLC0415

    dag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags[dag_id]
    with create_session() as session:
        query = (
            sa.select(DagRun.run_id, DagRun.logical_date).where(DagRun.dag_id == dag_id).order_by(DagRun.logical_date)
        )
        waiting = session.execute(query).all()
    answers = []
    for run_id, logical_date in waiting:

        def existing(*, session: Any, run_id_: str = run_id, **_made_otherwise: Any) -> Any:
            run = session.scalar(sa.select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id_))
            run.dag = _made_otherwise["dag"]
            run.state = DagRunState.RUNNING
            session.commit()
            return run

        with patch("airflow.models.dagrun.get_or_create_dagrun", existing):
            run = dag.test(logical_date=logical_date)
        failed = [f"{t.task_id}[{t.map_index}]" for t in run.get_task_instances() if str(t.state) != "success"]
        answers.append(
            {
                "type": str(getattr(run.run_type, "value", run.run_type)),
                "start": run.data_interval_start.isoformat(),
                "end": run.data_interval_end.isoformat(),
                "state": str(run.state),
                "failed": sorted(failed),
            }
        )
    return answers


if __name__ == "__main__":
    main(*sys.argv[1:])
