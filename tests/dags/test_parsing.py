"""DAG files: which there are, what they are made of, and what they must not import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROBE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
seconds = {}
dags = {}
errors = {}
import pathlib
ignored = ("_", "local.py")
for file in sorted(pathlib.Path("dags").glob("*.py")):
    if file.name.startswith(ignored):
        continue
    began = time.perf_counter()
    bag = DagBag(str(file))
    seconds[file.name] = time.perf_counter() - began
    errors.update(bag.import_errors)
    for dag_id, dag in bag.dags.items():
        dags[dag_id] = {
            "file": file.name,
            "tasks": {
                t.task_id: {
                    "pool": t.pool,
                    "rule": str(getattr(t.trigger_rule, "value", t.trigger_rule)),
                    "up": sorted(t.upstream_task_ids),
                }
                for t in dag.tasks
            },
            "timetable": type(dag.timetable).__name__,
            "catchup": dag.catchup,
        }
heavy = sorted({m.split(".")[0] for m in set(sys.modules) - before} & {"polars", "pandas", "great_expectations", "scipy", "phonenumbers"})
print(json.dumps({"dags": dags, "errors": errors, "heavy": heavy, "seconds": seconds}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, object]]]:
    """What Airflow makes of the DAG files, in a process with no connection defined."""
    import os  # noqa: PLC0415

    home = tmp_path_factory.mktemp("airflow")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "SMARKETING"))}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
    }
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, dict[str, object]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_there_are_exactly_these_dags(parsed: dict[str, dict[str, dict[str, object]]]) -> None:
    assert parsed["errors"] == {}
    assert {k: v["file"] for k, v in parsed["dags"].items()} == {
        "sync_hubspot": "sync_hubspot.py",
        "sync_salesforce": "sync_salesforce.py",
        "sync_marketo": "sync_marketo.py",
        "sync_tryton": "sync_tryton.py",
        "build_journey": "build_journey.py",
        "reconcile": "reconcile.py",
    }


def test_parsing_imports_nothing_heavy(parsed: dict[str, dict[str, dict[str, object]]]) -> None:
    assert not parsed["heavy"]


@pytest.mark.parametrize("vendor", ["hubspot", "salesforce", "marketo", "tryton"])
def test_a_sync_reads_by_interval_checks_and_announces(
    vendor: str, parsed: dict[str, dict[str, dict[str, object]]]
) -> None:
    dag = parsed["dags"][f"sync_{vendor}"]
    assert dag["timetable"] == "CronDataIntervalTimetable"
    assert dag["catchup"] is False
    tasks = dag["tasks"]
    assert isinstance(tasks, dict)
    assert tasks["sync_records"]["pool"] == vendor
    assert tasks["validate"]["rule"] == "all_done"
    # The last task needs every other one to have succeeded: a run with a failed stream is red.
    assert set(tasks["announce"]["up"]) >= {t for t in tasks if t != "announce"}
    assert tasks["announce"]["rule"] == "all_success"


def test_the_build_waits_for_assets(parsed: dict[str, dict[str, dict[str, object]]]) -> None:
    dag = parsed["dags"]["build_journey"]
    assert "Asset" in str(dag["timetable"])
    tasks = dag["tasks"]
    assert isinstance(tasks, dict)
    assert set(tasks) == {"build"}
