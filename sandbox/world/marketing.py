"""What marketing does: campaigns with their costs, people who come, forms, mailings, people who leave the lists."""

from typing import Any

from sandbox.world import funnel, nurture
from sandbox.world.catalog import FORMS, NEWSLETTER, WEBINAR, Campaign, draw_campaign
from sandbox.world.channels import CHANNELS, draw_channel
from sandbox.world.companies import Company, draw_company
from sandbox.world.dirt import date_forms
from sandbox.world.hubspot_side import create_contact, mail_event, submit_form
from sandbox.world.moments import DAY, HOUR, MINUTE, SECOND, date_text
from sandbox.world.people import Person, draw_person
from sandbox.world.salesforce_side import create_lead
from sandbox.world.state import State

CAMPAIGNS_A_MONTH = 5
_MAILINGS = (0, 0, 1, 1, 1, 2, 3)


def launch_campaigns(ms: int, state: State) -> None:
    """A month's campaigns; each spends its money until it ends."""
    for _ in range(CAMPAIGNS_A_MONTH):
        campaign = draw_campaign(state.rng, len(state.campaigns) + 1, ms)
        _launch(state, ms, campaign)
    state.running = [c for c in state.campaigns if c.end > ms]
    state.agenda.plan(ms + 30 * DAY, launch_campaigns, state)


