"""What Salesforce knows of people and companies: leads with their history, accounts, contacts, conversion, campaign members."""

from typing import Any

from sandbox.world.catalog import Campaign
from sandbox.world.companies import Company
from sandbox.world.deal import Deal
from sandbox.world.dirt import mistyped, monster_name, rare_text
from sandbox.world.moments import date_text
from sandbox.world.people import Person
from sandbox.world.places import wrong_phone
from sandbox.world.state import State

STATUS_WORDS = {
    "mql": "Open - Not Contacted",
    "sal": "Working - Contacted",
    "sql": "Qualified",
    "opportunity": "Closed - Converted",
    "disqualified": "Closed - Not Converted",
    "recycled": "Nurturing",
}
LEAD_SOURCES = {
    "organic_search": "Web",
    "paid_search": "Advertisement",
    "paid_social": "Advertisement",
    "organic_social": "Web",
    "email": "Web",
    "referral": "Web",
    "direct": "Web",
    "ai_assistant": "Web",
    "webinar": "Webinar",
    "event": "Trade Show",
    "list_import": "Purchased List",
    "partner": "Partner Referral",
    "outbound": "Phone Inquiry",
    "other": "Other",
}
RATINGS = ("Hot", "Warm", "Cold")


def create_lead(state: State, ms: int, person: Person, source: str | None = None, *, double: bool = False) -> str:
    """A lead for a person; a double was typed in by another sales person, with less care."""
    id_ = state.keys.new("Lead")
    number = state.salesforce.count("Lead") + 1
    owner = state.owner(person.sales_owner + (1 if double else 0))
    company = person.company.name if person.company is not None else f"{person.name.given} {person.name.family}".strip()
    family = monster_name(number + 50) or rare_text(number, person.name.family) or person.name.family
    fields: dict[str, Any] = {
        "Email": mistyped(state.rng, person.email, number) if number % 23 else None,
        "FirstName": None if not person.name.family else person.name.given,
        "LastName": family or person.name.given,
        "Name": f"{person.name.given} {family}".strip(),
        "Title": person.title,
        "Company": rare_text(number + 60, company) or company or "[not provided]",
        "Phone": (person.phone_written if number % 31 else wrong_phone(state.rng)) if number % 3 else None,
        "MobilePhone": person.phone if number % 7 == 0 else None,
        "CountryCode": person.country.code,
        "City": person.city,
        "Status": STATUS_WORDS["mql"],
        "LeadSource": (source or LEAD_SOURCES[person.channel]) if number % 12 else None,
        "Rating": RATINGS[number % 3],
        "OwnerId": owner.salesforce,
        "IsConverted": False,
        "HasOptedOutOfEmail": person.opted_out,
    }
    if double:
        fields |= {"Email": person.private, "FirstName": person.name.given[:1] + ".", "Phone": person.phone_written}
    state.salesforce.create("Lead", id_, ms, fields)
    undecidable = not fields["Email"] and not fields["Phone"] and not fields["MobilePhone"] and person.hubspot is None
    state.truth.is_person(person.person_id, "salesforce", "Lead", id_, ms, undecidable=undecidable)
    if not double:
        person.lead, person.lead_status = id_, STATUS_WORDS["mql"]
    return id_


def set_status(
    state: State, ms: int, person: Person, stage: str, records: list[str], reason: str | None = None, **more: Any
) -> bool:
    """Write a stage as the lead's status, with a line of history; False where there is no lead that can be written to."""
    if person.lead_status == STATUS_WORDS["opportunity"]:
        return False  # converted leads are read-only
    status = STATUS_WORDS[stage]
    fields: dict[str, Any] = {"Status": status, **more}
    if stage == "disqualified":
        fields["Disqualified_Reason__c"] = reason
    if not state.salesforce.update("Lead", person.lead, ms, fields):
        return False
    lead = str(person.lead)
    records.append(state.salesforce.key("Lead", lead))
    if status != person.lead_status:
        _history(state, ms, lead, person, "Status", person.lead_status, status)
        person.lead_status = status
    return True


def _history(state: State, ms: int, lead: str, person: Person, field: str, old: str, new: str) -> None:  # noqa: PLR0917 # a row
    user = state.owner(person.sales_owner).salesforce
    line = {"LeadId": lead, "Field": field, "OldValue": old, "NewValue": new, "CreatedById": user}
    state.salesforce.create("LeadHistory", state.keys.new("LeadHistory"), ms, line)


