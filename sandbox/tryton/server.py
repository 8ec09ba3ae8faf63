"""Starts and stops a real Tryton server: its environment and database are made once, later starts copy the database."""

import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.tryton.environment import (
    INSIDE,
    REQUIREMENTS,
    TrytonSandboxError,
    ensure_environment,
    fingerprint,
    only_one,
    run,
)

DATABASE = "sandbox"
DEFAULT_DIRECTORY = Path(".local/tryton")
START_SECONDS = 120
LISTENING = re.compile(rb"Running on (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """A running server.

    base_url, database, key: what the connector is given; the key's user may only read.
    admin_key: a key of the administrator, to create and change records as its users would.
    blind_key: a valid key whose user has no rights on sales and marketing.
    database_file: the SQLite file, for those who want to look inside.
    log: the server's log.
    process: the server's own.
    """

    base_url: str
    database: str
    key: str
    admin_key: str
    blind_key: str
    database_file: Path
    log: Path
    process: "subprocess.Popen[bytes]"

    def set_clock(self, at: datetime) -> None:
        """Let the server live at this aware time and on from there; returns when it does.

        Raises:
            TrytonSandboxError: it does not answer.
        """
        text = at.astimezone(UTC).isoformat()
        if self.process.stdin is None or self.process.poll() is not None:
            raise TrytonSandboxError(f"Tryton has ended; read {self.log}")
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()
        _wait_for(re.compile(rb"^(clock " + re.escape(text.encode()) + rb")$", re.MULTILINE), self.process, self.log)

    @property
    def credentials(self) -> dict[str, str]:
        """What the connector's `connect` takes."""
        return {"base_url": self.base_url, "database": self.database, "key": self.key}


@contextmanager
def running_tryton(directory: Path = DEFAULT_DIRECTORY, *, data: Path | None = None) -> Iterator[TrytonServer]:
    """A Tryton server of its own on a free port, stopped at the end.

    Args:
        directory: where environment and database template are kept between calls (about 120 MB). Nothing to serving takes
            about 30 s, every later start about 3 s; several processes may call at once.
        data: folder of the database, kept and served again when it exists; None: a fresh one, removed at the end.

    Raises:
        TrytonSandboxError: it could not be installed or started.
    """
    directory = directory.resolve()
    with only_one(directory):
        python = ensure_environment(directory)
        template = _ensure_template(directory, python)
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        with _serving(python, template, data.resolve()) as server:
            yield server
        return
    with (
        tempfile.TemporaryDirectory(prefix="tryton-", dir=directory) as fresh,
        _serving(python, template, Path(fresh)) as server,
    ):
        yield server


def _ensure_template(directory: Path, python: Path) -> Path:
    """A folder with a prepared database and its keys, made once for these pins and this script."""
    template = directory / f"template-{fingerprint(REQUIREMENTS, INSIDE)}"
    if template.exists():
        return template
    for old in directory.glob("template-*"):
        shutil.rmtree(old)
    making = directory / "making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    database = making / f"{DATABASE}.sqlite"
    database.touch()
    password = making / "password"
    password.write_text(secrets.token_urlsafe(24) + "\n")
    env = {**os.environ, "TRYTONPASSFILE": str(password)}
    command = [str(python), str(INSIDE), "install", str(_configure(making)), DATABASE]
    keys = run(command, directory / "template.log", "Preparing Tryton's database", env=env)
    (making / "keys.json").write_text(keys)
    password.unlink()
    # The write-ahead log goes into the file, so that copying the one file copies everything.
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    making.rename(template)
    return template


def _configure(folder: Path) -> Path:
    file = folder / "trytond.conf"
    file.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:0\n")
    return file


@contextmanager
def _serving(python: Path, template: Path, folder: Path) -> Iterator[TrytonServer]:
    database = folder / f"{DATABASE}.sqlite"
    if not database.exists():
        shutil.copyfile(template / "keys.json", folder / "keys.json")
        shutil.copyfile(template / database.name, database)
    log = folder / "server.log"
    command = [str(python), "-u", str(INSIDE), "serve", str(_configure(folder)), DATABASE]
    with log.open("wb") as messages:
        process = subprocess.Popen(  # noqa: S603 - a fixed command of this package
            command, stdin=subprocess.PIPE, stdout=messages, stderr=subprocess.STDOUT
        )
    try:
        keys = json.loads((folder / "keys.json").read_text())
        address = _wait_for(LISTENING, process, log)
        yield TrytonServer(address, DATABASE, **keys, database_file=database, log=log, process=process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _wait_for(said: re.Pattern[bytes], process: "subprocess.Popen[bytes]", log: Path) -> str:
    """What the server says in its log, e.g. its address: the system chose the port, so no two servers can want the same."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if found := said.search(log.read_bytes()):
            return found[1].decode()
        if process.poll() is not None:
            break
        time.sleep(0.02)
    kept = log.parent.parent / "failed-start.log"
    shutil.copyfile(log, kept)
    raise TrytonSandboxError(f"Tryton did not answer within {START_SECONDS} s; read {kept}")
