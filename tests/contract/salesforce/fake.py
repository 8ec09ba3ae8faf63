"""A small Salesforce for these tests alone: real HTTP on a free port, its own paging, and faults by script."""

import csv
import gzip
import io
import json
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Reply:
    """An answer; cut: reset the connection in the middle of the body; half: half a gzip stream, sent as if whole."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    half: bool = False

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


def refusal(status: int, code: str, message: str = "as scripted") -> Reply:
    return Reply(status, [{"errorCode": code, "message": message}])


def doing(action: Callable[[], object], reply: Reply) -> Callable[[Reply], Reply]:
    """A change that does something first."""

    def change(_reply: Reply) -> Reply:
        action()
        return reply

    return change


@dataclass
class Fault:
    """change: what becomes of answers to requests whose method and path match, `times` times, after `skip` of them."""

    pattern: str
    change: Callable[[Reply], Reply]
    times: int = 1
    skip: int = 0


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def lead(number: int, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """A made-up lead; ids have the 18 characters of real ones."""
    return {
        "Id": f"00Q{number:012d}AAA",
        "Email": f"lead{number}@people.example",
        "LastName": f"Lead {number}",
        "CreatedDate": stamp(at - timedelta(days=1)),
        "SystemModstamp": stamp(at),
        "IsDeleted": False,
        "MasterRecordId": None,
    } | more


def leads(count: int, start: datetime = NOW, step: timedelta = timedelta(minutes=1)) -> list[dict[str, Any]]:
    return [lead(number, start + number * step) for number in range(count)]


class Org:
    """rows: by object. shown: fields that describe names, by object (default: those of its rows), each a name or all that
    describe says of it. listed_page: rows of a page that resultPages lists; None: this server does not list pages.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"Lead": []}
        self.shown: dict[str, list[Any]] = {}
        self.page_sizes: list[int] = [2000]
        self.bulk_page = 10**9
        self.listed_page: int | None = None
        self.spelling = ("resultUrl", "nextRecordsUrl")
        self.polls = 1
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.tokens_given = 0
        self.valid_token = ""
        self.forms: list[dict[str, str]] = []
        self.count_lies: Callable[[str, int], int] = lambda _soql, count: count
        self.job_counts: Callable[[int], int] = lambda count: count
        self.cursors: dict[str, tuple[list[dict[str, Any]], str]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.usage = "24/15000"
        self.locator_needs_token = False
        self.clock_ahead = timedelta(0)
        self.delay: Callable[[str], object] = lambda _line: None
        self.on_job: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        org = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 1 << 16

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time.time()) + org.clock_ahead.total_seconds())

            def log_message(self, *_args: object) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._send(org.answer(self.command, self.path, self.headers.get("Authorization", ""), body))

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

            def _send(self, reply: Reply) -> None:
                data, headers = reply.data, dict(reply.headers)
                if data and "gzip" in self.headers.get("Accept-Encoding", ""):
                    data = gzip.compress(data, 1)
                    headers["Content-Encoding"] = "gzip"
                    data = data[: len(data) // 2] if reply.half else data
                self.send_response(reply.status)
                for name, value in {"Sforce-Limit-Info": f"api-usage={org.usage}", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if reply.cut else data)
                self.wfile.flush()
                if reply.cut:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def fail(self, pattern: str, change: Reply | Callable[[Reply], Reply], *, times: int = 1, skip: int = 0) -> None:
        made = (lambda _reply: change) if isinstance(change, Reply) else change
        self.faults.append(Fault(pattern, made, times, skip))

    def asked(self, pattern: str) -> list[str]:
        return [each for each in self.seen if re.search(pattern, each)]

    # --- what a request gets

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply:
        line = f"{method} {unquote_plus(path)}"
        self.delay(line)
        with self._lock:
            self.seen.append(line)
            reply = self._answer(method, path, authorization, body)
            for fault in self.faults:
                if fault.times and re.search(fault.pattern, line):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault.change(reply)
            return reply

    def _answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply:  # noqa: PLR0911 - routes
        parts = urlsplit(path)
        if parts.path == "/services/oauth2/token":
            return self._token(body)
        if parts.path == "/services/data/":
            return Reply(body=[{"version": "65.0"}, {"version": "66.0"}])
        if len(path) > 16_384:
            return Reply(414, b"URI Too Long")
        if authorization != f"Bearer {self.valid_token}" or not self.valid_token:
            return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match parts.path.removeprefix("/services/data/v66.0/").split("/"):
            case ["limits"]:
                return Reply(body={"DailyApiRequests": {"Max": 15000, "Remaining": 14976}})
            case ["sobjects", thing, "describe"]:
                return self._describe(thing)
            case ["query" | "queryAll" as kind] if "q" in query:
                return self._query(query["q"], all_rows=kind == "queryAll")
            case ["query" | "queryAll", locator]:
                return self._more(locator)
            case ["jobs", "query", *rest]:
                return self._job(method, rest, query, body)
        return refusal(404, "NOT_FOUND")

    def _token(self, body: bytes) -> Reply:
        self.forms.append({key: values[0] for key, values in parse_qs(body.decode()).items()})
        self.tokens_given += 1
        self.valid_token = f"00D!token{self.tokens_given}"
        return Reply(body={"access_token": self.valid_token, "instance_url": self.url, "token_type": "Bearer"})

    def expire(self) -> None:
        self.valid_token = "expired"

    def _describe(self, thing: str) -> Reply:
        if thing not in self.rows:
            return refusal(404, "NOT_FOUND")
        names = self.shown.get(thing) or list(self.rows[thing][0] if self.rows[thing] else lead(0))
        fields = [{"name": each, "type": "string"} if isinstance(each, str) else each for each in names]
        return Reply(body={"name": thing, "fields": fields})

    def _shown(self, thing: str, otherwise: list[str]) -> set[str]:
        return {each if isinstance(each, str) else each["name"] for each in self.shown.get(thing) or otherwise}

    def select(self, soql: str, *, all_rows: bool) -> tuple[list[str], list[dict[str, Any]]]:
        found = re.fullmatch(r"SELECT (.+?) FROM (\w+)(?: WHERE (.+))?", soql)
        assert found, soql
        rows = list(self.rows[found[2]])
        if not all_rows:
            rows = [row for row in rows if not row.get("IsDeleted")]
        for condition in (found[3] or "").split(" AND "):
            rows = _filtered(rows, condition)
        return ([] if found[1] == "COUNT()" else found[1].split(", ")), rows

    def _query(self, soql: str, *, all_rows: bool) -> Reply:
        fields, rows = self.select(soql, all_rows=all_rows)
        if not fields:
            return Reply(body={"totalSize": self.count_lies(soql, len(rows)), "done": True, "records": []})
        thing = soql.split(" FROM ")[1].split(maxsplit=1)[0]
        if unknown := set(fields) - self._shown(thing, fields):
            return refusal(400, "INVALID_FIELD", f"No such column '{unknown.pop()}' on entity '{thing}'.")
        records = [
            {"attributes": {"type": thing, "url": f"/{thing}/{row['Id']}"}} | {name: row.get(name) for name in fields}
            for row in rows
        ]
        cursor = f"01g{uuid.uuid4().hex[:12]}MAX"
        self.cursors[cursor] = (records, self.valid_token)
        return self._page(cursor, 0, 0)

    def _page(self, cursor: str, offset: int, number: int) -> Reply:
        records, _ = self.cursors[cursor]
        end = offset + self.page_sizes[min(number, len(self.page_sizes) - 1)]
        body: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records), "records": records[offset:end]}
        if end < len(records):
            # As the vendor does: `query`, even after queryAll.
            body["nextRecordsUrl"] = f"/services/data/v66.0/query/{cursor}-{end}.{number + 1}"
        return Reply(body=body)

    def _more(self, locator: str) -> Reply:
        cursor, _, position = locator.partition("-")
        if cursor not in self.cursors:
            return refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if self.locator_needs_token and self.cursors[cursor][1] != self.valid_token:
            return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        offset, _, number = position.partition(".")
        return self._page(cursor, int(offset), int(number))

    def _job(self, method: str, rest: list[str], query: dict[str, str], body: bytes) -> Reply:  # noqa: PLR0911 - routes
        match method, rest:
            case "POST", []:
                asked = json.loads(body)
                self.on_job()
                fields, rows = self.select(asked["query"], all_rows=asked["operation"] == "queryAll")
                name = f"750{uuid.uuid4().hex[:15]}"
                self.jobs[name] = {"polls": self.polls, "fields": fields, "rows": rows}
                return Reply(body={"id": name, "state": "UploadComplete"})
            case "GET", [name] if name in self.jobs:
                job = self.jobs[name]
                if job["polls"]:
                    job["polls"] -= 1
                    return Reply(body={"id": name, "state": "InProgress"})
                count = self.job_counts(len(job["rows"]))
                return Reply(body={"id": name, "state": "JobComplete", "numberRecordsProcessed": count})
            case "GET", [name, "results"] if name in self.jobs:
                return self._results(self.jobs[name], query)
            case "GET", [name, "resultPages"] if name in self.jobs and self.listed_page:
                return self._listed(name, int(query.get("locator", "0")), self.listed_page)
            case "DELETE", [name] if name in self.jobs:
                if self.jobs[name]["polls"]:
                    return refusal(400, "INVALIDJOBSTATE", "Deleting unfinished Job not allowed")
                del self.jobs[name]
                return Reply(204)
            case "PATCH", [name] if name in self.jobs:
                self.jobs[name]["polls"] = 0
                return Reply(body={"id": name, "state": "Aborted"})
        return refusal(404, "NOT_FOUND")

    def _listed(self, name: str, start: int, rows: int) -> Reply:
        """Up to five URLs; locators of listed pages know where their page ends."""
        page, following = self.spelling
        total = len(self.jobs[name]["rows"])
        path = f"/services/data/v66.0/jobs/query/{name}"
        starts = range(start, max(total, 1), rows)
        body: dict[str, Any] = {
            "resultPages": [{page: f"{path}/results?locator=MT{at}.{rows}"} for at in starts[:5]],
            "done": len(starts) <= 5,
        }
        if not body["done"]:
            body[following] = f"{path}/resultPages?locator={starts[5]}"
        return Reply(body=body)

    def _results(self, job: dict[str, Any], query: dict[str, str]) -> Reply:
        at, _, size = query.get("locator", "0").removeprefix("MT").partition(".")
        offset = int(at)
        end = offset + min(int(size or query.get("maxRecords", "100000")), self.bulk_page)
        rows = job["rows"][offset:end]
        following = f"MT{end}" if end < len(job["rows"]) else "null"
        headers = {"Sforce-NumberOfRecords": str(len(rows)), "Sforce-Locator": following, "Content-Type": "text/csv"}
        return Reply(body=csv_of(job["fields"], rows), headers=headers)


def csv_of(fields: list[str], rows: Iterable[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow([_text(row.get(name)) for name in fields])
    return out.getvalue().encode()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    return text.replace("+0000", "Z") if re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+0000", text) else text


def _filtered(rows: list[dict[str, Any]], condition: str) -> list[dict[str, Any]]:
    if not condition:
        return rows
    if found := re.fullmatch(r"Id IN \((.+)\)", condition):
        ids = set(re.findall(r"'(\w+)'", found[1]))
        return [row for row in rows if row["Id"] in ids]
    if found := re.fullmatch(r"IsDeleted = (true|false)", condition):
        return [row for row in rows if row["IsDeleted"] is (found[1] == "true")]
    found = re.fullmatch(r"(\w+) (>=|<) (\S+)", condition)
    assert found, condition
    limit = datetime.fromisoformat(found[3])
    at = [datetime.fromisoformat(row[found[1]]) for row in rows]
    return [row for row, when in zip(rows, at, strict=True) if (when >= limit if found[2] == ">=" else when < limit)]
