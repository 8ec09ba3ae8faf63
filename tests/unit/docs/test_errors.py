"""RUNBOOK.md knows every error: its class with the exit code, and its sentence with what to do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errors
from cli.app import app
from tests.support import pages

PARTS = ("cli", "connectors", "dags", "expectations", "glossary", "pipeline", "transforms", "warehouse")
REPORTED = "eport it with this line"
"""Sentences with this remedy say all there is to do."""


def classes() -> dict[str, type[errors.SmarketingError]]:
    """Name -> class of the whole tree in errors.py."""
    found = {errors.SmarketingError}
    while new := {s for c in found for s in c.__subclasses__() if s.__module__ == "errors"} - found:
        found |= new
    return {c.__name__: c for c in found}


def said(node: ast.expr) -> str:
    """A message as written, with … for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
    if isinstance(node, ast.BinOp):
        return said(node.left) + said(node.right)
    return "…"


def raised() -> Iterator[tuple[str, str, str]]:
    """Where, sentence and remedy of every error that the project makes."""
    names = set(classes())
    for part in PARTS:
        for file in sorted((pages.ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                    remedy = next((said(k.value) for k in node.keywords if k.arg == "remedy"), "")
                    where = f"{file.relative_to(pages.ROOT)}:{node.lineno}"
                    yield where, said(node.args[0]), remedy


SENTENCES = sorted(raised())
LISTED = [re.sub(r"^`+|`+$", "", cell) for cell, _ in pages.table("RUNBOOK.md", "sentence")]


def is_listed(sentence: str) -> bool:
    """A long sentence may be listed by its beginning."""
    return any(sentence == one or (one.endswith("…") and sentence.startswith(one)) for one in LISTED)


def test_every_class_is_listed_with_its_exit_code() -> None:
    rows = {cell.strip("`"): int(code) for cell, code, *_ in pages.table("RUNBOOK.md", "class")}
    assert rows == {name: cls.exit_code for name, cls in classes().items()}


def test_airflow_retries_what_the_table_says() -> None:
    for cell, _, airflow, _ in pages.table("RUNBOOK.md", "class"):
        is_final = issubclass(classes()[cell.strip("`")], errors.ConfigurationError)
        waits = "deferred until the quota is free" if cell == "`QuotaError`" else "retried"
        assert airflow == ("fails at once" if is_final else waits), cell


def test_the_exit_codes_are_explained() -> None:
    listed = {int(code) for code, _ in pages.table("RUNBOOK.md", "code", "meaning")}
    assert listed == {0, 2, *(cls.exit_code for cls in classes().values())}
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0
    assert CliRunner().invoke(app, ["sync", "hubspot", "--from", "2026-01-01"]).exit_code == 2
    assert CliRunner().invoke(app, ["nothing"]).exit_code == 2


def test_every_sentence_has_a_line() -> None:
    unlisted = [
        (where, sentence)
        for where, sentence, remedy in SENTENCES
        if REPORTED not in remedy and re.search(r"\w{3}", sentence) and not is_listed(sentence)
    ]
    assert unlisted == []


def test_every_line_is_a_sentence_of_the_project() -> None:
    known = {sentence for _, sentence, _ in SENTENCES}
    assert [
        one for one in LISTED if not any(one == s or (one.endswith("…") and s.startswith(one)) for s in known)
    ] == []


def test_sentences_are_found_at_all() -> None:
    assert any(where.startswith("warehouse/engine.py") and "disk is full" in s for where, s, _ in SENTENCES)
    assert not is_listed("Nobody ever says this.")


@pytest.mark.parametrize("page", pages.GUIDES)
def test_every_error_class_that_a_page_names_exists(page: str) -> None:
    named = {w for line in pages.spans(page) for w in re.findall(r"\b[A-Z][A-Za-z]+Error\b", line)}
    assert named <= set(classes())
    assert Path(errors.__file__).name == "errors.py"
