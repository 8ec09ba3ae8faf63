"""Functions that a field map may name under `rows`: each turns one raw record into several sub-records.

A sub-record is a plain map that the field map's paths lead into. Its key `part` tells it from its sisters and becomes the
end of source_id, so it must not depend on the order in which the vendor lists things.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from transforms.normalize.rows_marketo import MARKETO_ROWS
from transforms.normalize.rows_tryton import TRYTON_ROWS

Record = Mapping[str, Any]
Rows = Callable[[Record], Iterator[dict[str, Any]]]

_PRIMARY_TYPES: Final = {1, 5}
"""HubSpot's association types contact to primary company, and deal to primary company."""


def as_list(value: Any) -> list[Any]:
    """A list as it is; anything else counts as an empty one."""
    return value if isinstance(value, list) else []


def as_map(value: Any) -> Mapping[str, Any]:
    """A map as it is; anything else counts as an empty one."""
    return value if isinstance(value, Mapping) else {}


def association_targets(record: Record) -> Iterator[dict[str, Any]]:
    """One sub-record per linked object: from, to, label, is_primary. Types of one link are taken together."""
    source = as_map(record.get("from")).get("id")
    links: dict[str, list[Mapping[str, Any]]] = {}
    for target in as_list(record.get("to")):
        to = as_map(target).get("toObjectId")
        if to is not None and source is not None:
            links.setdefault(str(to), []).extend(map(as_map, as_list(as_map(target).get("associationTypes"))))
    for to, types in links.items():
        labels = sorted({str(t["label"]) for t in types if t.get("label")})
        yield {
            "part": to,
            "from": source,
            "to": to,
            "label": "; ".join(labels) or None,
            "is_primary": any(
                (t.get("typeId") in _PRIMARY_TYPES and t.get("category") == "HUBSPOT_DEFINED")
                or t.get("label") == "Primary"
                for t in types
            ),
        }


def _history(record: Record, name: str) -> list[tuple[str, Any]]:
    """(moment, value) of one property, oldest first; a value that only repeats the one before is no change."""
    versions = as_list(as_map(record.get("propertiesWithHistory")).get(name))
    given = [(str(v["timestamp"]), v.get("value")) for v in map(as_map, versions) if v.get("timestamp") is not None]
    # HubSpot lists the newest first; of two with one moment the later in the list is the older.
    given.reverse()
    ordered = sorted(given, key=lambda item: item[0])
    changes: list[tuple[str, Any]] = []
    for at, value in ordered:
        if not changes or changes[-1][1] != value:
            changes.append((at, value))
    return changes


def _changes(record: Record, name: str) -> Iterator[dict[str, Any]]:
    before, seen = None, dict[str, int]()
    for at, value in _history(record, name):
        seen[at] = seen.get(at, 0) + 1
        part = f"{name}:{at}" if seen[at] == 1 else f"{name}:{at}:{seen[at]}"
        yield {"part": part, "id": record.get("id"), "at": at, "from": before, "to": value}
        before = value


def lifecycle_changes(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot contact history: changes of lifecyclestage (id, at, from, to)."""
    return _changes(record, "lifecyclestage")


def lead_status_changes(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot contact history: changes of hs_lead_status (id, at, from, to)."""
    return _changes(record, "hs_lead_status")


def deal_stage_changes(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot deal history: changes of dealstage (id, at, from, to) with amount and pipeline as they were then."""
    others = {name: _history(record, name) for name in ("amount", "pipeline")}
    for change in _changes(record, "dealstage"):
        for name, past in others.items():
            earlier = [value for at, value in past if at <= change["at"]]
            change[name] = earlier[-1] if earlier else (past[0][1] if past else None)
        yield change


def stages_of_pipeline(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot pipelines: one sub-record per stage."""
    for stage in map(as_map, as_list(record.get("stages"))):
        if stage.get("id") is None:
            continue
        metadata = as_map(stage.get("metadata"))
        yield {
            **stage,
            "part": str(stage["id"]),
            "stage": stage["id"],
            "pipeline": record.get("id"),
            "pipeline_label": record.get("label"),
            "isClosed": metadata.get("isClosed"),
            "probability": metadata.get("probability"),
        }


def owner_with_team(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot owners: the record with the name of the primary team, else of the first."""
    teams = sorted(map(as_map, as_list(record.get("teams"))), key=lambda t: not t.get("primary"))
    yield {**record, "team": teams[0].get("name") if teams else None}


def form_submission(record: Record) -> Iterator[dict[str, Any]]:
    """HubSpot form submissions: form, time, page, and the address among the values."""
    sent = as_map(record.get("submission"))
    values = {str(v.get("name")).lower(): v.get("value") for v in map(as_map, reversed(as_list(sent.get("values"))))}
    yield {
        "formGuid": record.get("formGuid"),
        "submittedAt": sent.get("submittedAt"),
        "pageUrl": sent.get("pageUrl"),
        "email": values.get("email"),
    }


ROWS: Mapping[str, Rows] = {
    "association_targets": association_targets,
    "deal_stage_changes": deal_stage_changes,
    "form_submission": form_submission,
    "lead_status_changes": lead_status_changes,
    "lifecycle_changes": lifecycle_changes,
    "owner_with_team": owner_with_team,
    "stages_of_pipeline": stages_of_pipeline,
    **MARKETO_ROWS,
    **TRYTON_ROWS,
}
