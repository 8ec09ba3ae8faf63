"""What Marketo does with people: it enrols a share of those who come, mails them in steps, hears what becomes of them.

A fifth of the people who come by the web or by a list are nurtured; whom sales enters by hand is not. Mails, visits and
forms are Marketo's own and happen besides HubSpot's. All is drawn from Marketo's own source of chance.
"""

from typing import Any

from sandbox.world.catalog import Campaign
from sandbox.world.channels import draw_visit
from sandbox.world.dirt import mistyped, monster_name, rare_text
from sandbox.world.marketo_mails import fill_form, send
from sandbox.world.marketo_members import join_list, set_status
from sandbox.world.marketo_side import Program, change_lead, change_score, create_lead, second
from sandbox.world.marketo_words import MODEL, MODEL_ID, REVENUE_STAGES, TRACKS
from sandbox.world.moments import DAY, HOUR, MINUTE, date_text
from sandbox.world.people import Person
from sandbox.world.programs import launch_program
from sandbox.world.state import State

SHARE = 0.2
"""Of the people who come by the web or by a list, so many are nurtured."""

MOST_INVITED = 300


def meet(state: State, ms: int, person: Person, entry: str) -> None:
    """Somebody has come; a share is enrolled: at once by a form, days later by a list."""
    m = state.nurture
    if not m.chance(SHARE):
        return
    wait = m.between(1, 8) * DAY if entry == "list" else m.between(5, 120) * MINUTE
    state.agenda.plan(ms + wait, _enrol, state, person, entry)


def _enrol(ms: int, state: State, person: Person, entry: str) -> None:
    m = state.nurture
    if not state.hubspot.is_live("contacts", person.hubspot):
        return
    program = m.nurtures[0 if person.number % 3 else 2]
    number = len(m.leads) + 1
    fields = _lead_fields(state, person, number)
    if number % 3:
        fields |= {"acquisitionProgramId": int(program.id), "acquisitionDate": _day(ms)}
    lead = person.marketo = create_lead(m, ms, fields, "List import" if entry == "list" else "Web form fill-out")
    _known(state, ms, person, lead, fields)
    if entry == "list":
        join_list(m, ms, lead, program)
    else:
        fill_form(state, ms, person, lead, program)
    set_status(m, ms, lead, program, "Member", "Added by flow action")
    m.log(
        ms,
        lead,
        113,
        (program.id, program.name),
        {"Track ID": 1, "Track Name": TRACKS[0]},
        campaign=program.smart_campaign,
    )
    state.agenda.plan(ms + m.between(1, 5) * DAY, _cast, state, person, program)
    state.agenda.plan(ms + m.between(2, 6) * HOUR, _sync, state, person)
    if m.chance(0.08):
        state.agenda.plan(ms + m.between(1, 60) * DAY, _come_twice, state, person)


def _day(ms: int) -> str:
    return f"{date_text(ms)}T00:00:00Z"


def _known(state: State, ms: int, person: Person, lead: str, fields: dict[str, Any]) -> None:
    state.nurture.persons[lead] = person.number
    mute = "@" not in (fields.get("email") or "") and not any(c.isdigit() for c in fields.get("phone") or "")
    state.truth.is_person(person.person_id, "marketo", "leads", lead, ms, undecidable=mute)


