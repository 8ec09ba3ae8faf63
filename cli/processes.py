"""Processes that a command starts and talks to: one line of JSON to them, one from them; they end with the command."""

import json
import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from errors import RunError


class Talking:
    """A process that answers lines of JSON.

    Args:
        process: with pipes on its standard input and output.
        log: where its standard error goes.
    """

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def tell(self, **asked: Any) -> None:
        """Send a line, whose answer is awaited later: the process works meanwhile. If it has ended, its answer tells."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(asked) + "\n")
                self._process.stdin.flush()

    def answer(self, seconds: float | None = None) -> dict[str, Any]:
        """The next line from it, once it comes.

        Args:
            seconds: how long to wait for it; None: as long as it lives.

        Raises:
            RunError: it has ended, or the time is up.
        """
        if self._process.stdout and not select.select([self._process.stdout], [], [], seconds)[0]:
            raise RunError(f"A process of the demo did not answer within {seconds:.0f} s.", remedy=f"Read {self._log}.")
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Send a line and wait for its answer."""
        self.tell(**asked)
        return self.answer()

    def _ended(self) -> RunError:
        return RunError("A process of the demo ended early.", remedy=f"Read {self._log}.")


@contextmanager
def talking(command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Talking]:
    """Start a process for the time of a `with` block; its input closes at the end, which ends what it started itself.

    Args:
        command: what to run.
        log: file for its standard error, made anew.
        environment: on top of ours.
    """
    with log.open("w") as messages:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield Talking(process, log)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        with suppress(BrokenPipeError):  # it has ended before it read all
            process.stdin.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
