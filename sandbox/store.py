"""What one vendor holds: records with versions and property history, archives, hard deletes, merges, and links.

The world writes through the verbs below, always in the order of time; the vendors' HTTP apps only read. All times are aware
UTC. Field values are kept in the vendor's own representation (HubSpot: text or None; Salesforce: JSON values).
"""

import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Past(NamedTuple):
    """One earlier or present value of a field: since when, what, who set it."""

    at: datetime
    value: Any
    by: str


@dataclass(slots=True)
class Record:
    """One record of one kind.

    modified_at: last change, deletes included where the vendor counts them so (Salesforce SystemModstamp; HubSpot: not on
        archiving).
    visible_from: from when search indexes and queries show the present version (vendors lag); None: at once.
    archived_at: soft delete (HubSpot archived, Salesforce IsDeleted); None: live.
    merged_into: id of the survivor, where this record was merged away.
    history: earlier values of tracked fields, oldest first, the present one last.
    """

    id: str
    kind: str
    created_at: datetime
    modified_at: datetime
    fields: dict[str, Any]
    history: dict[str, list[Past]] = field(default_factory=dict)
    archived_at: datetime | None = None
    merged_into: str | None = None
    visible_from: datetime | None = None
    before: tuple[datetime, dict[str, Any]] | None = None
    """The version (modified_at, fields) that lagging readers see until `visible_from`; None: they see no record yet."""


class Link(NamedTuple):
    """One association: type id, category and label as HubSpot v4 has them."""

    type_id: int
    category: str
    label: str | None


