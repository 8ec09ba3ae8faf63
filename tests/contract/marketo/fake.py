"""A small Marketo for tests: the vendor's documented answers over a few lists, with faults on request."""

import csv
import hashlib
import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

CLIENT, SECRET = "client-7d", "secret-canary-5c1e"
Json = dict[str, Any]
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(text: str | datetime) -> str:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) else text
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def day(days_ago: float) -> datetime:
    return NOW - timedelta(days=days_ago)


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Json
    length: int
    headers: dict[str, str]

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    damage: str = ""  # reset
    pieces: Iterable[bytes] = ()  # the body where it is too large to be held; headers name its length

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ok(**more: Any) -> Reply:
    return Reply(body=json.dumps({"requestId": "1#2", "success": True, **more}).encode())


def refusal(code: str, message: str = "about ana.canary@firm.example") -> Reply:
    """As Marketo words it: with status 200; the message quotes what must not reach a log."""
    body = {"requestId": "1#2", "success": False, "errors": [{"code": code, "message": message}]}
    return Reply(body=json.dumps(body).encode())


@dataclass
class Job:
    id: str
    kind: str
    body: Json
    polls: int
    status: str = "Created"
    file: bytes = b""
    records: int = 0
    told: Json = field(default_factory=dict)

    def json(self) -> Json:
        shown: Json = {"exportId": self.id, "status": self.status, "format": "CSV", "createdAt": at(NOW)}
        if self.status == "Completed":
            checksum = f"sha256:{hashlib.sha256(self.file).hexdigest()}"
            shown |= {"numberOfRecords": self.records, "fileSize": len(self.file), "fileChecksum": checksum}
            shown |= {"finishedAt": at(NOW), **self.told}
        return shown


