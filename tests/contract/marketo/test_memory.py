"""More than half a million rows of an export: proved, in bounded memory. The reader is a process of its own, and is measured."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.marketo.fake import CLIENT, SECRET, FakeMarketo, Job, Reply, Request, at, day
from tests.contract.marketo.served import serving

ROOT = Path(__file__).parents[3]
ROWS, BLOCK = 600_000, 2_000
MOST = 150_000
"""Kilobytes: the interpreter and its libraries take about 40,000 of them, whatever is read."""

START = day(30)
"""One job reaches from here to now."""

TEXT = "what a person wrote, 田中 🎉"
ATTRIBUTES = (
    f'"{{""Form Fields"":""{TEXT}\\nsecond line"",""Query Parameters"":""{"utm=" * 40}"",""Client IP"":""::1""}}"'
)
CUSTOM = [f"custom{number}" for number in range(4)]

READER = """
import re, sys
from pathlib import Path
from connectors import marketo
from connectors.base.model import EPOCH, Window


def peak():
    # Of this program alone: getrusage would begin with what the process had that started it.
    return re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]


url, client, secret, start, name = sys.argv[1:]
given = {"base_url": url, "client_id": client, "client_secret": secret, "start_date": start}
connector = marketo.connect({**given, "calls_per_20_seconds": "0", "poll_seconds": "0"})
before = peak()
rows = expected = size = ids = 0
for page in connector.read(connector.streams[name], Window(name, EPOCH, connector.now(), "full")):
    rows += len(page.changes)
    expected += page.expected or 0
    size += sum(len(change.payload) for change in page.changes)
    ids += sum(int(change.record_id) for change in page.changes)
print(rows, expected, size, ids, before, peak())
"""


class Large(FakeMarketo):
    """An instance with so much in one export that its file is written block by block, each when it is sent."""

    def finish(self, job: Job) -> None:
        super().finish(job)
        if "activityTypeIds" in job.body["filter"]:
            return  # the merges of leads, of which there are none
        digest, size = hashlib.sha256(), 0
        for piece in self.pieces(job):
            digest.update(piece)
            size += len(piece)
        job.records = ROWS
        job.told = {"fileSize": size, "fileChecksum": f"sha256:{digest.hexdigest()}"}

    def file(self, job: Job, request: Request) -> Reply:
        assert "Range" not in request.headers
        headers = {"Content-Type": "text/csv", "Content-Length": str(job.json()["fileSize"])}
        return Reply(headers=headers, pieces=self.pieces(job))

    def pieces(self, job: Job) -> Iterator[bytes]:
        header, _ = self.content(job)
        values = {"marketoGUID": "%d", "id": "%d", "leadId": "7", "activityTypeId": "2", "attributes": ATTRIBUTES}
        values |= {"activityDate": at(day(3)), "updatedAt": at(day(3)), "createdAt": at(day(3)), "campaignId": "null"}
        line = ",".join(values.get(name, f'"{TEXT}, once more"') for name in header)
        yield f"{','.join(header)}\n".encode()
        for first in range(0, ROWS, BLOCK):
            yield "".join(f"{line}\n" % number for number in range(first, first + BLOCK)).encode()


@pytest.mark.soak
@pytest.mark.parametrize("name", ["activities", "leads"])
def test_memory_does_not_grow_with_the_export(name: str) -> None:
    vendor = Large()
    vendor.fields += CUSTOM
    with serving(vendor):
        given = [vendor.url, CLIENT, SECRET, f"{START:%Y-%m-%d}", name]
        done = subprocess.run(
            [sys.executable, "-c", READER, *given], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
        )
    rows, expected, size, ids, before, after = map(int, done.stdout.split())
    assert (rows, expected, ids) == (ROWS, ROWS, sum(range(ROWS)))
    job, *others = (job for job in vendor.jobs if "activityTypeIds" not in job.body["filter"])
    assert (job.kind, job.records, others) == (name, ROWS, []), "a file that does not fit is exported anew"
    assert len(vendor.asked(f"{job.id}/file.json")) == 1, "one whose checksum does not fit is fetched anew"
    assert job.told["fileSize"] > 200_000_000
    assert size > 200_000_000, "bytes of payload"
    assert after < MOST, f"{before} kB at the start, {after} kB at the peak"
    print(f"{size / 1e6:.0f} MB of payload, {before} kB at the start, {after} kB at the peak")  # noqa: T201
