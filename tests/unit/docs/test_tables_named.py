"""Marts, schemas, DAGs and folders of words: what the documents list is what there is."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from glossary.loader import DATA, SHARED_FILES
from pipeline.words import words
from tests.support import pages
from warehouse.tables import SCHEMAS, metadata

TABLES = {t.fullname for t in metadata.tables.values() if t.schema != "raw"}
MARTS = {name for name in TABLES if name.startswith("marts.")}


def test_readme_lists_exactly_the_marts() -> None:
    assert {cell.strip("`") for cell, *_ in pages.table("README.md", "table", "one row per")} == MARTS


def test_questions_has_a_section_for_each_mart() -> None:
    assert {h for h in pages.headings("docs/questions.md") if h.startswith("marts.")} == MARTS


def test_the_changelog_opens_with_the_tables_that_there_are() -> None:
    rows = {
        cell.strip("`"): set(re.findall(r"`([\w]+)`", names)) for cell, names in pages.table("CHANGELOG.md", "schema")
    }
    assert set(rows) == set(SCHEMAS)
    assert {f"{schema}.{name}" for schema, names in rows.items() for name in names} == TABLES


@pytest.mark.parametrize("page", [*pages.GUIDES, *pages.VENDOR_PAGES])
def test_every_table_and_column_that_a_page_names_exists(page: str) -> None:
    for line in pages.code(page):
        for schema, table, column in re.findall(r"\b(staging|core|marts|ops)\.\"?([a-z_]+)\"?(?:\.([a-z_]+))?", line):
            name = f"{schema}.{table}"
            assert name in TABLES, f"{page}: {name}"
            assert not column or column in metadata.tables[name].c, f"{page}: {name}.{column}"


def test_the_timetable_lists_exactly_the_dags_with_their_schedule() -> None:
    files = {p.stem for p in (pages.ROOT / "dags").glob("*.py") if not p.name.startswith("_")} - {"local"}
    rows = {cell.strip("`"): rest for cell, *rest in pages.table("README.md", "DAG")}
    assert set(rows) == files
    calls = [n for n in ast.walk(ast.parse((pages.ROOT / "dags/_sync.py").read_text())) if isinstance(n, ast.Call)]
    cron = [ast.literal_eval(n.args[0]) for n in calls if getattr(n.func, "id", "") == "CronDataIntervalTimetable"]
    assert cron == ["0 2 * * *"]
    retries = {ast.literal_eval(k.value) for n in calls for k in n.keywords if k.arg == "retries"}
    runs = {ast.literal_eval(k.value) for n in calls for k in n.keywords if k.arg == "max_active_runs"}
    for name, (when, _, tries, at_once) in rows.items():
        if name.startswith("sync_"):
            assert when == "daily at 02:00"
            assert {int(tries.split(",")[0])} == retries
            assert {int(at_once.split()[0])} == runs
            assert f"pool `{name.removeprefix('sync_')}`" in at_once


def test_the_pools_are_those_of_compose() -> None:
    script = (pages.ROOT / "deploy/airflow-init.sh").read_text()
    slots = re.search(r'airflow pools set "\$vendor" (\d+)', script)
    assert slots
    assert all(f"{slots[1]} tasks" in r[-1] for r in pages.table("README.md", "DAG") if r[0].startswith("`sync_"))
    assert f"{slots[1]} slots" in (pages.ROOT / "RUNBOOK.md").read_text()


def test_examples_of_an_overlay_are_sound(tmp_path: Path) -> None:
    text = (pages.ROOT / "CONTRIBUTING.md").read_text()
    examples = re.findall(r"`words/([\w/]+\.yml)`[^`]*(?:`~`[^`]*)?```yaml\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in examples] == ["lead_sources.yml", "field_maps/hubspot.yml", "currency.yml"]
    assert len(pages.blocks("CONTRIBUTING.md", "yaml")) == len(examples)
    for name, content in examples:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = words(tmp_path)
    assert found.vocabularies["lead_source.salesforce"].lookup("feira LOCAL") == "event"
    assert found.vocabularies["lead_source.salesforce"].knows("to be ignored")
    # No shipped rate, which is in another currency, is left.
    assert {r.currency for r in found.money.rates} == {"USD"}
    assert {r.currency for r in words().money.rates} <= set(yaml.safe_load(examples[2][1])["rates"])


def test_the_files_of_words_are_those_that_the_loader_reads() -> None:
    assert {p.stem for p in DATA.glob("*.yml")} == set(SHARED_FILES)