def ensure_account(state: State, ms: int, person: Person) -> str:
    """The account of the person's company, or one in the person's own name."""
    company = person.company
    if company is not None and company.salesforce is not None:
        if state.salesforce.is_live("Account", company.salesforce):
            return company.salesforce
        company.salesforce = None
    if company is None and person.number in state.own_accounts:
        return state.own_accounts[person.number]
    id_ = state.keys.new("Account")
    number = state.salesforce.count("Account") + 1
    if company is None:
        state.own_accounts[person.number] = id_
        own = f"{person.name.given} {person.name.family}".strip()
        fields: dict[str, Any] = {"Name": own, "CurrencyIsoCode": person.country.currency, "NumberOfEmployees": 1}
        place, city = person.country, person.city
    else:
        fields = {
            "Name": rare_text(number, company.name) or (company.name if number % 9 else company.name.rsplit(" ", 1)[0]),
            "Website": company.domain if number % 6 else None,
            "Phone": company.phone if number % 3 else None,
            "Industry": company.industry.replace("_", " ").title(),
            "NumberOfEmployees": company.employees,
            "AnnualRevenue": float(company.employees * 90_000) if number % 2 else None,
            "CurrencyIsoCode": company.country.currency,
            "ParentId": company.parent.salesforce if company.parent is not None else None,
        }
        place, city = company.country, company.city
    fields |= {
        "BillingCountryCode": place.code,
        "BillingCity": city,
        "OwnerId": state.owner(person.sales_owner).salesforce,
    }
    state.salesforce.create("Account", id_, ms, fields)
    if company is not None:
        _tie_company(state, ms, company, id_)
    return id_


def _tie_company(state: State, ms: int, company: Company, account: str) -> None:
    company.salesforce = account
    if company.hubspot is not None and company.number % 14:
        others = state.companies
        other = others[company.number // 2].salesforce if company.number % 101 == 50 and len(others) > 1 else None
        state.hubspot.update("companies", company.hubspot, ms, {"salesforceaccountid": other or account}, "SALESFORCE")


def ensure_contact(state: State, ms: int, person: Person, account: str) -> str:
    """The person's contact, made now where there is none."""
    if person.contact is not None and state.salesforce.is_live("Contact", person.contact):
        return person.contact
    id_ = person.contact = state.keys.new("Contact")
    number = state.salesforce.count("Contact") + 1
    fields = {
        "AccountId": account if number % 60 else None,
        "Email": mistyped(state.rng, person.email, number) if number % 19 else None,
        "FirstName": person.name.given if person.name.family else None,
        "LastName": person.name.family or person.name.given,
        "Name": f"{person.name.given} {person.name.family}".strip(),
        "Title": rare_text(number, person.title) or person.title,
        "Phone": person.phone_written if number % 2 else None,
        "MobilePhone": person.phone if number % 5 == 0 else None,
        "MailingCountryCode": person.country.code,
        "MailingCity": person.city,
        "LeadSource": LEAD_SOURCES[person.channel] if number % 8 else None,
        "OwnerId": state.owner(person.sales_owner).salesforce,
        "HasOptedOutOfEmail": person.opted_out,
    }
    state.salesforce.create("Contact", id_, ms, fields)
    undecidable = not (fields["Email"] or fields["Phone"] or fields["MobilePhone"] or person.lead or person.hubspot)
    state.truth.is_person(person.person_id, "salesforce", "Contact", id_, ms, undecidable=undecidable)
    return id_


def convert(state: State, ms: int, person: Person, account: str, deal: Deal, records: list[str]) -> str:
    """Turn the lead into a contact: its activities and memberships move over, as Salesforce does."""
    contact = ensure_contact(state, ms, person, account)
    lead = person.lead
    done = set_status(
        state,
        ms,
        person,
        "opportunity",
        records,
        IsConverted=True,
        ConvertedDate=date_text(ms),
        ConvertedContactId=contact,
        ConvertedAccountId=account,
        ConvertedOpportunityId=deal.salesforce,
    )
    if done and lead is not None:
        moved = state.activities.pop(lead, [])
        for kind, id_ in moved:
            field = "ContactId" if kind == "CampaignMember" else "WhoId"
            state.salesforce.update(kind, id_, ms, {field: contact})
        state.activities.setdefault(contact, []).extend(moved)
        if person.hubspot is not None and person.number % 9:
            state.hubspot.update("contacts", person.hubspot, ms, {"salesforcecontactid": contact}, "SALESFORCE")
    return contact


def join_campaign(state: State, ms: int, person: Person, campaign: Campaign, *, responded: bool) -> None:
    """The person becomes a member of a campaign, as lead or as contact."""
    field, kind, who = ("ContactId", "Contact", person.contact) if person.contact else ("LeadId", "Lead", person.lead)
    if who is None or not state.salesforce.is_live(kind, who):
        return
    if not state.salesforce.is_live("Campaign", campaign.salesforce):
        return
    id_ = state.keys.new("CampaignMember")
    words = ("Responded", "Attended", "Registered") if responded else ("Sent", "No Show")
    fields = {
        "CampaignId": campaign.salesforce,
        field: who,
        "Status": words[person.number % len(words)],
        "HasResponded": responded,
        "FirstRespondedDate": date_text(ms) if responded else None,
    }
    state.salesforce.create("CampaignMember", id_, ms, fields)
    state.activities.setdefault(who, []).append(("CampaignMember", id_))
    state.members.append(id_)
    if responded:
        key = state.salesforce.key("CampaignMember", id_)
        state.truth.event(
            person.person_id, "campaign_response", ms, [key], by="customer", campaign=campaign.campaign_id
        )
