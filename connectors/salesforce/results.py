"""Fetching a job's result: up to five pages at once where the server lists them, else one after the other by locator.

Salesforce lists result pages from API version 58 on (resultPages): up to five URLs in an answer, and where to ask for
more. Their size is the server's. A locator stays the same as long as its job exists, so that a page can be fetched
again. (Bulk API 2.0 guide, Get Results for a Query Job, Get Parallel Results for a Query Job.)
"""

import contextlib
import logging
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
import urllib3

from connectors.base.paginate import ahead, by_token, in_order
from connectors.salesforce.answers import Unproved, code_of, decoded, unproved
from connectors.salesforce.client import Client
from connectors.salesforce.soql import Query
from connectors.salesforce.spool import ResultPage, Spool
from errors import AnswerError, UnreachableError

log = logging.getLogger(__name__)

AT_ONCE = 5
"""Pages fetched at the same time: as many as one answer lists."""

_TRIES = 3


class _Listed(msgspec.Struct):
    """One answer of resultPages. Salesforce's guide has two spellings of each name; both are understood."""

    resultPages: list[dict[str, str]] = []  # noqa: N815 - Salesforce's names
    done: bool = True
    nextRecordsUrl: str | None = None  # noqa: N815
    nextRecordUrl: str | None = None  # noqa: N815

    @property
    def urls(self) -> list[str]:
        return [url for each in self.resultPages if (url := each.get("resultUrl") or each.get("resultLink"))]

    @property
    def following(self) -> str | None:
        return None if self.done else self.nextRecordsUrl or self.nextRecordUrl


class Download:
    """One complete job's pages, on their way into the spool.

    Args:
        client: the org.
        job_path: path of the job, such as /services/data/v66.0/jobs/query/750...
        query: what was asked, for messages.
        spool: where pages go.
        page_rows: rows asked for in a page where pages are not listed; below this nothing is listed.
    """

    def __init__(self, client: Client, job_path: str, query: Query, spool: Spool, page_rows: int) -> None:
        self._client = client
        self._job_path = job_path
        self._query = query
        self._spool = spool
        self._page_rows = page_rows

    def pages(self, total: int) -> list[ResultPage]:
        """Every page, each whole and with the rows that it names, together as many as the job counts, each id once.

        Raises:
            Unproved: they are not.
            UnreachableError: the line kept breaking off.
        """
        listed = self._listed() if total > self._page_rows else None
        if listed is None:
            with contextlib.closing(ahead(self._chain())) as pages:
                found = list(pages)
        else:
            found = list(in_order(self._whole, self._urls(listed), workers=AT_ONCE))
        rows, ids = sum(self._spool.count(page) for page in found), self._spool.distinct(found)
        if rows != total or ids != rows:
            raise unproved(f"Salesforce gave {ids} of {total} rows of {self._query}.", detail=f"{rows} rows read")
        return found

    def _chain(self) -> Iterator[ResultPage]:
        def fetch(locator: str | None) -> ResultPage:
            params = {"maxRecords": str(self._page_rows)} | ({"locator": locator} if locator else {})
            return self._whole(f"{self._job_path}/results?{urlencode(params)}")

        return by_token(fetch, lambda page: page.following, where=f"salesforce Bulk {self._query.thing}")

    def _listed(self) -> _Listed | None:
        """The first answer about the pages; None where this server does not list them."""
        return self._ask(f"{self._job_path}/resultPages", is_optional=True)

    def _urls(self, first: _Listed) -> Iterator[str]:
        """The pages' URLs, list by list."""

        def fetch(path: str | None) -> _Listed:
            answer = first if path is None else self._ask(self._own(path))
            if answer is None:
                raise self._refusal(requests.Response())
            return answer

        for answer in by_token(fetch, lambda each: each.following, where=f"salesforce Bulk {self._query.thing}"):
            yield from map(self._own, answer.urls)

    def _ask(self, path: str, *, is_optional: bool = False) -> _Listed | None:
        response, answer = decoded(lambda: self._client.session.get(self._client.url(path), missing_ok=True), _Listed)
        if answer is None and not (is_optional and response.status_code == requests.codes.not_found):
            raise self._refusal(response)
        return answer

    def _own(self, url: str) -> str:
        """Path and query of a URL that the server names: the token goes to nobody else, and to no other job."""
        parts = urlsplit(url)
        if not parts.path.startswith(f"{self._job_path}/"):
            raise AnswerError(
                "Salesforce names a Bulk result page that is not of the job asked for.",
                remedy="Report it with this line: the API may have changed.",
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _whole(self, path: str) -> ResultPage:
        """A page that can be read to its end and has the rows that Salesforce says it has."""
        for _ in range(1 + _TRIES):
            page = self._fetch(path)
            if self._spool.is_whole(page):
                return page
            log.info("salesforce: a result page of %s is short or damaged, fetching it again", self._query)
        raise unproved(f"Salesforce's result pages of {self._query} do not hold the {page.rows} rows they name.")

    def _fetch(self, path: str) -> ResultPage:
        """One page into the spool, as it comes; a connection that breaks is tried again."""
        for _ in range(_TRIES):
            headers = {"Accept": "text/csv", "Accept-Encoding": "gzip"}
            with self._client.session.get(
                self._client.url(path), headers=headers, stream=True, missing_ok=True
            ) as response:
                if response.status_code >= requests.codes.bad_request:
                    raise self._refusal(response)
                try:
                    place = self._spool.append(response.raw.stream(1 << 18, decode_content=False))
                except urllib3.exceptions.HTTPError as error:
                    log.info("salesforce: a result page broke off (%s), fetching it again", type(error).__name__)
                    continue
                count = response.headers.get("Sforce-NumberOfRecords", "")
                following = response.headers.get("Sforce-Locator", "null")
                return ResultPage(
                    place,
                    is_gzip=response.headers.get("Content-Encoding", "").lower() == "gzip",
                    rows=int(count) if count.isdigit() else None,
                    following=None if following in ("", "null") else following,
                )
        raise UnreachableError(
            f"Salesforce broke off a Bulk result page {_TRIES} times.",
            remedy="Check the network; the next run reads the same span again.",
        )

    def _refusal(self, response: requests.Response) -> Unproved:
        """Why pages of a complete job are not given: expired, removed by somebody, of another API version."""
        why = f"status {response.status_code}, {code_of(response)[:60]}" if response.status_code else "not found"
        return unproved(f"Salesforce no longer gives the Bulk result of {self._query} ({why}).")
