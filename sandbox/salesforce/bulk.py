"""Bulk API 2.0 query jobs, after the Bulk API 2.0 guide (Create a Query Job, Get Results, Get Parallel Results, ...).

A job goes from UploadComplete to InProgress to JobComplete, one step each time that it is looked at; its rows are those
of the last step. It is kept for seven days.

Faults: `salesforce.bulk_failed`, `salesforce.bulk_aborted` (the job ends so), `salesforce.bulk_stuck` (a look does not
find it further on), `salesforce.bulk_vanished` (somebody has removed it), `salesforce.bulk_short_page` (a page lacks
its last rows, though its header and locator count them), `salesforce.bulk_locator_expired` (a page is refused),
`salesforce.bulk_lost_page` (the list of pages lacks its last one), `salesforce.no_result_pages` (pages are not listed).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.ids import new_id
from sandbox.salesforce.org import USER_ID, Org
from sandbox.salesforce.query import Planner, Result, csv_cells, run
from sandbox.salesforce.rows import View
from sandbox.salesforce.schema import Kind
from sandbox.salesforce.soql.parser import parse

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
KEPT = timedelta(days=7)
DAY = timedelta(days=1)
PAGE_ROWS = 50_000
"""Rows of a result page where the client does not say how many it wants."""

ENDED = {"JobComplete", "Failed", "Aborted"}
_NEXT = {"UploadComplete": "InProgress", "InProgress": "JobComplete"}


@dataclass(slots=True)
class Job:
    """One query job."""

    id: str
    operation: str
    query: str
    sobject: str
    version: str
    delimiter: str
    line_ending: str
    created_at: datetime
    changed_at: datetime
    state: str = "UploadComplete"
    error: str | None = None
    header: list[str] = field(default_factory=list)
    result: Result | None = None

    def created(self) -> dict[str, Any]:
        """What the answer to its creation says."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": USER_ID,
            "createdDate": _stamp(self.created_at),
            "systemModstamp": _stamp(self.changed_at),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }

    def info(self) -> dict[str, Any]:
        """All that is known of it."""
        known = self.created() | {
            "jobType": "V2Query",
            "numberRecordsProcessed": self.result.total if self.result else 0,
            "retries": 0,
            "totalProcessingTime": int((self.changed_at - self.created_at).total_seconds() * 1000),
            "isPkChunkingSupported": True,
        }
        return known | ({"errorMessage": self.error} if self.error else {})

    def page(self, offset: int, most: int) -> list[View]:
        """Rows of the result."""
        return self.result.rows[offset : offset + most] if self.result else []

    def text(self, rows: list[View]) -> str:
        """Rows as CSV with a header: every value in quotes, null as the empty text."""
        if self.result is None:
            return ""
        delimiter, end = DELIMITERS[self.delimiter], LINE_ENDINGS[self.line_ending]
        cells = csv_cells(self.result.columns)
        between = f'"{delimiter}"'

        def lines() -> Iterator[str]:
            yield between.join(column.name for column in self.result.columns) if self.result else ""
            plain = 2 * (len(cells) - 1)
            for row in rows:
                line = between.join([cell(row) for cell in cells])
                if line.count('"') != plain:
                    line = between.join([cell(row).replace('"', '""') for cell in cells])
                yield line

        return "".join(f'"{line}"{end}' for line in lines())


