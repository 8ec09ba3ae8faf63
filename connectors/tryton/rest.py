"""Calls on one Tryton database.

Records are read with POST `/{database}/rest/model/{model}/search_read` rather than GET on the model: domains and field
lists stand in the body, where neither a server's limit on the request line (gunicorn 4,094 bytes, uWSGI 4,096) nor an
access log meets them, and a field that the key may not read is refused (403) where GET leaves it out in silence.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests

from connectors.base.outcome import Outcome
from connectors.base.session import Session
from connectors.tryton.values import Record
from errors import AnswerError, ConfigurationError

VENDOR = "tryton"

Domain = list[Any]
"""A Tryton domain: a list of clauses, all of which must hold unless the first item is "OR"."""

OUTCOMES = {
    # No refresh: a key is valid or not.
    (401, ""): Outcome.CREDENTIALS,
}


class _Bearer(requests.auth.AuthBase):
    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Rest:
    """The REST interface of one database, seen with one key.

    Args:
        base_url: the server's address.
        database: the database's name.
        key: user application key of type REST.
    """

    def __init__(self, base_url: str, database: str, key: str) -> None:
        self.session = Session(VENDOR, base_url, _Bearer(key), outcomes=OUTCOMES)
        self.database = database

    def call(self, model: str, action: str, data: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> Any:
        """Call a method of a model.

        Args:
            model: name, as "party.party".
            action: name of a method that Tryton offers to clients.
            data: its arguments.
            context: Tryton's context; inactive records are always included.

        Raises:
            CredentialsError, ScopeError, UnreachableError, AnswerError: as their names say.
            ConfigurationError: the server has no such database.
        """
        seen = _header({"active_test": False, **(context or {})})
        path = f"/{quote(self.database, safe='')}/rest/model/{model}/{action}"
        response = self.session.post(path, json=dict(data), headers={"X-Tryton-Context": seen}, missing_ok=True)
        if response.status_code == requests.codes.not_found:
            raise ConfigurationError(
                f"Tryton answers 404 for the database {self.database} of the tryton connection.",
                remedy="Correct the connection's base_url and database; the address ends before the database's name.",
            )
        try:
            return response.json()
        except requests.JSONDecodeError:
            raise AnswerError(
                f"Tryton's answer to {model}/{action} is not JSON.",
                remedy="Check that the tryton connection's base_url is Tryton's own address.",
            ) from None

    def records(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[Record]:
        """Records that match, ordered by id, as Tryton writes them."""
        order = [["id", "ASC"]]
        data = {"domain": domain, "limit": limit, "order": order, "fields_names": list(fields)}
        found: list[Record] = self.call(model, "search_read", data, context)
        return found

    def count(self, model: str, domain: Domain) -> int:
        """How many records match."""
        return int(self.call(model, "search_count", {"domain": domain}))

    def ids(self, model: str, domain: Domain, size: int) -> Iterator[list[int]]:
        """Ids that match, in batches of `size`, ascending.

        Each batch asks for what lies beyond the last id, so that records which come or go meanwhile shift nothing.
        """
        last = 0
        while True:
            clause = [["id", ">", last], domain] if domain else [["id", ">", last]]
            found: list[int] = self.call(model, "search", {"domain": clause, "limit": size, "order": [["id", "ASC"]]})
            if found:
                yield found
            if len(found) < size:
                return
            last = found[-1]

    def known(self, models: Sequence[str]) -> set[str]:
        """Which of these models the database has: those of modules that are not installed are missing."""
        return {found["name"] for found in self.records("ir.model", [["name", "in", list(models)]], ["name"])}

    def fields(self, model: str, names: Sequence[str]) -> set[str]:
        """Which of these fields the model has in this database."""
        return set(self.call(model, "fields_get", {"fields_names": list(names)}))


def _header(context: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(context, separators=(",", ":")).encode()).decode()
