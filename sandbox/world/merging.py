"""Merges: at HubSpot both records become aliases of a new one; at Salesforce the losers point at their master."""

from typing import Any

from sandbox.store import Past, Record
from sandbox.world.moments import hubspot_text, to_ms
from sandbox.world.people import Person
from sandbox.world.state import State

_KEPT = {"Lead": "LeadId", "Contact": "ContactId"}


def merge_doubles(ms: int, state: State) -> None:
    """The oldest pair of double records that still live is merged."""
    for _ in range(min(len(state.doubles), 12)):
        vendor, kind, person, double = state.doubles.pop(0)
        if vendor == "hubspot" and person.hubspot is not None:
            if state.hubspot.is_live(kind, person.hubspot) and state.hubspot.is_live(kind, double):
                person.hubspot = merge_at_hubspot(state, ms, kind, person.hubspot, double)
                _is(state, ms, person, vendor, kind, person.hubspot)
                return
        elif vendor == "salesforce" and _is_free(state, person, kind, double):
            merge_at_salesforce(state, ms, kind, str(person.lead), double)
            return


def _is_free(state: State, person: Person, kind: str, double: str) -> bool:
    """Whether both leads live and none is converted, which Salesforce could not undo."""
    if person.lead is None or person.contact is not None:
        return False
    return state.salesforce.is_live(kind, person.lead) and state.salesforce.is_live(kind, double)


def _is(state: State, ms: int, person: Person, vendor: str, kind: str, id_: str) -> None:  # a row
    state.truth.is_person(person.person_id, vendor, kind, id_, ms, undecidable=False)


def merge_at_hubspot(state: State, ms: int, kind: str, winner: str, loser: str) -> str:
    """Merge two live records into a new one, whose id is returned. Source: HubSpot, changelog of January 2025."""
    store = state.hubspot_store
    first, second = store.records[kind][winner], store.records[kind][loser]
    id_ = state.numbers.new(kind)
    fields = _joined(kind, first, second, ms)
    state.hubspot.create(kind, id_, ms, fields, "MERGE")
    with store.lock:
        history = store.records[kind][id_].history
        for name in sorted(set(first.history) | set(second.history)):
            lines = sorted(first.history.get(name, []) + second.history.get(name, []), key=lambda line: line.at)
            present = history.get(name) or [Past(lines[-1].at, fields.get(name), "MERGE")]
            history[name] = lines if lines[-1].value == fields.get(name) else lines + present
    state.hubspot.merge(kind, winner, id_, ms)
    state.hubspot.merge(kind, loser, id_, ms)
    return id_


def _joined(kind: str, first: Record, second: Record, ms: int) -> dict[str, Any]:
    fields = {**second.fields, **{k: v for k, v in first.fields.items() if v not in {None, ""}}}
    merged = [first.fields.get("hs_merged_object_ids"), first.id, second.fields.get("hs_merged_object_ids"), second.id]
    fields["hs_merged_object_ids"] = ";".join(part for part in merged if part)
    oldest = min(to_ms(first.created_at), to_ms(second.created_at))
    fields["createdate"] = min(r.fields.get("createdate") or hubspot_text(oldest) for r in (first, second))
    if kind == "contacts":
        others = [first.fields.get("hs_additional_emails"), second.fields.get("email")]
        others.append(second.fields.get("hs_additional_emails"))
        fields["hs_additional_emails"] = ";".join(e.strip() for e in others if e) or None
        vids = [first.fields.get("hs_calculated_merged_vids"), f"{first.id}:{ms}", f"{second.id}:{ms}"]
        fields["hs_calculated_merged_vids"] = ";".join(v for v in vids if v)
    return {k: v for k, v in fields.items() if v is not None}


def merge_at_salesforce(state: State, ms: int, kind: str, winner: str, loser: str) -> None:
    """Merge a live record into another; what hangs on it moves over."""
    moved = state.activities.pop(loser, [])
    for child, id_ in moved:
        state.salesforce.update(child, id_, ms, {_KEPT[kind] if child == "CampaignMember" else "WhoId": winner})
    state.activities.setdefault(winner, []).extend(moved)
    if kind == "Contact":
        for deal in state.deals:
            for role in deal.roles.values():
                live = state.salesforce.is_live("OpportunityContactRole", role)
                if live and state.salesforce.now_of("OpportunityContactRole", role, "ContactId") == loser:
                    state.salesforce.update("OpportunityContactRole", role, ms, {"ContactId": winner})
    state.salesforce.merge(kind, loser, winner, ms)
    state.salesforce.update(kind, winner, ms, {})
