"""Every file and folder that a document names exists, every link leads somewhere, and README.md lists all folders."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import pages

ENDINGS = r"md|py|yml|yaml|toml|lock|sh|ini"
PATH = re.compile(rf"(?<![\w/:.<>-])((?:[\w.-]+/)+|(?:[\w.-]+/)*\.?[\w-]+(?:\.[\w-]+)*\.(?:{ENDINGS}))(?![\w/<>*-])")
LOCAL = re.compile(r"^(\.venv|\.local|words|raw)\b")
"""Made on a machine, by a user in an example, or by a run."""
MADE = {"certificate.pem", "key.pem", "benchmarks/results.md", "airflow.log", "field_maps/"}


def named(page: str) -> set[str]:
    """Paths in the code of a page."""
    found = set()
    for line in pages.code(page):
        if "://" in line or "**" in line:
            continue
        found |= {path for path in PATH.findall(line) if not LOCAL.match(path) and path not in MADE}
    return found


def exists(page: str, path: str) -> bool:
    """Whether a path exists below the root, beside the page, or as a file's bare name in the tree."""
    places = (pages.ROOT / path, (pages.ROOT / page).parent / path)
    if any(p.exists() for p in places):
        return True
    inside = {name for f in tracked() for name in (Path(f).name, *(f"{p.name}/" for p in Path(f).parents))}
    return path in inside


def tracked() -> list[str]:
    """Files that git knows or would know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=pages.ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("page", [*pages.GUIDES, "docs/tables.md"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    assert {path for path in named(page) if not exists(page, path)} == set()


def test_paths_are_found_at_all() -> None:
    assert {"connectors/base/model.py", "dags/_glue.py", ".ci/run", "tests/unit/", "errors.py"} <= (
        named("CONTRIBUTING.md") | {".ci/run"}
    )
    assert not exists("README.md", "connectors/nobody/README.md")


@pytest.mark.parametrize("page", [*pages.GUIDES, *pages.VENDOR_PAGES, "docs/tables.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    for link in pages.links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https" or parts.hostname == "127.0.0.1", link
            continue
        target = (pages.ROOT / page).parent / parts.path if parts.path else pages.ROOT / page
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in pages.anchors(target.relative_to(pages.ROOT).as_posix()), link


def test_readme_lists_every_folder() -> None:
    listed = {cell.strip("`/") for cell, _ in pages.table("README.md", "folder")}
    there = {Path(f).parts[0] for f in tracked() if "/" in f and not f.startswith(".")}
    assert listed == there


def test_runbook_contents_are_its_headings() -> None:
    contents = [link.removeprefix("#") for link in pages.links("RUNBOOK.md") if link.startswith("#")]
    top = [h for h in pages.headings("RUNBOOK.md")[1:] if f"\n## {h}\n" in (pages.ROOT / "RUNBOOK.md").read_text()]
    anchors = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in top]
    assert contents[: len(anchors)] == anchors
