"""Export jobs: create, enqueue, wait, fetch, prove. What comes out is complete or an error.

A finished job names the size of its file, its SHA-256 and the number of its records; all three must fit what was fetched before
a row is used. A broken download goes on where it broke off; a file that does not fit is fetched anew, then made anew.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import requests

from connectors.base.model import Change
from connectors.base.paginate import batches
from connectors.marketo.answers import NOT_OFFERED, QUEUE_FULL, QUEUED, code_of
from connectors.marketo.api import Api, decoded, place_of
from connectors.marketo.auth import DAMAGED_TRIES
from connectors.marketo.files import fetch
from connectors.marketo.records import row_reader
from connectors.marketo.spool import DamagedError, Spool
from errors import AnswerError, CountMismatchError, SmarketingError, UnreachableError, VendorError

log = logging.getLogger(__name__)

BATCH = 2_000
"""Changes handed on at a time."""

PATIENCE = timedelta(hours=6)
"""How long a job may wait and run before it is given up; two run at a time, for all tools of the instance together."""

JOB_TRIES = 3


class NotOfferedError(Exception):
    """This subscription does not have the filter that was asked for (1035)."""


@dataclass(frozen=True, slots=True)
class Export:
    """What to export.

    kind: the part of the address: leads, activities, program/members.
    columns: that the file must have.
    body: of the request, without the format.
    key, stamp: see `records.row_reader`.
    what: for messages.
    resume: where a later read of the window can go on after it (see `Page`); None: nowhere.
    """

    kind: str
    columns: tuple[str, ...]
    body: Mapping[str, object]
    key: Callable[[dict[str, str | None]], str]
    stamp: str
    what: str
    resume: str | None = None


class _Job(msgspec.Struct):
    id: str = msgspec.field(name="exportId")
    status: str
    records: int | None = msgspec.field(default=None, name="numberOfRecords")
    size: int | None = msgspec.field(default=None, name="fileSize")
    checksum: str | None = msgspec.field(default=None, name="fileChecksum")


class _Answer(msgspec.Struct):
    result: list[_Job]


class Finished:
    """A proved export: `total` records, given once by `pages`; `close` gives the disk space back."""

    def __init__(self, export: Export, spool: Spool, total: int) -> None:
        self.total = total
        self.resume = export.resume
        self._export = export
        self._spool = spool

    def close(self) -> None:
        """Give the disk space back."""
        self._spool.close()

    def pages(self) -> Iterator[list[Change]]:
        """The records in batches.

        Raises:
            AnswerError: a row without what every record has.
        """
        if not self.total:
            return
        header = list(self._export.columns)
        rows = self._spool.rows(header)
        try:
            first = next(rows)
            reader = row_reader(header, self._export.key, self._export.stamp)
            yield from batches((reader(row) for row in _after(first, rows)), BATCH)
        except (DamagedError, KeyError, ValueError):
            raise AnswerError(
                f"Marketo's export of {self._export.what} has a row that cannot be read.",
                remedy="Report it with this line: the vendor's API may have changed.",
            ) from None


def _after(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def run(api: Api, export: Export) -> Finished:
    """Make an export and fetch it.

    Raises:
        NotOfferedError: the subscription lacks the filter.
        CountMismatchError: the file has other than the records that the job counts.
        VendorError: the job or its file failed; QuotaError: the day's export allowance is used up.
    """
    for attempt in range(JOB_TRIES):
        job = _wait(api, export, _begin(api, export))
        spool = Spool()
        try:
            if job.status != "Completed":
                problem: SmarketingError = _failed(export, f"ended as {job.status[:20]}")
            elif job.records == 0:
                return Finished(export, spool, 0)
            else:
                fetch(api, _path(export, job.id, "file.json"), spool, job.size, job.checksum)
                rows = sum(1 for _ in spool.rows(list(export.columns)))
                if job.records in (None, rows):
                    return Finished(export, spool, rows)
                problem = CountMismatchError(
                    f"Marketo counts {job.records} records in its export of {export.what} and gave {rows}.",
                    remedy="The cursor has not moved: the next run makes the export again.",
                )
        except (DamagedError, UnreachableError) as error:
            problem = _failed(export, f"cannot be fetched whole ({error})")
        except BaseException:
            spool.close()
            raise
        spool.close()
        log.info("marketo: %s attempt %d", problem.message, attempt + 1)
    raise problem


def _failed(export: Export, how: str) -> VendorError:
    return VendorError(
        f"Marketo's export of {export.what} {how}.",
        remedy="Nothing was loaded from it; run again, and look at Marketo's status page if it stays so.",
    )


def _path(export: Export, *parts: str) -> str:
    return "/".join(("/bulk/v1", export.kind, "export", *parts))


def _begin(api: Api, export: Export) -> _Job:
    body = msgspec.json.encode({"format": "CSV", **export.body})
    job = _ask(api, export, "POST", _path(export, "create.json"), data=body)
    return _ask(api, export, "POST", _path(export, job.id, "enqueue.json"))


def _ask(api: Api, export: Export, method: str, path: str, data: bytes | None = None) -> _Job:
    """A job as Marketo answers about it; waits while the queue is full. What comes damaged is asked for again."""
    problem = ""
    for _ in range(DAMAGED_TRIES):
        response = _answered(api, export, method, path, data)
        if response is None:
            # The answer to an earlier attempt was lost. Its status may be asked for as often as anything.
            return _ask(api, export, "GET", path.replace("enqueue.json", "status.json"))
        try:
            return decoded(response, _Answer).result[0]
        except (msgspec.DecodeError, IndexError) as error:
            problem = place_of(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__
    raise AnswerError(
        f"Marketo's answer about an export of {export.what} cannot be read.",
        remedy="Report it with this line: the vendor's API may have changed.",
        detail=problem,
    )


def _answered(api: Api, export: Export, method: str, path: str, data: bytes | None) -> requests.Response | None:
    """An answer that is no refusal; None where the job is queued already."""
    headers = {"Content-Type": "application/json"}
    ends = time.monotonic() + PATIENCE.total_seconds()
    while True:
        response = api.send(method, path, data=data, headers=headers)
        code = code_of(response)
        if code != QUEUE_FULL or time.monotonic() > ends:
            break
        log.info("marketo: the queue of exports is full, waiting")
        time.sleep(api.settings.poll_seconds)
    if code == QUEUED:
        return None
    if code == NOT_OFFERED:
        raise NotOfferedError(export.what)
    if code or response.status_code >= requests.codes.bad_request:
        raise AnswerError(
            f"Marketo does not take an export of {export.what} (status {response.status_code}, code {code or 'none'}).",
            remedy="Run again: fields are asked for anew. If it stays so, report it with this line.",
        )
    return response


def _wait(api: Api, export: Export, job: _Job) -> _Job:
    ends = time.monotonic() + PATIENCE.total_seconds()
    while job.status in ("Created", "Queued", "Processing"):
        if time.monotonic() > ends:
            with contextlib.suppress(SmarketingError):
                _ask(api, export, "POST", _path(export, job.id, "cancel.json"))
            raise _failed(export, f"is not done after {PATIENCE}")
        time.sleep(api.settings.poll_seconds)
        job = _ask(api, export, "GET", _path(export, job.id, "status.json"))
    return job
