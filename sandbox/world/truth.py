"""What really is and happened, recorded by the world as it acts: the measuring stick for everything that reads the vendors.

Tables (`TABLES` has the columns): who is whose record; the state of each vendor record; opportunities with their buying
groups; events, each once, with the vendor records that tell of it; stage changes; campaigns' costs; accounts; the erased.
A vendor record is named `vendor:kind:id` with the kind of the vendor's store, e.g. `salesforce:Lead:00Q...`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sandbox.world.moments import to_datetime

_TEXT, _TIME, _FLAG, _LIST = pa.string(), pa.timestamp("ms", tz="UTC"), pa.bool_(), pa.list_(pa.string())
_COUNT = pa.int64()
_MEMBER = pa.list_(pa.struct([("person_id", _TEXT), ("role", _TEXT), ("is_primary", _FLAG)]))

TABLES: dict[str, dict[str, pa.DataType]] = {
    "person": {
        "person_id": _TEXT,
        "vendor": _TEXT,
        "kind": _TEXT,
        "record_id": _TEXT,
        "undecidable": _FLAG,
        "since": _TIME,
    },
    "vendor_record": {
        "vendor": _TEXT,
        "kind": _TEXT,
        "record_id": _TEXT,
        "state": _TEXT,
        "merged_into": _TEXT,
        "modified_at": _TIME,
        "fields": _TEXT,
    },
    "opportunity": {
        "opportunity_id": _TEXT,
        "account_id": _TEXT,
        "amount": _TEXT,
        "currency": _TEXT,
        "status": _TEXT,
        "stage": _TEXT,
        "created_at": _TIME,
        "closed_at": _TIME,
        "lead_source": _TEXT,
        "campaign_id": _TEXT,
        "buying_group": _MEMBER,
        "records": _LIST,
    },
    "event": {
        "event_id": _TEXT,
        "person_id": _TEXT,
        "type": _TEXT,
        "occurred_at": _TIME,
        "by": _TEXT,
        "campaign_id": _TEXT,
        "opportunity_id": _TEXT,
        "records": _LIST,
    },
    "stage": {
        "person_id": _TEXT,
        "stage": _TEXT,
        "from_stage": _TEXT,
        "entered_at": _TIME,
        "cycle": _COUNT,
        "reason": _TEXT,
        "records": _LIST,
    },
    "campaign_cost": {
        "campaign_id": _TEXT,
        "name": _TEXT,
        "lead_source": _TEXT,
        "budget": _TEXT,
        "actual": _TEXT,
        "currency": _TEXT,
        "start_at": _TIME,
        "end_at": _TIME,
        "records": _LIST,
    },
    "account": {
        "account_id": _TEXT,
        "name": _TEXT,
        "domain": _TEXT,
        "country": _TEXT,
        "parent_account_id": _TEXT,
        "is_customer": _FLAG,
        "records": _LIST,
    },
    "erased": {"person_id": _TEXT, "vendor": _TEXT, "kind": _TEXT, "record_id": _TEXT, "erased_at": _TIME},
}
"""Table -> column -> type. Amounts are decimal text; `fields` is the JSON object of the record's key fields."""


@dataclass(slots=True)
class Entry:
    """State of one vendor record: live | archived | deleted | merged; times in ms; values of its kind's key fields."""

    state: str
    merged_into: str | None
    modified_at: int
    values: list[Any]


