"""Targeted acts, for tests that need one certain change. The truth is kept right."""

from typing import Any, NamedTuple

from sandbox.store import Link
from sandbox.world.desk import Desk
from sandbox.world.ids import PREFIXES
from sandbox.world.marketo_acts import act_at_marketo
from sandbox.world.merging import merge_at_hubspot, merge_at_salesforce
from sandbox.world.state import State

_PEOPLE = {"contacts", "Lead", "Contact"}
_ENGAGEMENTS = {"calls", "emails", "meetings", "tasks", "notes"}
"""All engagements are numbered together."""


class Act(NamedTuple):
    """verb: update | create | archive | restore | delete | merge | link | unlink; at Marketo: update | create | delete | merge.

    fields: values for create and update; for merge {"into": winner}; for link and unlink {"to_kind", "to_id"} and, for link,
        {"type_id", "back_type_id"} with an optional "label". A person's record that is created may name its true person by
        "person_id" (not a vendor's field); without it, a new person is it.
    """

    vendor: str
    verb: str
    kind: str
    id: str | None
    fields: dict[str, Any]


def act(state: State, what: Act) -> str:
    """Do it at the world's present moment; returns the id of the record (of a merge at HubSpot: the new one).

    Raises:
        ValueError: unknown vendor, kind or verb, or the record is not in a state for it.
    """
    desks = {"hubspot": state.hubspot, "salesforce": state.salesforce}
    if (what.vendor, what.kind) not in state.truth.records:
        raise ValueError(f"there is no {what.vendor} {what.kind} in this world")
    if what.vendor == "marketo":
        return act_at_marketo(state, what.verb, what.kind, what.id, what.fields)
    desk = desks[what.vendor]
    ms = state.agenda.now
    if what.verb == "create":
        return _create(state, desk, ms, what)
    id_ = _required(state, what)
    match what.verb:
        case "update":
            desk.update(what.kind, id_, ms, what.fields, "CRM_UI")
        case "archive" | "restore" | "delete":
            getattr(desk, what.verb)(what.kind, id_, ms)
        case "merge":
            return _merge(state, desk, ms, what)
        case "link":
            _link(desk, what)
        case "unlink":
            desk.unlink(what.kind, id_, str(what.fields["to_kind"]), str(what.fields["to_id"]))
        case _:
            raise ValueError(f"there is no verb {what.verb}")
    return id_


def _required(state: State, what: Act) -> str:
    entry = state.truth.entry(what.vendor, what.kind, what.id or "")
    if entry is None or what.id is None:
        raise ValueError(f"{what.vendor} {what.kind} {what.id} does not exist")
    wanted = {"restore": ("archived",), "delete": ("live", "archived")}.get(what.verb, ("live",))
    if entry.state not in wanted:
        raise ValueError(f"{what.vendor} {what.kind} {what.id} is {entry.state}: {what.verb} is not possible")
    return what.id


def _create(state: State, desk: Desk, ms: int, what: Act) -> str:
    if what.id is not None and state.truth.entry(what.vendor, what.kind, what.id) is not None:
        raise ValueError(f"{what.vendor} {what.kind} {what.id} exists or did exist")
    id_ = what.id or _new_id(state, what.kind)
    fields = dict(what.fields)
    person = fields.pop("person_id", None)
    desk.create(what.kind, id_, ms, fields, "CRM_UI")
    if what.kind in _PEOPLE:
        mute = not any(fields.get(name) for name in ("email", "phone", "Email", "Phone", "MobilePhone"))
        owner = str(person or f"P-{what.vendor}-{id_}")
        state.truth.is_person(owner, what.vendor, what.kind, id_, ms, undecidable=mute and person is not None)
    return id_


def _new_id(state: State, kind: str) -> str:
    if kind in PREFIXES:
        return state.keys.new(kind)
    if kind in {"email_events", "form_submissions"}:
        return state.numbers.event()
    return state.numbers.new("engagements" if kind in _ENGAGEMENTS else kind)


def _merge(state: State, desk: Desk, ms: int, what: Act) -> str:
    winner, loser = str(what.fields.get("into")), str(what.id)
    if winner == loser or not desk.is_live(what.kind, winner):
        raise ValueError(f"{what.vendor} {what.kind} {winner} is not another live record")
    if what.vendor == "salesforce":
        if what.kind not in {"Lead", "Contact", "Account"}:
            raise ValueError(f"Salesforce does not merge {what.kind}")
        merge_at_salesforce(state, ms, what.kind, winner, loser)
        return winner
    new = merge_at_hubspot(state, ms, what.kind, winner, loser)
    if what.kind == "contacts":
        owner = state.truth.person_of(what.vendor, what.kind, winner)
        state.truth.is_person(owner, what.vendor, what.kind, new, ms, undecidable=False)
    _follow(state, what.kind, {winner, loser}, new)
    return new


def _follow(state: State, kind: str, old: set[str], new: str) -> None:
    """Whose record is one of the old ones goes on with the new one."""
    for person in state.people if kind == "contacts" else ():
        if person.hubspot in old:
            person.hubspot = new
    for company in state.companies if kind == "companies" else ():
        if company.hubspot in old:
            company.others.append(f"hubspot:companies:{company.hubspot}")
            company.hubspot = new
    for deal in state.deals if kind == "deals" else ():
        if deal.hubspot in old:
            deal.hubspot = new


def _link(desk: Desk, what: Act) -> None:
    fields = what.fields
    label = fields.get("label")
    there = Link(int(fields["type_id"]), "HUBSPOT_DEFINED", label)
    back = Link(int(fields["back_type_id"]), "HUBSPOT_DEFINED", label)
    desk.link(what.kind, str(what.id), str(fields["to_kind"]), str(fields["to_id"]), there, back)
