"""Runs a program in a process of its own, and measures it from outside: seconds, CPU seconds, peak memory."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

from errors import RunError

ROOT = Path(__file__).parents[1]
SAMPLE_SECONDS = 1.0


class Measured(NamedTuple):
    """One run of a program.

    seconds: from start to end of the process, interpreter start and imports included.
    cpu_seconds: of the process and those it waited for; the database's are not in it.
    peak_bytes: resident memory of the process and its children together, sampled once a second: looking costs, and
        falls on those who share the cores.
    answer: the JSON object on the last line that it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    answer: dict[str, Any]


def run(command: Sequence[str], log: Path) -> Measured:
    """Run `command` from the project's folder to its end.

    Raises:
        RunError: it failed, or printed no JSON; `log` tells why.
    """
    began = time.perf_counter()
    with log.open("w") as errors:
        process = _start(command, errors)
    peak = _Peak(process.pid)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdout:
        process.stdout.close()
    highest = max(peak.end(), usage.ru_maxrss * 1024)
    try:
        answer = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        answer = None
    if process.returncode or not isinstance(answer, dict):
        raise RunError(f"{Path(command[0]).name} {' '.join(command[1:3])} failed.", remedy=f"Read {log}.")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, highest, answer)


@contextmanager
def serving(command: Sequence[str], log: Path) -> Iterator[dict[str, Any]]:
    """Start a server that prints a line of JSON when it is ready; end it afterwards.

    Raises:
        RunError: it ended before it was ready.
    """
    with log.open("w") as errors:
        process = _start(command, errors)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RunError(f"{' '.join(command[1:3])} ended early.", remedy=f"Read {log}.")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _start(command: Sequence[str], errors: IO[str]) -> "subprocess.Popen[str]":
    # Compiled modules are kept between runs, as Python does where nobody tells it otherwise.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=environment)


class _Peak:
    """Watches a process and its children from a thread."""

    def __init__(self, pid: int) -> None:
        self._highest = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop watching; bytes at the highest."""
        self._stop.set()
        self._thread.join()
        return self._highest

    def _watch(self, pid: int) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._highest = max(self._highest, _resident(pid))


def _resident(pid: int) -> int:
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
