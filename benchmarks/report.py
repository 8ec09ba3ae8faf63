"""`benchmarks/results.md`: one section per benchmark, each written by the program that measured it."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "results.md"
SECTIONS = (
    "Sync of HubSpot contacts",
    "Second night",
    "DAG files",
    "At the limit",
    "Beside public connectors",
    "Attribution of random paths",
    "Probable duplicates",
    "Large warehouses",
    "The world of the soak",
)
_TITLE = (
    "# Benchmark results\n\nWritten by the programs in this folder, not by hand; `make bench` repeats the first, sixth and "
    "seventh section, "
    "`make bakeoff` the fifth, `make soak` that of its own world.\n"
)


def machine() -> str:
    """Cores, memory, processor and system, in a line."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB RAM, {_processor()}, {platform.system()} {platform.machine()}"


def now() -> str:
    """The time of measuring."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def versions(*packages: str) -> str:
    """Versions of Python and of installed packages, in a line."""
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_section(title: str, text: str) -> None:
    """Put a section in place of the one of that title; the others stay."""
    found = {title: text.strip()}
    if RESULTS.exists():
        parts = re.split(r"^## (.+)\n", RESULTS.read_text(), flags=re.MULTILINE)
        found = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)} | found
    sections = [f"## {name}\n\n{found[name]}\n" for name in SECTIONS if name in found]
    RESULTS.write_text("\n".join([_TITLE, *sections]))


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown processor"
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown processor"
