"""What stands before every resource: length of the URL, session, daily calls, the log, and the faults of refusal.

Faults: `salesforce.session_expired` ends the session that a request uses, `salesforce.request_limit` answers as when
the daily calls are used up, `salesforce.concurrent_limit` as when too many long ones run. Those of the wire are `sandbox.transport`'s.
"""

from collections import deque
from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.context import Context
from sandbox.salesforce.auth import Sessions
from sandbox.salesforce.errors import JSON, ApiError
from sandbox.salesforce.org import ORG_ID

LONGEST_TARGET = 16_384
"""Bytes of the URL, and of URL and headers together. (REST API guide, "Status Codes and Error Responses": 414, 431.)"""

DAILY_CALLS = 115_000
"""An Enterprise org with 15 licences: 100,000 and 1,000 for each, over a rolling 24 hours."""

_OPEN = {"/services/data", "/services/data/", "/services/oauth2/token"}
_DAY = timedelta(days=1)


class Calls:
    """API calls of the last 24 hours.

    Args:
        most: how many an org may make.
    """

    def __init__(self, most: int = DAILY_CALLS) -> None:
        self.most = most
        self.used = 0
        self._minutes: deque[tuple[datetime, int]] = deque()

    def count(self, now: datetime) -> None:
        """Count one call."""
        self._forget(now)
        minute = now.replace(second=0, microsecond=0)
        already = self._minutes.pop()[1] if self._minutes and self._minutes[-1][0] == minute else 0
        self._minutes.append((minute, already + 1))
        self.used += 1

    def left(self, now: datetime) -> int:
        """How many are left."""
        self._forget(now)
        return max(0, self.most - self.used)

    def _forget(self, now: datetime) -> None:
        while self._minutes and self._minutes[0][0] <= now - _DAY:
            self.used -= self._minutes.popleft()[1]


class Gate:
    """Wraps the resources.

    Args:
        app: the resources.
        context: clock, faults, log; `context.limits` says whether used-up calls are refused.
        sessions: who may come in.
        calls: counts them.
    """

    def __init__(self, app: ASGIApp, context: Context, sessions: Sessions, calls: Calls) -> None:
        self.app = app
        self.context = context
        self.sessions = sessions
        self.calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        is_call = scope["path"] not in _OPEN

        async def passing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if is_call and status != 401:  # who is not let in learns nothing of the org
                    usage = f"api-usage={self.calls.used}/{self.calls.most}".encode()
                    message = {**message, "headers": [*message["headers"], (b"sforce-limit-info", usage)]}
            await send(message)

        try:
            if is_call:
                self._admit(scope)
            await self.app(scope, receive, passing)
        except ApiError as error:
            await Response(error.body(), error.status, media_type=JSON)(scope, receive, passing)
        finally:
            self.context.log.append(self.context.clock(), "salesforce", ORG_ID, scope["method"], scope["path"], status)

    def _admit(self, scope: Scope) -> None:
        """Let a request in.

        Raises:
            ApiError: 401, 403, 414 or 431.
        """
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + 1
        if target > LONGEST_TARGET:
            raise ApiError(414, "URI_TOO_LONG", "URI Too Long")
        if target + sum(len(k) + len(v) for k, v in scope["headers"]) > LONGEST_TARGET:
            raise ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "Request Header Fields Too Large")
        token = _token(scope)
        if self.context.faults.strikes("salesforce.session_expired"):
            self.sessions.end(token)
        if not self.sessions.holds(token):
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        now = self.context.clock()
        used_up = self.context.limits and not self.calls.left(now)
        if used_up or self.context.faults.strikes("salesforce.request_limit"):
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if self.context.faults.strikes("salesforce.concurrent_limit"):
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Request) Limit exceeded.")
        self.calls.count(now)


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""
    return ""
