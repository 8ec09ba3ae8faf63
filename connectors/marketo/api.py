"""Requests to Marketo and their answers as typed structures, and the three ways in which Marketo pages."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import requests

from connectors.base.exact import decode_page, decode_record
from connectors.base.paginate import by_token
from connectors.base.session import Session, path_of
from connectors.marketo.answers import OUTCOMES, code_of
from connectors.marketo.auth import DAMAGED_TRIES, UNDER_WAY, MarketoAuth, Settings
from connectors.marketo.limits import limits_of
from errors import AnswerError, ConfigurationError

T = TypeVar("T")

Params = Mapping[str, str | int | Sequence[str]]

TRIES = 8
"""Pauses of half a second, doubling: together a minute, so that a full window of 20 seconds passes."""

LONGEST_QUERY = 6_000
"""Characters. Marketo answers 414 above 8 KB of URL; longer ones go as POST with `_method=GET`."""

BATCH, ASSETS = 300, 200
"""The most that the lead database and the asset API give at once."""

EMPTY_TRIES = 5
"""Empty pages that name themselves as the next one, before paging counts as broken."""

LONGEST_LIST = 6
"""Passes over a list that grows each time it is read, before it is taken as it is."""


class Results(msgspec.Struct):
    """A page: each element of `result` as the exact bytes sent. An empty list may leave `result` out."""

    result: list[msgspec.Raw] = []
    token: str | None = msgspec.field(default=None, name="nextPageToken")
    more: bool | None = msgspec.field(default=None, name="moreResult")


class _Id(msgspec.Struct):
    id: int | str


class Api:
    """One Marketo instance.

    Args:
        settings: address, key, limits.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

        def there() -> datetime:
            return self.session.now()

        self._places = threading.BoundedSemaphore(UNDER_WAY)
        self.session = Session(
            "marketo",
            settings.base_url,
            MarketoAuth(settings),
            outcomes=OUTCOMES,
            code_of=code_of,
            limits=limits_of(settings, there),
            tries=TRIES,
            timeout=(10.0, 310.0),  # asset calls may take 300 s
        )

    def now(self) -> datetime:
        """Marketo's clock; asks for it once if no answer has told it yet."""
        if not self.session.has_clock:
            with contextlib.suppress(AnswerError, ConfigurationError):
                self.ask("/rest/v1/stats/usage.json", Results)
        return self.session.now()

    def ask(self, path: str, shape: type[T], *, params: Params | None = None) -> T:
        """The answer to a GET in the shape asked for.

        Raises:
            AnswerError: it stays damaged, has another shape, or there is no such thing; otherwise as `Session.send`.
        """
        answer = self.ask_optional(path, shape, params=params)
        if answer is None:
            raise nothing_at(path)
        return answer

    def ask_optional(self, path: str, shape: type[T], *, params: Params | None = None) -> T | None:
        """As `ask`, but None where Marketo has no such thing or does not take these parameters."""
        query = urlencode(params or {}, doseq=True)
        for _ in range(DAMAGED_TRIES):
            if len(query) > LONGEST_QUERY:
                response = self.send("POST", path, params={"_method": "GET"}, data=dict(params or {}))
            else:
                response = self.send("GET", path, params=params)
            if response.status_code >= requests.codes.bad_request or code_of(response):
                return None
            try:
                return decoded(response, shape)
            except msgspec.ValidationError as error:
                raise AnswerError(
                    f"marketo's answer at {path_of(path)} does not have the documented shape.",
                    remedy="Report it with this line: the vendor's API may have changed.",
                    detail=place_of(error),
                ) from None
            except msgspec.DecodeError:
                continue
        raise AnswerError(
            f"marketo's answer at {path_of(path)} was no whole JSON in {DAMAGED_TRIES} attempts.",
            remedy="Check proxies between here and the vendor, or the vendor's status page, then run again.",
            detail=f"status {response.status_code}, {len(response.content)} bytes",
        )

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request, with a few others under way; what a reader may have an answer to (a 404, 1003, 1029, 1035) is handed back."""
        with self._places:
            return self.session.send(method, path, missing_ok=True, **more)

    def pages(
        self, path: str, params: Params | None = None, *, first: str | None = None, is_optional: bool = False
    ) -> Iterator[Results]:
        """Pages of the lead database by token.

        `moreResult` says whether there is a next one, not the number of rows: pages may be short or empty. Where an endpoint
        does not say it (static lists), the token alone does. is_optional: no rows where Marketo has no such thing.
        """

        def fetch(token: str | None) -> Results:
            query = {**(params or {}), "batchSize": BATCH, **({"nextPageToken": token} if token else {})}
            page = Results()
            for _ in range(EMPTY_TRIES):
                found = self.ask_optional(path, Results, params=query)
                if found is None and not is_optional:
                    raise nothing_at(path)
                page = found or Results(more=False)
                if page.result or page.token != token or not page.more:
                    break
            return page

        def following(page: Results) -> str | None:
            return None if page.more is False else page.token

        yield from by_token(fetch, following, where=f"marketo {path}", first=first)

    def since(self, at: datetime) -> str:
        """The token of the first page of what happened from a moment on."""
        path = "/rest/v1/activities/pagingtoken.json"
        answer = self.ask(path, Results, params={"sinceDatetime": moment_text(at)})
        if not answer.token:
            raise AnswerError(
                "marketo gave no paging token.", remedy="Report it with this line: the API may have changed."
            )
        return answer.token

    def assets(self, path: str, params: Params | None = None) -> dict[str, msgspec.Raw]:
        """A whole list of the asset API by id.

        It is paged by offset and has no count: a row that is deleted meanwhile moves a later one out of sight. A list of more
        than one page is therefore read until a pass shows nothing that was not seen before.
        """
        found: dict[str, msgspec.Raw] = {}
        for _ in range(LONGEST_LIST):
            known, pages = set(found), 0
            for rows in self._offsets(path, params or {}):
                pages += 1
                found.update((id_of(raw), raw) for raw in rows)
            if pages <= 1 or known == set(found):
                break
        return found

    def _offsets(self, path: str, params: Params) -> Iterator[Sequence[msgspec.Raw]]:
        offset = 0
        while True:
            # The end of a list is an answer without result and with a warning, or a 702.
            query = {**params, "maxReturn": ASSETS, "offset": offset}
            page = self.ask_optional(path, Results, params=query) or Results()
            if page.result:
                yield page.result
            if len(page.result) < ASSETS:
                return
            offset += ASSETS


def nothing_at(path: str) -> AnswerError:
    """The error for something that must be there."""
    return AnswerError(f"marketo has nothing at {path}.", remedy="Report it with this line.")


def decoded(response: requests.Response, shape: type[T]) -> T:
    """An answer in a shape; records in `result` keep their exact bytes."""
    return decode_page(response.content, shape, "result")


def id_of(raw: msgspec.Raw) -> str:
    """The id of a record.

    Raises:
        AnswerError: it has none.
    """
    try:
        return str(decode_record(raw, _Id).id)
    except msgspec.ValidationError:
        raise AnswerError(
            "marketo sent a record without an id.", remedy="Report it with this line: the API may have changed."
        ) from None


def moment_text(at: datetime) -> str:
    """A time as Marketo's filters take it: whole seconds, UTC."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def place_of(error: msgspec.ValidationError) -> str:
    """Where in the document the shape was wrong, without the value: msgspec puts the path in backquotes at the end."""
    return str(error).rpartition(" - at ")[2]
