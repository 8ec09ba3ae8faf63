"""How leads vanish from Marketo: deleted, which a log tells of for 14 days, or merged, which an activity of the winner tells of."""

from sandbox.marketo.activity_types import DELETE_LEAD, MERGE_LEADS
from sandbox.world.marketo_members import add_member, add_to_list
from sandbox.world.marketo_side import Marketing, second


def delete_lead(m: Marketing, ms: int, lead: str) -> None:
    """Delete a lead for good, and its memberships with it."""
    name = _name_of(m, lead)
    _drop_hanging(m, ms, lead)
    m.desk.delete("leads", lead, second(ms))
    m.log(ms, lead, DELETE_LEAD, (lead, name), {"Campaign": "Data hygiene"}, kind="deleted_leads")


def merge_leads(m: Marketing, ms: int, winner: str, loser: str) -> None:
    """Merge a lead into another: the winner gains what it lacked, and the loser's memberships."""
    records = m.desk.store.records
    kept = records["leads"][winner].fields
    gained = {
        name: value
        for name, value in records["leads"][loser].fields.items()
        if kept.get(name) in {None, ""} and value not in {None, ""}
    }
    moving = [(kind, dict(records[kind][id_].fields)) for kind, id_ in m.hanging.get(loser, [])]
    _drop_hanging(m, ms, loser)
    m.desk.merge("leads", loser, winner, second(ms))
    m.desk.update("leads", winner, second(ms), gained)
    for kind, fields in moving:
        if kind == "list_members":
            add_to_list(m, ms, winner, str(fields["listId"]))
        elif not m.desk.is_live(kind, f"{fields['programId']}-{winner}"):
            add_member(m, ms, winner, str(fields["programId"]), fields | {"leadId": int(winner)})
    attributes = {
        "Master Updated": bool(gained),
        "Merge IDs": f"[{loser}]",
        "Merge Source": "Manual Merge",
        "Merged in Sales": False,
    }
    m.log(ms, winner, MERGE_LEADS, (winner, _name_of(m, winner)), attributes)


def _name_of(m: Marketing, lead: str) -> str:
    return " ".join(str(m.value_of(lead, name)) for name in ("firstName", "lastName") if m.value_of(lead, name))


def _drop_hanging(m: Marketing, ms: int, lead: str) -> None:
    for kind, id_ in m.hanging.pop(lead, []):
        m.desk.delete(kind, id_, second(ms))
