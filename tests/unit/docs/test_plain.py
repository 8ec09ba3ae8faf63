"""What no document may hold: addresses that packages come from, and paths of somebody's machine."""

import re

import pytest

from tests.support import pages

PAGES = [
    *pages.GUIDES,
    *pages.VENDOR_PAGES,
    "docs/tables.md",
    ".env.example",
    "Makefile",
    "Dockerfile",
    "docker-compose.yml",
]
# Letters in brackets, so that this file does not name them either.
INDEX = re.compile(r"py[p]i\.|python[h]osted|[-_]index[-]url|https?://[^/ ]+/simple\b", re.IGNORECASE)
PRIVATE = re.compile(r"(?<![\w.])/(root|home|tmp|work|Users)/")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_an_index_or_a_private_path(page: str) -> None:
    text = (pages.ROOT / page).read_text()
    assert INDEX.findall(text) == []
    assert PRIVATE.findall(text) == []


def test_the_patterns_find_what_they_look_for() -> None:
    assert INDEX.search("see files.python_hosted.org".replace("_", ""))
    assert INDEX.search("--extra-index~url".replace("~", "-"))
    assert INDEX.search("https://mirror.example/simple/")
    assert PRIVATE.search("cd /home/somebody/")
