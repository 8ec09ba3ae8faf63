"""Settings: each of .env.example is explained, and each that a document names exists."""

import ast
import re

import pytest

from connectors import VENDORS
from pipeline.credentials import VendorSettings
from tests.support import pages

EXAMPLE = (pages.ROOT / ".env.example").read_text()
NAMES = re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE)
FOR_TESTS = {"SMARKETING_TEST_SERVER_URL", "SMARKETING_TEST_SEED"}
CONNECTION_FIELDS = ("host", "login", "password", "schema")


def explained(name: str) -> bool:
    """Whether a comment stands above the setting, or above the group of lines that it is in; or a guide speaks of it."""
    before = EXAMPLE[: EXAMPLE.index(f"\n{name}=") + 1].splitlines()
    while before and re.match(r"[A-Z_]+=", before[-1]):
        before.pop()
    is_commented = bool(before) and before[-1].startswith("# ") and not before[-1].startswith("# ---")
    return is_commented or any(name in (pages.ROOT / page).read_text() for page in pages.GUIDES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_of_the_example_is_explained(name: str) -> None:
    assert explained(name)


@pytest.mark.parametrize("page", [*pages.GUIDES, *pages.VENDOR_PAGES])
def test_every_setting_that_a_page_names_exists(page: str) -> None:
    text = (pages.ROOT / page).read_text()
    assert set(re.findall(r"\b(?:SMARKETING|POSTGRES)_[A-Z_]+[A-Z]\b", text)) <= {*NAMES, *FOR_TESTS}
    for name in re.findall(r"`(AIRFLOW_[A-Z_]+)`", text):
        assert name in NAMES, name


def test_tests_settings_are_read_by_the_tests() -> None:
    text = (pages.ROOT / "tests/conftest.py").read_text()
    assert {name for name in FOR_TESTS if name in text} == FOR_TESTS


def test_airflow_connections_are_described_as_the_dags_read_them() -> None:
    """The table of README.md says of each connection field which credential it carries: the same as dags/_glue.py."""
    tree = ast.parse((pages.ROOT / "dags/_glue.py").read_text())
    fields = next(
        ast.literal_eval(n.value)
        for n in tree.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name) and n.target.id == "FIELDS" and n.value
    )
    described: dict[str, dict[str, str]] = {}
    for name, _, *cells, _ in pages.table("README.md", "connection", "type"):
        first = {
            field: found[1]
            for field, cell in zip(CONNECTION_FIELDS, cells, strict=True)
            if (found := re.match(r"`(\w+)`", cell))
        }
        described[name.strip("`")] = first
    assert described.pop("warehouse") == {}
    assert described == fields
    assert set(described) == set(VENDORS)


def test_every_credential_has_a_place_in_the_connection() -> None:
    rows = {name.strip("`"): " ".join(cells) for name, *cells in pages.table("README.md", "connection", "type")}
    for setting in VendorSettings.model_fields:
        vendor, _, key = setting.partition("_")
        assert f"`{key}`" in rows[vendor], setting