class Jobs:
    """The query jobs of one org."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._jobs: dict[str, Job] = {}

    def create(self, wanted: dict[str, Any], version: str) -> Job:
        """Take a job in.

        Args:
            wanted: operation, query, and optionally contentType, columnDelimiter, lineEnding.
            version: API version of the request.

        Raises:
            ApiError: the query is malformed or is one that Bulk does not take, or an option is unknown.
        """
        operation = wanted.get("operation")
        delimiter, ending = wanted.get("columnDelimiter") or "COMMA", wanted.get("lineEnding") or "LF"
        if operation not in {"query", "queryAll"} or delimiter not in DELIMITERS or ending not in LINE_ENDINGS:
            raise ApiError(400, "INVALIDJOB", "InvalidJob : operation, columnDelimiter or lineEnding is not supported")
        if (wanted.get("contentType") or "CSV") != "CSV":
            raise ApiError(400, "INVALIDJOB", "InvalidJob : ContentType is not supported for query jobs")
        text = wanted.get("query")
        if not isinstance(text, str) or not text:
            raise ApiError(400, "INVALIDJOB", "InvalidJob : query is required")
        sobject = self._accepted(text)
        now = self.org.now()
        job = Job(new_id("750"), operation, text, sobject, version, delimiter, ending, now, now)
        self._jobs[job.id] = job
        return job

    def _accepted(self, text: str) -> str:
        query = parse(text)
        planner = Planner(self.org, query)
        if query.count or query.is_aggregate:
            raise ApiError(400, "API_ERROR", "Aggregate functions not supported in Bulk Query")
        if query.offset:
            raise ApiError(400, "API_ERROR", "OFFSET not supported in Bulk Query")
        columns = [planner.column(item.path, item.at) for item in query.items]
        if any(column.field.kind is Kind.COMPOUND for column in columns):
            raise ApiError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
        return planner.sobject.name

    def get(self, id_: str) -> Job:
        """A job.

        Raises:
            ApiError: there is none of that id, or none any more.
        """
        job = self._jobs.get(id_)
        if job is not None and self.org.context.faults.strikes("salesforce.bulk_vanished"):
            del self._jobs[id_]
            raise not_found()
        if job is None or self.org.now() - job.created_at > KEPT:
            raise not_found()
        return job

    def look(self, id_: str) -> Job:
        """A job, one step further than at the last look."""
        job = self.get(id_)
        if job.state in _NEXT and not self.org.context.faults.strikes("salesforce.bulk_stuck"):
            job.state = _NEXT[job.state]
            job.changed_at = self.org.now()
            if job.state == "JobComplete":
                self._finish(job)
        return job

    def _finish(self, job: Job) -> None:
        if self.org.context.faults.strikes("salesforce.bulk_failed"):
            job.state, job.error = (
                "Failed",
                "InternalServerError : QUERY_TIMEOUT: Your query request was running for too long.",
            )
        elif self.org.context.faults.strikes("salesforce.bulk_aborted"):
            job.state = "Aborted"
        else:
            job.result = run(self.org, job.query, deleted=job.operation == "queryAll")

    def abort(self, id_: str) -> Job:
        """Stop a job.

        Raises:
            ApiError: it has ended already.
        """
        job = self.get(id_)
        if job.state in ENDED:
            raise ApiError(400, "INVALIDJOBSTATE", f"Aborting {job.state} Job not allowed")
        job.state, job.changed_at = "Aborted", self.org.now()
        return job

    def delete(self, id_: str) -> None:
        """Forget a job.

        Raises:
            ApiError: it has not ended.
        """
        if self.get(id_).state not in ENDED:
            raise ApiError(400, "INVALIDJOBSTATE", "Deleting unfinished Job not allowed")
        del self._jobs[id_]

    def complete(self, id_: str, version: str) -> Job:
        """A job whose results may be read.

        Raises:
            ApiError: it is not complete, or was made with another API version.
        """
        job = self.get(id_)
        if job.version != version:
            raise ApiError(409, "API_VERSION_MISMATCH", "Use the API version that the job was created with")
        if job.state != "JobComplete":
            raise ApiError(400, "INVALIDJOBSTATE", f"Results of {job.state} Job are not available")
        return job

    def all(self) -> list[Job]:
        """All jobs that are kept."""
        return [job for job in self._jobs.values() if self.org.now() - job.created_at <= KEPT]

    def of_last_day(self) -> int:
        """How many were made in the last 24 hours."""
        return sum(1 for job in self._jobs.values() if self.org.now() - job.created_at < DAY)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[:-6] + "+0000"
