"""Who reads the sandbox in the bake-off, night by night: this project, and each public connector."""

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import peers
from benchmarks.processes import ROOT
from benchmarks.public import HOSTS, KINDS, Json, Loader, Peer, absorbed, configured, selected
from benchmarks.scoring import Held, Hoard
from sandbox.serve import Sandbox

TRIES = 6
"""Runs of a night until every stream is read; a scheduler does as much."""

HASTE = 0.02
"""Pauses between requests that are tried again are shortened to this share, for all alike."""

BEHIND = timedelta(minutes=5)
"""A connector's clock goes on while the world's stands still; so far behind, it never overtakes it."""

LONGEST = 150
"""Seconds; a run that takes longer is ended and has failed. What waits in pauses has by then waited for two hours."""

REROUTED = ROOT / "benchmarks" / "rerouted.py"


@dataclass
class Tally:
    """What the nights took. seconds: of all runs, from start to end of their processes."""

    rows: int = 0
    runs: int = 0
    failed: int = 0
    unfinished: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)


class Reader(ABC):
    """One reader of one sandbox.

    Args:
        vendor: whom it reads.
        box: the sandbox.
        home: where it keeps its files.
    """

    name: str

    def __init__(self, vendor: str, box: Sandbox, home: Path) -> None:
        self.vendor = vendor
        self.box = box
        self.home = home
        self.tally = Tally()
        self.home.mkdir(parents=True, exist_ok=True)

    def night(self) -> None:
        """Read every stream; what failed is tried again, up to `TRIES` runs in all."""
        pending = list(self.streams())
        for attempt in range(TRIES):
            for together in self.portions(pending, attempt):
                self.tally.runs += 1
                done = self.run(together)
                self.tally.failed += done != set(together)
                pending = [name for name in pending if name not in done]
            if not pending:
                return
        self.tally.unfinished += 1

    def portions(self, pending: Sequence[str], _attempt: int) -> list[list[str]]:
        """What is read in one run each."""
        return [list(pending)]

    @abstractmethod
    def streams(self) -> Sequence[str]:
        """What is read."""

    @abstractmethod
    def run(self, streams: Sequence[str]) -> set[str]:
        """One run of some streams; those that were read to their end."""

    @abstractmethod
    def hoards(self) -> dict[str, Hoard]:
        """Kind -> what there is of it after all nights."""

    def call(self, command: Sequence[str]) -> tuple[bool, Path]:
        """Run a program; whether it ended well, and the file of what it printed."""
        out, log = self.home / "out", self.home / "log"
        hidden = {"PYTHONDONTWRITEBYTECODE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        began = time.perf_counter()
        with out.open("wb") as printed, log.open("ab") as errors:
            try:
                code = subprocess.run(
                    command, stdout=printed, stderr=errors, cwd=ROOT, env=environment, timeout=LONGEST, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                code = 1
        self.tally.seconds += time.perf_counter() - began
        return code == 0, out


ENTITIES = {
    "hubspot": {
        "contacts": ("contacts", "person"),
        "companies": ("companies", "account"),
        "deals": ("deals", "opportunity"),
        **{kind: (kind, "engagement") for kind in ("calls", "emails", "meetings", "notes", "tasks")},
    },
    "salesforce": {
        "Lead": ("lead", "person"),
        "Contact": ("contact", "person"),
        "Account": ("account", "account"),
        "Opportunity": ("opportunity", "opportunity"),
        "Task": ("task", "engagement"),
        "Event": ("event", "engagement"),
        "Campaign": ("campaign", "campaign"),
        "CampaignMember": ("campaign_member", "campaign_member"),
    },
}
"""Vendor -> kind -> our stream, and the entity of staging with a row for each record."""


class Ours(Reader):
    """This project: its sync into PostgreSQL.

    Args:
        vendor, box, home: as `Reader`.
        database: URL of a migrated database.
    """

    name = "this project"

    def __init__(self, vendor: str, box: Sandbox, home: Path, database: str) -> None:
        super().__init__(vendor, box, home)
        self.database = database

    def streams(self) -> list[str]:
        """The compared ones."""
        return [ENTITIES[self.vendor][kind][0] for kind in KINDS[self.vendor]]

    def run(self, streams: Sequence[str]) -> set[str]:
        """Each stream is a transaction of its own."""
        keys = self.box.credentials
        if self.vendor == "hubspot":
            access = {"base_url": self.box.hubspot_url, "access_token": keys["hubspot_access_token"]}
            access["search_per_second"] = "0"
        else:
            access = {name: keys[f"salesforce_{name}"] for name in ("client_id", "client_secret")}
            access["login_url"] = self.box.salesforce_url
        plan = {"database": self.database, "vendor": self.vendor, "credentials": access, "haste": HASTE}
        command = [sys.executable, "-m", "benchmarks.bakeoff_ours", json.dumps(plan | {"streams": list(streams)})]
        ended_well, out = self.call(command)
        if not ended_well:
            self.tally.errors["the process broke"] += 1
            return set()
        told = json.loads(out.read_text().splitlines()[-1])
        self.tally.rows += told["rows"]
        self.tally.errors.update(told["errors"])
        return set(told["done"])

    def hoards(self) -> dict[str, Hoard]:
        """Staging says what lives; values are those of the newest version in raw."""
        engine = sa.create_engine(sa.make_url(self.database).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            found = {kind: self._hoard(connection, *ENTITIES[self.vendor][kind]) for kind in KINDS[self.vendor]}
        engine.dispose()
        return found

    def _hoard(self, connection: sa.Connection, stream: str, entity: str) -> Hoard:
        newest = sa.text(
            "SELECT DISTINCT ON (record_id) record_id, CAST(record AS text), record_bytes "
            f"FROM raw.{self.vendor}__{stream} WHERE op = 'upsert' ORDER BY record_id, version_at DESC, load_id DESC"
        )
        payloads = {
            id_: json.loads(bytes(exact) if exact is not None else text)
            for id_, text, exact in connection.execute(newest)
        }
        staged = sa.text(
            f"SELECT source_record_id, version_at, is_deleted FROM staging.{entity} "
            "WHERE source_system = :vendor AND source_stream = :stream AND source_id NOT LIKE '%#%'"
        )
        found = Hoard()
        for id_, version_at, is_deleted in connection.execute(staged, {"vendor": self.vendor, "stream": stream}):
            payload: Json = payloads.get(id_, {})
            values = payload.get("properties", payload)
            found.records.setdefault(id_, []).append(Held(values, version_at, is_deleted))
            found.absorbed |= absorbed(values)
        return found


class Public(Reader):
    """A public connector, and a plain loader behind it.

    Args:
        peer: the connector.
        box, home: as `Reader`.
        start: the day to read from.
    """

    def __init__(self, peer: Peer, box: Sandbox, home: Path, start: datetime) -> None:
        super().__init__(peer.vendor, box, home)
        self.peer = peer
        self.name = f"{peer.package} {peers.version(peer.package)}"
        self.loader = Loader(peer)
        self._discovered: str | None = None
        self._write("config", peer.config(box.credentials, start))

    def streams(self) -> list[str]:
        """All that it has of the compared kinds."""
        return list(self.peer.streams)

    def portions(self, pending: Sequence[str], attempt: int) -> list[list[str]]:
        """Where its runs end with the first stream that fails, each goes alone after that."""
        return [[name] for name in pending] if self.peer.retries_apart and attempt else [list(pending)]

    def run(self, streams: Sequence[str]) -> set[str]:
        """A run with the state that the runs before it left."""
        if self.peer.speaks == "airbyte":
            arguments = ["read", "--config", self._path("config")]
            arguments += ["--catalog", self._write("catalog", configured(self.peer, streams))]
        elif (discovered := self._discover()) is None:
            return set()
        else:
            catalog = self._write("catalog", selected(discovered, streams))
            option = "--catalog" if self.peer.retries_apart else "--properties"
            arguments = ["--config", self._path("config"), option, catalog]
        if self.loader.state is not None:
            arguments += ["--state", self._write("state", self.loader.state)]
        before = self.loader.rows
        ended_well, out = self._call(arguments)
        with out.open(encoding="utf-8", errors="replace") as lines:
            self.loader.load(lines)
        self.tally.rows += self.loader.rows - before
        return set(streams) if ended_well else self.loader.done & set(streams)

    def hoards(self) -> dict[str, Hoard]:
        """What the loader keeps."""
        return self.loader.hoards()

    def _discover(self) -> Json | None:
        """The connector's own catalog, asked for once; None: it failed."""
        if self._discovered is None:
            ended_well, out = self._call(["--config", self._path("config"), "--discover"])
            if not ended_well:
                return None
            self._discovered = out.read_text()
        found: Json = json.loads(self._discovered)
        return found

    def _call(self, arguments: Sequence[str]) -> tuple[bool, Path]:
        address = {"hubspot": self.box.hubspot_url, "salesforce": self.box.salesforce_url}[self.vendor]
        plan = {
            "routes": {HOSTS[self.vendor]: address},
            "now": (self.box.world.now() - BEHIND).isoformat(),
            "haste": HASTE,
            "program": self.peer.program,
        }
        return self.call([peers.python_of(self.peer.package), str(REROUTED), json.dumps(plan), *arguments])

    def _path(self, name: str) -> str:
        return str(self.home / f"{name}.json")

    def _write(self, name: str, content: Any) -> str:
        path = Path(self._path(name))
        path.write_text(json.dumps(content))
        return str(path)
