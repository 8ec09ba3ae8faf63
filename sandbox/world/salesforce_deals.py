"""What Salesforce knows of opportunities, their history and contact roles, and of sales' tasks and events."""

from typing import Any

from sandbox.world.deal import LOST, STAGES, WON, Deal
from sandbox.world.dirt import rare_text
from sandbox.world.moments import DAY, MINUTE, SECOND, date_text, salesforce_text
from sandbox.world.people import Person
from sandbox.world.salesforce_side import LEAD_SOURCES, ensure_contact
from sandbox.world.state import State


def open_opportunity(state: State, ms: int, deal: Deal, account: str) -> None:
    """Create the opportunity with its first line of history."""
    id_ = deal.salesforce = state.keys.new("Opportunity")
    deal.account = account
    fields = _fields(deal) | {
        "Name": rare_text(deal.number, deal.name) or deal.name,
        "AccountId": account,
        "LeadSource": (deal.lead_source or LEAD_SOURCES[deal.channel]) if deal.number % 11 else None,
        "CampaignId": deal.campaign.salesforce if deal.campaign is not None else None,
        "OwnerId": state.owner(deal.owner).salesforce,
    }
    state.salesforce.create("Opportunity", id_, ms, fields)
    _remember(state, ms, deal)


def add_roles(state: State, ms: int, deal: Deal, account: str) -> None:
    """Contact roles for the buying group; people who are no contacts yet become ones."""
    if not deal.is_told or deal.salesforce is None:
        return
    for person, role, is_primary in deal.group:
        contact = ensure_contact(state, ms, person, account)
        add_role(state, ms, deal, person, contact, role, is_primary=is_primary)


def add_role(  # a row
    state: State, ms: int, deal: Deal, person: Person, contact: str, role: str, *, is_primary: bool
) -> None:
    """One contact role."""
    id_ = deal.roles[person.number] = state.keys.new("OpportunityContactRole")
    fields = {
        "OpportunityId": deal.salesforce,
        "ContactId": contact,
        "Role": role if deal.number % 13 else None,
        "IsPrimary": is_primary,
    }
    state.salesforce.create("OpportunityContactRole", id_, ms, fields)


def show_opportunity(state: State, ms: int, deal: Deal, *, remember: bool = True) -> bool:
    """Bring the opportunity up to date; history gets a line where stage, amount, probability or close date changed."""
    if not state.salesforce.update("Opportunity", deal.salesforce, ms, _fields(deal)):
        return False
    if remember:
        _remember(state, ms, deal)
    return True


def _amount(deal: Deal) -> float | None:
    return None if deal.cents is None else deal.cents / 100


def _fields(deal: Deal) -> dict[str, Any]:
    name, _, probability, forecast = STAGES[deal.stage]
    return {
        "Amount": _amount(deal),
        "CurrencyIsoCode": deal.currency,
        "StageName": name,
        "ForecastCategoryName": forecast,
        "Probability": probability,
        "IsClosed": deal.stage >= WON,
        "IsWon": deal.stage == WON,
        "CloseDate": date_text(deal.close_date),
        "NextStep": deal.next_step,
        "Loss_Reason__c": deal.loss_reason if deal.stage == LOST else None,
    }


def _remember(state: State, ms: int, deal: Deal) -> None:
    name, _, probability, forecast = STAGES[deal.stage]
    line = {
        "OpportunityId": deal.salesforce,
        "StageName": name,
        "Amount": _amount(deal),
        "CurrencyIsoCode": deal.currency,
        "Probability": probability,
        "CloseDate": date_text(deal.close_date),
        "ForecastCategory": forecast.replace(" ", ""),
        "CreatedById": state.owner(deal.owner).salesforce,
    }
    state.salesforce.create("OpportunityHistory", state.keys.new("OpportunityHistory"), ms, line)


def log_activity(  # noqa: PLR0917 # what, who, when, about what
    state: State, ms: int, person: Person, what: str, at: int, deal: Deal | None, records: list[str]
) -> bool:
    """A sales activity is logged at `ms` that took place at `at`; False where Salesforce does not know the person."""
    who, kind = (person.contact, "Contact") if person.contact else (person.lead, "Lead")
    if who is None or not state.salesforce.is_live(kind, who):
        return False
    sobject = "Event" if what == "meeting" else "Task"
    id_ = state.keys.new(sobject)
    number = state.salesforce.count(sobject)
    fields: dict[str, Any] = {"WhoId": who, "OwnerId": state.owner(person.sales_owner).salesforce}
    if deal is not None and kind == "Contact" and state.salesforce.is_live("Opportunity", deal.salesforce):
        fields["WhatId"] = deal.salesforce
    if what == "meeting":
        fields |= {
            "Subject": "Demo" if number % 2 else "Reunião inicial",
            "Type": "Meeting" if number % 3 else None,
            "StartDateTime": salesforce_text(at // SECOND * SECOND),
            "EndDateTime": salesforce_text(at // SECOND * SECOND + 45 * MINUTE),
        }
    else:
        fields |= _task(state, what, at, number)
    state.salesforce.create(sobject, id_, ms, fields)
    state.activities.setdefault(who, []).append((sobject, id_))
    records.append(state.salesforce.key(sobject, id_))
    return True


def _task(state: State, what: str, at: int, number: int) -> dict[str, Any]:
    is_done = number % 6 != 0 or what != "task"
    fields: dict[str, Any] = {
        "Status": "Completed" if is_done else "Not Started",
        "IsClosed": is_done,
        "ActivityDate": date_text(at if is_done else at + 3 * DAY),
        "CompletedDateTime": salesforce_text(at // SECOND * SECOND) if is_done else None,
    }
    if what == "call":
        fields |= {
            "Subject": rare_text(number, "Call") or "Call",
            "Type": "Call",
            "TaskSubtype": "Call",
            "CallType": "Outbound" if number % 5 else "Inbound",
            "CallDisposition": ("Connected", "Left voicemail", "No answer", None)[number % 4],
            "CallDurationInSeconds": state.between(5, 1_800),
        }
    elif what in {"email", "reply"}:
        subject = "Email: << Re: proposta" if what == "reply" else "Email: >> Your question"
        fields |= {"Subject": subject, "Type": "Email", "TaskSubtype": "Email"}
    else:
        fields |= {"Subject": "Follow up" if what == "task" else "Note", "Type": None, "TaskSubtype": "Task"}
    return fields
