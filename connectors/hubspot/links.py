"""Associations v4: for each record all that it is linked to, however many pages a hub has."""

from collections.abc import Iterable, Iterator

import msgspec

from connectors.base.model import Change, Page, Stream
from connectors.base.paginate import batches, in_order
from connectors.hubspot.api import Api, Paging
from connectors.hubspot.batch import ask_batch
from errors import AnswerError

BATCH = 1_000
"""Records that HubSpot takes at once; it gives up to 500 links of each, then a token of its own for each record."""


class _Kind(msgspec.Struct):
    category: str = ""
    type_id: int = msgspec.field(default=0, name="typeId")
    label: str | None = None


class _Link(msgspec.Struct):
    to: str | int = msgspec.field(name="toObjectId")
    kinds: list[_Kind] = msgspec.field(default_factory=list, name="associationTypes")


class _From(msgspec.Struct):
    id: str | int


class _Linked(msgspec.Struct):
    origin: _From = msgspec.field(name="from")
    to: list[_Link] = []
    paging: Paging | None = None


class _Answer(msgspec.Struct):
    """Decoded at once: nothing of these records is kept as it was sent."""

    results: list[_Linked]
    errors: list[msgspec.Raw] = []


_encode = msgspec.json.Encoder().encode


def read_links(api: Api, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
    """All links of each record; one that has none yields an empty list, so that a removed link is seen."""

    def read(batch: list[str]) -> Page:
        return Page([_change(one, links) for one, links in _read(api, stream, batch).items()])

    yield from in_order(read, batches(dict.fromkeys(ids), BATCH), workers=2)


def linked(api: Api, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
    """The ids of all records that these are linked with, each once for each that it is linked with, without fields."""

    def read(batch: list[str]) -> Page:
        found = _read(api, stream, batch)
        return Page([Change(other, None, "upsert", b"") for links in found.values() for other in links])

    yield from in_order(read, batches(dict.fromkeys(ids), BATCH), workers=2)


def _read(api: Api, stream: Stream, batch: list[str]) -> dict[str, dict[str, _Link]]:
    found: dict[str, dict[str, _Link]] = {one: {} for one in batch}
    used: set[tuple[str, str]] = set()
    wanted: list[dict[str, str]] = [{"id": one} for one in batch]
    while wanted:
        answer = ask_batch(api, stream.path, {"inputs": wanted}, _Answer)
        wanted = []
        for linked in answer.results:
            origin = str(linked.origin.id)
            if origin not in found:
                continue  # the record that an id was merged into
            links = found[origin]
            for link in linked.to:
                known = links.setdefault(str(link.to), link)
                if known is not link:
                    known.kinds.extend(link.kinds)
            if linked.paging and linked.paging.next:
                token = str(linked.paging.next.after)
                if (origin, token) in used:
                    raise AnswerError(
                        f"hubspot:{stream.name} names the same next page of one record twice.",
                        remedy="Run again; if it stays so, the vendor's paging is broken: report it with this line.",
                    )
                used.add((origin, token))
                wanted.append({"id": origin, "after": token})
    return found


def _change(origin: str, links: dict[str, _Link]) -> Change:
    """One canonical form, whatever order the vendor used: links by id, kinds by category and number, each once."""
    to = list(links.values())
    # Mostly there is one link of one kind, and nothing to put in order.
    if len(to) > 1:
        to.sort(key=_order)
    for link in to:
        if len(link.kinds) > 1:
            kinds = {(kind.category, kind.type_id, kind.label or ""): kind for kind in link.kinds}
            link.kinds = [kinds[key] for key in sorted(kinds)]
    record = {"from": {"id": origin}, "to": to}
    return Change(origin, None, "upsert", _encode(record))


def _order(link: _Link) -> tuple[int, str]:
    text = str(link.to)
    return len(text), text  # ids are numbers: shorter ones are smaller