def _launch(state: State, ms: int, campaign: Campaign) -> None:
    campaign.hubspot = state.numbers.guid("campaign", campaign.number)
    campaign.email = int(state.numbers.new("email_campaigns"))
    campaign.salesforce = state.keys.new("Campaign")
    state.campaigns.append(campaign)
    hubspot = {
        "hs_name": campaign.name,
        "hs_start_date": date_text(campaign.start),
        "hs_end_date": date_forms(campaign.number, campaign.end),
        "hs_campaign_status": "in_progress",
        "hs_currency_code": campaign.currency,
        "hs_utm": campaign.name.replace(" ", "+"),
        "hs_channel": campaign.channel.name,
        "hs_budget_items_sum_amount": str(campaign.budget // 100),
        "hs_spend_items_sum_amount": "0",
    }
    state.hubspot.create("campaigns", campaign.hubspot, ms, hubspot)
    parent = state.campaigns[campaign.number - 6].salesforce if campaign.number % 7 == 6 else None
    salesforce: dict[str, Any] = {
        "Name": campaign.name,
        "Type": campaign.channel.type,
        "Status": "In Progress",
        "StartDate": date_text(campaign.start),
        "EndDate": date_text(campaign.end),
        "BudgetedCost": campaign.budget / 100,
        "ActualCost": None,
        "CurrencyIsoCode": campaign.currency,
        "ParentId": parent,
        "OwnerId": state.owner(campaign.number).salesforce,
        "IsActive": True,
    }
    state.salesforce.create("Campaign", campaign.salesforce, ms, salesforce)
    nurture.run_campaign(state, ms, campaign)
    for part in range(1, 4):
        state.agenda.plan(ms + (campaign.end - ms) * part // 3, _spend, state, campaign, part)


def _spend(ms: int, state: State, campaign: Campaign, part: int) -> None:
    campaign.actual = (
        campaign.budget * part // 3 if part < 3 else int(campaign.budget * (0.8 + 0.4 * state.rng.random()))
    )
    campaign.actual = campaign.actual // 100 * 100
    is_over = part == 3
    hubspot = {"hs_spend_items_sum_amount": str(campaign.actual // 100)}
    salesforce: dict[str, Any] = {"ActualCost": campaign.actual / 100}
    if is_over:
        hubspot["hs_campaign_status"] = "completed"
        salesforce |= {"Status": "Completed", "IsActive": False}
        state.running = [c for c in state.running if c is not campaign]
    state.hubspot.update("campaigns", campaign.hubspot, ms, hubspot)
    state.salesforce.update("Campaign", campaign.salesforce, ms, salesforce)


def arrive(ms: int, state: State) -> None:
    """Somebody new comes."""
    person = _new_person(state)
    channel = draw_channel(state.rng)
    person.channel = channel.name
    if channel.type:
        fitting = [c for c in state.running if c.channel.name == channel.name]
        if fitting:
            person.campaign = fitting[state.between(0, len(fitting))].number
    if channel.entry == "sales":
        _enter_by_sales(state, ms, person, channel.salesforce)
        return
    if channel.entry == "list":
        _start(state, ms, person, "lead", "IMPORT")
    elif state.chance(0.15):
        _start(state, ms, person, "subscriber", "FORM")
        submit_form(state, ms, person, NEWSLETTER)
        if state.chance(0.5):
            state.agenda.plan(ms + state.between(3, 70) * DAY, ask, state, person)
    else:
        _start(state, ms, person, "lead", "FORM")
        submit_form(state, ms, person, WEBINAR if person.channel == "webinar" else 1 + state.between(0, len(FORMS) - 1))
    nurture.meet(state, ms, person, channel.entry)
    for _ in range(_MAILINGS[state.between(0, len(_MAILINGS))]):
        state.agenda.plan(ms + HOUR + state.between(0, 100 * DAY), mail, state, person)
    if state.chance(0.12):
        state.agenda.plan(ms + state.between(1, 80) * DAY, ask, state, person)
    if state.chance(0.02):
        state.agenda.plan(ms + state.between(1, 60) * DAY, _come_twice, state, person)


def _new_person(state: State) -> Person:
    number = len(state.people) + 1
    chance = state.rng.random()
    company: Company | None = None
    if chance < 0.80:
        if chance < 0.16 or not state.companies:
            company = draw_company(state.rng, len(state.companies) + 1, state.companies)
            state.companies.append(company)
        else:
            company = state.companies[state.between(0, len(state.companies))]
    person = draw_person(state.rng, number, company, state.addresses)
    state.people.append(person)
    if company is not None:
        state.colleagues.setdefault(company.number, []).append(person)
    return person


def _start(state: State, ms: int, person: Person, stage: str, by: str) -> None:
    records = state.truth.stage(person.person_id, stage, "", ms, person.cycle)
    person.stage = stage
    contact = create_contact(state, ms, person, stage, by=by)
    records.append(state.hubspot.key("contacts", contact))
    if stage == "lead":
        funnel.consider(state, ms, person)


def _enter_by_sales(state: State, ms: int, person: Person, source: str) -> None:
    """A sales person types in a lead; marketing's system hears of most of them, with the lead's id."""
    person.sales_owner = 1 + state.between(0, 10_000)
    if source not in {c.salesforce for c in CHANNELS[:-1]}:
        person.lead_word = source
    lead = create_lead(state, ms, person, source)
    records = state.truth.stage(person.person_id, "mql", "", ms, person.cycle)
    records.append(state.salesforce.key("Lead", lead))
    person.stage = "mql"
    if state.chance(0.7):
        state.agenda.plan(ms + state.between(3, 20) * MINUTE, _copy_to_hubspot, state, person, lead, records)
    funnel.follow_up(state, ms + 30 * MINUTE, person)


def _copy_to_hubspot(ms: int, state: State, person: Person, lead: str, records: list[str]) -> None:
    contact = create_contact(state, ms, person, "mql", by="SALESFORCE")
    records.append(state.hubspot.key("contacts", contact))
    if person.number % 16:
        state.hubspot.update("contacts", contact, ms, {"salesforceleadid": lead}, "SALESFORCE")


def _come_twice(ms: int, state: State, person: Person) -> None:
    state.doubles.append(("hubspot", "contacts", person, create_contact(state, ms, person, "lead", double=True)))


def ask(ms: int, state: State, person: Person) -> None:
    """Somebody known sends another form; a subscriber becomes a lead by it."""
    if not state.hubspot.is_live("contacts", person.hubspot):
        return
    submit_form(state, ms, person, 1 + state.between(0, len(FORMS) - 1))
    if person.stage == "subscriber":
        funnel.enter(state, ms, person, "lead")
        funnel.consider(state, ms, person)
    else:
        score = str(min(100, 10 + person.number % 50))
        state.hubspot.update("contacts", person.hubspot, ms, {"hubspotscore": score}, "AUTOMATION")


def mail(ms: int, state: State, person: Person) -> None:
    """A mailing goes out to somebody: delivered or not, opened or not, by machines too, clicked or not."""
    if person.opted_out or not state.hubspot.is_live("contacts", person.hubspot):
        return
    senders = state.running or state.campaigns
    sender = senders[state.between(0, len(senders))].number
    mail_event(state, ms, person, "SENT", sender)
    chance = state.rng.random()
    if chance < 0.03:
        state.agenda.plan(ms + state.between(1, 90) * SECOND, _later, state, person, "BOUNCE", sender, False)  # noqa: FBT003
        return
    mail_event(state, ms, person, "DELIVERED", sender)
    if chance < 0.12:
        state.agenda.plan(ms + state.between(1, 5) * SECOND, _later, state, person, "OPEN", sender, True)  # noqa: FBT003
    if chance > 0.7:
        opened = ms + MINUTE + int(state.rng.random() ** 3 * 2 * DAY)
        state.agenda.plan(opened, _later, state, person, "OPEN", sender, False)  # noqa: FBT003
        if chance > 0.94:
            state.agenda.plan(opened + 40 * SECOND, _later, state, person, "CLICK", sender, False)  # noqa: FBT003
    elif chance > 0.69:
        state.agenda.plan(ms + HOUR, unsubscribe, state, person, sender)


def _later(ms: int, state: State, person: Person, type_: str, sender: int, machine: bool) -> None:  # noqa: FBT001 # an action
    mail_event(state, ms, person, type_, sender, machine=machine)


def unsubscribe(ms: int, state: State, person: Person, sender: int) -> None:
    """Somebody leaves the lists; Salesforce hears of it too."""
    if not state.hubspot.is_live("contacts", person.hubspot):
        return
    person.opted_out = True
    mail_event(state, ms, person, "STATUSCHANGE", sender)
    state.hubspot.update("contacts", person.hubspot, ms, {"hs_email_optout": "true"}, "FORM")
    state.salesforce.update("Lead", person.lead, ms, {"HasOptedOutOfEmail": True})
    state.salesforce.update("Contact", person.contact, ms, {"HasOptedOutOfEmail": True})
