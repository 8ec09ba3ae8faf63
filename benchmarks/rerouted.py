"""Runs a public connector in its own venv with its vendor's host leading to the sandbox; nothing else of it is changed.

.venv-PEER/bin/python rerouted.py PLAN ARGUMENT...

PLAN is JSON: `routes` (vendor's address -> the sandbox's), `now` (the world's time, which the connector takes for the machine's),
`haste` (pauses are shortened to this share, and `time.monotonic` goes on as if they had been whole) and `program`
(module:function). The sandbox's server writes the names of headers in small letters where the vendors' write capitals; they
are given in capitals.
"""

import json
import sys
import time
from datetime import datetime
from importlib import import_module
from typing import Any

import requests.adapters
import time_machine

send = requests.adapters.HTTPAdapter.send


class Clock:
    """Pauses that are shortened, and the monotonic clock that does not show it.

    Args:
        haste: the share of each pause that is kept.
    """

    def __init__(self, haste: float) -> None:
        self.haste = haste
        self.ahead = 0.0
        self._sleep, self._monotonic = time.sleep, time.monotonic
        vars(time).update(sleep=self.sleep, monotonic=self.monotonic)

    def monotonic(self) -> float:
        """Seconds, those that were skipped included."""
        return self._monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Pause shortly; several threads that pause at the same time skip it once."""
        wakes = self.monotonic() + seconds
        self._sleep(seconds * self.haste)
        self.ahead = max(self.ahead, wakes - self._monotonic())


def main() -> None:
    """Reroute, set the clock, run."""
    plan = json.loads(sys.argv[1])
    module, _, names = plan["program"].partition(":")
    sys.argv = [module, *sys.argv[2:]]

    def rerouted(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        for vendor, sandbox in plan["routes"].items():
            if request.url.startswith(f"{vendor}/"):
                request.url = sandbox + request.url.removeprefix(vendor)
        answer = send(adapter, request, *args, **kwargs)
        answer.headers = type(answer.headers)({name.title(): value for name, value in answer.headers.items()})
        return answer

    Clock(plan["haste"])
    setattr(requests.adapters.HTTPAdapter, "send", rerouted)  # noqa: B010 - a method of a foreign class
    with time_machine.travel(datetime.fromisoformat(plan["now"]), tick=True):
        program: Any = import_module(module)
        for name in names.split("."):
            program = getattr(program, name)
        sys.exit(program())


if __name__ == "__main__":
    main()
