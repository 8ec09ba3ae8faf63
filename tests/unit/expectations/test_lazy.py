"""Great Expectations comes without what no suite uses, which is there all the same for whoever asks."""

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from expectations.lazy import on_first_use

ROOT = Path(__file__).parents[3]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that notes in a file that it was run."""
    (tmp_path / "slow_to_load.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nvalue = 7\nfrom importlib import import_module as found\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_to_load", raising=False)
    return "slow_to_load"


def test_a_module_is_run_when_it_is_first_used(module: str, tmp_path: Path) -> None:
    with on_first_use(module):
        slow = import_module(module)
    assert not (tmp_path / "ran").exists()
    assert slow.value == 7
    assert (tmp_path / "ran").exists()


def test_other_modules_and_other_times_are_as_ever(module: str, tmp_path: Path) -> None:
    before = list(sys.meta_path)
    with on_first_use("something_else"):
        assert type(import_module(module)) is ModuleType
    assert (tmp_path / "ran").exists()
    assert sys.meta_path == before
    assert gc.isenabled()


PROGRAM = """
from expectations.runner import import_great_expectations
gx = import_great_expectations()
import sys
print([type(sys.modules[n]).__name__ for n in ("altair", "scipy.stats")])
print(gx.expectations.ExpectColumnValuesToNotBeNull(column="a").column)
import altair, scipy.stats
print(round(float(scipy.stats.norm.cdf(0)), 1), altair.Chart.__name__)
"""


def test_great_expectations_works_without_statistics_and_drawing() -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['_LazyModule', '_LazyModule']", "a", "0.5 Chart"]
