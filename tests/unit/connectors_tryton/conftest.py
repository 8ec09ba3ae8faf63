"""A fake Tryton with every model installed, and a connector to it whose pauses do not wait."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import session
from connectors.base.model import EPOCH, Change, Kind, Window
from connectors.tryton import TrytonConnector, connect
from connectors.tryton.streams import READINGS
from tests.unit.connectors_tryton.fake import DATABASE, KEY, FakeTryton, serving

T0 = datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)

Read = Callable[..., list[Change]]


@pytest.fixture
def tryton() -> FakeTryton:
    fake = FakeTryton()
    fake.models = {reading.model: {} for reading in READINGS.values()} | {"company.company": {1: {"id": 1}}}
    return fake


@pytest.fixture
def connector(tryton: FakeTryton, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrytonConnector]:
    monkeypatch.setattr(session, "_pause", lambda _state: 0.0)
    with serving(tryton) as address:
        made = connect({"base_url": address, "database": DATABASE, "key": KEY})
        yield made
        made.rest.session.http.close()


@pytest.fixture
def read(connector: TrytonConnector) -> Read:
    """Reads a stream: read(name, kind, start, end) -> changes."""

    def reading(
        name: str, kind: Kind = "full", start: datetime = EPOCH, end: datetime = T0 + timedelta(days=9)
    ) -> list[Change]:
        pages = connector.read(connector.streams[name], Window(name, start, end, kind))
        return [change for page in pages for change in page.changes]

    return reading


def a_party(id_: int, **fields: Any) -> dict[str, Any]:
    """A party as Tryton has it, just created."""
    return {
        "id": id_,
        "name": f"Party {id_}",
        "code": str(id_),
        "active": True,
        "replaced_by": None,
        "lang": None,
        "create_date": T0,
        "write_date": None,
        "categories": [],
        "identifiers": [],
        "contact_mechanisms": [],
        "addresses": [],
        "marketing_scenario_unsubscribed": [],
        **fields,
    }


def a_mechanism(id_: int, value: str, **fields: Any) -> dict[str, Any]:
    """A contact mechanism, just created."""
    dates = {"create_date": T0, "write_date": None}
    return {
        "id": id_,
        "type": "email",
        "value": value,
        "name": None,
        "active": True,
        "sequence": None,
        **dates,
        **fields,
    }


def an_opportunity(id_: int, state: str = "lead", **fields: Any) -> dict[str, Any]:
    """An opportunity, just created."""
    plain = dict.fromkeys(
        ("reference", "description", "lost_reason", "amount", "start_date", "end_date", "converted_by")
    )
    links = {
        "currency": {"id": 1, "code": "BRL"},
        "company": {"id": 1},
        "party": {"id": 2},
        "employee": None,
        "contact": None,
    }
    utm = dict.fromkeys(("marketing_campaign", "marketing_medium", "marketing_source"))
    dates = {"create_date": T0, "write_date": None}
    return {
        "id": id_,
        "number": str(id_),
        "state": state,
        "conversion_probability": 0.5,
        "lines": [],
        **plain,
        **links,
        **utm,
        **dates,
        **fields,
    }
