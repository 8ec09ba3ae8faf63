"""A process that keeps a Tryton business beside a world of its own time: one line of JSON in, one out, until the input ends.

    python -m sandbox.tryton.serve DIRECTORY DATA
    {"today": "2026-06-01T00:00:00+00:00", "people": [{"name": ..., "email": ...}]}  ->  {"base_url", "database", "key", "made": true}
    {"today": "2026-06-02T00:00:00+00:00"}                                           ->  the same, a day's work later

Environment and template are made below DIRECTORY, from the start on, before the first line comes. The business is kept in DATA
and goes on from there: the first line of a process only sets the clock where there is one already. What cannot be done is
answered as {"failed": sentence}, once, and ends the process.
"""

import json
import shutil
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from sandbox.tryton.environment import TrytonSandboxError
from sandbox.tryton.records import Business
from sandbox.tryton.server import TrytonServer, running_tryton

PARTIES = 240
OPPORTUNITIES = 40
PAST_DAYS = 90
"""How long ago the business began."""

WORK_DAYS = (40, 55, 70)
"""Days after that on which work was done: each wins a deal, loses one, and adds, changes and deletes parties."""


def main(directory: Path, data: Path, answers: TextIO) -> None:
    """Answer each line of standard input on `answers`."""
    played = data / "days.json"
    if not played.exists():
        shutil.rmtree(data, ignore_errors=True)  # what was not filled to its end is begun anew
    try:
        with running_tryton(directory, data=data) as server:
            _converse(server, played, answers)
    except (TrytonSandboxError, OSError) as error:
        _answer(answers, {"failed": str(error)})


def _converse(server: TrytonServer, played: Path, answers: TextIO) -> None:
    business = Business(server)
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        today = datetime.fromisoformat(asked["today"])
        is_new = not played.exists()
        if is_new:
            _past(server, business, today, asked.get("people", []))
        server.set_clock(today)
        if is_new:
            days = len(WORK_DAYS)
        else:
            days = int(json.loads(played.read_text()))
            if number:
                days += 1
                business.grow(days)
                business.advance(days)
        played.write_text(json.dumps(days))
        _answer(answers, {**server.credentials, "made": is_new})


def _past(server: TrytonServer, business: Business, today: datetime, people: list[dict[str, str]]) -> None:
    """Fill the server as it would have filled over the past months."""
    began = today - timedelta(days=PAST_DAYS)
    now = began

    def later(days: int) -> None:
        nonlocal now
        now += timedelta(days=days)
        server.set_clock(now)

    server.set_clock(began)
    business.fill(parties=PARTIES, opportunities=OPPORTUNITIES, people=people, later=later)
    for day, after in enumerate(WORK_DAYS, 1):
        server.set_clock(began + timedelta(days=after))
        business.grow(day)
        business.advance(day)


def _answer(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)  # by way of all that must be closed: an installation that is under way ends too


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.stdout)