class Store:
    """The records of one vendor account.

    tracked: kind -> fields whose history is kept.
    archiving_modifies: whether a soft delete bumps modified_at.
    """

    def __init__(self, vendor: str, tracked: dict[str, set[str]] | None = None, *, archiving_modifies: bool) -> None:
        self.vendor = vendor
        self.tracked = tracked or {}
        self.archiving_modifies = archiving_modifies
        self.lock = threading.RLock()
        self.records: dict[str, dict[str, Record]] = defaultdict(dict)
        self.gone: dict[str, dict[str, datetime]] = defaultdict(dict)
        """kind -> id -> when it was hard-deleted."""
        self.links: dict[tuple[str, str], dict[str, dict[str, set[Link]]]] = defaultdict(lambda: defaultdict(dict))
        self.version: dict[str, int] = defaultdict(int)
        """kind -> how many writes it has seen: readers key their caches by it. Links do not count."""
        self.names: dict[str, set[str]] = defaultdict(set)
        """kind -> the fields that any record of it has ever had."""
        self._one_way: set[tuple[str, str]] = set()
        self._by_time: dict[str, list[tuple[datetime, str]]] = {}
        self._lagging: dict[str, set[str]] = defaultdict(set)

    def create(
        self, kind: str, id_: str, at: datetime, fields: dict[str, Any], *, by: str = "", lag: datetime | None = None
    ) -> Record:
        """Add a record; its creation is its first version."""
        with self.lock:
            if id_ in self.records[kind]:
                raise ValueError(f"{self.vendor} {kind} {id_} exists")
            record = Record(id_, kind, at, at, dict(fields), visible_from=lag)
            for name in self.tracked.get(kind, ()):
                if fields.get(name) is not None:
                    record.history[name] = [Past(at, fields[name], by)]
            self.records[kind][id_] = record
            if lag is not None:
                self._lagging[kind].add(id_)
            self._touched(kind, record, fields)
            return record

    def update(
        self, kind: str, id_: str, at: datetime, fields: dict[str, Any], *, by: str = "", lag: datetime | None = None
    ) -> None:
        """Change fields; tracked ones get a line of history."""
        with self.lock:
            record = self.records[kind][id_]
            for name in self.tracked.get(kind, ()):
                if name in fields and fields[name] != record.fields.get(name):
                    record.history.setdefault(name, []).append(Past(at, fields[name], by))
            if lag is not None:
                self._lagging[kind].add(id_)
            if lag is None or record.visible_from is None or record.visible_from <= at:
                record.before = None if lag is None else (record.modified_at, record.fields)
            record.fields = record.fields | fields
            before, record.modified_at = record.modified_at, max(at, record.modified_at)
            record.visible_from = lag
            self._touched(kind, record, fields, before)

    def archive(self, kind: str, id_: str, at: datetime) -> None:
        """Soft delete."""
        with self.lock:
            record = self.records[kind][id_]
            record.archived_at = at
            self._touched(kind, record, before=self._modify(record, at))

    def restore(self, kind: str, id_: str, at: datetime) -> None:
        """Undo a soft delete."""
        with self.lock:
            record = self.records[kind][id_]
            record.archived_at = None
            self._touched(kind, record, before=self._modify(record, at))

    def delete(self, kind: str, id_: str, at: datetime) -> None:
        """Hard delete: nothing of the record is left but its key in `gone`."""
        with self.lock:
            before = self.records[kind].pop(id_).modified_at
            self.gone[kind][id_] = at
            for from_kind, to_kind in list(self.links):
                if to_kind == kind:
                    for to_ids in self._linking(from_kind, kind, id_):
                        del to_ids[id_]
            for (from_kind, _), by_id in self.links.items():
                if from_kind == kind:
                    by_id.pop(id_, None)
            self._forget_time(kind, before, id_)
            self._touched(kind)

    def merge(self, kind: str, loser: str, winner: str, at: datetime) -> None:
        """Merge `loser` into `winner`: the loser is archived and points at the winner; its links move over."""
        with self.lock:
            record = self.records[kind][loser]
            record.merged_into = winner
            record.archived_at = at
            before = self._modify(record, at)
            for from_kind, to_kind in list(self.links):
                if to_kind == kind:
                    for to_ids in self._linking(from_kind, kind, loser):
                        to_ids.setdefault(winner, set()).update(to_ids.pop(loser))
            for (from_kind, _), by_id in list(self.links.items()):
                if from_kind == kind and loser in by_id:
                    for to_id, kinds in by_id.pop(loser).items():
                        by_id[winner].setdefault(to_id, set()).update(kinds)
            self._touched(kind, record, before=before)

    def link(
        self, from_kind: str, from_id: str, to_kind: str, to_id: str, link: Link, back: Link | None = None
    ) -> None:
        """Associate two records, both ways where `back` is given."""
        with self.lock:
            self.links[from_kind, to_kind][from_id].setdefault(to_id, set()).add(link)
            if back:
                self.links[to_kind, from_kind][to_id].setdefault(from_id, set()).add(back)
            else:
                self._one_way.add((from_kind, to_kind))

    def unlink(self, from_kind: str, from_id: str, to_kind: str, to_id: str) -> None:
        """Remove all associations between two records, both ways."""
        with self.lock:
            self.links[from_kind, to_kind].get(from_id, {}).pop(to_id, None)
            self.links[to_kind, from_kind].get(to_id, {}).pop(from_id, None)

    def get(self, kind: str, id_: str) -> Record | None:
        """A record, live or archived; None when it never was or is hard-deleted."""
        return self.records[kind].get(id_)

    def live(self, kind: str) -> Iterator[Record]:
        """Records that are not archived, in order of creation."""
        return (r for r in list(self.records[kind].values()) if r.archived_at is None)

    def archived(self, kind: str) -> Iterator[Record]:
        """Records that are archived and not merged away."""
        return (r for r in list(self.records[kind].values()) if r.archived_at is not None and r.merged_into is None)

    def modified(self, kind: str, start: datetime, end: datetime) -> list[Record]:
        """All records, archived too, with start <= modified_at < end, in order of (modified_at, id)."""
        with self.lock:
            index = self._by_time.get(kind)
            if index is None:
                index = sorted((r.modified_at, r.id) for r in self.records[kind].values())
                self._by_time[kind] = index
            low, high = bisect_left(index, (start, "")), bisect_left(index, (end, ""))
            return [self.records[kind][id_] for _, id_ in index[low:high]]

    def index(self) -> None:
        """Make ready what `modified` looks up, which would else be made by the first who asks."""
        for kind in list(self.records):
            self.modified(kind, datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

    def lagging(self, kind: str, now: datetime) -> list[Record]:
        """Records whose present version is not visible yet."""
        with self.lock:
            known = self.records[kind]
            late = {i for i in self._lagging[kind] if i in known and (known[i].visible_from or now) > now}
            self._lagging[kind] = late
            return [known[i] for i in late]

    def many(self, kind: str, ids: Iterable[str]) -> list[Record]:
        """The records that exist among `ids`."""
        known = self.records[kind]
        return [known[i] for i in ids if i in known]

    def _linking(self, from_kind: str, kind: str, id_: str) -> list[dict[str, set[Link]]]:
        """What each record of `from_kind` that is linked to one record links to; by the way back where all links have one."""
        by_id = self.links[from_kind, kind]
        if (from_kind, kind) in self._one_way:
            return [to_ids for to_ids in by_id.values() if id_ in to_ids]
        return [by_id[other] for other in self.links[kind, from_kind].get(id_, {}) if id_ in by_id.get(other, {})]

    def _modify(self, record: Record, at: datetime) -> datetime:
        """Date the record's archiving or restoring, where the vendor does; returns the date before."""
        before = record.modified_at
        if self.archiving_modifies:
            record.modified_at = at
        return before

    def _touched(
        self, kind: str, record: Record | None = None, fields: Iterable[str] = (), before: datetime | None = None
    ) -> None:
        """Bring what is kept of a kind up to date with a write: of a record, to these fields, dated `before` until then."""
        self.version[kind] += 1
        self.names[kind].update(fields)
        if record is None or record.modified_at == before or kind not in self._by_time:
            return
        if before is not None:
            self._forget_time(kind, before, record.id)
        insort(self._by_time[kind], (record.modified_at, record.id))

    def _forget_time(self, kind: str, at: datetime, id_: str) -> None:
        index = self._by_time.get(kind)
        if index is not None:
            del index[bisect_left(index, (at, id_))]
