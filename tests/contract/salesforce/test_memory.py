"""Half a million rows through the Bulk API: proved, in bounded memory. The reader is a process of its own, and is measured."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.salesforce.fake import NOW, Org, Reply, lead, stamp

ROOT = Path(__file__).parents[3]
ROWS, PAGE = 500_000, 50_000
MOST = 150_000
"""Kilobytes: the interpreter and its libraries take about 60,000 of them, whatever is read."""

READER = """
import re, sys
from pathlib import Path
from connectors import salesforce
from connectors.base.model import EPOCH, Window


def peak():
    # Of this program alone: getrusage would begin with what the process had that started it.
    return re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]


connector = salesforce.connect({"login_url": sys.argv[1], "client_id": "app", "client_secret": "s"})
before = peak()
rows = expected = size = 0
last = None
for page in connector.read(connector.streams["lead"], Window("lead", EPOCH, connector.now(), "full")):
    rows += len(page.changes)
    expected += page.expected or 0
    size += sum(len(change.payload) for change in page.changes)
    last = page.changes[-1].record_id
print(rows, expected, size, last, before, peak())
"""


class Large(Org):
    """An org with so many leads that they are written page by page, each when it is asked for."""

    def _query(self, soql: str, *, all_rows: bool) -> Reply:
        assert all_rows
        assert "COUNT()" in soql
        return Reply(body={"totalSize": ROWS, "done": True, "records": []})

    def select(self, soql: str, *, all_rows: bool) -> tuple[list[str], list[dict[str, object]]]:
        assert all_rows
        return re.split(r",? ", soql.removeprefix("SELECT ").split(" FROM ")[0]), [{}] * ROWS

    def _results(self, job: dict[str, object], query: dict[str, str]) -> Reply:
        at = int(query["locator"].removeprefix("MT").partition(".")[0])
        fields = job["fields"]
        assert isinstance(fields, list)
        values = {"SystemModstamp": stamp(NOW), "CreatedDate": stamp(NOW), "IsDeleted": "false", "MasterRecordId": ""}
        cells = ",".join(f'"{values.get(name, "some text of people, 田中 🎉")}"' for name in fields[1:])
        header = ",".join(f'"{name}"' for name in fields)
        lines = "\n".join(f'"00Q{number:012d}AAA",{cells}' for number in range(at, at + PAGE))
        return Reply(body=f"{header}\n{lines}\n".encode(), headers={"Sforce-NumberOfRecords": str(PAGE)})


@pytest.mark.soak
def test_memory_does_not_grow_with_the_result() -> None:
    org = Large()
    org.listed_page = PAGE
    org.shown["Lead"] = [*lead(0), *({"name": f"C{n}__c", "type": "string", "custom": True} for n in range(15))]
    try:
        done = subprocess.run(
            [sys.executable, "-c", READER, org.url], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
        )
    finally:
        org.close()
    rows, expected, size, last, before, after = done.stdout.split()
    assert (int(rows), int(expected), last) == (ROWS, ROWS, f"00Q{ROWS - 1:012d}AAA")
    assert int(size) > 200_000_000, "bytes of payload"
    assert int(after) < MOST, f"{before} kB at the start, {after} kB at the peak"
    print(f"{int(size) / 1e6:.0f} MB of payload, {before} kB at the start, {after} kB at the peak")  # noqa: T201
