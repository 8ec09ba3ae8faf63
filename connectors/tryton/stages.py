"""When an opportunity went through its states, from Tryton's log of buttons, and from its history where the log is silent.

Tryton logs each transition ("state:opportunity"), but not those whose method writes the state itself: `lost` and `cancel`
leave only the button, `won` (done by the sale) leaves nothing. The history table has every state with its exact time, at
one request per time; so it is asked only for what the log does not explain.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from connectors.tryton.rest import Rest
from connectors.tryton.values import Record, plain
from errors import ScopeError

MODEL = "sale.opportunity"
FIRST = "lead"
"""The state that Tryton creates every opportunity in."""

BUTTONS = {"lost": "lost", "cancel": "cancelled"}
"""Buttons that are logged without their transition, and the state they lead to."""

Step = dict[str, str]
"""{"at": time, "state": state}."""


def add_state_changes(rest: Rest, records: Sequence[Record]) -> None:
    """Give each plain opportunity its `state_changes`: [{"at", "state"}], oldest first, from its creation to its state."""
    logged = _logged(rest, [record["id"] for record in records])
    unexplained = []
    for record in records:
        steps = [{"at": record["create_date"], "state": FIRST}, *logged[record["id"]]]
        record["state_changes"] = _changes(steps)
        if record["state_changes"][-1]["state"] != record["state"]:
            unexplained.append(record)
    if unexplained:
        _ask_history(rest, unexplained)


def _logged(rest: Rest, ids: Sequence[int]) -> dict[int, list[Step]]:
    try:
        rows = _log(rest, ids)
    except ScopeError:
        # The log refuses the whole question when one of the records is gone since.
        live = [id_ for batch in rest.ids(MODEL, [["id", "in", list(ids)]], len(ids) + 1) for id_ in batch]
        rows = _log(rest, live)
    steps: dict[int, list[Step]] = defaultdict(list)
    for row in rows:
        if state := _state_of(row):
            steps[int(row["resource"].split(",")[1])].append({"at": row["create_date"], "state": state})
    return steps


def _log(rest: Rest, ids: Sequence[int]) -> list[Any]:
    if not ids:
        return []
    domain = [["resource", "in", [f"{MODEL},{id_}" for id_ in ids]], ["event", "in", ["transition", "button"]]]
    rows: list[Any] = plain(rest.records("ir.model.log", domain, ["resource", "event", "target", "create_date"]))
    return rows


def _state_of(row: Record) -> str | None:
    if row["event"] == "button":
        return BUTTONS.get(row["target"])
    field, _, state = row["target"].partition(":")
    return state if field == "state" else None


def _changes(steps: Iterable[Step]) -> list[Step]:
    """Steps without those that stay in the state before."""
    changes: list[Step] = []
    for step in steps:
        if not changes or changes[-1]["state"] != step["state"]:
            changes.append(step)
    return changes


def _ask_history(rest: Rest, records: Sequence[Record]) -> None:
    revisions = rest.call(MODEL, "history_revisions", {"ids": [record["id"] for record in records]})
    times: dict[int, dict[str, Record]] = defaultdict(dict)
    for at, id_, _user in revisions:
        times[id_][plain(at)] = at
    for record in records:
        known = record["state_changes"]
        # Where the log says nothing at all it may have been cleaned, or the record imported: the whole past is asked.
        after = known[-1]["at"] if len(known) > 1 else ""
        steps = known if after else []
        for text, at in sorted(times[record["id"]].items()):
            if text > after:
                steps += _then(rest, record["id"], text, at)
        record["state_changes"] = _changes(steps) or known


def _then(rest: Rest, id_: int, text: str, at: Record) -> list[Step]:
    found = rest.records(MODEL, [["id", "=", id_]], ["state"], context={"_datetime": at})
    return [{"at": text, "state": row["state"]} for row in found]
