"""What HubSpot knows of people and companies: contacts, companies, how they hang together, submissions and mail events."""

from typing import Any

from sandbox.store import Link
from sandbox.world.channels import draw_visit
from sandbox.world.companies import Company
from sandbox.world.dirt import employees, mistyped, monster_name, rare_text
from sandbox.world.moments import DAY, HOUR, hubspot_text
from sandbox.world.people import Person
from sandbox.world.places import wrong_phone
from sandbox.world.state import State

_H = "HUBSPOT_DEFINED"
CONTACT_COMPANY = (Link(279, _H, None), Link(280, _H, None))
PRIMARY_COMPANY = (Link(1, _H, "Primary"), Link(2, _H, "Primary"))
DEAL_CONTACT = (Link(3, _H, None), Link(4, _H, None))
DEAL_COMPANY = (Link(341, _H, None), Link(342, _H, None))
PRIMARY_DEAL_COMPANY = (Link(5, _H, "Primary"), Link(6, _H, "Primary"))
CHILD_PARENT = (Link(13, _H, "Child Company"), Link(14, _H, "Parent Company"))
ENGAGEMENT_CONTACT = {k: (Link(n, _H, None), Link(n - 1, _H, None)) for k, n in
                      {"calls": 194, "emails": 198, "meetings": 200, "notes": 202, "tasks": 204}.items()}  # fmt: skip
ENGAGEMENT_DEAL = {k: (Link(n, _H, None), Link(n - 1, _H, None)) for k, n in
                   {"calls": 206, "emails": 210, "meetings": 212, "notes": 214, "tasks": 216}.items()}  # fmt: skip
"""Type ids there and back. (HubSpot: Associations v4, "Association type IDs".)"""

STAGE_WORDS = {
    "subscriber": "subscriber",
    "lead": "lead",
    "mql": "marketingqualifiedlead",
    "sql": "salesqualifiedlead",
    "opportunity": "opportunity",
    "customer": "customer",
    "advocate": "evangelist",
}
MAIL_EVENTS = {
    "SENT": "mail_sent",
    "DELIVERED": "mail_delivered",
    "OPEN": "mail_open",
    "CLICK": "mail_click",
    "BOUNCE": "mail_bounce",
    "STATUSCHANGE": "unsubscribe",
}
"""HubSpot's word -> type of the true event."""

LEAD_STATUSES = {"sal": ("IN_PROGRESS", "CONNECTED"), "recycled": ("BAD_TIMING",), "disqualified": ("UNQUALIFIED",)}


def create_contact(  # who, when, how
    state: State, ms: int, person: Person, stage: str | None = None, *, by: str = "FORM", double: bool = False
) -> str:
    """A contact for a person; a double knows the private address and writes the name in its own way."""
    id_ = state.numbers.new("contacts")
    fields = _contact_fields(state, ms, person, int(id_))
    if stage is not None and person.number % 157 != 3:  # a few have none
        fields["lifecyclestage"] = stage_word(person, stage)
    if double:
        fields["email"] = person.private if person.private != person.email else person.email.replace("@", "+2@")
        fields["firstname"] = person.name.given.upper()
        fields.pop("phone", None)
    company = ensure_company(state, ms, person.company) if person.company is not None and state.chance(0.94) else None
    if company is not None and state.hubspot.is_live("companies", company):
        fields["associatedcompanyid"] = company
    state.hubspot.create("contacts", id_, ms, {k: v for k, v in fields.items() if v is not None}, by)
    state.truth.is_person(person.person_id, "hubspot", "contacts", id_, ms, undecidable=_is_mute(fields))
    if "associatedcompanyid" in fields:
        _link_primary(state, id_, fields["associatedcompanyid"])
    if not double:
        person.hubspot = id_
    return id_


