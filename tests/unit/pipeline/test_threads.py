"""Polars has one thread wherever the jobs run: it reads the setting when it is imported, so ours must come first."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("entry", ["cli", "pipeline.sync", "pipeline.build", "pipeline.replay", "benchmarks.ours"])
def test_polars_has_one_thread(entry: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "POLARS_MAX_THREADS"}
    program = f"import {entry}, polars; print(polars.thread_pool_size())"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