class FakeMarketo:
    """State, faults and log; `url` while it serves. Times are as if it were NOW."""

    def __init__(self) -> None:
        self.leads: dict[int, Json] = {}
        self.fields = ["id", "email", "firstName", "lastName", "leadScore", "updatedAt", "createdAt", "productInterest"]
        self.changed: dict[int, datetime] = {}
        self.activities: list[Json] = []
        self.deleted: list[Json] = []
        self.types = [1, 2, 10, 12, 13, 22, 24, 25, 32, 37, 101, 104, 100_001]
        self.programs: dict[int, Json] = {}
        self.members: dict[tuple[int, int], Json] = {}
        self.member_fields = ["leadId", "programId", "statusName", "reachedSuccess", "updatedAt", "attendance"]
        self.lists: dict[int, list[int]] = {}
        self.of_lead: dict[tuple[int, str], list[Json]] = {}
        self.assets: dict[str, list[Json]] = {}
        self.has_updated_at = True
        self.page = 300
        self.empty_pages = False
        self.polls = 1
        self.jobs_start_queued = False
        self.jobs: list[Job] = []
        self.told: list[Json] = []
        self.before_file: Callable[[Job], None] = lambda _job: None
        self.faults: list[tuple[str, Reply]] = []
        self.log: list[Request] = []
        self.tokens = 0
        self.ended: set[str] = set()
        self.url = ""
        self._lock = threading.RLock()

    # what tests set up

    def lead(self, id_: int, changed: datetime, created: datetime | None = None, **fields: Any) -> None:
        base = {"id": id_, "createdAt": at(created or changed), "updatedAt": at(changed)}
        self.leads[id_] = {name: fields.get(name, base.get(name)) for name in self.fields}
        self.changed[id_] = changed

    def activity(self, id_: int, type_: int, when: datetime, lead: int = 1, **more: Any) -> None:
        """One activity; also into the log of deletes where it is one."""
        row = {"id": 7, "marketoGUID": str(id_), "leadId": lead, "activityDate": at(when), "activityTypeId": type_}
        row |= {"campaignId": None, "primaryAttributeValueId": None, "primaryAttributeValue": None, "attributes": {}}
        (self.deleted if type_ == 37 else self.activities).append(row | more)

    def fail(self, path: str, *replies: Reply) -> None:
        """The next requests whose path contains `path` get these replies, one each."""
        self.faults.extend((path, reply) for reply in replies)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.log if path in request.path]

    # what it answers

    def reply(self, request: Request) -> Reply:
        with self._lock:
            self.log.append(request)
            for place, (path, reply) in enumerate(self.faults):
                if path in request.path:
                    del self.faults[place]
                    return reply
            if request.path == "/identity/oauth/token":
                return self.identity(request)
            if request.token in self.ended:
                return refusal("602", "Access token expired")
            if request.token != f"token-{self.tokens}:int":
                return refusal("601", "Access token invalid")
            if request.length > 8_000 and request.method == "GET":
                return Reply(414, b"")
            if request.query.get("_method") == "GET":
                request.query = {**request.query, **request.body}
            return self.route(request)

    def identity(self, request: Request) -> Reply:
        if (request.query.get("client_id"), request.query.get("client_secret")) != (CLIENT, SECRET):
            return Reply(401, b'{"error":"invalid_client","error_description":"Bad client credentials"}')
        if not self.tokens or f"token-{self.tokens}:int" in self.ended:
            self.tokens += 1
        token = {"access_token": f"token-{self.tokens}:int", "token_type": "bearer", "expires_in": 3599, "scope": "a@b"}
        return Reply(body=json.dumps(token).encode())

    def end_token(self) -> None:
        self.ended.add(f"token-{self.tokens}:int")

    def route(self, request: Request) -> Reply:
        parts = request.path.removesuffix(".json").strip("/").split("/")
        areas = {
            ("rest", "v1", "activities"): self.route_activities,
            ("rest", "v1", "lists"): self.route_members,
            ("rest", "v1", "programs"): self.route_members,
            ("rest", "asset", "v1"): self.route_assets,
            ("bulk", "v1"): self.route_bulk,
        }
        for start, area in areas.items():
            if tuple(parts[: len(start)]) == start:
                return area(parts[len(start) :], request)
        match parts:
            case ["rest", "v1", "stats", "usage"]:
                return ok(result=[{"date": "2026-03-10", "total": 1_234, "users": []}])
            case ["rest", "v1", "leads", "describe2"]:
                return ok(result=[{"name": "API Lead", "fields": [{"name": name} for name in self.fields]}])
            case ["rest", "v1", "leads", *of_one]:
                return (
                    self.memberships(int(of_one[0]), of_one[1], request) if of_one else self.leads_by_id(request.query)
                )
            case ["rest", "v1", "campaigns"]:
                return self.by_token(self.assets.get("campaigns", []), request.query)
        return refusal("610", "Requested resource not found")

    def route_activities(self, parts: list[str], request: Request) -> Reply:
        query = request.query
        match parts:
            case ["types"]:
                return ok(result=[{"id": id_, "name": f"type {id_}"} for id_ in self.types])
            case ["pagingtoken"]:
                return ok(nextPageToken=f"{query['sinceDatetime']}|0")
            case ["deletedleads"]:
                kept = [one for one in self.deleted if parse(one["activityDate"]) > day(14)]
                return self.by_time(kept, query, {"37"})
        return self.by_time([*self.activities, *self.deleted], query, set(query["activityTypeIds"].split(",")))

    def route_members(self, parts: list[str], request: Request) -> Reply:
        query = request.query
        match parts:
            case ["members", "describe"]:
                fields = [{"name": name} for name in self.member_fields]
                return ok(result=[{"name": "API Program Membership", "fields": fields}])
            case [id_, "leads"]:
                reply = self.by_token([{"id": lead} for lead in self.lists[int(id_)]], query).json
                reply.pop("moreResult")
                return Reply(body=json.dumps(reply).encode())
            case [id_, "leads", "ismember"]:
                on_list = self.lists.get(int(id_), [])
                asked = [int(lead) for lead in query["id"].split(",")]
                status = {True: "memberof", False: "notmemberof"}
                return ok(result=[{"id": lead, "status": status[lead in on_list]} for lead in asked])
            case [id_, "members"]:
                names = query["fields"].split(",")
                rows = [m for (program, _), m in self.members.items() if program == int(id_)]
                if query["filterType"] == "updatedAt":
                    low, high = parse(query["startAt"]), parse(query["endAt"])
                    if high - low > timedelta(days=7):
                        return refusal("1003", "The range must be seven days or fewer")
                    rows = [row for row in rows if low <= parse(row["updatedAt"]) <= high]
                else:
                    wanted = {int(one) for one in query["filterValues"].split(",")}
                    rows = [row for row in rows if row["leadId"] in wanted]
                return self.by_token([{name: row.get(name) for name in names} for row in rows], query)
        return self.by_token(self.assets.get("lists", []), query)

    def route_assets(self, parts: list[str], request: Request) -> Reply:
        if parts[0] != "program":
            return self.by_offset(parts[0], request.query)
        program = self.programs.get(int(parts[1]))
        return ok(result=[program]) if program else refusal("702", "Program not found")

    def route_bulk(self, parts: list[str], request: Request) -> Reply:
        at_export = parts.index("export")
        kind, rest = "/".join(parts[:at_export]), parts[at_export + 1 :]
        if not rest:
            return ok(result=[job.json() for job in self.jobs if job.kind == kind and job.status == "Completed"])
        return self.create(kind, request.body) if rest == ["create"] else self.job(rest[0], rest[1], request)

    def memberships(self, lead: int, name: str, request: Request) -> Reply:
        rows = self.of_lead.get((lead, name))
        return refusal("1004", "Lead not found") if rows is None else self.by_token(rows, request.query)

    def leads_by_id(self, query: Json) -> Reply:
        wanted = {int(one) for one in query["filterValues"].split(",")}
        if len(wanted) > 300:
            return refusal("1003", "Too many values")
        names = query["fields"].split(",")
        rows = [{n: lead.get(n) for n in names} for id_, lead in sorted(self.leads.items()) if id_ in wanted]
        return self.by_token(rows, query)

    def by_token(self, rows: list[Json], query: Json) -> Reply:
        start, size = int(query.get("nextPageToken") or 0), min(int(query.get("batchSize", 300)), self.page)
        more = start + size < len(rows)
        token = {"nextPageToken": str(start + size)} if more else {}
        return ok(result=rows[start : start + size], moreResult=more, **token)

    def by_time(self, rows: list[Json], query: Json, types: set[str]) -> Reply:
        """What happened after the token's moment; with `empty_pages`, an empty page with moreResult before each."""
        since, _, offset = query["nextPageToken"].partition("|")
        if self.empty_pages and not offset.endswith("e"):
            return ok(moreResult=True, nextPageToken=f"{since}|{offset}e")
        start = int(offset.removesuffix("e"))
        if len(types) > 10:
            return refusal("1003", "Too many activity types")
        fitting = [r for r in rows if parse(r["activityDate"]) > parse(since) and str(r["activityTypeId"]) in types]
        page = []
        for row in fitting[start : start + self.page]:
            pairs = [{"name": name, "value": value} for name, value in row["attributes"].items()]
            page.append({**row, "attributes": pairs})
        more = start + self.page < len(fitting)
        return ok(result=page, moreResult=more, nextPageToken=f"{since}|{start + len(page)}")

    def by_offset(self, name: str, query: Json) -> Reply:
        rows = list(self.programs.values()) if name == "programs" else self.assets.get(name, [])
        if "earliestUpdatedAt" in query:
            low, high = parse(query["earliestUpdatedAt"]), parse(query["latestUpdatedAt"])
            rows = [row for row in rows if low <= parse(row["updatedAt"].removesuffix("+0000")) <= high]
        if name == "programs":
            rows = [{key: value for key, value in row.items() if key != "costs"} for row in rows]
        start, size = int(query.get("offset", 0)), min(int(query.get("maxReturn", 20)), 200)
        if start >= len(rows):
            return ok(warnings=["No assets found for the given search criteria."], errors=[])
        return ok(result=rows[start : start + size], warnings=[], errors=[])

    # exports

    def create(self, kind: str, body: Json) -> Reply:
        filters = body["filter"]
        if "updatedAt" in filters and not self.has_updated_at:
            return refusal("1035", "Unsupported filter type for target subscription: updatedAt")
        if unknown := set(body.get("fields", ())) - set(self.fields) - set(self.member_fields):
            return refusal("1003", f"Invalid value for fields {unknown}")
        span = filters.get("createdAt") or filters.get("updatedAt")
        if span:
            start, end = parse(span["startAt"]), parse(span["endAt"])
            if end - start > timedelta(days=31) or "." in span["startAt"]:
                return refusal("1003", "Invalid date range")
        status = "Queued" if self.jobs_start_queued else "Created"
        job = Job(f"job-{len(self.jobs) + 1}", kind, body, self.polls, status)
        self.jobs.append(job)
        return ok(result=[job.json()])

    def job(self, id_: str, verb: str, request: Request) -> Reply:
        job = next(one for one in self.jobs if one.id == id_)
        if verb == "file":
            return self.file(job, request)
        if verb == "enqueue":
            job.status = "Queued"
        elif verb == "cancel":
            job.status = "Cancelled"
        elif job.status in ("Queued", "Processing"):
            job.polls -= 1
            job.status = "Processing" if job.polls > 0 else "Completed"
            if job.status == "Completed":
                self.finish(job)
        return ok(result=[job.json()])

    def finish(self, job: Job) -> None:
        header, rows = self.content(job)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(["null" if row.get(name) is None else row[name] for name in header])
        job.file, job.records = text.getvalue().encode(), len(rows)
        if self.told:
            told = self.told.pop(0)
            job.status = told.pop("status", "Completed")
            job.told = told
        self.before_file(job)

    def content(self, job: Job) -> tuple[list[str], list[Json]]:
        filters = job.body["filter"]
        if job.kind == "program/members":
            programs = filters["programIds"]
            rows = [{"programId": p, **m} for (p, _), m in self.members.items() if p in programs]
            return ["programId", *job.body["fields"]], rows
        axis = next(iter(set(filters) & {"createdAt", "updatedAt"}))
        start, end = parse(filters[axis]["startAt"]), parse(filters[axis]["endAt"])
        if job.kind == "leads":
            made = {id_: parse(lead["createdAt"]) for id_, lead in self.leads.items()}
            when = made if axis == "createdAt" else self.changed
            return job.body["fields"], [lead for id_, lead in self.leads.items() if start <= when[id_] <= end]
        types = filters.get("activityTypeIds")
        header = ["marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId"]
        header += ["primaryAttributeValueId", "primaryAttributeValue", "attributes"]
        rows = [
            {**one, "attributes": json.dumps(one["attributes"], ensure_ascii=False)}
            for one in self.activities
            if start <= parse(one["activityDate"]) <= end and (not types or one["activityTypeId"] in types)
        ]
        return header, rows

    def file(self, job: Job, request: Request) -> Reply:
        if job.status != "Completed":
            return Reply(404, b"not there")
        headers = {"Content-Type": "text/csv", "Accept-Ranges": "bytes"}
        if match := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")):
            start = int(match[1])
            headers["Content-Range"] = f"bytes {start}-{len(job.file) - 1}/{len(job.file)}"
            return Reply(206, job.file[start:], headers)
        return Reply(200, job.file, headers)
