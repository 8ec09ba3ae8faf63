"""Reads one Tryton database: pages by id, each proved by Tryton's own count."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, cast

from connectors.base.model import Change, Check, Page, Stream, Window
from connectors.base.quota import Store
from connectors.tryton.checks import checks
from connectors.tryton.parties import add_main, is_company
from connectors.tryton.rest import VENDOR, Domain, Rest
from connectors.tryton.stages import add_state_changes
from connectors.tryton.streams import READINGS, STREAMS, Reading
from connectors.tryton.values import Record, encoded, plain
from connectors.tryton.windows import changed, version_at
from errors import AnswerError, CountMismatchError

PAGE = 200
"""Records per request; each brings its linked records."""

KEYS_PAGE = 20_000
TRIES = 3
"""How often a page is read when its count does not match, before the window fails."""


class TrytonConnector:
    """The connector of one database; see `connectors.base.model.Connector` for its methods.

    Args:
        rest: calls on the database.
    """

    vendor = VENDOR
    streams: Mapping[str, Stream] = STREAMS

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self._fields: dict[str, list[str]] = {}
        self.account = f"{rest.session.base_url} {rest.database}"

    def share(self, store: Store, *, is_urgent: bool) -> None:
        """Tryton has no limits; what a proxy before it refuses is known to all."""
        self.rest.session.share(store, is_urgent=is_urgent)

    def now(self) -> datetime:
        """Tryton's clock, whole seconds, from its Date header."""
        if not self.rest.session.has_clock:
            self.rest.count("ir.model", [["id", "=", 0]])
        return self.rest.session.now()

    def read(self, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        """All records that changed in the window; a full window reads all there are.

        Archived parties come as deletes, replaced ones as merges. Deleted records leave nothing to read: see `read_keys`.
        """
        del ids  # no stream has a parent
        reading = _reading(stream)
        if reading.model not in self._installed:
            return
        domain = [] if window.kind == "full" else changed(window, reading.dated)
        last = 0
        while True:
            records, count = self._proved(stream.name, reading, domain, last)
            if records:
                yield Page([self._change(reading, record) for record in records], expected=count, counted=len(records))
            if len(records) < PAGE:
                return
            last = records[-1]["id"]

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The present state of these records; those that are gone are left out."""
        reading = _reading(stream)
        if reading.model not in self._installed:
            return
        asked = map(int, ids)
        while batch := list(islice(asked, PAGE)):
            if records := self._records(stream.name, reading, [["id", "in", batch]]):
                yield Page([self._change(reading, record) for record in records])

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all records that are there and not archived."""
        reading = _reading(stream)
        if reading.model not in self._installed:
            return
        domain: Domain = [["active", "=", True]] if reading.is_archivable else []
        for batch in self.rest.ids(reading.model, domain, KEYS_PAGE):
            yield [str(id_) for id_ in batch]

    def count(self, stream: Stream, until: datetime | None = None) -> int:
        """How many records there are and not archived, those held back too: its streams compare ids in any case."""
        del until
        reading = _reading(stream)
        if reading.model not in self._installed:
            return 0
        return self.rest.count(reading.model, [["active", "=", True]] if reading.is_archivable else [])

    def check(self) -> list[Check]:
        """Address, key, clock, modules, rights and companies."""
        return checks(self.rest)

    @cached_property
    def _installed(self) -> set[str]:
        return self.rest.known([reading.model for reading in READINGS.values()])

    def _proved(self, name: str, reading: Reading, domain: Domain, last: int) -> tuple[list[Record], int]:
        """The records after id `last`, and Tryton's count of the ids they span."""
        for _ in range(TRIES):
            clause: Domain = [["id", ">", last], *([domain] if domain else [])]
            records = self._records(name, reading, clause)
            span: Domain = clause if len(records) < PAGE else [["id", "<=", records[-1]["id"]], *clause]
            count = self.rest.count(reading.model, span)
            if count == len(records):
                return records, count
        raise CountMismatchError(
            f"Tryton counts {count} records of {name} after id {last} where {len(records)} were read, {TRIES} times over.",
            remedy="Run it again when fewer changes are made; the window stays open until it is proved.",
        )

    def _records(self, name: str, reading: Reading, domain: Domain) -> list[Record]:
        found = self.rest.records(reading.model, domain, self._fields_of(name, reading), limit=PAGE)
        try:
            records: list[Record] = plain(found, reading.booleans)
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerError(
                f"Tryton's records of {name} hold a value that is not as Tryton writes them ({type(error).__name__}).",
                remedy="Report it with Tryton's version: its JSON may have changed.",
            ) from None
        if reading.model == "sale.opportunity" and records:
            add_state_changes(self.rest, records)
        return records

    def _fields_of(self, name: str, reading: Reading) -> list[str]:
        """The stream's fields, with those optional ones that this database has."""
        if name not in self._fields:
            optional = {field.split(".")[0] for field in reading.optional}
            has = self.rest.fields(reading.model, sorted(optional)) if optional else set()
            self._fields[name] = [*reading.fields, *(field for field in reading.optional if field.split(".")[0] in has)]
        return self._fields[name]

    def _change(self, reading: Reading, record: Record) -> Change:
        id_, at = str(record["id"]), version_at(record, reading.dated)
        _compose(reading.model, record)
        payload = encoded(record)
        if reading.is_archivable and record["replaced_by"] is not None:
            return Change(id_, at, "merge", payload, merged_into=str(record["replaced_by"]))
        is_archived = reading.is_archivable and not record["active"]
        return Change(id_, at, "delete" if is_archived else "upsert", payload)


def _reading(stream: Stream) -> Reading:
    return cast("Reading", stream.options["reading"])


def _compose(model: str, record: Record) -> None:
    """Add what field maps need and Tryton says only between the lines."""
    if model == "company.employee":
        add_main(record["party"])
    elif model == "party.party":
        add_main(record)
        record["is_company"] = is_company(record)
    elif model == "marketing.automation.record":
        record["party"] = _party_of(record["record"])
    elif model == "marketing.automation.record.activity":
        record["party"] = _party_of(record["record"]["record"])


def _party_of(reference: Any) -> int | None:
    """The party in a reference such as "party.party,12"; None where the scenario is about something else."""
    model, _, id_ = str(reference or "").partition(",")
    return int(id_) if model == "party.party" and id_.isdigit() else None
