"""A small Tryton for these tests alone: real HTTP on a free port, its JSON, its domains, and faults by script.

Records are kept nested, as {"id": 1, "lines": [{"id": 7, ...}]}; a link asked for without fields is answered by its id.
"""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "canary-key-77aa"
DATABASE = "shop"
Record = dict[str, Any]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "in": lambda a, b: a in b,
    ">": lambda a, b: a is not None and a > b,
    ">=": lambda a, b: a is not None and a >= b,
    "<": lambda a, b: a is not None and a < b,
    "<=": lambda a, b: a is not None and a <= b,
}


class FakeTryton:
    """models: name -> records by id; a model that is not a key is not installed.

    hidden: models that the key may not read. missing_fields: fields that no model has. companies: the key's user's.
    log, history: rows of ir.model.log, and (time, state) of opportunities by id.
    statuses: answers to give before behaving, first in first out. html: answer web pages. miscounted: added to each count.
    calls: what was asked, as (model, action). after: called with (model, action) once an answer is composed.
    """

    def __init__(self) -> None:
        self.models: dict[str, dict[int, Record]] = {}
        self.log: list[Record] = []
        self.history: dict[int, list[tuple[datetime, str]]] = {}
        self.hidden: set[str] = set()
        self.missing_fields: set[str] = set()
        self.companies = [1]
        self.statuses: list[int] = []
        self.html = False
        self.miscounted = 0
        self.calls: list[tuple[str, str]] = []
        self.after: Callable[[str, str], None] = lambda _model, _action: None

    def put(self, model: str, **record: Any) -> None:
        self.models.setdefault(model, {})[record["id"]] = record

    @property
    def counted(self) -> Counter[tuple[str, str]]:
        return Counter(self.calls)

    def answer(self, model: str, action: str, data: Record, context: Record) -> Any:
        if model in self.hidden:
            raise PermissionError
        special: dict[tuple[str, str], Callable[[], Any]] = {
            ("ir.model", "search_read"): lambda: self._known(data["domain"][0][2]),
            ("ir.model", "search_count"): lambda: len(self.models),
            ("ir.model.access", "get_access"): lambda: {m: {"read": m not in self.hidden} for m in data["models"]},
            ("ir.model.log", "search_read"): lambda: self._logged(data["domain"][0][2]),
            ("res.user", "get_preferences"): lambda: {"company_filter": "all", "companies": self.companies},
        }
        general: dict[str, Callable[[], Any]] = {
            "fields_get": lambda: {name: {} for name in data["fields_names"] if name not in self.missing_fields},
            "history_revisions": lambda: [[at, i, None] for i in data["ids"] for at, _ in self.history.get(i, [])],
            "search_count": lambda: len(self._found(model, data, context)) + self.miscounted,
            "search": lambda: [each["id"] for each in self._found(model, data, context)],
            "search_read": lambda: [shown(each, data["fields_names"]) for each in self._found(model, data, context)],
        }
        return (special.get((model, action)) or general[action])()

    def _known(self, asked: list[str]) -> list[Record]:
        return [{"id": number, "name": name} for number, name in enumerate(asked) if name in self.models]

    def _found(self, model: str, data: Record, context: Record) -> list[Record]:
        found = [each for each in self.models[model].values() if holds(each, data["domain"], context)]
        found.sort(key=lambda each: int(each["id"]))
        if at := context.get("_datetime"):
            found = [{**each, "state": self._state(each["id"], unmarked(at))} for each in found]
        return found[: data.get("limit")]

    def _logged(self, asked: list[str]) -> list[Record]:
        if any(int(resource.split(",")[1]) not in self.models["sale.opportunity"] for resource in asked):
            raise PermissionError
        return [row for row in self.log if row["resource"] in asked]

    def _state(self, id_: int, at: datetime) -> str:
        return [state for since, state in sorted(self.history[id_]) if since <= at][-1]


def unmarked(value: Any) -> Any:
    if isinstance(value, dict) and value.get("__class__") == "datetime":
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return datetime(*(value[part] for part in parts), tzinfo=UTC)  # type: ignore[misc]
    return value


def holds(record: Record, domain: list[Any], context: Record) -> bool:
    """Whether a record meets a domain, as Tryton reads domains."""
    if context.get("active_test", True) and record.get("active") is False:
        return False
    clauses = domain[1:] if domain and domain[0] in ("OR", "AND") else domain
    met = (_meets(record, clause, context) for clause in clauses)
    return any(met) if domain and domain[0] == "OR" else all(met)


def _meets(record: Record, clause: list[Any], context: Record) -> bool:
    if not clause or isinstance(clause[0], list) or clause[0] in ("OR", "AND"):
        return holds(record, clause, context)
    field, operator, operand = clause
    value = record[field]
    if operator == "where":
        return any(holds(each, operand, context) for each in (value if isinstance(value, list) else [value]) if each)
    return COMPARE[operator](value, unmarked(operand))


def shown(record: Record, fields: list[str]) -> Record:
    """A record as search_read answers it: linked records under a name with a dot behind."""
    answer: Record = {"id": record["id"]}
    nested: dict[str, list[str]] = {}
    for field in fields:
        first, _, rest = field.partition(".")
        if rest:
            nested.setdefault(first, []).append(rest)
        else:
            value = record.get(first)
            answer[first] = value["id"] if isinstance(value, dict) else value
    for link, below in nested.items():
        value = record.get(link)
        if isinstance(value, list):
            answer[f"{link}."] = [shown(each, below) for each in value]
        else:
            answer[f"{link}."] = None if value is None else shown(value, below)
    return answer


def _marked(value: Any) -> Any:
    if isinstance(value, datetime):
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{part: getattr(value, part) for part in parts}}
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


@contextmanager
def serving(tryton: FakeTryton) -> Iterator[str]:
    """The fake on a free port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            context = json.loads(base64.urlsafe_b64decode(self.headers["X-Tryton-Context"]))
            _, database, _, _, model, action = self.path.split("/")
            tryton.calls.append((model, action))
            if tryton.statuses:
                self._say(tryton.statuses.pop(0))
            elif database != DATABASE:
                self._say(404)
            elif self.headers.get("Authorization") != f"Bearer {KEY}":
                self._say(401)
            else:
                self._answer(model, action, body, context)

        def _answer(self, model: str, action: str, body: Record, context: Record) -> None:
            try:
                answer = tryton.answer(model, action, body, context)
            except PermissionError:
                self._say(403)
                return
            text = json.dumps(answer, default=_marked)
            tryton.after(model, action)
            self._say(200, "<!doctype html>" if tryton.html else text)

        def _say(self, status: int, text: str = "<!doctype html>") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
