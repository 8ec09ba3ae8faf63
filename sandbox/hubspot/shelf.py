"""What the endpoints share: the store, its ids in order, and records in HubSpot's form.

Lists are in numeric order of id, and a cursor is the last id shown: whatever is written between two pages, no record
that exists throughout is shown twice or skipped.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.context import Context
from sandbox.hubspot.answers import iso
from sandbox.hubspot.catalog import ObjectType
from sandbox.store import Past, Record, Store

Key = tuple[float, str]


def key_of(id_: str) -> Key:
    """Sort key of an id: numbers by value, other words after them."""
    return (int(id_), "") if id_.isdecimal() else (math.inf, id_)


@dataclass(frozen=True, slots=True)
class _Order:
    version: int
    keys: list[Key]
    ids: list[str]


class Shelf:
    """Reads one store.

    Caches are keyed by the store's write count, so they are right as soon as a write is done.
    """

    def __init__(self, store: Store, context: Context) -> None:
        self.store = store
        self.context = context
        self._orders: dict[tuple[str, bool], _Order] = {}
        self._derived: dict[tuple[str, str], tuple[int, Any]] = {}

    def page(self, kind: str, after: str | None, limit: int, *, archived: bool = False) -> tuple[list[Record], bool]:
        """Up to `limit` records after the id `after`, in numeric order of id, and whether there are more."""
        with self.store.lock:
            order = self._order(kind, archived=archived)
            start = bisect_right(order.keys, key_of(after)) if after else 0
            ids = order.ids[start : start + limit]
            return self.store.many(kind, ids), start + limit < len(order.ids)

    def count(self, kind: str) -> int:
        """How many records are live."""
        with self.store.lock:
            return len(self._order(kind, archived=False).ids)

    def find(self, kind: str, id_: str) -> Record | None:
        """The record that an id stands for now: of a merged one its survivor; archived ones too."""
        record = self.store.get(kind, id_)
        while record is not None and record.merged_into is not None:
            record = self.store.get(kind, record.merged_into)
        return record

    def names(self, kind: str) -> frozenset[str]:
        """All property names that any record of the kind has ever held."""
        with self.store.lock:
            return frozenset(self.store.names[kind])

    def derived(self, kind: str, name: str, make: Any) -> Any:
        """`make()` of a kind, kept until the kind is written to again."""
        version = self.store.version[kind]
        kept = self._derived.get((kind, name))
        if kept is None or kept[0] != version:
            with self.store.lock:
                kept = (version, make())
            self._derived[kind, name] = kept
        return kept[1]

    def stir(self, kind: str, ids: Iterable[str]) -> None:
        """The fault `hubspot.updated_while_paged`: records change while someone pages through them."""
        now = self.context.clock()
        for record in self.store.many(kind, ids):
            if record.archived_at is None and (record.visible_from is None or record.visible_from <= now):
                if self.context.touch:
                    self.context.touch("hubspot", kind, record.id)
                else:
                    self.store.update(kind, record.id, now, {})

    def _order(self, kind: str, *, archived: bool) -> _Order:
        version = self.store.version[kind]
        order = self._orders.get((kind, archived))
        if order is None or order.version != version:
            records = self.store.archived(kind) if archived else self.store.live(kind)
            pairs = sorted((key_of(r.id), r.id) for r in records)
            order = _Order(version, [key for key, _ in pairs], [id_ for _, id_ in pairs])
            self._orders[kind, archived] = order
        return order


class View:
    """How an answer shows the records of one type: which properties, and of which the history.

    Args:
        type_: the object type.
        properties: names asked for; empty means the type's default ones. Unknown names are left out.
        known: all names that the type has.
        with_history: names whose earlier values are shown too.
    """

    def __init__(
        self, type_: ObjectType, properties: Iterable[str], known: frozenset[str], with_history: Iterable[str] = ()
    ) -> None:
        asked = set(properties) or set(type_.default)
        self.type = type_
        self.names = sorted((asked & known) | set(type_.always))
        self.with_history = sorted(set(with_history) & known)

    def show(self, record: Record) -> dict[str, Any]:
        """One element of `results`. Hold the store's lock: a half-written record must not be shown."""
        get = record.fields.get
        properties = {name: get(name) for name in self.names}
        created, modified = iso(record.created_at), iso(record.modified_at)
        properties["hs_object_id"] = record.id
        properties[self.type.created] = get(self.type.created) or created
        properties[self.type.modified] = modified
        shown: dict[str, Any] = {"id": record.id, "properties": properties}
        if self.with_history:
            shown["propertiesWithHistory"] = {name: list(_history(record, name)) for name in self.with_history}
        shown["createdAt"] = created
        shown["updatedAt"] = modified
        shown["archived"] = record.archived_at is not None
        if record.archived_at is not None:
            shown["archivedAt"] = iso(record.archived_at)
        return shown


def _history(record: Record, name: str) -> Iterator[dict[str, Any]]:
    """Values of one property, newest first."""
    past = record.history.get(name)
    if past is None:
        value = record.fields.get(name)
        past = [] if value is None else [Past(record.created_at, value, "")]
    for line in reversed(past):
        shown: dict[str, Any] = {"value": line.value, "timestamp": iso(line.at), "sourceType": "INTEGRATION"}
        if line.by.isdecimal():
            shown |= {"sourceType": "CRM_UI", "sourceId": f"userId:{line.by}", "updatedByUserId": int(line.by)}
        elif line.by:
            shown |= {"sourceType": line.by}
        yield shown
