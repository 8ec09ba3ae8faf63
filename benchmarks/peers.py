"""The peers' own environments: each in a venv with what it needs, pinned with hashes, apart from this project's.

Pins are made by `uv pip compile --universal --python-version 3.11 --generate-hashes --no-header` of the peer's name and, where it
runs under `rerouted.py`, of time-machine.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from errors import RunError

HERE = Path(__file__).parent


def python_of(peer: str) -> str:
    """The interpreter of a peer's venv; made, or made anew, when the pins are not those that it was made from.

    Raises:
        RunError: it cannot be made.
    """
    venv = HERE / f".venv-{peer}"
    python = venv / "bin" / "python"
    made_from = venv / ".made-from"
    pins = hashlib.sha256(_requirements(peer).read_bytes()).hexdigest()
    if made_from.exists() and made_from.read_text() == pins:
        return str(python)
    uv = str(Path(sys.executable).parent / "uv")
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--require-hashes",
        "-r",
        _requirements(peer),
    ]
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv], check=True)
        subprocess.run(install, check=True)
        # Compiled now, as an installed program is; the first run would pay for it.
        subprocess.run(
            [python, "-m", "compileall", "-q", "-j", "2", venv / "lib"], check=False, stdout=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise RunError(
            f"The environment for {peer} cannot be made.",
            remedy="Check that packages can be downloaded, then run again; `make setup` installs uv.",
        ) from error
    made_from.write_text(pins)
    return str(python)


def version(peer: str) -> str:
    """The pinned version of a peer."""
    lines = _requirements(peer).read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{peer}=="))


def _requirements(peer: str) -> Path:
    return HERE / f"requirements-{peer}.txt"
