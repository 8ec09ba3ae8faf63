"""Bulk extract: jobs, their queue and their files.

Source: developer guide of Marketo Engage, "Bulk Extract".

A job goes from Created, when it is enqueued, to Queued, Processing and Completed: one step each time that its status is
asked for, while no more than two run; it is the rows of the last step that it gives. Files are kept for seven days.

Faults: `marketo.1029` (too many jobs), `marketo.1029_quota` (daily quota), both at create and enqueue; `marketo.failed_job`
(the job ends so), `marketo.completed_but_404` (no file), `marketo.truncated_file` (half of it, though the lengths agree),
`marketo.short_file` (half of the rows, though all are counted), `marketo.checksum_mismatch` (the checksum of another file).
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.answers import ApiError, HttpError, answer, names_of, stamp
from sandbox.marketo.extract import KINDS, Extract, checked, rows
from sandbox.marketo.files import file_of
from sandbox.marketo.instance import Instance, paged
from sandbox.marketo.limits import Limits, central_day

MOST_RUNNING, MOST_QUEUED = 2, 10
FILE_KEPT, STATUS_KEPT, LISTED = timedelta(days=7), timedelta(days=30), timedelta(days=7)
_NAMESPACE = uuid.UUID("5d0c7a52-1b7e-4f3c-9c1d-7a8b9c0d1e2f")
_TYPES = {"CSV": "text/csv", "TSV": "text/tab-separated-values", "SSV": "text/plain"}


@dataclass(slots=True)
class Job:
    """One job."""

    id: str
    extract: Extract
    created_at: datetime
    status: str = "Created"
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    records: int = 0
    file: bytes = b""
    checksum: str = ""

    def info(self) -> dict[str, Any]:
        """As it is answered."""
        shown: dict[str, Any] = {
            "exportId": self.id,
            "format": self.extract.format,
            "status": self.status,
            "createdAt": stamp(self.created_at),
        }
        times = {"queuedAt": self.queued_at, "startedAt": self.started_at, "finishedAt": self.finished_at}
        shown |= {name: stamp(at) for name, at in times.items() if at is not None}
        if self.status == "Completed":
            shown |= {
                "numberOfRecords": self.records,
                "fileSize": len(self.file),
                "fileChecksum": f"sha256:{self.checksum}",
            }
        if self.status == "Failed":
            shown["errorMsg"] = "Internal error while reading records"
        return shown


class Bulk:
    """Endpoints of bulk extract; the queue is one for all kinds."""

    def __init__(self, instance: Instance, limits: Limits) -> None:
        self.instance = instance
        self.limits = limits
        self._jobs: dict[str, Job] = {}

    async def create(self, request: Request) -> Response:
        """POST /bulk/v1/{kind}/export/create.json."""
        try:
            body = msgspec.json.decode(await request.body())
        except msgspec.DecodeError:
            raise ApiError("609", "Invalid JSON") from None
        extract = checked(self.instance, _kind(request), body)
        self._check_quota()
        now = self.instance.now()
        id_ = str(uuid.uuid5(_NAMESPACE, f"{len(self._jobs)} {now.isoformat()}"))
        job = self._jobs[id_] = Job(id_, extract, now)
        return answer(request, [job.info()])

    async def enqueue(self, request: Request) -> Response:
        """POST .../{id}/enqueue.json."""
        job = self._job(request)
        if job.status != "Created":
            raise ApiError("1029", "Job already queued")
        self._check_quota()
        waiting = [other for other in self._jobs.values() if other.status in {"Queued", "Processing"}]
        if len(waiting) >= MOST_QUEUED:
            self._step(waiting[0])  # jobs of clients that are gone run, too: who asks again finds a place some time
            raise _full()
        job.status, job.queued_at = "Queued", self.instance.now()
        return answer(request, [job.info()])

    async def status(self, request: Request) -> Response:
        """GET .../{id}/status.json."""
        job = self._job(request)
        self._step(job)
        return answer(request, [job.info()])

    async def cancel(self, request: Request) -> Response:
        """POST .../{id}/cancel.json."""
        job = self._job(request)
        if job.status not in {"Created", "Queued", "Processing"}:
            raise ApiError("1003", f"A job that is {job.status} cannot be cancelled")
        job.status, job.finished_at = "Cancelled", self.instance.now()
        return answer(request, [job.info()])

    async def list(self, request: Request) -> Response:
        """GET /bulk/v1/{kind}/export.json: the jobs of the last seven days."""
        wanted = {name.replace("Canceled", "Cancelled") for name in names_of(request, "status")}
        since = self.instance.now() - LISTED
        found = [
            job
            for job in self._jobs.values()
            if job.extract.kind == _kind(request) and job.created_at >= since and (not wanted or job.status in wanted)
        ]
        shown, more = paged(request, found, Job.info)
        more.pop("moreResult")
        return answer(request, shown, **more)

    async def file(self, request: Request) -> Response:
        """GET .../{id}/file.json, or a range of it."""
        job = self._jobs.get(request.path_params["id"])
        known = job is not None and job.extract.kind == _kind(request) and job.status == "Completed"
        if job is None or not known or self.instance.now() - (job.finished_at or job.created_at) > FILE_KEPT:
            raise HttpError(404, "No such file")
        if self.instance.strikes("marketo.completed_but_404"):
            raise HttpError(404, "No such file")
        file, headers = job.file, {"accept-ranges": "bytes"}
        status = 200
        if given := request.headers.get("range"):
            start, end = _range(given, len(file))
            headers["content-range"] = f"bytes {start}-{end}/{len(file)}"
            file, status = file[start : end + 1], 206
        if self.instance.strikes("marketo.truncated_file"):
            file = file[: len(file) // 2]
        return Response(file, status, media_type=_TYPES[job.extract.format], headers=headers)

    def _job(self, request: Request) -> Job:
        job = self._jobs.get(request.path_params["id"])
        gone = job is not None and self.instance.now() - job.created_at > STATUS_KEPT
        if job is None or gone or job.extract.kind != _kind(request):
            raise ApiError("1013", "Export job not found")
        return job

    def _check_quota(self) -> None:
        if self.instance.strikes("marketo.1029"):
            raise _full()
        today = central_day(self.instance.now())
        used = sum(len(j.file) for j in self._jobs.values() if j.finished_at and central_day(j.finished_at) == today)
        is_over = self.instance.context.limits and used >= self.limits.export_bytes
        if is_over or self.instance.strikes("marketo.1029_quota"):
            raise ApiError("1029", "Export daily quota exceeded")

    def _step(self, job: Job) -> None:
        if job.status == "Queued":
            running = [other for other in self._jobs.values() if other.status == "Processing"]
            if len(running) >= MOST_RUNNING:  # time passes for the others, too
                self._finish(running[0])
            else:
                job.status, job.started_at = "Processing", self.instance.now()
        elif job.status == "Processing":
            self._finish(job)

    def _finish(self, job: Job) -> None:
        job.finished_at = self.instance.now()
        if self.instance.strikes("marketo.failed_job"):
            job.status = "Failed"
            return
        with self.instance.store.lock:
            found = rows(self.instance, job.extract)
        job.records, job.status = len(found), "Completed"
        written = found[: len(found) // 2] if self.instance.strikes("marketo.short_file") else found
        job.file = file_of(job.extract.format, job.extract.headers, written)
        told = job.file + b"\n" if self.instance.strikes("marketo.checksum_mismatch") else job.file
        job.checksum = hashlib.sha256(told).hexdigest()


def _full() -> ApiError:
    return ApiError("1029", "Too many jobs in queue")


def _kind(request: Request) -> str:
    return next(kind for kind in KINDS if request.url.path.startswith(f"/bulk/v1/{kind}/"))


def _range(text: str, size: int) -> tuple[int, int]:
    """First and last byte of a range.

    Raises:
        HttpError: 416, it is not one range within the file.
    """
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", text.strip())
    if found is None or int(found[1]) >= size:
        raise HttpError(416, "Requested Range Not Satisfiable")
    return int(found[1]), min(int(found[2] or size), size - 1)
