"""The public connectors of the bake-off: package, host, settings, objects; and what their messages mean."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from benchmarks.scoring import Held, Hoard, moment

Json = dict[str, Any]

HUBSPOT = ("contacts", "companies", "deals", "calls", "emails", "meetings", "notes", "tasks")
SALESFORCE = ("Lead", "Contact", "Account", "Opportunity", "Task", "Event", "Campaign", "CampaignMember")
KINDS = {"hubspot": HUBSPOT, "salesforce": SALESFORCE}
"""Vendor -> the kinds of record that are compared: those that all of its readers read."""

HOSTS = {"hubspot": "https://api.hubapi.com", "salesforce": "https://login.salesforce.com"}
"""Vendor -> the address that its connectors know; Salesforce's login tells them all further ones."""


@dataclass(frozen=True)
class Peer:
    """One public connector.

    package: on PyPI, and of its pins.
    program: module:function that is its command.
    streams: its stream -> the kind of record that it brings.
    config: the vendor's credentials and the day to start from -> its configuration.
    settings: what of that is no default, for the reader of the results.
    retries_apart: whether after a failed run each stream is tried in a run of its own, since its runs end with the first
        stream that fails and begin at the first again.
    """

    package: str
    vendor: str
    speaks: Literal["singer", "airbyte"]
    program: str
    streams: Mapping[str, str]
    config: Callable[[Mapping[str, str], datetime], Json]
    settings: str
    retries_apart: bool = False


def _salesforce_client(keys: Mapping[str, str]) -> Json:
    return {name: keys[f"salesforce_{name}"] for name in ("client_id", "client_secret", "refresh_token")}


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


PEERS = (
    Peer(
        "meltano-tap-hubspot",
        "hubspot",
        "singer",
        "tap_hubspot.tap:TapHubspot.cli",
        {kind: kind for kind in HUBSPOT},
        lambda keys, start: {"access_token": keys["hubspot_access_token"], "start_date": _day(start)},
        "all properties; has no way to report deletes",
        retries_apart=True,
    ),
    Peer(
        "airbyte-source-hubspot",
        "hubspot",
        "airbyte",
        "source_hubspot.run:run",
        {
            **{kind: kind for kind in ("contacts", "companies", "deals")},
            "deals_archived": "deals",
            **{f"engagements_{kind}": kind for kind in ("calls", "emails", "meetings", "notes", "tasks")},
        },
        lambda keys, start: {
            "credentials": {
                "credentials_title": "Private App Credentials",
                "access_token": keys["hubspot_access_token"],
            },
            "start_date": _day(start),
        },
        "incremental; `deals_archived` is read too, its way to report deletes",
    ),
    Peer(
        "tap-salesforce",
        "salesforce",
        "singer",
        "tap_salesforce:main",
        {kind: kind for kind in SALESFORCE},
        lambda keys, start: {
            **_salesforce_client(keys),
            "start_date": _day(start),
            "api_type": "REST",
            "select_fields_by_default": True,
            "lookback_window": 600,
        },
        "REST, all fields, lookback_window 600 s; `IsDeleted` rows report deletes",
    ),
    Peer(
        "airbyte-source-salesforce",
        "salesforce",
        "airbyte",
        "source_salesforce.run:run",
        {kind: kind for kind in SALESFORCE},
        lambda keys, start: {
            "auth_type": "Client",
            **_salesforce_client(keys),
            "start_date": _day(start),
            "preserve_na_values": True,
            "stream_slice_step": "P366D",
        },
        "incremental, preserve_na_values, stream_slice_step P366D for few Bulk jobs, its own lookback of 10 minutes; `IsDeleted` rows "
        "report deletes",
    ),
)


def selected(discovered: Json, streams: Iterable[str]) -> Json:
    """A Singer catalog with these streams and all of their fields selected, by date of change where they have one."""
    wanted = set(streams)
    for stream in discovered["streams"]:
        for entry in stream["metadata"]:
            mine = entry["metadata"]
            if entry["breadcrumb"]:
                mine["selected"] = mine.get("inclusion") != "unsupported"
            else:
                mine["selected"] = stream["tap_stream_id"] in wanted
                if keys := mine.get("valid-replication-keys"):
                    mine |= {"replication-method": "INCREMENTAL", "replication-key": keys[0]}
    return discovered


