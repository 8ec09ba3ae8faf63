"""Writes to a running Tryton as its users would: over its REST, so that logs, sequences and checks are the server's."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sandbox.tryton.environment import TrytonSandboxError
from sandbox.tryton.server import TrytonServer

BATCH = 200
"""Records per request when creating."""


class Admin:
    """The administrator of a running server."""

    def __init__(self, server: TrytonServer) -> None:
        self._root = f"{server.base_url}/{server.database}/rest/model"
        self._key = server.admin_key

    def create(self, model: str, records: Sequence[dict[str, Any]]) -> list[int]:
        """Create records; returns their ids in order."""
        ids: list[int] = []
        for start in range(0, len(records), BATCH):
            ids += self._send("POST", f"{model}/create", {"vlist": list(records[start : start + BATCH])})
        return ids

    def write(self, model: str, id_: int, **values: Any) -> None:
        """Change fields of one record."""
        self._send("PUT", f"{model}/{id_}", values)

    def delete(self, model: str, id_: int) -> None:
        """Delete one record."""
        self._send("DELETE", f"{model}/{id_}")

    def press(self, model: str, id_: int, button: str) -> None:
        """Press a button of one record's form."""
        self._send("POST", f"{model}/{id_}/{button}", {})

    def search(self, model: str, domain: list[Any] | None = None, fields: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Records that match, the inactive too, ordered by id."""
        query = [
            ("d", _encoded(domain or [])),
            ("o", _encoded([["id", "ASC"]])),
            *(("f", name) for name in ("id", *fields)),
        ]
        found: list[dict[str, Any]] = self._send("GET", f"{model}?{urlencode(query)}")
        return found

    def _send(self, method: str, path: str, data: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the server's own
            f"{self._root}/{path}",
            method=method,
            data=None if data is None else json.dumps(data, default=_marked).encode(),
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                "X-Tryton-Context": _encoded({"active_test": False, "company": 1}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - as above
                body = response.read()
        except urllib.error.HTTPError as error:
            raise TrytonSandboxError(
                f"{method} {path.partition('?')[0]}: {error.code} {error.read().decode()[:500]}"
            ) from None
        return json.loads(body) if body else None


def _marked(value: Any) -> dict[str, Any]:
    """Values that JSON has no type for, as Tryton marks them."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(type(value).__name__)


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, default=_marked).encode()).decode()


def adding(*records: dict[str, Any]) -> list[Any]:
    """The value of a one-to-many field that creates `records` with their parent."""
    return [["create", list(records)]]
