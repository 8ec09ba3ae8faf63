"""Reading a large span through Bulk API 2.0: one query job, its result pages by locator, proved before a row is used.

The job says how many rows it found (numberRecordsProcessed), each page how many it carries (Sforce-NumberOfRecords).
Pages wait in a temporary file until both agree with the rows that are there; then they are read again as a stream, so
that memory does not grow with the result.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import msgspec
import requests
import tenacity
import urllib3

from connectors.base.model import Change
from connectors.base.paginate import ahead, batches, by_token
from connectors.salesforce.answers import code_of, unproved
from connectors.salesforce.client import Client
from connectors.salesforce.records import csv_reader
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

_PAGE_TRIES = 3
_WORKING = ("UploadComplete", "InProgress")


class _Job(msgspec.Struct):
    id: str
    state: str
    numberRecordsProcessed: int | None = None  # noqa: N815 - Salesforce's names
    errorMessage: str | None = None  # noqa: N815


class Bulk:
    """Query jobs of one org.

    Args:
        client: the org.
        first_pause: seconds before a job is looked at again; pauses grow to half a minute.
        patience: how long a job may take.
        page_rows: rows asked for per result page.
    """

    def __init__(
        self,
        client: Client,
        *,
        first_pause: float = 0.5,
        patience: timedelta = PATIENCE,
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self._client = client
        self._first_pause = first_pause
        self._patience = patience
        self._page_rows = page_rows

    @contextlib.contextmanager
    def read(self, query: Query) -> Iterator[tuple[int, Iterator[list[Change]]]]:
        """The number of rows that a query has, and the rows in batches: complete and counted when the block is entered.

        Raises:
            Unproved: the job failed, or rows and counts differ.
        """
        job = self._create(query)
        with contextlib.closing(Spool(query.fields)) as spool:
            try:
                total = self._wait(job.id, query)
                pages = self._download(spool, job.id, query, total)
            finally:
                self._drop(job.id)
            yield total, _changes(spool, pages)

    def _url(self, *parts: str) -> str:
        return self._client.url("/".join((self._client.base, "jobs/query", *parts)))

    def _create(self, query: Query) -> _Job:
        self._client.spare()
        body = {"operation": "queryAll", "query": query.select, "contentType": "CSV", "lineEnding": "LF"}
        response = self._client.session.post(self._url(), json=body, missing_ok=True)
        if response.status_code < requests.codes.bad_request:
            return _job(response)
        if code_of(response) in ("INVALIDENTITY", "INVALIDJOB"):
            # Its halves may be small enough for REST.
            raise unproved(f"Salesforce's Bulk API does not take {query.thing}.", again=False)
        raise self._client.refusal(response, query)

    def _wait(self, job_id: str, query: Query) -> int:
        """Poll until the job has ended well; the number of rows it found."""
        polling: tenacity.Retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda each: each.state in _WORKING),
            wait=tenacity.wait_exponential(multiplier=self._first_pause, max=30),
            stop=tenacity.stop_after_delay(self._patience),
        )
        try:
            job: _Job = polling(lambda: _job(self._client.session.get(self._url(job_id))))
        except tenacity.RetryError:
            with contextlib.suppress(SmarketingError):
                self._client.session.send("PATCH", self._url(job_id), json={"state": "Aborted"}, missing_ok=True)
            raise unproved(f"The Bulk job for {query} is not done after {self._patience}.", again=False) from None
        if job.state == "JobComplete":
            return job.numberRecordsProcessed or 0
        # The message quotes the query, and so may quote ids: only codes such as QUERY_TIMEOUT may be repeated.
        code = re.search(r"\b[A-Z]+_[A-Z_]+\b|\bInvalid[A-Z]\w+", job.errorMessage or "")
        raise unproved(f"The Bulk job for {query} ended as {job.state}{f' ({code[0]})' if code else ''}.")

    def _download(self, spool: Spool, job_id: str, query: Query, total: int) -> list[ResultPage]:
        """Every page into the spool, the next one fetched while this one is counted."""

        def fetch(locator: str | None) -> ResultPage:
            return self._fetch(spool, job_id, locator)

        proved: list[ResultPage] = []
        chain = by_token(fetch, lambda page: page.following, where=f"salesforce Bulk {query.thing}")
        with contextlib.closing(ahead(chain)) as pages:
            for first in pages:
                page = first
                for _ in range(_PAGE_TRIES):
                    if spool.is_whole(page):
                        break
                    log.info("salesforce: a result page of %s is short or damaged, fetching it again", query)
                    page = fetch(page.locator)
                else:
                    raise unproved(f"Salesforce's result pages of {query} do not hold the {page.rows} rows they name.")
                proved.append(page)
        rows = sum(spool.count(page) for page in proved)
        if rows != total:
            raise unproved(f"Salesforce gave {rows} of {total} rows of {query}.")
        return proved

    def _fetch(self, spool: Spool, job_id: str, locator: str | None) -> ResultPage:
        """One result page into the spool; a broken connection is tried again."""
        params = {"maxRecords": str(self._page_rows)} | ({"locator": locator} if locator else {})
        url = f"{self._url(job_id, 'results')}?{urlencode(params)}"
        for _ in range(_PAGE_TRIES):
            headers = {"Accept": "text/csv", "Accept-Encoding": "gzip"}
            with self._client.session.get(url, headers=headers, stream=True) as response:
                try:
                    place = spool.append(response.raw.stream(1 << 18, decode_content=False))
                except urllib3.exceptions.HTTPError as error:
                    log.info("salesforce: a result page broke off (%s), fetching it again", type(error).__name__)
                    continue
                count = response.headers.get("Sforce-NumberOfRecords", "")
                following = response.headers.get("Sforce-Locator", "null")
                return ResultPage(
                    place,
                    is_gzip=response.headers.get("Content-Encoding", "").lower() == "gzip",
                    rows=int(count) if count.isdigit() else None,
                    locator=locator,
                    following=None if following in ("", "null") else following,
                )
        raise UnreachableError(
            f"Salesforce broke off a Bulk result page {_PAGE_TRIES} times.",
            remedy="Check the network; the next run reads the same span again.",
        )

    def _drop(self, job_id: str) -> None:
        """Remove the job, so that its result does not lie at Salesforce for a week; it goes by itself if this fails."""
        with contextlib.suppress(SmarketingError):
            self._client.session.send("DELETE", self._url(job_id), missing_ok=True)


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
