"""What the demo runs beside itself: the sandbox's world, a real Tryton server in that world's time, and Airflow."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from cli.processes import Talking, talking
from errors import RunError

KNOWN_PEOPLE = 60
"""People of the world who are parties in Tryton too."""

TRYTON_SECONDS = 150
"""How long the demo waits for Tryton when everything else is done."""


class Box:
    """The sandbox's world: HubSpot, Salesforce and Marketo.

    Args:
        described: what the sandbox says of itself: addresses, credentials.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self._described = described

    @property
    def today(self) -> datetime:
        """The world's now."""
        health = requests.get(f"{self._described['control']}/health", timeout=30).json()
        return datetime.fromisoformat(health["today"])

    def advance(self) -> None:
        """Let a day pass."""
        requests.post(f"{self._described['control']}/advance", json={"days": 1}, timeout=120).raise_for_status()

    def people(self, count: int) -> list[dict[str, str]]:
        """Some who are in HubSpot and in Salesforce: [{"name", "email"}]."""
        found: list[dict[str, str]] = []
        truth = f"{self._described['control']}/truth/vendor_record"
        with requests.get(truth, stream=True, timeout=60) as answer:
            for line in answer.iter_lines():
                record = json.loads(line)
                if len(found) == count or (record["vendor"], record["kind"]) != ("hubspot", "contacts"):
                    break
                fields = json.loads(record["fields"])
                name = f"{fields['firstname'] or ''} {fields['lastname'] or ''}".strip()
                is_in_both = record["state"] == "live" and fields["salesforcecontactid"]
                if is_in_both and name.isprintable() and "@" in (fields["email"] or ""):
                    found.append({"name": name[:80], "email": fields["email"]})
        return found

    def connections(self) -> dict[str, dict[str, Any]]:
        """Airflow's connections to all three."""
        keys = self._described["credentials"]
        return {
            "hubspot": {
                "conn_type": "http",
                "host": self._described["hubspot"],
                "password": keys["hubspot_access_token"],
                "extra": {"search_per_second": "0"},
            },
            "salesforce": {
                "conn_type": "http",
                "host": self._described["salesforce"],
                "login": keys["salesforce_client_id"],
                "password": keys["salesforce_client_secret"],
            },
            "marketo": {
                "conn_type": "http",
                "host": self._described["marketo"],
                "login": keys["marketo_client_id"],
                "password": keys["marketo_client_secret"],
                "extra": {"calls_per_20_seconds": "0", "poll_seconds": "0"},
            },
        }


@contextmanager
def sandbox(home: Path, seed: int, people: int, days: int) -> Iterator[Box]:
    """The world, so many days on."""
    given = {"port": 0, "seed": seed, "people": people, "days": days}
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    with talking([sys.executable, "-m", "sandbox.serve", *options], home / "sandbox.log") as process:
        yield Box(process.answer())


class Tryton:
    """A real Tryton server with a small business, which is made while other things are done; see `sandbox.tryton.serve`.

    Args:
        process: the one that makes and serves it.
        data: where its database is kept.
    """

    def __init__(self, process: Talking, data: Path) -> None:
        self._process = process
        self._data = data
        self._unanswered = 0

    def begin(self, box: Box) -> None:
        """Have the business filled, or gone on with, as of the world's now; some of its parties are people of the world."""
        people = [] if (self._data / "days.json").exists() else box.people(KNOWN_PEOPLE)
        self._process.tell(today=box.today.isoformat(), people=people)
        self._unanswered += 1

    def advance(self, box: Box) -> None:
        """Have a day's work done, as of the world's now."""
        self._process.tell(today=box.today.isoformat())
        self._unanswered += 1

    def connection(self) -> dict[str, dict[str, Any]]:
        """Airflow's connection, once what was begun is done.

        Raises:
            RunError: there is no Tryton.
        """
        answer: dict[str, Any] = {}
        for _ in range(self._unanswered):
            answer = self._process.answer(TRYTON_SECONDS)
            if "failed" in answer:
                raise RunError(f"{answer['failed']}.")
        self._unanswered = 0
        return {
            "tryton": {
                "conn_type": "http",
                "host": answer["base_url"],
                "schema": answer["database"],
                "password": answer["key"],
            }
        }


@contextmanager
def tryton(home: Path, directory: Path) -> Iterator[Tryton]:
    """Tryton, from the first moment in the making: environment and template below `directory`, its database below `home`."""
    data = home / "tryton"
    command = [sys.executable, "-m", "sandbox.tryton.serve", str(directory), str(data)]
    with talking(command, home / "tryton.log") as process:
        yield Tryton(process, data)


@contextmanager
def airflow(home: Path, warehouse_url: str) -> Iterator[Talking]:
    """Airflow without a scheduler, see `dags.local`; its first answer says that it can be asked for runs."""
    environment = {
        "AIRFLOW_CONN_WAREHOUSE": warehouse_url.replace("postgresql+psycopg", "postgresql"),
        "AIRFLOW_HOME": str(home / "airflow"),
    }
    with talking([sys.executable, "-m", "dags.local"], home / "airflow.log", environment) as process:
        yield process