def _contact_fields(state: State, ms: int, person: Person, number: int) -> dict[str, Any]:
    rng = state.rng
    company = person.company
    campaign = state.campaigns[person.campaign - 1].name if person.campaign else "brand"
    source = _SOURCES.get(person.channel, "OFFLINE")
    fields: dict[str, Any] = {
        "email": mistyped(rng, person.email, number),
        "firstname": monster_name(number) or rare_text(number, person.name.given) or person.name.given,
        "lastname": person.name.family or None,
        "jobtitle": rare_text(number + 40, person.title) or person.title,
        "company": company.name if company is not None else None,
        "country": _country(number, person),
        "city": person.city,
        "hs_analytics_source": source,
        "hs_email_optout": "false",
    }
    if state.chance(0.6):
        fields["phone"] = person.phone_written if state.chance(0.97) else wrong_phone(rng)
    elif state.chance(0.1):
        fields["phone"] = ("", " ")[number % 2]
    if source == "OFFLINE":
        fields["hs_analytics_source_data_1"] = "IMPORT"
    else:
        url, referrer = draw_visit(rng, person.channel, campaign)
        first = ms - int(rng.random() ** 4 * 30 * DAY) - HOUR // 2
        fields |= {
            "hs_analytics_source_data_1": campaign if person.campaign else None,
            "hs_analytics_source_data_2": None if referrer is None else referrer.split("/")[2],
            "hs_analytics_first_timestamp": hubspot_text(first),
            "hs_analytics_first_url": url,
            "hs_analytics_first_referrer": referrer,
        }
    return fields


_SOURCES = {
    "organic_search": "ORGANIC_SEARCH",
    "paid_search": "PAID_SEARCH",
    "paid_social": "PAID_SOCIAL",
    "organic_social": "SOCIAL_MEDIA",
    "email": "EMAIL_MARKETING",
    "referral": "REFERRALS",
    "direct": "DIRECT_TRAFFIC",
    "ai_assistant": "AI_REFERRALS",
    "webinar": "OTHER_CAMPAIGNS",
}


def _country(number: int, person: Person) -> str | None:
    forms = (person.country.name, person.country.name, person.country.code, person.country.name.upper(), "", None)
    return forms[number % 6] if number % 5 == 0 else person.country.name


def _is_mute(fields: dict[str, Any]) -> bool:
    return "@" not in (fields.get("email") or "") and not fields.get("phone")


def ensure_company(state: State, ms: int, company: Company) -> str:
    """The company's record, made now where there is none."""
    if company.hubspot is not None:
        return company.hubspot
    id_ = company.hubspot = state.numbers.new("companies")
    number = int(id_)
    website = (f"https://www.{company.domain}", company.domain, f"http://{company.domain}/?utm_source=x", None)[
        number % 4
    ]
    fields = {
        "name": rare_text(number, company.name) or company.name,
        "domain": company.domain if number % 25 else None,
        "website": website,
        "phone": company.phone if number % 2 else None,
        "industry": company.industry,
        "numberofemployees": employees(state.rng, company.employees),
        "country": company.country.name,
        "city": company.city,
        "lifecyclestage": "lead",
        "salesforceaccountid": company.salesforce,
    }
    if number % 3 == 0:
        fields["annualrevenue"] = (str(company.employees * 90_000), f"{company.employees * 90_000:.1f}", "")[
            number // 3 % 3
        ]
    state.hubspot.create("companies", id_, ms, {k: v for k, v in fields.items() if v is not None}, "INTEGRATION")
    if company.parent is not None and company.parent.hubspot is not None:
        parent = company.parent.hubspot
        state.hubspot.update("companies", id_, ms, {"hs_parent_company_id": parent})
        state.hubspot.link("companies", id_, "companies", parent, *CHILD_PARENT)
    return id_


def link_company(state: State, ms: int, contact: str, company: Company) -> None:
    """Make a company the primary one of a contact; at HubSpot that sets the contact's associatedcompanyid."""
    id_ = ensure_company(state, ms, company)
    if not state.hubspot.is_live("companies", id_) or not state.hubspot.is_live("contacts", contact):
        return
    _link_primary(state, contact, id_)
    state.hubspot.update("contacts", contact, ms, {"associatedcompanyid": id_}, "AUTOMATION")


