"""Whatever a vendor sends: normalise never raises, loses nothing silently, and does not care how batches are cut."""

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glossary import Glossary, load
from transforms.normalize import RawRecord, normalize
from transforms.normalize.entity import schema

AT = datetime(2024, 5, 6, tzinfo=UTC)
SEPARATORS = {"\x1c", "\x1d", "\x1e", "\x1f"}
"""White space to Python, and characters like any other to Unicode and to normalise."""
STREAMS = [
    ("hubspot", "contacts"),
    ("hubspot", "companies"),
    ("hubspot", "deals"),
    ("hubspot", "email_events"),
    ("hubspot", "contact_history"),
    ("hubspot", "deal_to_contact"),
    ("salesforce", "lead"),
    ("salesforce", "task"),
    ("salesforce", "campaign_member"),
    ("marketo", "leads"),
    ("marketo", "activities"),
    ("marketo", "programs"),
    ("tryton", "party"),
    ("tryton", "opportunity"),
]


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return load()


_texts = st.sampled_from(
    ["", " ", "a@x.example", "not-an-email", "2024-01-02", "1700000000000", "05/03/2024", "1,234.5", "true", "Brazil",
     "+55 11 98765-4321", "lead", "MarketingQualifiedLead", "x\x00y", "https://x.example/?utm_source=a&gclid=1", "12.0"]
)  # fmt: skip
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts | st.text(max_size=12)
_values = (
    _scalars
    | st.lists(_scalars, max_size=2)
    | st.dictionaries(st.sampled_from(["id", "active", "a"]), _scalars, max_size=2)
)


def _nested(values: dict[str, Any]) -> str:
    """Dotted paths as nested JSON; a path that leads through a plain value is left out."""
    record: dict[str, Any] = {}
    for path, value in values.items():
        node: Any = record
        *parents, leaf = path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {}) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node[leaf] = value
    return json.dumps(record)


def _paths(glossary: Glossary, vendor: str, stream: str) -> list[str]:
    maps = glossary.field_maps[vendor].streams[stream].maps
    further = {"propertiesWithHistory", "to", "from", "party", "amount", "contact_mechanisms", "state_changes"}
    return sorted({p for m in maps for f in m.fields for p in f.paths} | further)


@pytest.mark.parametrize(("vendor", "stream"), STREAMS)
@given(data=st.data())
@settings(max_examples=15)
def test_any_json_in_any_batches(glossary: Glossary, vendor: str, stream: str, data: st.DataObject) -> None:
    maps = glossary.field_maps[vendor].streams[stream].maps
    record = st.dictionaries(st.sampled_from(_paths(glossary, vendor, stream)), _values, max_size=30).map(_nested)
    payloads = data.draw(st.lists(record | _values.map(json.dumps), min_size=3, max_size=3))
    records = [RawRecord(str(i), AT, 1, text) for i, text in enumerate(payloads)]
    whole = normalize(records, vendor, stream, glossary)
    singles = [normalize([r], vendor, stream, glossary) for r in reversed(records)]
    for entity, frame in whole.frames.items():
        assert dict(frame.schema) == schema(entity)
        joined = pl.concat([s.frames[entity] for s in singles])
        assert sorted(map(repr, joined.rows())) == sorted(map(repr, frame.rows()))
        assert frame["source_id"].n_unique() == frame.height
        texts = [v for c, t in frame.schema.items() if t == pl.String for v in frame[c] if v is not None]
        assert not [v for v in texts if "\x00" in v or not (v.strip() or SEPARATORS & set(v))]
    assert sorted(whole.rejects, key=repr) == sorted((r for s in singles for r in s.rejects), key=repr)
    main = maps[0].entity
    if main in {"person", "account", "opportunity"}:
        fatal = {r.record_id for r in whole.rejects if r.is_fatal}
        assert set(whole.frames[main]["source_record_id"]) | fatal == {r.record_id for r in records}
