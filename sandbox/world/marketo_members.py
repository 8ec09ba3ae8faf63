"""Who is in which Marketo program, with which status, and on which static list."""

from typing import Any

from sandbox.marketo.channels import CHANNELS, OUTSIDE, Status
from sandbox.world.marketo_side import Marketing, Program, second
from sandbox.world.moments import marketo_text


def set_status(m: Marketing, ms: int, lead: str, program: Program, name: str, reason: str) -> None:
    """Make a lead a member of a program, or move the member on; back or to where it is already, nothing happens."""
    if not m.desk.is_live("leads", lead):
        return
    statuses = CHANNELS[program.channel].statuses
    status, id_ = statuses[name], f"{program.id}-{lead}"
    member = m.desk.store.get("program_members", id_)
    old = None if member is None else statuses.get(member.fields["statusName"], OUTSIDE)
    if old is not None and old.step >= status.step:
        return
    fields: dict[str, Any] = {"statusName": name, "statusReason": reason}
    if status.success and not (member is not None and member.fields["reachedSuccess"]):
        fields |= {"reachedSuccess": True, "reachedSuccessDate": marketo_text(ms)}
    if member is None:
        add_member(m, ms, lead, program.id, membership(m, ms, lead, program) | fields)
    else:
        m.desk.update("program_members", id_, second(ms), fields)
    _log_status(m, ms, m.desk.store.records["program_members"][id_].fields, old or OUTSIDE, status)


def membership(m: Marketing, ms: int, lead: str, program: Program) -> dict[str, Any]:
    """The fields of a new member, without its status."""
    nurture = program.channel == "Nurture"
    return {
        "memberId": int(m.new_id("members")),
        "programId": int(program.id),
        "leadId": int(lead),
        "program": program.name,
        "membershipDate": marketo_text(ms),
        "reachedSuccess": False,
        "reachedSuccessDate": None,
        "acquiredBy": m.value_of(lead, "acquisitionProgramId") == int(program.id),
        "nurtureCadence": "norm" if nurture else None,
        "isExhausted": False,
        "trackName": "Awareness" if nurture else None,
        "webinarUrl": None,
    }


def add_member(m: Marketing, ms: int, lead: str, program_id: str, fields: dict[str, Any]) -> None:
    """The bare membership, with all its fields."""
    id_ = f"{program_id}-{lead}"
    m.desk.create("program_members", id_, second(ms), fields)
    m.hanging[lead].append(("program_members", id_))


def tell_status(m: Marketing, ms: int, member: dict[str, Any], before: str | None) -> None:
    """The activity of a status that somebody set by hand. before: the status until now, None for a new member."""
    old = OUTSIDE if before is None else _status(m, member, before)
    _log_status(m, ms, member, old, _status(m, member, member["statusName"]))


def _status(m: Marketing, member: dict[str, Any], word: str) -> Status:
    """A status of the program's channel; somebody's own word has no step."""
    program = m.program(str(member["programId"]))
    known = CHANNELS[program.channel].statuses if program is not None and program.channel in CHANNELS else {}
    return known.get(word, Status(99, word, 0, success=False))


def _log_status(m: Marketing, ms: int, member: dict[str, Any], old: Status, new: Status) -> None:
    program = m.program(str(member["programId"]))
    if program is None:
        return
    attributes = {
        "Acquired By": member["acquiredBy"],
        "New Status": new.name,
        "New Status ID": new.id,
        "Old Status": old.name,
        "Old Status ID": old.id,
        "Program Member ID": member["memberId"],
        "Reason": member.get("statusReason"),
        "Success": new.success,
    }
    m.log(
        ms, str(member["leadId"]), 104, (program.id, program.name), attributes, campaign=program.smart_campaign or None
    )


def leave_program(m: Marketing, ms: int, member_id: str) -> None:
    """Take a member out of its program: the record vanishes, the activity tells of it."""
    record = m.desk.store.get("program_members", member_id)
    if record is None:
        return
    lead = str(record.fields["leadId"])
    m.desk.delete("program_members", member_id, second(ms))
    m.hanging[lead].remove(("program_members", member_id))
    old = _status(m, record.fields, record.fields["statusName"])
    _log_status(m, ms, record.fields | {"statusReason": "Removed"}, old, OUTSIDE)


def join_list(m: Marketing, ms: int, lead: str, program: Program) -> None:
    """Put a lead on a program's static list, where it is not on it."""
    if m.desk.is_live("leads", lead) and add_to_list(m, ms, lead, program.list_id):
        tell_list(m, ms, lead, program.list_id)


def add_to_list(m: Marketing, ms: int, lead: str, list_id: str) -> bool:
    """The bare membership; False where it is there already."""
    id_ = f"{list_id}-{lead}"
    if m.desk.is_live("list_members", id_):
        return False
    m.desk.create("list_members", id_, second(ms), {"listId": int(list_id), "leadId": int(lead)})
    m.hanging[lead].append(("list_members", id_))
    return True


def tell_list(m: Marketing, ms: int, lead: str, list_id: str, *, leaves: bool = False) -> None:
    """The activity of who comes on a list or leaves it."""
    record = m.desk.store.get("lists", list_id)
    primary = (list_id, "Deleted list" if record is None else str(record.fields["name"]))
    m.log(ms, lead, 25 if leaves else 24, primary, {"Source": "Marketo Flow Action" if leaves else "List import"})


def leave_list(m: Marketing, ms: int, member_id: str) -> None:
    """Take a lead from a static list."""
    list_id, lead = member_id.split("-")
    m.desk.delete("list_members", member_id, second(ms))
    m.hanging[lead].remove(("list_members", member_id))
    tell_list(m, ms, lead, list_id, leaves=True)