def _lead_fields(state: State, person: Person, number: int) -> dict[str, Any]:
    m, company = state.nurture, person.company
    campaign = state.campaigns[person.campaign - 1].name if person.campaign else "brand"
    url, referrer = draw_visit(m.rng, person.channel, campaign)
    stage, _ = REVENUE_STAGES.get(person.stage, (1, ""))
    fields = {
        "email": mistyped(m.rng, person.email, number),
        "firstName": monster_name(number + 400) or rare_text(number, person.name.given) or person.name.given,
        "lastName": person.name.family or None,
        "title": rare_text(number + 40, person.title) or person.title,
        "company": company.name if company is not None else None,
        "industry": company.industry.replace("_", " ").title() if company is not None else None,
        "numberOfEmployees": company.employees if company is not None else None,
        "website": f"www.{company.domain}" if company is not None and number % 4 else None,
        "country": person.country.name if number % 7 else person.country.code,
        "city": (person.city, person.city, "", person.city)[number % 4],
        "phone": person.phone_written if number % 3 else (None, "", "n/a")[number // 3 % 3],
        "leadSource": person.channel.replace("_", " ").title() if number % 9 else None,
        "originalSourceType": "List import" if person.channel in {"event", "list_import"} else "Web form fill-out",
        "originalSourceInfo": url,
        "originalReferrer": referrer,
        "leadRevenueCycleModelId": MODEL_ID,
        "leadRevenueStageId": stage,
        "productInterest": ("CRM", "Automation", "Both; all", None)[number % 4],
    }
    return {k: v for k, v in fields.items() if v is not None}


def _come_twice(ms: int, state: State, person: Person) -> None:
    """The same person under the private address: a second lead, which may be merged some day."""
    m = state.nurture
    if not m.desk.is_live("leads", person.marketo) or person.private == person.email:
        return
    fields = {"email": person.private, "firstName": person.name.given.upper(), "lastName": person.name.family or None}
    fields = {k: v for k, v in fields.items() if v is not None}
    lead = create_lead(m, ms, fields, "Web service API")
    _known(state, ms, person, lead, fields)
    m.doubles.append((str(person.marketo), lead))


def _cast(ms: int, state: State, person: Person, program: Program) -> None:
    """A step of an engagement program: one mail, and mostly a next one weeks later."""
    m = state.nurture
    lead = person.marketo
    if lead is None or not m.desk.is_live("leads", lead) or m.value_of(lead, "unsubscribed"):
        return
    send(state, ms, person, lead, program)
    if m.chance(0.7):
        state.agenda.plan(ms + m.between(10, 24) * DAY, _cast, state, person, program)
    elif m.chance(0.3):
        member = f"{program.id}-{lead}"
        m.desk.update("program_members", member, second(ms), {"isExhausted": True})


def hear(state: State, ms: int, person: Person, stage: str, records: list[str]) -> None:
    """A person entered a stage: Marketo's revenue stage follows within minutes, the CRM's values within two hours."""
    if person.marketo is None:
        return
    m = state.nurture
    state.agenda.plan(ms + m.between(1, 15) * MINUTE, _show_stage, state, person, stage, records)
    state.agenda.plan(ms + m.between(40, 100) * MINUTE, _sync, state, person)


def _show_stage(ms: int, state: State, person: Person, stage: str, records: list[str]) -> None:
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    number, name = REVENUE_STAGES[stage]
    old = int(m.value_of(lead, "leadRevenueStageId") or 0)
    if old == number:
        return
    m.desk.update("leads", lead, second(ms), {"leadRevenueCycleModelId": MODEL_ID, "leadRevenueStageId": number})
    before = next((n for i, n in REVENUE_STAGES.values() if i == old), None)
    attributes = {
        "New Stage": name,
        "New Stage ID": number,
        "Old Stage": before,
        "Old Stage ID": old,
        "Reason": "Smart rule",
    }
    records.append(m.log(ms, lead, 101, (MODEL_ID, MODEL), attributes))
    if stage == "recycled":
        program = m.nurtures[1]
        set_status(m, ms, lead, program, "Member", "Recycled by sales")
        state.agenda.plan(ms + m.between(3, 20) * DAY, _cast, state, person, program)


def _sync(ms: int, state: State, person: Person) -> None:
    """Marketo's sync with Salesforce: ids and status; missing for some, somebody else's for a few."""
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead) or person.number % 14 == 6:
        return
    there = person.lead
    if there is not None and person.number % 20 == 11:
        there = next((p.lead for p in reversed(state.people[: person.number - 1]) if p.lead), there)
    fields: dict[str, Any] = {"sfdcLeadId": there, "sfdcContactId": person.contact}
    if person.contact is not None:
        account = person.company.salesforce if person.company is not None else None
        fields |= {"sfdcType": "Contact", "sfdcAccountId": account}
    elif there is not None:
        fields["sfdcType"] = "Lead"
    if person.lead_status:
        fields["leadStatus"] = person.lead_status
    change_lead(m, ms, lead, {k: v for k, v in fields.items() if v is not None}, "Synched from Salesforce")


def run_campaign(state: State, ms: int, campaign: Campaign) -> None:
    """A campaign's program starts: some of the nurtured are invited in its first days, part of them come."""
    program = launch_program(state, ms, campaign)
    if program is not None:
        state.agenda.plan(ms + 2 * DAY + 9 * HOUR, _invite, state, program)


def _invite(ms: int, state: State, program: Program) -> None:
    m = state.nurture
    for _ in range(min(MOST_INVITED, len(m.leads) // 20)):
        lead = m.leads[m.between(0, len(m.leads))]
        person = state.people[m.persons[lead] - 1] if lead in m.persons else None
        if (
            person is None
            or person.marketo != lead
            or not m.desk.is_live("leads", lead)
            or m.value_of(lead, "unsubscribed")
        ):
            continue
        first = "Sent" if program.channel == "Email Send" else "Invited"
        set_status(m, ms, lead, program, first, "Invited by flow action")
        join_list(m, ms, lead, program)
        send(state, ms, person, lead, program)
        if program.channel != "Email Send" and m.chance(0.3):
            state.agenda.plan(ms + m.between(1, 9) * DAY, _register, state, person, program)


def _register(ms: int, state: State, person: Person, program: Program) -> None:
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    fill_form(state, ms, person, lead, program)
    set_status(m, ms, lead, program, "Registered", "Filled out form")
    state.agenda.plan(ms + m.between(2, 12) * DAY, _attend, state, person, program)


def _attend(ms: int, state: State, person: Person, program: Program) -> None:
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    words = ("Attended", "Attended", "No Show") if program.channel == "Webinar" else ("Visited Booth",)
    word = words[m.between(0, len(words))]
    set_status(m, ms, lead, program, word, "Event partner")
    if word != "No Show":
        change_score(m, ms, lead, 15, "Attended event")
