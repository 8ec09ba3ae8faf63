"""Every SQL statement that the documents show runs against the tables of this version."""

import re

import pytest
import sqlalchemy as sa

from tests.support import pages
from warehouse import raw

SPAN = re.compile(r"^(SELECT|WITH) .+ FROM ", re.DOTALL)
STREAMS = (("hubspot", "contacts"), ("salesforce", "opportunity"))


def statements(page: str) -> list[str]:
    """Fenced SQL, and SELECTs within the text, with something in place of what is left out."""
    spans = [s.replace("load_id = ...", "load_id = 1") for s in pages.spans(page) if SPAN.match(s)]
    return [*pages.blocks(page, "sql"), *spans]


@pytest.mark.parametrize("page", ["README.md", "RUNBOOK.md", "docs/questions.md"])
def test_every_statement_runs(page: str, warehouse: sa.Engine) -> None:
    found = statements(page)
    assert len(found) >= 3
    with warehouse.begin() as connection:
        for vendor, stream in STREAMS:
            raw.ensure_table(connection, vendor, stream)
    for statement in found:
        with warehouse.connect() as connection:
            connection.execute(sa.text(statement)).all()
