"""Import seconds of each DAG file, each in a process that has just imported Airflow.

    python -m benchmarks.parsing --repeat 3

Prints them and writes them to benchmarks/results.md.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import report
from benchmarks.processes import ROOT
from errors import RunError

TITLE = report.SECTIONS[2]
LIMIT_SECONDS = 1.0
_PROBE = """
import sys, time, warnings
warnings.simplefilter("ignore")
from airflow.dag_processing.dagbag import DagBag
began = time.perf_counter()
bag = DagBag(sys.argv[1])
seconds = time.perf_counter() - began
if bag.import_errors or not bag.dags:
    sys.exit("no DAG in " + sys.argv[1])
print(seconds)
"""


def dag_files() -> list[Path]:
    """The files that define DAGs: helpers begin with an underscore, and local.py runs them."""
    return [f for f in sorted((ROOT / "dags").glob("*.py")) if not f.name.startswith("_") and f.name != "local.py"]


def import_seconds(file: Path, home: Path) -> float:
    """Seconds that Airflow takes to import one file, in a fresh process with no connection defined.

    Raises:
        RunError: the file cannot be imported.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "SMARKETING", "PYTHONDONT"))}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(file)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return float(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise RunError(f"{file.name} cannot be imported.", remedy=f"Run `python {file}`.") from None


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="repetitions (default 3)")
    args = parser.parse_args()
    rows = []
    with TemporaryDirectory() as home:
        for file in dag_files():
            seconds = [import_seconds(file, Path(home)) for _ in range(args.repeat)]
            rows.append([f"dags/{file.name}", f"{median(seconds):.2f}", f"{min(seconds):.2f}–{max(seconds):.2f}"])
            print(*rows[-1], flush=True)
    text = (
        f"{report.table(['file', 'seconds', 'min–max'], rows)}\n\n"
        f"Medians of {args.repeat}; Airflow itself is imported beforehand. To stay under {LIMIT_SECONDS:.0f} s.\n\n"
        f"- {report.now()}; {report.machine()}\n- {report.versions('apache-airflow')}"
    )
    report.write_section(TITLE, text)


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
