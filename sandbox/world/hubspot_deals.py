"""What HubSpot knows of deals and of sales' activities."""

from typing import Any

from sandbox.world.deal import HUBSPOT_PROBABILITY, LOST, WON, Deal
from sandbox.world.dirt import amount_text, date_forms, rare_text
from sandbox.world.hubspot_side import (
    DEAL_COMPANY,
    DEAL_CONTACT,
    ENGAGEMENT_CONTACT,
    ENGAGEMENT_DEAL,
    PRIMARY_DEAL_COMPANY,
    ensure_company,
)
from sandbox.world.moments import MINUTE, hubspot_text
from sandbox.world.people import Person
from sandbox.world.state import State

_SOURCE = {"paid_search": "PAID_SEARCH", "organic_search": "ORGANIC_SEARCH", "email": "EMAIL_MARKETING"}


def show_deal(state: State, ms: int, deal: Deal) -> None:
    """Make or bring up to date HubSpot's copy of a deal."""
    fields = _fields(state, deal)
    by = state.owner(deal.owner).user
    if deal.hubspot is not None:
        state.hubspot.update("deals", deal.hubspot, ms, fields, by)
        return
    id_ = deal.hubspot = state.numbers.new("deals")
    fields["dealname"] = rare_text(deal.number, deal.name) or deal.name
    if deal.salesforce is not None and deal.number % 40:
        fields["hs_salesforceopportunityid"] = deal.salesforce
    if deal.campaign is not None:
        fields["hs_campaign"] = deal.campaign.hubspot
    if deal.number % 10:
        fields["hs_analytics_source"] = _SOURCE.get(deal.channel, "OFFLINE")
    state.hubspot.create("deals", id_, ms, {k: v for k, v in fields.items() if v is not None}, by)
    _link(state, ms, deal, id_)


def _link(state: State, ms: int, deal: Deal, id_: str) -> None:
    """Tie a new deal to its people and its company."""
    for person, _, _ in deal.group if deal.is_told else ():
        if state.hubspot.is_live("contacts", person.hubspot):
            state.hubspot.link("deals", id_, "contacts", str(person.hubspot), *DEAL_CONTACT)
    if deal.company is not None:
        company = ensure_company(state, ms, deal.company)
        if state.hubspot.is_live("companies", company):
            for there, back in (DEAL_COMPANY, PRIMARY_DEAL_COMPANY):
                state.hubspot.link("deals", id_, "companies", company, there, back)


def _fields(state: State, deal: Deal) -> dict[str, Any]:
    return {
        "amount": None if deal.cents is None else amount_text(deal.number, deal.cents),
        "deal_currency_code": deal.currency,
        "dealstage": deal.hubspot_stage,
        "pipeline": deal.pipeline,
        "closedate": date_forms(deal.number, deal.close_date),
        "hs_is_closed_won": "true" if deal.stage == WON else "false",
        "hs_is_closed": "true" if deal.stage >= WON else "false",
        "hs_deal_stage_probability": HUBSPOT_PROBABILITY[deal.stage],
        "hubspot_owner_id": state.owner(deal.owner).hubspot or None,
        "closed_lost_reason": deal.loss_reason if deal.stage == LOST else None,
        "hs_next_step": deal.next_step,
    }


def log_activity(  # noqa: PLR0917 # what, who, when, about what
    state: State, ms: int, person: Person, what: str, at: int, deal: Deal | None, records: list[str]
) -> bool:
    """A sales activity is logged at `ms` that took place at `at`; False where HubSpot does not know the person."""
    if not state.hubspot.is_live("contacts", person.hubspot):
        return False
    kind = {"call": "calls", "meeting": "meetings", "task": "tasks", "note": "notes"}.get(what, "emails")
    id_ = state.numbers.new("engagements")
    owner = state.owner(person.sales_owner)
    fields = {"hs_timestamp": hubspot_text(at), "hubspot_owner_id": owner.hubspot or None}
    fields |= _particulars(state, what, at, int(id_))
    state.hubspot.create(kind, id_, ms, {k: v for k, v in fields.items() if v is not None}, owner.user)
    state.hubspot.link(kind, id_, "contacts", str(person.hubspot), *ENGAGEMENT_CONTACT[kind])
    if deal is not None and state.hubspot.is_live("deals", deal.hubspot):
        state.hubspot.link(kind, id_, "deals", str(deal.hubspot), *ENGAGEMENT_DEAL[kind])
    records.append(state.hubspot.key(kind, id_))
    return True


def _particulars(state: State, what: str, at: int, number: int) -> dict[str, str | None]:
    match what:
        case "call":
            return {
                "hs_call_title": rare_text(number, "Discovery call") or "Discovery call",
                "hs_call_direction": "OUTBOUND" if number % 5 else "INBOUND",
                "hs_call_status": ("COMPLETED", "COMPLETED", "NO_ANSWER", "BUSY")[number % 4],
                "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7" if number % 4 < 2 else None,
                "hs_call_duration": str(state.between(5, 1_800) * 1_000),
            }
        case "meeting":
            return {
                "hs_meeting_title": "Demo" if number % 2 else "Reunião inicial",
                "hs_meeting_start_time": hubspot_text(at),
                "hs_meeting_end_time": hubspot_text(at + 45 * MINUTE),
                "hs_meeting_outcome": ("COMPLETED", "SCHEDULED", "NO_SHOW", "COMPLETED")[number % 4],
            }
        case "task":
            return {
                "hs_task_subject": "Follow up",
                "hs_task_status": "COMPLETED" if number % 3 else "NOT_STARTED",
                "hs_task_type": ("CALL", "EMAIL", "TODO")[number % 3],
            }
        case "note":
            return {"hs_note_body": "<p>Spoke to the team &amp; left a message</p>"}
        case _:
            return {
                "hs_email_subject": "Re: proposta" if number % 2 else "Your question",
                "hs_email_direction": "INCOMING_EMAIL" if what == "reply" else "EMAIL",
                "hs_email_status": "SENT",
            }
