"""Programs with their costs, and lists that are short enough to be read whole each time."""

from collections.abc import Iterable, Iterator

import msgspec

from connectors.base.exact import decode_record
from connectors.base.model import Change, Page, Stream, Window
from connectors.base.paginate import batches, in_order
from connectors.marketo.api import Api, Params, Results, id_of, moment_text
from connectors.marketo.records import moment
from connectors.marketo.windows import SECOND

WORKERS = 4
PAGE = 200


class _Dated(msgspec.Struct):
    updated_at: object = msgspec.field(default=None, name="updatedAt")


def read_small(api: Api, stream: Stream) -> Iterator[Page]:
    """The whole list in one page: what it does not show counts as gone, so that none of it is handed on before all is there."""
    if stream.options["paging"] == "assets":
        found = api.assets(stream.path)
    else:
        found = {id_of(raw): raw for page in api.pages(stream.path) for raw in page.result}
    yield Page([_change(id_, raw) for id_, raw in found.items()])


def read_programs(api: Api, stream: Stream, window: Window) -> Iterator[Page]:
    """Programs that were made or changed in the window, each by itself: the list shows neither costs nor tags."""
    params: Params = {}
    if window.kind != "full":
        params = {
            "earliestUpdatedAt": moment_text(window.start),
            "latestUpdatedAt": moment_text(window.end + SECOND),
        }
    yield from programs(api, api.assets(stream.path, params))


def programs(api: Api, ids: Iterable[str]) -> Iterator[Page]:
    """Programs by id; those that are gone are left out."""

    def ask(one: str) -> list[Change]:
        answer = api.ask_optional(f"/rest/asset/v1/program/{one}.json", Results) or Results()
        return [_change(id_of(raw), raw) for raw in answer.result]

    for several in batches(in_order(ask, ids, workers=WORKERS), PAGE):
        changes = [change for one in several for change in one]
        if changes:
            yield Page(changes)


def _change(id_: str, raw: msgspec.Raw) -> Change:
    at = decode_record(raw, _Dated).updated_at
    return Change(id_, moment(at) if isinstance(at, str) else None, "upsert", bytes(raw))
