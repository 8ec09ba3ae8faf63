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

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log
        self._pipe = process.stdout.fileno() if process.stdout else 0
        self._read = b""

    def tell(self, **asked: Any) -> None:
        """Send a line, whose answer is awaited later: the process works meanwhile. If it has ended, its answer tells."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(asked).encode() + b"\n")
                self._process.stdin.flush()

    def answer(self, seconds: float | None = None) -> dict[str, Any]:
        """The next line from it, once it comes.

        Args:
            seconds: how long it may be silent; None: as long as it lives.

        Raises:
            RunError: it has ended, or the time is up.
        """
        # What a buffered file has read ahead, select does not see: the pipe is read here.
        while b"\n" not in self._read:
            if not select.select([self._pipe], [], [], seconds)[0]:
                raise RunError(
                    f"A process of the demo did not answer within {seconds:.0f} s.", remedy=f"Read {self._log}."
                )
            more = os.read(self._pipe, 1 << 16)
            if not more:
                raise RunError("A process of the demo ended early.", remedy=f"Read {self._log}.")
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Send a line and wait for its answer."""
        self.tell(**asked)
        return self.answer()


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
            env={**os.environ, **(environment or {})},
        )
    try:
        yield Talking(process, log)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
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
