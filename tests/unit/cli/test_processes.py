"""Processes that the demo talks to: answers, ends and silence."""

import sys
from pathlib import Path

import pytest

from cli.processes import talking
from errors import RunError

ECHO = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("end"):
        sys.exit(3)
    if not asked.get("silent"):
        print(json.dumps({**asked, "seen": os.environ["SEEN"]}), flush=True)
"""


MOURN = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("ended", file=sys.stderr)))
print("{}", flush=True)
signal.pause()
"""


def _command() -> list[str]:
    return [sys.executable, "-c", ECHO]


def test_what_is_told_is_answered_in_order(tmp_path: Path) -> None:
    with talking(_command(), tmp_path / "log", {"SEEN": "yes"}) as process:
        process.tell(number=1)
        process.tell(number=2, text="é\n")
        assert process.answer() == {"number": 1, "seen": "yes"}
        assert process.answer(30) == {"number": 2, "text": "é\n", "seen": "yes"}
        assert process.ask(number=3)["number"] == 3


def test_one_that_ended_is_told_so_when_it_should_answer(tmp_path: Path) -> None:
    with talking(_command(), tmp_path / "log", {"SEEN": "yes"}) as process:
        process.tell(end=True)
        with pytest.raises(RunError, match="ended early"):
            process.answer()
        process.tell(number=1)
        with pytest.raises(RunError, match="log"):
            process.answer()


def test_one_that_is_silent_is_not_waited_for_longer_than_said(tmp_path: Path) -> None:
    with talking(_command(), tmp_path / "log", {"SEEN": "yes"}) as process:
        process.tell(silent=True)
        with pytest.raises(RunError, match="did not answer"):
            process.answer(0.1)


def test_its_errors_go_to_the_log_and_it_ends_with_the_block(tmp_path: Path) -> None:
    with talking([sys.executable, "-c", MOURN], tmp_path / "log") as process:
        assert process.answer() == {}
    assert (tmp_path / "log").read_text() == "ended\n"