def _link_primary(state: State, contact: str, company: str) -> None:
    for there, back in (CONTACT_COMPANY, PRIMARY_COMPANY):
        state.hubspot.link("contacts", contact, "companies", company, there, back)


def stage_word(person: Person, stage: str) -> str:
    """The lifecycle stage in HubSpot's words; some account has its own word for a lead."""
    return "prospecto" if stage == "lead" and person.number % 200 == 7 else STAGE_WORDS[stage]


def show_stage(
    state: State, ms: int, person: Person, stage: str, records: list[str], reason: str | None = None
) -> None:
    """Write a stage into the contact in HubSpot's words, and into the truth that it tells of it."""
    contact = person.hubspot
    if contact is None:
        return
    fields: dict[str, Any] = {}
    if stage in STAGE_WORDS:
        fields["lifecyclestage"] = stage_word(person, stage)
    else:
        words = LEAD_STATUSES[stage]
        fields["hs_lead_status"] = words[person.number % len(words)]
    if stage == "mql":
        fields |= {"hs_lead_status": "NEW", "hubspotscore": str(40 + person.number % 60)}
        if person.sales_owner:
            fields["hubspot_owner_id"] = state.owner(person.sales_owner).hubspot or None
    elif stage == "opportunity":
        fields["hs_lead_status"] = "OPEN_DEAL"
    elif stage == "disqualified":
        fields["disqualification_reason"] = reason
    by = state.owner(person.sales_owner).user if person.sales_owner and stage != "mql" else "AUTOMATION"
    if state.hubspot.update("contacts", contact, ms, fields, by):
        records.append(state.hubspot.key("contacts", contact))


def submit_form(state: State, ms: int, person: Person, form: int) -> None:
    """A form is sent."""
    rng = state.rng
    id_ = state.numbers.event()
    campaign = state.campaigns[person.campaign - 1] if person.campaign else None
    url, _ = draw_visit(rng, person.channel, campaign.name if campaign else "brand")
    values = [
        {"name": "email", "value": person.email, "objectTypeId": "0-1"},
        {"name": "firstname", "value": person.name.given, "objectTypeId": "0-1"},
        {"name": "lastname", "value": person.name.family, "objectTypeId": "0-1"},
    ]
    guid = state.forms[form]
    fields = {"formGuid": guid, "submittedAt": ms, "conversionId": id_, "values": values, "pageUrl": url}
    if person.number % 50 == 11:
        del fields["conversionId"]  # older submissions have none
    state.hubspot.create("form_submissions", id_, ms, fields)
    state.truth.event(
        person.person_id,
        "form_submission",
        ms,
        [state.hubspot.key("form_submissions", id_)],
        by="customer",
        campaign=campaign.campaign_id if campaign else None,
    )


def mail_event(state: State, ms: int, person: Person, type_: str, campaign: int, *, machine: bool = False) -> None:
    """Something happened to a marketing mail. campaign: number of the campaign that sent it."""
    id_ = state.numbers.event()
    sender = state.campaigns[campaign - 1]
    fields: dict[str, Any] = {
        "type": type_,
        "recipient": person.email,
        "emailCampaignId": sender.email,
        "appId": 113,
        "portalId": 4_000_001,
    }
    if type_ == "CLICK":
        fields["url"] = "https://www.smart-demo.example/ebook?utm_source=newsletter&utm_medium=email"
    if type_ in {"OPEN", "CLICK"}:
        fields["filteredEvent"] = machine
    state.hubspot.create("email_events", id_, ms, fields)
    name = MAIL_EVENTS[type_] + ("_by_machine" if machine else "")
    by = "customer" if type_ in {"OPEN", "CLICK"} and not machine else "marketing"
    state.truth.event(
        person.person_id, name, ms, [state.hubspot.key("email_events", id_)], by=by, campaign=sender.campaign_id
    )
