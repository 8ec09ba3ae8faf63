"""The peers' own environment: dlt and what it needs, pinned with hashes, apart from this project's."""

import hashlib
import subprocess
import sys
from pathlib import Path

from errors import RunError

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements-dlt.txt"
VENV = HERE / ".venv-dlt"


def dlt_python() -> str:
    """The interpreter of dlt's venv; made, or made anew, when the pins are not those that it was made from.

    Raises:
        RunError: it cannot be made.
    """
    python = VENV / "bin" / "python"
    made_from = VENV / ".made-from"
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if made_from.exists() and made_from.read_text() == pins:
        return str(python)
    uv = str(Path(sys.executable).parent / "uv")
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", REQUIREMENTS], check=True
        )
        # Compiled now, as an installed program is; the first run would pay for it.
        subprocess.run([python, "-m", "compileall", "-q", "-j", "2", VENV / "lib"], check=False)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RunError(
            "The environment for dlt cannot be made.",
            remedy="Check that packages can be downloaded, then run again; `make setup` installs uv.",
        ) from error
    made_from.write_text(pins)
    return str(python)


def version(package: str) -> str:
    """Version of a pinned package."""
    lines = REQUIREMENTS.read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))
