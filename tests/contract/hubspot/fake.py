"""A small HubSpot for tests: the vendor's documented answers over a few dictionaries, with faults on request."""

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.serving import serving_handler

TOKEN = "pat-na1-canary-0f3c"
CAP = 10_000
Json = dict[str, Any]


def iso(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


@dataclass
class Record:
    id: int
    modified: int
    properties: Json = field(default_factory=dict)
    archived_at: int | None = None
    text: str | None = None

    def json(self, names: list[str] | None = None) -> str:
        if self.text is not None:
            return self.text
        known = {"hs_object_id": str(self.id), **self.properties}
        shown = known if names is None else {name: known.get(name) for name in names}
        body: Json = {"id": str(self.id), "properties": shown, "createdAt": iso(1), "updatedAt": iso(self.modified)}
        body["archived"] = self.archived_at is not None
        if self.archived_at is not None:
            body["archivedAt"] = iso(self.archived_at)
        return json.dumps(body)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Json
    length: int
    authorization: str


@dataclass
class Reply:
    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    damage: str = ""  # reset | short-gzip | late-gzip


def error(status: int, category: str, **more: str) -> Reply:
    """As HubSpot words it: the message quotes what must not reach a log."""
    body = {"status": "error", "message": "about ana.canary@firm.example", "category": category, "policyName": ""}
    return Reply(status, json.dumps({**body, **more}))


class FakeHubSpot:
    """State, faults and log; `url` while it serves."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Record]] = {}
        self.custom: dict[str, list[str]] = {}
        self.types: dict[str, str] = {}
        self.aliases: dict[int, int] = {}
        self.lists: dict[str, list[Json]] = {}
        self.links: dict[tuple[str, str], dict[str, list[Json]]] = {}
        self.link_page = 500
        self.events: list[Json] = []
        self.submissions: dict[str, list[Json]] = {}
        self.faults: list[tuple[str, Reply]] = []
        self.allowed_campaign_properties: set[str] | None = None
        self.answering: Callable[[Request], Reply | None] = lambda _request: None
        self.shuffle_seed: int | None = None
        self.headers: dict[str, str] = {}
        self.log: list[Request] = []
        self.url = ""
        self._lock = threading.Lock()

    # what tests set up

    def add(self, kind: str, *records: Record) -> None:
        self.objects.setdefault(kind, {}).update({record.id: record for record in records})

    def fail(self, path: str, *replies: Reply) -> None:
        """The next requests whose path contains `path` get these replies, one each."""
        self.faults.extend((path, reply) for reply in replies)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.log if path in request.path]

    # what it answers

    def reply(self, request: Request) -> Reply:
        with self._lock:
            self.log.append(request)
            if request.authorization != f"Bearer {TOKEN}":
                return error(401, "INVALID_AUTHENTICATION")
            for at, (path, reply) in enumerate(self.faults):
                if path in request.path:
                    del self.faults[at]
                    return reply
            return self.answering(request) or self.route(request)

    def route(self, request: Request) -> Reply:  # noqa: PLR0911 - a table of routes
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        match parts:
            case ["crm", "v3", "properties", kind]:
                names = [(name, False) for name in self.custom.get(kind, [])]
                listed = [
                    {"name": name, "type": self.types.get(name, "string"), "hubspotDefined": is_standard}
                    for name, is_standard in [("email", True), *names]
                ]
                return Reply(body=json.dumps({"results": listed}))
            case ["crm", "v3", "objects", kind]:
                return self.listing(kind, request)
            case ["crm", "v3", "objects", kind, "search"]:
                return self.search(kind, request.body)
            case ["crm", "v3", "objects", kind, "batch", "read"]:
                return self.batch(kind, request)
            case ["crm", "v4", "associations", one, other, "batch", "read"]:
                return self.associations((one, other), request.body)
            case ["email", "public", "v1", "events"]:
                return self.email_events(request.query)
            case ["form-integrations", "v1", "submissions", "forms", form]:
                if form not in self.submissions:
                    return error(404, "OBJECT_NOT_FOUND")
                return self.page(self.submissions[form], request.query, 50)
            case ["crm", "v3", "owners"] | ["crm", "v3", "pipelines", _] | ["marketing", "v3", _]:
                return self.small("deals" if "pipelines" in parts else parts[-1], request.query)
        return error(404, "NOT_FOUND")

    def small(self, name: str, query: dict[str, str]) -> Reply:
        if name == "campaigns" and self.allowed_campaign_properties is not None:
            asked = set(filter(None, query.get("properties", "").split(",")))
            if asked - self.allowed_campaign_properties:
                return error(400, "VALIDATION_ERROR")
        archived = query.get("archived") == "true"
        rows = [row for row in self.lists.get(name, []) if row.get("archived", False) is archived]
        return self.page(rows, query, 100, total=len(rows) if name == "campaigns" else None)

    def page(self, rows: list[Json], query: dict[str, str], most: int, total: int | None = None) -> Reply:
        start, size = int(query.get("after", 0)), min(int(query.get("limit", 20)), most)
        body: Json = {"results": rows[start : start + size]}
        if total is not None:
            body["total"] = total
        if start + size < len(rows):
            body["paging"] = {"next": {"after": str(start + size)}}
        return Reply(body=json.dumps(body))

    def listing(self, kind: str, request: Request) -> Reply:
        if request.length > 16_000:
            return Reply(414, "")
        archived = request.query.get("archived") == "true"
        after, size = int(request.query.get("after", 0)), min(int(request.query.get("limit", 10)), 100)
        names = request.query["properties"].split(",") if "properties" in request.query else None
        every = self.objects.get(kind, {})
        rows = sorted(one for one in every if one > after and (every[one].archived_at is not None) is archived)
        shown = rows[:size]
        paging = f', "paging": {{"next": {{"after": "{shown[-1]}"}}}}' if len(rows) > size else ""
        return Reply(body=f'{{"results": [{", ".join(every[one].json(names) for one in shown)}]{paging}}}')

    def search(self, kind: str, body: Json) -> Reply:
        after, size = int(body.get("after", 0)), min(int(body.get("limit", 10)), 200)
        if after + size > CAP:
            return error(400, "VALIDATION_ERROR")
        filters = [one for group in body["filterGroups"] for one in group["filters"]]
        rows = [
            one for one in self.objects.get(kind, {}).values() if one.archived_at is None and _fits(kind, one, filters)
        ]
        is_down = any(sort["direction"] == "DESCENDING" for sort in body.get("sorts", []))
        rows.sort(key=lambda one: one.id, reverse=is_down)
        if self.shuffle_seed is not None:
            # any order, but the same on each page of one search
            random.Random(f"{self.shuffle_seed} {filters} {is_down}").shuffle(rows)
        shown = ", ".join(one.json(body["properties"]) for one in rows[after : after + size])
        paging = f', "paging": {{"next": {{"after": "{after + size}"}}}}' if after + size < len(rows) else ""
        return Reply(body=f'{{"total": {len(rows)}, "results": [{shown}]{paging}}}')

    def batch(self, kind: str, request: Request) -> Reply:
        archived = request.query.get("archived") == "true"
        most = 50 if "propertiesWithHistory" in request.body else 100
        if len(request.body["inputs"]) > most:
            return error(400, "VALIDATION_ERROR")
        results: dict[int, str] = {}
        missing = []
        for asked in (int(one["id"]) for one in request.body["inputs"]):
            record = self.objects.get(kind, {}).get(self.aliases.get(asked, asked))
            if record is None or (record.archived_at is not None) is not archived:
                missing.append(str(asked))
                continue
            results[record.id] = self.with_history(record, request.body)
        errors = ""
        if missing:
            trouble = {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}
            errors = f', "numErrors": 1, "errors": [{json.dumps(trouble)}]'
        body = f'{{"status": "COMPLETE", "results": [{", ".join(results.values())}]{errors}}}'
        return Reply(207 if missing else 200, body)

    def with_history(self, record: Record, body: Json) -> str:
        if record.text is not None or "propertiesWithHistory" not in body:
            return record.json(body["properties"])
        shown = json.loads(record.json(body["properties"]))
        shown["propertiesWithHistory"] = {
            name: [{"value": record.properties.get(name), "timestamp": iso(record.modified)}]
            for name in body["propertiesWithHistory"]
        }
        return json.dumps(shown)

    def associations(self, kind: tuple[str, str], body: Json) -> Reply:
        if len(body["inputs"]) > 1000:
            return error(400, "VALIDATION_ERROR")
        results, errors = [], []
        for one in body["inputs"]:
            links = self.links.get(kind, {}).get(one["id"], [])
            if not links:
                errors.append({"status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": NO_LINKS})
                continue
            start = int(one.get("after", 0))
            result: Json = {"from": {"id": one["id"]}, "to": links[start : start + self.link_page]}
            if start + self.link_page < len(links):
                result["paging"] = {"next": {"after": str(start + self.link_page)}}
            results.append(result)
        answer: Json = {"status": "COMPLETE", "results": results}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return Reply(207 if errors else 200, json.dumps(answer))

    def email_events(self, query: dict[str, str]) -> Reply:
        low, high = int(query.get("startTimestamp", 0)), int(query.get("endTimestamp", 2**62))
        rows = sorted((one for one in self.events if low <= one["created"] <= high), key=lambda one: -one["created"])
        start, size = int(query.get("offset", 0)), min(int(query.get("limit", 10)), 1000)
        more = start + size < len(rows)
        return Reply(
            body=json.dumps({"events": rows[start : start + size], "hasMore": more, "offset": str(start + size)})
        )


NO_LINKS = "crm.associations.NO_ASSOCIATIONS_FOUND"


def _fits(kind: str, record: Record, filters: list[dict[str, str]]) -> bool:
    cursor = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
    values = {cursor: record.modified, "hs_object_id": record.id}
    for one in filters:
        # HubSpot finds nothing, and says nothing, for the other objects' name of the cursor
        value, limit = values.get(one["propertyName"], -1), int(one["value"])
        if limit == 0 and one["propertyName"] == cursor:
            raise ValueError("HubSpot answers 500 to the epoch")
        if not (value >= limit if one["operator"] == "GTE" else value < limit):
            return False
    return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vendor: FakeHubSpot

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        authorization = self.headers.get("Authorization", "")
        request = Request(self.command, parts.path, query, body, len(self.path), authorization)
        self.send(self.vendor.reply(request))

    do_POST = do_GET  # noqa: N815 - the names that http.server calls

    def send(self, reply: Reply) -> None:
        body = reply.body.encode()
        headers = {
            "Content-Type": "application/json",
            "Date": self.date_time_string(),
            **self.vendor.headers,
            **reply.headers,
        }
        if reply.damage.endswith("gzip"):
            whole = gzip.compress(body)
            body = whole[: len(whole) // 2] if reply.damage == "short-gzip" else whole[:-9]
            headers["Content-Encoding"] = "gzip"
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.damage == "reset":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[FakeHubSpot]:
    vendor = FakeHubSpot()
    with serving_handler(_Handler, vendor=vendor) as vendor.url:
        yield vendor
