"""Targets of make: each that a document names exists, each has a help line, and CONTRIBUTING.md lists them all."""

import re

import pytest

from tests.support import pages

MAKEFILE = (pages.ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))
HELPED = set(re.findall(r"^([a-z]+):[^\n]*## \S", MAKEFILE, re.MULTILINE))


def named(page: str) -> set[str]:
    """Targets that the code of a page calls."""
    return {t for line in pages.code(page) for t in re.findall(r"(?:^|&& |\()make ([a-z]+)\b", line)}


def test_every_target_has_a_help_line_and_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert TARGETS == HELPED == set(phony[1].split())


@pytest.mark.parametrize("page", [*pages.GUIDES, *pages.VENDOR_PAGES, "docs/tables.md"])
def test_every_target_that_a_page_names_exists(page: str) -> None:
    assert named(page) <= TARGETS


def test_contributing_lists_every_target() -> None:
    listed = {t for cell, _ in pages.table("CONTRIBUTING.md", "target") for t in re.findall(r"make ([a-z]+)", cell)}
    assert listed == TARGETS
    assert named("README.md") >= {"demo", "test", "setup", "up"}


def test_the_gate_runs_what_contributing_says() -> None:
    gate = (pages.ROOT / ".ci/run").read_text()
    assert re.findall(r"^make ([a-z]+)$", gate, re.MULTILINE) == ["lint", "test"]
