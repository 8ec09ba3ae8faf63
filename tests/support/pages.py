"""The documents as data: their code, tables, links and headings, read by a Markdown parser."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
GUIDES = ("README.md", "RUNBOOK.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md", "docs/questions.md")
"""What people wrote; docs/tables.md is generated and has its own test."""
VENDOR_PAGES = tuple(f"connectors/{vendor}/README.md" for vendor in ("hubspot", "salesforce", "marketo", "tryton"))


@cache
def tokens(page: str) -> tuple[Token, ...]:
    """A page's block tokens, inline ones below them."""
    return tuple(MarkdownIt().enable("table").parse((ROOT / page).read_text(encoding="utf-8")))


def _inline(page: str) -> Iterator[Token]:
    for token in tokens(page):
        yield from token.children or ()


def blocks(page: str, language: str | None = None) -> list[str]:
    """Contents of code blocks; `language`: of fenced ones in it only."""
    return [
        t.content
        for t in tokens(page)
        if (t.type == "fence" and language in (None, t.info.strip())) or (t.type == "code_block" and language is None)
    ]


def spans(page: str) -> list[str]:
    """Contents of code within the text."""
    return [t.content for t in _inline(page) if t.type == "code_inline"]


def code(page: str) -> list[str]:
    """All code of a page, spans and the lines of blocks; lines that end in a backslash are joined with the next."""
    lines = [line for block in blocks(page) for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [*spans(page), *lines]


def links(page: str) -> list[str]:
    """Targets of links."""
    return [str(t.attrs["href"]) for t in _inline(page) if t.type == "link_open"]


def headings(page: str) -> list[str]:
    """Texts of headings."""
    found = tokens(page)
    return [found[i + 1].content for i, t in enumerate(found) if t.type == "heading_open"]


def anchors(page: str) -> set[str]:
    """Fragments that links within the page may name, as forges make them of headings."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings(page)}


def tables(page: str) -> list[list[list[str]]]:
    """Tables as rows of cells, heads first, each cell as its Markdown text."""
    found: list[list[list[str]]] = []
    for at, token in enumerate(tokens(page)):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("td_open", "th_open"):
            found[-1][-1].append(tokens(page)[at + 1].content)
    return found


def table(page: str, *head: str) -> list[list[str]]:
    """The rows of the one table whose head begins with these cells."""
    fitting = [t for t in tables(page) if tuple(t[0][: len(head)]) == head]
    if len(fitting) != 1:
        raise LookupError(f"{page} has {len(fitting)} tables that begin with {head}")
    return fitting[0][1:]
