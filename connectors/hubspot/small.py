"""Lists that are short enough to be read whole each time: owners, pipelines, forms, campaigns.

What such a list no longer shows counts as gone, so a page that was lost would delete records: a list is collected and
checked against its `total`, where it has one, before any of it is handed on.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Page, Stream
from connectors.base.paginate import by_token
from connectors.hubspot.api import Api, Results, next_of, place_of
from connectors.hubspot.records import head_of, moment
from errors import AnswerError, CountMismatchError

log = logging.getLogger(__name__)

TRIES = 3
PAGE = 100

Params = Mapping[str, str | int]


class _Stage(msgspec.Struct):
    updated_at: object = msgspec.field(default=None, name="updatedAt")


class _Staged(msgspec.Struct):
    stages: list[_Stage] = []


def read_small(api: Api, stream: Stream) -> Iterator[Page]:
    """The whole list in one page: live records as upserts, archived ones as deletes.

    Raises:
        CountMismatchError: the list's `total` and what it shows stay different.
    """
    params = _params(api, stream)
    for _ in range(TRIES):
        live, total = _list(api, stream, params)
        if total is None or total == len(live):
            break
        log.info("hubspot:%s shows %d of %d, reading again", stream.name, len(live), total)
    else:
        raise CountMismatchError(
            f"hubspot:{stream.name} counts {total} records but shows {len(live)}, after {TRIES} attempts.",
            remedy="The next run reads the list again.",
        )
    found = dict(live)
    if stream.options.get("has_archived"):
        archived, _ = _list(api, stream, {**params, "archived": "true"})
        # an id that is in both lists was archived or restored between the two requests: the later answer holds
        found.update({one: change for one, change in archived.items() if change.op == "delete"})
    yield Page(list(found.values()), total, len(live) if total is not None else 0)


def _params(api: Api, stream: Stream) -> Params:
    """Parameters of the list. Campaigns refuse unknown properties (400), so custom ones are left out if they are."""
    params = dict(cast("Params", stream.options.get("params", {})))
    if stream.name != "pipelines":  # not paged, and strict about parameters
        params["limit"] = PAGE
    if names := cast("tuple[str, ...]", stream.options.get("properties", ())):
        own = cast("tuple[str, ...]", stream.options.get("custom_properties", ()))
        wide: Params = {**params, "limit": 1, "properties": ",".join((*names, *own))}
        if api.ask_optional(stream.path, Results, params=wide) is None:
            log.info("hubspot:%s has no custom properties %s", stream.name, ", ".join(own))
            own = ()
        params["properties"] = ",".join((*names, *own))
    return params


def _list(api: Api, stream: Stream, params: Params) -> tuple[dict[str, Change], int | None]:
    changes: dict[str, Change] = {}
    total: int | None = None

    def fetch(after: str | None) -> Results:
        return api.ask(stream.path, Results, params={**params, "after": after} if after else params)

    for page in by_token(fetch, next_of, where=f"hubspot:{stream.name}"):
        total = page.total
        for raw in page.results:
            change = _change(raw)
            changes[change.record_id] = change
    return changes, total


def _change(raw: msgspec.Raw) -> Change:
    head = head_of(raw)
    at = head.archived_at or head.updated_at if head.archived else head.updated_at
    try:
        stages = decode_record(raw, _Staged).stages
    except msgspec.ValidationError as error:
        raise AnswerError(
            "hubspot sent a pipeline whose stages cannot be read.",
            remedy="Report it with this line: the vendor's API may have changed.",
            detail=place_of(error),
        ) from None
    # a stage is edited without a new time on its pipeline
    times = [time for time in (at, *(moment(stage.updated_at) for stage in stages)) if time is not None]
    return Change(head.id, max(times, default=None), "delete" if head.archived else "upsert", bytes(raw))
