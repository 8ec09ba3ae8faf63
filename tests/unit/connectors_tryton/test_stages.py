"""When an opportunity went through its states."""

import json
from datetime import datetime, timedelta

from tests.unit.connectors_tryton.conftest import T0, Read, an_opportunity
from tests.unit.connectors_tryton.fake import FakeTryton

MODEL = "sale.opportunity"


def _at(minute: int) -> datetime:
    return T0 + timedelta(minutes=minute)


def _log(tryton: FakeTryton, id_: int, minute: int, event: str, target: str) -> None:
    row = {"id": len(tryton.log) + 1, "resource": f"{MODEL},{id_}", "event": event, "target": target}
    tryton.log.append({**row, "create_date": _at(minute)})


def _states(read: Read) -> dict[str, list[tuple[str, str]]]:
    found = {}
    for change in read("opportunity"):
        steps = json.loads(change.payload)["state_changes"]
        found[change.record_id] = [(step["at"][14:16], step["state"]) for step in steps]
    return found


def test_a_new_opportunity_is_a_lead_since_its_creation(tryton: FakeTryton, read: Read) -> None:
    tryton.put(MODEL, **an_opportunity(1))
    assert _states(read) == {"1": [("00", "lead")]}


def test_transitions_and_the_buttons_that_hide_theirs_are_read_from_the_log(tryton: FakeTryton, read: Read) -> None:
    tryton.put(MODEL, **an_opportunity(1, "lost"))
    _log(tryton, 1, 1, "button", "opportunity")
    _log(tryton, 1, 1, "transition", "state:opportunity")
    _log(tryton, 1, 2, "button", "lost")
    assert _states(read) == {"1": [("00", "lead"), ("01", "opportunity"), ("02", "lost")]}
    assert tryton.counted[MODEL, "history_revisions"] == 0


def test_a_win_is_in_the_history_alone(tryton: FakeTryton, read: Read) -> None:
    tryton.put(MODEL, **an_opportunity(1, "won"))
    _log(tryton, 1, 1, "transition", "state:opportunity")
    _log(tryton, 1, 2, "transition", "state:converted")
    tryton.history[1] = [
        (_at(0), "lead"),
        (_at(1), "opportunity"),
        (_at(2), "converted"),
        (_at(3), "converted"),
        (_at(4), "won"),
    ]
    assert _states(read) == {"1": [("00", "lead"), ("01", "opportunity"), ("02", "converted"), ("04", "won")]}


def test_where_the_log_was_cleaned_the_whole_history_is_read(tryton: FakeTryton, read: Read) -> None:
    tryton.put(MODEL, **an_opportunity(1, "opportunity"))
    tryton.put(MODEL, **an_opportunity(2))
    tryton.history[1] = [(_at(5), "lost"), (_at(7), "lead"), (_at(8), "opportunity")]
    assert _states(read) == {"1": [("05", "lost"), ("07", "lead"), ("08", "opportunity")], "2": [("00", "lead")]}


def test_an_opportunity_deleted_before_the_log_is_asked_does_no_harm(tryton: FakeTryton, read: Read) -> None:
    for id_ in (1, 2):
        tryton.put(MODEL, **an_opportunity(id_))
    _log(tryton, 2, 1, "transition", "state:opportunity")

    def after(model: str, action: str) -> None:
        if (model, action) == (MODEL, "search_read"):
            tryton.models[MODEL].pop(1, None)

    tryton.after = after
    assert _states(read)["2"][0] == ("00", "lead")
