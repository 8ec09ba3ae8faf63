"""The documents name the commands and options that there are, and README.md names them all."""

import re
import shlex
from typing import Any

import pytest
import typer

from cli.app import app
from tests.support import pages

GROUP = typer.main.get_command(app)


def commands() -> dict[str, Any]:
    """Full name -> command, for all that do something. Typer brings a click of its own, so they are known by what they have."""
    found: dict[str, Any] = {}

    def walk(name: str, command: Any) -> None:
        if inner := getattr(command, "commands", None):
            for key, one in inner.items():
                walk(f"{name} {key}".strip(), one)
        else:
            found[name] = command

    walk("", GROUP)
    return found


COMMANDS = commands()


def parameters(name: str) -> list[Any]:
    """A command's options, --help aside."""
    return [p for p in COMMANDS[name].params if p.param_type_name == "option" and "--help" not in p.opts]


def options(name: str) -> set[str]:
    """What they are called."""
    return {o for p in parameters(name) for o in (*p.opts, *p.secondary_opts)}


def calls(page: str) -> list[str]:
    """What follows `smarketing` wherever a page shows a call of it."""
    # After an option of psql and its like it is the name of a database or role.
    shown = re.compile(
        r"(?:^|[\s/(])(-U |--owner |--role )?smarketing(?= +[a-z-])((?: +(?:\"[^\"]*\"|[^\s#|;&<>)]+))+)"
    )
    return [match[2].strip() for line in pages.code(page) for match in shown.finditer(line) if not match[1]]


def parse(call: str) -> tuple[str, list[str]]:
    """The command that a call names, and the options it gives."""
    words = [w.strip("[](),.:") for w in shlex.split(call.replace("[", " ").replace("]", " "))]
    name = next((n for k in (2, 1) if (n := " ".join(words[:k])) in COMMANDS), "")
    return name, [w.partition("=")[0] for w in words if w.startswith("--")]


@pytest.mark.parametrize("page", [*pages.GUIDES, *pages.VENDOR_PAGES])
def test_every_command_and_option_that_a_page_shows_exists(page: str) -> None:
    for call in calls(page):
        name, given = parse(call)
        is_group = call.split()[0] in getattr(GROUP, "commands", {}) and not name
        assert name or is_group or call.startswith("--"), f"{page}: smarketing {call}"
        if name:
            assert set(given) <= options(name) | {"--help"}, f"{page}: smarketing {call}"


def test_pages_are_searched_at_all() -> None:
    found = {parse(call)[0] for page in ("README.md", "RUNBOOK.md") for call in calls(page)}
    assert found - {""} == set(COMMANDS)


@pytest.mark.parametrize(
    ("call", "name", "given"),
    [
        ("windows --gaps", "windows", ["--gaps"]),
        ("sync [VENDOR[:STREAM]] [--from DAY --to DAY]", "sync", ["--from", "--to"]),
        ("glossary check FOLDER", "glossary check", []),
        ("erase --all", "", ["--all"]),
    ],
)
def test_calls_are_understood(call: str, name: str, given: list[str]) -> None:
    assert parse(call) == (name, given)


def test_readme_lists_every_command_with_all_its_options_and_what_it_does() -> None:
    rows = pages.table("README.md", "command")
    listed = {}
    for cell, meaning in rows:
        name, given = parse(cell.strip("`").removeprefix("smarketing "))
        listed[name] = set(given)
        assert meaning.strip(), cell
    assert listed == {name: options(name) for name in COMMANDS}


@pytest.mark.parametrize(
    "title",
    [
        "In the warehouse: ",
        "Set aside, and why",
        "Customers by marketing source",
        "Conversion assists: on the path to a customer, but not last",
        "The journey of ",
        "These records are one person because of",
        "A day later: the next night reads and rebuilds what changed",
        "s; the warehouse stays up.",
    ],
)
def test_the_demo_in_the_readme_looks_like_the_demo(title: str) -> None:
    shown = next(block for block in pages.blocks("README.md") if "The demo took" in block)
    printed = "".join(file.read_text() for file in (pages.ROOT / "cli").glob("*.py"))
    assert title in shown
    assert title in printed.replace("[bold]", "")


def test_every_command_and_option_has_help() -> None:
    for name, command in COMMANDS.items():
        assert (command.help or "").strip(), name
        for one in parameters(name):
            assert (one.help or "").strip(), f"{name} {one.opts[0]}"
