"""Targeted acts at Marketo, with the activities that such an act leaves there."""

from typing import Any

from sandbox.world.marketo_members import (
    add_member,
    add_to_list,
    leave_list,
    leave_program,
    membership,
    tell_list,
    tell_status,
)
from sandbox.world.marketo_removal import delete_lead, merge_leads
from sandbox.world.marketo_side import change_lead, create_lead, second
from sandbox.world.state import State

_LOGS = {"activities", "deleted_leads"}
"""Kinds that nobody can change."""


def act_at_marketo(state: State, verb: str, kind: str, id_: str | None, fields: dict[str, Any]) -> str:
    """Do it at the world's present moment; returns the id of the record, of a merge the winner's.

    Membership: kind "program_members" with {"programId", "leadId", "statusName"}, "list_members" with {"listId", "leadId"}.
    Each change of a membership leaves its activity, as each change of a lead's field does.
    A lead that is created may name its true person by "person_id"; without it, a new person is it. An activity that is
    created needs "leadId" and "activityTypeId", and may have all else that an activity has.

    Raises:
        ValueError: the verb is none of Marketo's, or the record is not in a state for it.
    """
    desk, ms = state.marketo, state.agenda.now
    if verb == "create":
        return _create(state, ms, kind, id_, dict(fields))
    if verb not in {"update", "delete", "merge"} or (kind in _LOGS):
        raise ValueError(f"Marketo has no {verb} of {kind}")
    if id_ is None or not desk.is_live(kind, id_):
        raise ValueError(f"marketo {kind} {id_} is not a live record: {verb} is not possible")
    if verb == "update":
        _update(state, ms, kind, id_, fields)
        return id_
    if verb == "delete":
        _delete(state, ms, kind, id_)
        return id_
    winner = str(fields.get("into"))
    if kind != "leads":
        raise ValueError(f"Marketo does not merge {kind}")
    if winner == id_ or not desk.is_live(kind, winner):
        raise ValueError(f"marketo {kind} {winner} is not another live record")
    merge_leads(state.nurture, ms, winner, id_)
    _follow(state, id_, winner)
    return winner


def _update(state: State, ms: int, kind: str, id_: str, fields: dict[str, Any]) -> None:
    m = state.nurture
    if kind == "leads":
        change_lead(m, ms, id_, fields, "Changed by user")
        return
    before = m.desk.store.records[kind][id_].fields.get("statusName")
    m.desk.update(kind, id_, second(ms), fields)
    if kind == "program_members" and fields.get("statusName", before) != before:
        tell_status(m, ms, m.desk.store.records[kind][id_].fields, before)


def _create(state: State, ms: int, kind: str, id_: str | None, fields: dict[str, Any]) -> str:
    m = state.nurture
    if id_ is not None and state.truth.entry("marketo", kind, id_) is not None:
        raise ValueError(f"marketo {kind} {id_} exists or did exist")
    match kind:
        case "leads":
            person = fields.pop("person_id", None)
            new = create_lead(m, ms, fields, "Web service API", id_)
            mute = "@" not in (fields.get("email") or "") and not fields.get("phone")
            undecidable = mute and person is not None
            state.truth.is_person(
                str(person or f"P-marketo-{new}"), "marketo", "leads", new, ms, undecidable=undecidable
            )
            return new
        case "activities":
            primary = fields.get("primaryAttributeValueId")
            named = None if primary is None else (primary, str(fields.get("primaryAttributeValue")))
            campaign = fields.get("campaignId")
            key = m.log(
                ms,
                str(fields["leadId"]),
                int(fields["activityTypeId"]),
                named,
                fields.get("attributes", {}),
                campaign=None if campaign is None else str(campaign),
            )
            return key.rpartition(":")[2]
        case "list_members":
            new = f"{fields['listId']}-{fields['leadId']}"
            if not add_to_list(m, ms, str(fields["leadId"]), str(fields["listId"])):
                raise ValueError(f"marketo {kind} {new} exists")
            tell_list(m, ms, str(fields["leadId"]), str(fields["listId"]))
            return new
        case "program_members":
            return _join(state, ms, fields)
        case "deleted_leads":
            raise ValueError("Marketo has no create of deleted_leads: delete a lead")
    new = id_ or m.new_id(kind)
    state.marketo.create(kind, new, second(ms), fields)
    return new


def _join(state: State, ms: int, fields: dict[str, Any]) -> str:
    m, new = state.nurture, f"{fields['programId']}-{fields['leadId']}"
    if state.marketo.is_live("program_members", new):
        raise ValueError(f"marketo program_members {new} exists")
    program, lead = m.program(str(fields["programId"])), str(fields["leadId"])
    if program is None:
        raise ValueError(f"there is no marketo programs {fields['programId']}")
    add_member(m, ms, lead, program.id, membership(m, ms, lead, program) | fields)
    tell_status(m, ms, m.desk.store.records["program_members"][new].fields, None)
    return new


def _delete(state: State, ms: int, kind: str, id_: str) -> None:
    m = state.nurture
    if kind == "leads":
        delete_lead(m, ms, id_)
        _follow(state, id_, None)
        return
    if kind == "program_members":
        leave_program(m, ms, id_)
    elif kind == "list_members":
        leave_list(m, ms, id_)
    else:
        m.desk.delete(kind, id_, second(ms))


def _follow(state: State, old: str, new: str | None) -> None:
    """Whose lead is gone goes on with the winner, or with none."""
    for person in state.people:
        if person.marketo == old:
            person.marketo = new
