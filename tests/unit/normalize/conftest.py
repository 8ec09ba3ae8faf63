"""Raw records by hand, and the glossary once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from glossary import Glossary, load
from transforms.normalize import KNOWN_COLUMNS, KNOWN_FUNCTIONS, NormalizeResult, RawRecord, normalize

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

Row = dict[str, Any]
Run = Callable[..., NormalizeResult]
One = Callable[..., Row]


@pytest.fixture(scope="session")
def glossary() -> Glossary:
    return load(known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS)


@pytest.fixture
def run(glossary: Glossary) -> Run:
    """Normalise payloads (maps, text or bytes) of one stream; ids are their `id`, `Id`, or number."""

    def call(vendor: str, stream: str, *payloads: Any, **more: Any) -> NormalizeResult:
        records = []
        for number, payload in enumerate(payloads):
            if isinstance(payload, RawRecord):
                records.append(payload)
                continue
            given = payload if isinstance(payload, dict) else {}
            id_ = str(given.get("id") or given.get("Id") or number)
            text = json.dumps(payload) if isinstance(payload, dict) else payload
            records.append(RawRecord(id_, AT, 7, text))
        return normalize(records, vendor, stream, glossary, **more)

    return call


@pytest.fixture
def one(run: Run) -> One:
    """The single row that one payload gives in one entity, and no reject at all."""

    def call(vendor: str, stream: str, entity: str, payload: Any, **more: Any) -> Row:
        result = run(vendor, stream, payload, **more)
        assert result.rejects == []
        rows = result.frames[entity].to_dicts()
        assert len(rows) == 1
        return dict(rows[0])

    return call
