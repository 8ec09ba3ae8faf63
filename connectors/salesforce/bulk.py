"""Reading a large span through Bulk API 2.0: one query job, its result pages, proved before a row is used.

The job says how many rows it found (numberRecordsProcessed), each page how many it carries (Sforce-NumberOfRecords).
Pages wait in a temporary file until both agree with the rows that are there; then they are read again as a stream, so
that memory does not grow with the result.

A job costs minutes, and one of the day's 10,000. So its id is noted before it is waited for, and the job stays at
Salesforce until the load commits: a process that is killed leaves both behind, and the next one takes the job up,
running or complete.
"""

import contextlib
import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec
import requests
import tenacity

from connectors.base.model import Change, Memory
from connectors.base.paginate import batches
from connectors.salesforce.answers import Unproved, code_of, unproved
from connectors.salesforce.client import Client
from connectors.salesforce.records import csv_reader
from connectors.salesforce.results import Download
from connectors.salesforce.soql import Query
from connectors.salesforce.spool import DamagedError, ResultPage, Spool
from errors import AnswerError, SmarketingError, UnreachableError

log = logging.getLogger(__name__)

PAGE_ROWS = 50_000
"""Rows asked for per result page: some 10 MB each, so that a broken connection costs little."""

BATCH = 2_000
"""Changes handed on at a time, as in REST."""

PATIENCE = timedelta(hours=2)
"""A job that takes longer is given up, and its span cut in two."""

MOST_STUCK = 3
"""Jobs in a row that may take longer than that: then Salesforce's own queue stands still, and smaller spans do not help."""

_WORKING = ("UploadComplete", "InProgress")


class Begun(msgspec.Struct, frozen=True):
    """What is noted of a job.

    job: its id.
    counted: what COUNT() said before it was made: rows that were edited since have left the span, but not the job.
    api_version: of its making; its result is given to the same version only.
    """

    job: str
    counted: int
    api_version: str


class _Job(msgspec.Struct):
    id: str
    state: str
    numberRecordsProcessed: int | None = None  # noqa: N815 - Salesforce's names
    errorMessage: str | None = None  # noqa: N815


class _Settings(NamedTuple):
    first_pause: float
    patience: timedelta
    page_rows: int


