"""Programs, channels, static lists, smart campaigns, e-mails, forms and landing pages, of both APIs that have them.

Source: developer guide of Marketo Engage, "Assets" and its pages.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.marketo.answers import ApiError, answer, asset_answer, missing, moment_of, names_of, number_of
from sandbox.marketo.asset_shapes import channel, database_campaign, database_list
from sandbox.marketo.channels import CHANNELS
from sandbox.marketo.instance import Instance, paged
from sandbox.store import Record

MOST, USUAL = 200, 20
Endpoint = Callable[[Request], Awaitable[Response]]


class Assets:
    """Endpoints of assets."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def browse(self, kind: str, show: Callable[[Record], dict[str, Any]]) -> Endpoint:
        """All of a kind by offset, between `earliestUpdatedAt` and `latestUpdatedAt` where they are given."""

        async def endpoint(request: Request) -> Response:
            query = request.query_params
            most, offset = number_of(request, "maxReturn", USUAL, MOST), number_of(request, "offset", 0, 10**9)
            low, high = (
                moment_of(query[name], name) if name in query else None
                for name in ("earliestUpdatedAt", "latestUpdatedAt")
            )
            if low and high and low > high:
                raise ApiError("701", "earliestUpdatedAt must be before latestUpdatedAt")
            found = [
                record
                for record in self.instance.live(kind)
                if (low is None or record.modified_at >= low) and (high is None or record.modified_at <= high)
            ]
            if "status" in query:
                found = [record for record in found if show(record).get("status") == query["status"]]
            rows = [show(record) for record in found[offset : offset + most]]
            return asset_answer(request, self.instance.drifted(rows))

        return endpoint

    def one(self, kind: str, show: Callable[[Record], dict[str, Any]]) -> Endpoint:
        """One of a kind by id, or by `name` where the path says byName."""

        async def endpoint(request: Request) -> Response:
            id_ = request.path_params["id"]
            if id_ == "byName":
                if not (name := request.query_params.get("name")):
                    raise missing("name")
                return asset_answer(request, [show(r) for r in self.instance.live(kind) if r.fields["name"] == name])
            record = self.instance.get(kind, id_)
            return asset_answer(request, [] if record is None else self.instance.drifted([show(record)]))

        return endpoint

    async def channels(self, request: Request) -> Response:
        """GET /rest/asset/v1/channels.json."""
        most, offset = number_of(request, "maxReturn", USUAL, MOST), number_of(request, "offset", 0, 10**9)
        shown = [channel(each) for each in CHANNELS.values()]
        return asset_answer(request, shown[offset : offset + most])

    async def lists(self, request: Request) -> Response:
        """GET /rest/v1/lists.json."""
        return self._database(request, "lists", database_list)

    async def campaigns(self, request: Request) -> Response:
        """GET /rest/v1/campaigns.json."""
        return self._database(request, "campaigns", database_campaign)

    def _database(self, request: Request, kind: str, show: Callable[[Record], dict[str, Any]]) -> Response:
        ids, names = set(names_of(request, "id")), set(request.query_params.getlist("name"))
        programs = set(request.query_params.getlist("programName"))
        found = [
            r
            for r in self.instance.live(kind)
            if (not ids or r.id in ids)
            and (not names or r.fields["name"] in names)
            and (not programs or r.fields.get("programName") in programs)
        ]
        rows, more = paged(request, found, show)
        more.pop("moreResult")
        return answer(request, self.instance.drifted(rows), **more)

    async def list(self, request: Request) -> Response:
        """GET /rest/v1/lists/{id}.json."""
        return self._by_id(request, "lists", "List", database_list)

    async def campaign(self, request: Request) -> Response:
        """GET /rest/v1/campaigns/{id}.json."""
        return self._by_id(request, "campaigns", "Campaign", database_campaign)

    def _by_id(self, request: Request, kind: str, word: str, show: Callable[[Record], dict[str, Any]]) -> Response:
        id_ = request.path_params["id"]
        record = self.instance.get(kind, id_)
        if record is None:
            raise ApiError("1013", f"{word} with id '{id_}' not found")
        return answer(request, [show(record)])