class Truth:
    """All truth tables of one world.

    key_fields: (vendor, kind) -> the fields whose present values are kept.
    objects: table -> function that gives the rows which the world's own objects are (opportunity, campaign_cost, account).
    """

    def __init__(self, key_fields: dict[tuple[str, str], tuple[str, ...]]) -> None:
        self.key_fields = key_fields
        self.records: dict[tuple[str, str], dict[str, Entry]] = {kind: {} for kind in key_fields}
        self.objects: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {}
        self._people: list[tuple[str, str, str, str, bool, int]] = []
        self._events: list[tuple[str, str, int, str, str | None, str | None, list[str]]] = []
        self._stages: list[tuple[str, str, str, int, int, str | None, list[str]]] = []
        self._erased: list[tuple[str, str, str, str, int]] = []

    def is_person(
        self, person_id: str, vendor: str, kind: str, id_: str, since: int, *, undecidable: bool
    ) -> None:  # a row
        """A vendor record is this person; undecidable: nothing that the vendors hold could show it."""
        self._people.append((person_id, vendor, kind, id_, undecidable, since))

    def event(  # a row
        self,
        person_id: str,
        type_: str,
        at: int,
        records: list[str],
        *,
        by: str = "marketing",
        campaign: str | None = None,
        opportunity: str | None = None,
    ) -> list[str]:
        """Something happened; returns its list of records, to which later ones are appended."""
        self._events.append((person_id, type_, at, by, campaign, opportunity, records))
        return records

    def stage(  # a row
        self, person_id: str, stage: str, before: str, at: int, cycle: int, reason: str | None = None
    ) -> list[str]:
        """A person entered a stage; returns the row's list of records, to be filled by who writes them."""
        records: list[str] = []
        self._stages.append((person_id, stage, before, at, cycle, reason, records))
        return records

    def erased(self, person_id: str, vendor: str, kind: str, id_: str, at: int) -> None:
        """A record was removed for good because the person asked for it."""
        self._erased.append((person_id, vendor, kind, id_, at))

    def entry(self, vendor: str, kind: str, id_: str) -> Entry | None:
        """State of one vendor record."""
        return self.records.get((vendor, kind), {}).get(id_)

    def person_of(self, vendor: str, kind: str, id_: str) -> str:
        """The true person of a record.

        Raises:
            KeyError: it is nobody's.
        """
        for person, *record in reversed(self._people):
            if record[:3] == [vendor, kind, id_]:
                return person
        raise KeyError(f"{vendor}:{kind}:{id_}")

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table; times as aware datetimes, None where there is none.

        Raises:
            KeyError: there is no such table.
        """
        columns = tuple(TABLES[table])
        if table in self.objects:
            yield from self.objects[table]()
        elif table == "vendor_record":
            yield from self._vendor_records()
        else:
            for values in self._plain_rows(table):
                yield dict(zip(columns, values, strict=True))

    def _plain_rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        match table:
            case "event":
                for number, (person, type_, at, *rest) in enumerate(self._events, 1):
                    yield f"E{number}", person, type_, to_datetime(at), *rest
            case "stage":
                for person, stage, before, at, *more in self._stages:
                    yield person, stage, before or None, to_datetime(at), *more
            case "person":
                for *known, since in self._people:
                    yield *known, to_datetime(since)
            case _:
                for *gone, at in self._erased:
                    yield *gone, to_datetime(at)

    def table(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table as a list."""
        return list(self.rows(table))

    def export(self, directory: Path) -> dict[str, int]:
        """Write each table as Parquet and as JSON lines; returns the number of rows of each."""
        directory.mkdir(parents=True, exist_ok=True)
        counts = {}
        for name, columns in TABLES.items():
            rows = self.table(name)
            schema = pa.schema(list(columns.items()))
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), directory / f"{name}.parquet")
            with (directory / f"{name}.jsonl").open("wb") as file:
                file.writelines(self.lines(name))
            counts[name] = len(rows)
        return counts

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of a table as JSON lines; times in ISO 8601."""
        for row in self.rows(table):
            yield json.dumps(row, default=_plain, ensure_ascii=False).encode() + b"\n"

    def _vendor_records(self) -> Iterator[dict[str, Any]]:
        for (vendor, kind), entries in self.records.items():
            names = self.key_fields[vendor, kind]
            for id_, entry in list(entries.items()):
                yield {
                    "vendor": vendor,
                    "kind": kind,
                    "record_id": id_,
                    "state": entry.state,
                    "merged_into": entry.merged_into,
                    "modified_at": to_datetime(entry.modified_at),
                    "fields": json.dumps(dict(zip(names, entry.values, strict=True)), ensure_ascii=False),
                }


def _plain(value: Any) -> str:
    return str(value.isoformat())