class Bulk:
    """Query jobs of one org.

    Args:
        client: the org.
        first_pause: seconds before a job is looked at again; pauses grow to half a minute.
        patience: how long a job may take.
        page_rows: rows asked for per result page; None: PAGE_ROWS.
        memory: where jobs are noted; None: a job is removed as soon as it has been fetched.
    """

    def __init__(
        self,
        client: Client,
        *,
        first_pause: float = 0.5,
        patience: timedelta = PATIENCE,
        page_rows: int | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._client = client
        self._settings = _Settings(first_pause, patience, page_rows or PAGE_ROWS)
        self._memory = memory
        self._jobs: set[str] = set()  # at Salesforce, as far as this process made or took them up
        self._stuck = 0

    def remembering(self, memory: Memory) -> "Bulk":
        """The same, with jobs noted in `memory` and kept until `clear_up`."""
        return Bulk(self._client, **self._settings._asdict(), memory=memory)

    def clear_up(self) -> None:
        """Remove the jobs that were kept for a load, now that it has committed."""
        for job_id in sorted(self._jobs):
            self._drop(job_id)

    def begun(self, query: Query) -> Begun | None:
        """What an earlier process began for this very query, if this API version can use it."""
        noted = self._memory.recall(_key(query)) if self._memory is not None else None
        if noted is None:
            return None
        try:
            begun = msgspec.json.decode(noted, type=Begun)
        except msgspec.MsgspecError:
            return None
        return begun if begun.api_version == self._client.api_version else None

    @contextlib.contextmanager
    def read(self, query: Query, counted: int) -> Iterator[tuple[int, Iterator[list[Change]]]]:
        """The number of rows that a query has, and the rows in batches: complete and counted when the block is entered.

        counted: what COUNT() said before; noted beside the job.

        Raises:
            Unproved: the job failed, or rows and counts differ.
        """
        begun = self.begun(query)
        job_id = begun.job if begun and self._lives(begun.job) else self._create(query, counted)
        self._jobs.add(job_id)
        try:
            with contextlib.closing(Spool(query.fields)) as spool:
                total = self._wait(job_id, query)
                pages = Download(self._client, self._path(job_id), query, spool, self._settings.page_rows).pages(total)
                if self._memory is None:
                    self._drop(job_id)
                yield total, _changes(spool, pages)
        except (Unproved, AnswerError):
            # What this job found is of no use, today or tomorrow.
            self._forget(job_id, query)
            raise
        except BaseException:
            if self._memory is None:
                self._drop(job_id)
            raise

    def _path(self, *parts: str) -> str:
        return "/".join((self._client.base, "jobs/query", *parts))

    def _url(self, *parts: str) -> str:
        return self._client.url(self._path(*parts))

    def _lives(self, job_id: str) -> bool:
        """Whether Salesforce still has a job that was noted: it keeps them for seven days."""
        response = self._client.session.get(self._url(job_id), missing_ok=True)
        if response.status_code < requests.codes.bad_request:
            log.info("salesforce: a Bulk job that an earlier run began is taken up again")
            return True
        return False

    def _create(self, query: Query, counted: int) -> str:
        body = {"operation": "queryAll", "query": query.select, "contentType": "CSV", "lineEnding": "LF"}
        response = self._client.session.post(self._url(), json=body, missing_ok=True)
        if response.status_code < requests.codes.bad_request:
            job_id = _job(response).id
            if self._memory is not None:
                begun = Begun(job_id, counted, self._client.api_version)
                self._memory.remember(_key(query), msgspec.json.encode(begun).decode())
            return job_id
        if code_of(response) in ("INVALIDENTITY", "INVALIDJOB"):
            # Its halves may be small enough for REST.
            raise unproved(f"Salesforce's Bulk API does not take {query.thing}.", again=False)
        raise self._client.refusal(response, query)

    def _wait(self, job_id: str, query: Query) -> int:
        """Poll until the job has ended well; the number of rows it found."""
        polling: tenacity.Retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda each: each.state in _WORKING),
            wait=tenacity.wait_exponential(multiplier=self._settings.first_pause, max=30),
            stop=tenacity.stop_after_delay(self._settings.patience),
        )
        try:
            job: _Job = polling(lambda: self._look(job_id, query))
        except tenacity.RetryError:
            raise self._overdue(query) from None
        self._stuck = 0
        if job.state == "JobComplete":
            return job.numberRecordsProcessed or 0
        # A field may have been taken away since: the next reading describes the object anew.
        self._client.forget(query.thing)
        # The message quotes the query, and so may quote ids: only codes such as QUERY_TIMEOUT may be repeated.
        code = re.search(r"\b[A-Z]+_[A-Z_]+\b|\bInvalid[A-Z]\w+", job.errorMessage or "")
        raise unproved(f"The Bulk job for {query} ended as {job.state}{f' ({code[0]})' if code else ''}.")

    def _look(self, job_id: str, query: Query) -> _Job:
        response = self._client.session.get(self._url(job_id), missing_ok=True)
        if response.status_code >= requests.codes.bad_request:
            raise unproved(f"Salesforce no longer knows the Bulk job for {query}.")
        return _job(response)

    def _overdue(self, query: Query) -> Exception:
        self._stuck += 1
        if self._stuck < MOST_STUCK:
            return unproved(f"The Bulk job for {query} is not done after {self._settings.patience}.", again=False)
        return UnreachableError(
            f"{self._stuck} Bulk jobs of {query.thing} in a row were not done after {self._settings.patience} each.",
            remedy="Nothing was loaded; look at Setup, Bulk Data Load Jobs, and Salesforce's trust page, then run again.",
        )

    def _forget(self, job_id: str, query: Query) -> None:
        if self._memory is not None:
            self._memory.forget(_key(query))
        self._drop(job_id)

    def _drop(self, job_id: str) -> None:
        """Remove the job, so that its result does not lie at Salesforce for a week; it goes by itself if this fails."""
        if job_id not in self._jobs:
            return
        self._jobs.discard(job_id)
        with contextlib.suppress(SmarketingError):
            send = self._client.session.send
            if send("DELETE", self._url(job_id), missing_ok=True).status_code == requests.codes.bad_request:
                # It is still at work.
                send("PATCH", self._url(job_id), json={"state": "Aborted"}, missing_ok=True)
                send("DELETE", self._url(job_id), missing_ok=True)


def _key(query: Query) -> str:
    return f"bulk {hashlib.blake2b(query.select.encode(), digest_size=16).hexdigest()}"


def _job(response: requests.Response) -> _Job:
    try:
        return msgspec.json.decode(response.content, type=_Job)
    except msgspec.MsgspecError:
        raise unproved("Salesforce's answer about a Bulk job cannot be read.") from None


def _changes(spool: Spool, pages: list[ResultPage]) -> Iterator[list[Change]]:
    for page in pages:
        try:
            yield from batches(map(csv_reader(spool.header), spool.rows(page)), BATCH)
        except (DamagedError, KeyError, ValueError):
            raise AnswerError(
                "A Bulk result of Salesforce has a row without a readable Id and time.",
                remedy="Report it with this line: the API may have changed.",
            ) from None
