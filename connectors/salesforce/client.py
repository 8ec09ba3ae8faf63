"""Salesforce's REST resources as plain calls: query, count, describe, limits, versions."""

import threading
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote_plus

import msgspec
import requests

from connectors.base.session import Limits, Session
from connectors.salesforce.answers import (
    OUTCOMES,
    SPLITS,
    Unproved,
    allowances_of,
    code_of,
    decoded,
    limit_until,
    unproved,
)
from connectors.salesforce.auth import SalesforceAuth
from connectors.salesforce.soql import Query
from errors import AnswerError, CredentialsError, ScopeError

T = TypeVar("T")


class Answer(msgspec.Struct, gc=False):
    """A page of a query, records as their exact bytes."""

    totalSize: int  # noqa: N815 - Salesforce's names
    records: list[msgspec.Raw] = []
    nextRecordsUrl: str | None = None  # noqa: N815


class Limit(msgspec.Struct):
    """One row of /limits."""

    Max: int
    Remaining: int


class Field(msgspec.Struct, frozen=True):
    """One field of an object, as describe tells of it.

    type: Salesforce's word, such as string, picklist, address.
    calculated: a formula or a roll-up: it may change without a new SystemModstamp.
    """

    name: str
    type: str = ""
    custom: bool = False
    calculated: bool = False


class _Description(msgspec.Struct):
    fields: list[Field]


class _Version(msgspec.Struct):
    version: str


class Client:
    """One org.

    Args:
        auth: token and instance.
        api_version: such as "66.0".
        reserve: share of the org's daily calls that is left to its other tools, 0 to 1.
    """

    def __init__(self, auth: SalesforceAuth, api_version: str, *, reserve: float = 0.0) -> None:
        self.auth = auth
        self.api_version = api_version
        self.base = f"/services/data/v{api_version}"
        self.session = Session(
            "salesforce",
            "",
            auth,
            outcomes=OUTCOMES,
            code_of=code_of,
            limits=Limits(told=allowances_of, until=limit_until, reserve=reserve),
            timeout=(10.0, 130.0),
        )
        self._fields: dict[str, dict[str, Field]] = {}
        self._lock = threading.Lock()

    def url(self, path: str) -> str:
        """An absolute URL on the instance."""
        return f"{self.auth.instance_url}{path}"

    def first(self, query: Query) -> Answer:
        """The first page of a query, deleted and archived rows included; 2,000 rows at most.

        Raises:
            Unproved: this span cannot be read so.
        """
        return self.ask(query, query.select)

    def count(self, query: Query) -> int:
        """How many rows the query has now, by Salesforce's own count."""
        return self.ask(query, query.count).totalSize

    def ask(self, query: Query, soql: str) -> Answer:
        """The first page of what `soql` asks about a query's rows, deleted and archived ones included.

        Raises:
            Unproved: this cannot be answered.
        """
        return self.get(f"{self.base}/queryAll?q={quote_plus(soql)}", Answer, query)

    def more(self, query: Query, next_url: str) -> Answer:
        """A further page. Its URL says `query` even after queryAll, and yet gives deleted rows as well."""
        try:
            return self.get(next_url, Answer, query)
        except CredentialsError:
            # A locator belongs to the session that opened it: after a new login it may be refused for good
            # (airbyte pull 84302). Only a new query shows whether the key itself is bad.
            raise unproved(f"Salesforce ended the session while {query} was paged.") from None

    def get(self, path: str, kind: type[T], query: Query) -> T:
        """A JSON answer about a query; a damaged body is asked for again.

        Raises:
            Unproved, ScopeError: by Salesforce's refusal.
        """
        response, answer = self._asked(path, kind)
        if answer is not None:
            return answer
        if response.status_code >= requests.codes.bad_request:
            raise self.refusal(response, query)
        raise unproved(f"Salesforce's answers about {query} cannot be read as JSON.")

    def _asked(self, path: str, kind: type[T]) -> tuple[requests.Response, T | None]:
        return decoded(lambda: self.session.get(self.url(path), missing_ok=True), kind)

    def refusal(self, response: requests.Response, query: Query) -> Exception:
        """What a refused query means."""
        code = code_of(response)
        if code == "INVALID_QUERY_LOCATOR":
            return unproved(f"Salesforce let the query locator of {query} expire.")
        if code in SPLITS:
            return unproved(f"Salesforce gives up on {query} ({code}).", again=False)
        if code == "INVALID_FIELD":
            # Taken away since it was described: the next reading describes anew.
            self.forget(query.thing)
            error = AnswerError(
                f"Salesforce does not know a field of {query.thing} any more.",
                remedy="Run again; if it stays so, check the integration user's field permissions.",
            )
            return Unproved(error, split=False)
        return self._hidden(query.thing) if code == "INVALID_TYPE" else self._odd(response, query.thing)

    def _hidden(self, thing: str) -> ScopeError:
        return ScopeError(
            f"Salesforce does not show the object {thing} to the integration user.",
            remedy=f"Grant read access to {thing} in its permission set (connectors/salesforce/README.md).",
        )

    def _odd(self, response: requests.Response, thing: str) -> AnswerError:
        why = f"status {response.status_code}, {code_of(response)[:60]}"
        return AnswerError(
            f"Salesforce does not accept a request about {thing} ({why}).",
            remedy="Check api_version, and report it with this line: the API may have changed.",
        )

    def fields(self, thing: str) -> Mapping[str, Field]:
        """The fields of an object that this user may see, by name; asked once, and again after `forget`.

        Raises:
            ScopeError: the object is not shown to this user.
        """
        with self._lock:
            if (known := self._fields.get(thing)) is not None:
                return known
        response, description = self._asked(f"{self.base}/sobjects/{thing}/describe", _Description)
        if description is None:
            code = code_of(response)
            raise self._hidden(thing) if code in ("NOT_FOUND", "INVALID_TYPE") else self._odd(response, thing)
        fields = {each.name: each for each in description.fields}
        with self._lock:
            self._fields[thing] = fields
        return fields

    def forget(self, thing: str) -> None:
        """Describe this object anew at the next question."""
        with self._lock:
            self._fields.pop(thing, None)

    def limits(self) -> dict[str, Limit]:
        """The org's limits by name; empty where it does not say."""
        return self._asked(f"{self.base}/limits", dict[str, Limit])[1] or {}

    def versions(self) -> list[str]:
        """The API versions that the instance speaks."""
        _, versions = self._asked("/services/data/", list[_Version])
        if versions is None:
            raise AnswerError("Salesforce's list of API versions cannot be read.", remedy="Run again.")
        return [each.version for each in versions]