def configured(peer: Peer, streams: Iterable[str]) -> Json:
    """An Airbyte catalog of these streams: incremental, by the keys and cursors that the source declares."""
    key = "id" if peer.vendor == "hubspot" else "Id"
    date = "updatedAt" if peer.vendor == "hubspot" else "SystemModstamp"

    def one(name: str) -> Json:
        cursor = ["archivedAt" if name == "deals_archived" else date]
        stream = {
            "name": name,
            "json_schema": {},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": cursor,
            "source_defined_primary_key": [[key]],
        }
        modes = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
        return {"stream": stream, **modes, "cursor_field": cursor, "primary_key": [[key]]}

    return {"streams": [one(name) for name in streams]}


class Row(NamedTuple):
    """One record that a connector emitted."""

    stream: str
    record: Json


class Loader:
    """Takes a connector's messages: keeps records by its key, the newest wins; and its state, as a target does.

    Args:
        peer: whose messages.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.rows = 0
        self.state: Any = None
        self.done: set[str] = set()
        """Streams that said they were complete; Singer's do not."""
        self._keys: dict[str, list[str]] = {}
        self._states: dict[str, Json] = {}
        self._tables: dict[str, dict[tuple[Any, ...], Json]] = {kind: {} for kind in peer.streams.values()}

    def load(self, lines: Iterable[str]) -> None:
        """Take what one run printed; what is no message is passed over, such as a line that a crash cut."""
        self.done = set()
        take = self._singer if self.peer.speaks == "singer" else self._airbyte
        for row in take(_messages(lines)):
            kind = self.peer.streams.get(row.stream)
            if kind is not None:
                self.rows += 1
                key = self._keys.get(row.stream) or ["id" if self.peer.vendor == "hubspot" else "Id"]
                self._tables[kind][tuple(row.record.get(name) for name in key)] = row.record

    def _singer(self, messages: Iterable[Json]) -> Iterator[Row]:
        for message in messages:
            match message.get("type"):
                case "SCHEMA":
                    self._keys[message["stream"]] = message["key_properties"]
                case "RECORD":
                    yield Row(message["stream"], message["record"])
                case "STATE":
                    self.state = message["value"]

    def _airbyte(self, messages: Iterable[Json]) -> Iterator[Row]:
        for message in messages:
            match message.get("type"):
                case "RECORD":
                    yield Row(message["record"]["stream"], message["record"]["data"])
                case "STATE":
                    stream = message["state"]["stream"]
                    self._states[stream["stream_descriptor"]["name"]] = {"type": "STREAM", "stream": stream}
                    self.state = list(self._states.values())
                case "TRACE" if message["trace"]["type"] == "STREAM_STATUS":
                    status = message["trace"]["stream_status"]
                    if status["status"] == "COMPLETE":
                        self.done.add(status["stream_descriptor"]["name"])

    def hoards(self) -> dict[str, Hoard]:
        """Kind -> what there is of it."""
        return {kind: hoard(self.peer.vendor, table.values()) for kind, table in self._tables.items()}


def _messages(lines: Iterable[str]) -> Iterator[Json]:
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message


def hoard(vendor: str, records: Iterable[Json]) -> Hoard:
    """Records in the vendor's form, or as Airbyte flattens them."""
    found = Hoard()
    for record in records:
        if vendor == "salesforce":
            held = Held(record, _moment(record.get("SystemModstamp")), str(record.get("IsDeleted")).lower() == "true")
            found.records.setdefault(str(record["Id"]), []).append(held)
            continue
        flat = {k.removeprefix("properties_"): v for k, v in record.items() if k.startswith("properties_")}
        values = flat | (record.get("properties") or {})
        held = Held(values, _moment(record.get("updatedAt")), record.get("archived") is True)
        found.records.setdefault(str(record["id"]), []).append(held)
        found.absorbed |= absorbed(values)
    return found


def absorbed(values: Mapping[str, Any]) -> set[str]:
    """The ids that a HubSpot record names as merged into it."""
    texts = (str(values.get(name) or "") for name in ("hs_merged_object_ids", "hs_calculated_merged_vids"))
    return {part.partition(":")[0].strip() for text in texts for part in text.split(";")} - {""}


def _moment(text: object) -> datetime | None:
    try:
        return moment(str(text))
    except ValueError:
        return None
