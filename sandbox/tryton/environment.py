"""Tryton's own Python environment, built once under a given directory from hashed pins."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INDEX_SECONDS = 15
"""How long a package index may be silent."""

INSIDE = Path(__file__).with_name("inside.py")


class TrytonSandboxError(RuntimeError):
    """Tryton could not be installed, prepared or started; the message names the log to read."""


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Let one process at a time build under `directory`; the others wait, then find it built."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: list[str], log: Path, what: str, *, env: dict[str, str] | None = None) -> str:
    """Run a command to its end and return its standard output.

    Raises:
        TrytonSandboxError: it ended with an error; its messages are in `log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as messages:
        done = subprocess.run(  # noqa: S603 - fixed commands of this package
            command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, env=env
        )
        messages.write(done.stdout if done.returncode else b"")
    if done.returncode:
        raise TrytonSandboxError(
            f"{what} failed (exit code {done.returncode}); read {log}, or delete its folder and retry"
        )
    return done.stdout.decode()


def fingerprint(*files: Path) -> str:
    """What the given files hold, in twelve letters: a name that changes when they do."""
    return hashlib.blake2b(b"\0".join(file.read_bytes() for file in files), digest_size=6).hexdigest()


def ensure_environment(directory: Path) -> Path:
    """Build `directory/venv` unless it is there already with these pins.

    Uses uv where it is installed beside the running Python or on the path (3 s), else venv and pip (20 s).

    Returns:
        The environment's Python.

    Raises:
        TrytonSandboxError: the packages could not be installed.
    """
    venv = directory / "venv"
    python = venv / "bin" / "python"
    stamp = venv / f".built-{fingerprint(REQUIREMENTS)}"
    if stamp.exists() and python.exists():
        return python
    shutil.rmtree(venv, ignore_errors=True)
    log = directory / "environment.log"
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(venv)]
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--require-hashes",
            "-r",
            str(REQUIREMENTS),
        ]
    else:
        make = [sys.executable, "-m", "venv", str(venv)]
        pip = [str(python), "-m", "pip", "--retries", "1", "--timeout", str(INDEX_SECONDS), "install", "--quiet"]
        install = [*pip, "--require-hashes", "-r", str(REQUIREMENTS)]
    run(make, log, "Making Tryton's environment")
    # Without a package index somebody waits for this in vain: not for long.
    patience = {"UV_HTTP_TIMEOUT": str(INDEX_SECONDS), "UV_HTTP_RETRIES": "1"}
    run(install, log, "Installing Tryton", env={**patience, **os.environ})
    stamp.touch()
    return python
