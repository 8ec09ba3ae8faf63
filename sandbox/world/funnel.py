"""How people go through the funnel: who becomes what, when, and who tells which vendor.

Chances keep to the field's sanity bands: lead to MQL 10-25 %, MQL to SAL 40-60 %, SAL to SQL 50-70 %, SQL to won 20-30 %.
Some skip stages, some pass three in a day, some are rejected with a reason, some come back after months.
"""

from sandbox.world import nurture, selling
from sandbox.world.hubspot_side import show_stage
from sandbox.world.moments import DAY, HOUR, MINUTE, at_local, is_weekend
from sandbox.world.people import Person
from sandbox.world.salesforce_side import create_lead, join_campaign, set_status
from sandbox.world.state import State

TO_MQL, TO_SAL, TO_SQL, TO_DEAL = 0.155, 0.5, 0.6, 0.82
MARKETINGS = frozenset({"subscriber", "lead", "mql"})
REASONS = ("No budget", "Student", "Concorrente", "Wrong country", "Not a fit", "Fake data", "Sem interesse")


def enter(state: State, ms: int, person: Person, stage: str, reason: str | None = None) -> list[str]:
    """A person enters a stage: the truth has it at once, each vendor when it is told; returns the truth's list of records."""
    records = state.truth.stage(person.person_id, stage, person.stage, ms, person.cycle, reason)
    person.stage = stage
    nurture.hear(state, ms, person, stage, records)
    if stage in MARKETINGS:
        show_stage(state, ms, person, stage, records)
        return records
    if stage in {"sal", "sql", "recycled", "disqualified"}:
        set_status(state, ms, person, stage, records, reason)
    state.agenda.plan(ms + state.between(2, 14) * MINUTE, _tell_hubspot, state, person, stage, records, reason)
    return records


def _tell_hubspot(
    ms: int, state: State, person: Person, stage: str, records: list[str], reason: str | None
) -> None:  # an action
    show_stage(state, ms, person, stage, records, reason)


def office_time(state: State, ms: int, zone: str) -> int:
    """A moment within somebody's working hours, the same day where that is still to come."""
    day = ms // DAY
    local = int((8 + 10 * state.rng.random()) * HOUR)
    for _ in range(4):
        if not is_weekend(day):
            at = at_local(zone, day, local)
            if at >= ms:
                return at
        day += 1
    return ms


def consider(state: State, ms: int, person: Person) -> None:
    """A new lead may become an MQL."""
    if state.chance(TO_MQL):
        late = int(state.rng.random() ** 2 * 45 * DAY)
        state.agenda.plan(ms + 10 * MINUTE + late, qualify, state, person)


def qualify(ms: int, state: State, person: Person) -> None:
    """Marketing's criterion is met: an MQL, to be handed over."""
    if person.sales_owner == 0:
        person.sales_owner = 1 + state.between(0, 10_000)
    records = enter(state, ms, person, "mql")
    state.agenda.plan(ms + state.between(2, 20) * MINUTE, hand_over, state, person, records)
    follow_up(state, ms + 20 * MINUTE, person)


def follow_up(state: State, ms: int, person: Person) -> None:
    """What sales makes of an MQL."""
    owner = state.owner(person.sales_owner)
    if state.chance(0.9):  # the others never hear from anybody
        selling.plan_attempts(state, ms, person, owner.zone)
    rng = state.rng
    chance = rng.random()
    if chance < 0.03:  # three stages in a day
        state.agenda.plan(ms + 30 * MINUTE, accept, state, person, True)  # noqa: FBT003 # an action's argument
    elif chance < TO_SAL:
        at = office_time(state, ms + int(rng.random() ** 2 * 6 * DAY), owner.zone)
        state.agenda.plan(at, accept, state, person, False)  # noqa: FBT003
    elif chance < TO_SAL + 0.02:  # skips a stage
        state.agenda.plan(ms + state.between(1, 9) * DAY, accepted, state, person)
    elif chance < TO_SAL + 0.35:
        turn_away(state, ms, person)


def hand_over(ms: int, state: State, person: Person, records: list[str]) -> None:
    """Salesforce gets the lead from HubSpot: a new one, or the old one opened again; some only live at HubSpot."""
    if person.lead is not None:
        set_status(state, ms, person, "mql", records)
        return
    if person.contact is not None or person.number % 12 == 5:
        return
    lead = create_lead(state, ms, person)
    records.append(state.salesforce.key("Lead", lead))
    if person.hubspot is not None and person.number % 16:
        told = lead
        if person.number % 60 == 9 and state.previous_lead is not None:
            told = state.previous_lead  # somebody else's
        state.hubspot.update("contacts", person.hubspot, ms, {"salesforceleadid": told}, "SALESFORCE")
    state.previous_lead = lead
    if person.campaign:
        join_campaign(state, ms, person, state.campaigns[person.campaign - 1], responded=True)
    elif state.running and state.chance(0.3):
        join_campaign(
            state, ms, person, state.running[state.between(0, len(state.running))], responded=state.chance(0.3)
        )
    if state.chance(0.04):
        state.agenda.plan(ms + state.between(1, 20) * DAY, _enter_twice, state, person)


def _enter_twice(ms: int, state: State, person: Person) -> None:
    state.doubles.append(("salesforce", "Lead", person, create_lead(state, ms, person, double=True)))


def accept(ms: int, state: State, person: Person, at_once: bool) -> None:  # noqa: FBT001 # an action
    """Sales accepts the lead."""
    enter(state, ms, person, "sal")
    if at_once:
        state.agenda.plan(ms + 45 * MINUTE, accepted, state, person)
    elif state.chance(TO_SQL):
        at = office_time(state, ms + state.between(1, 18) * DAY, state.owner(person.sales_owner).zone)
        state.agenda.plan(at, accepted, state, person)
    elif state.chance(0.6):
        turn_away(state, ms, person)


def accepted(ms: int, state: State, person: Person) -> None:
    """Sales has qualified the lead; most get a deal."""
    enter(state, ms, person, "sql")
    if state.chance(TO_DEAL):
        at = office_time(state, ms + HOUR + int(state.rng.random() * 9 * DAY), state.owner(person.sales_owner).zone)
        state.agenda.plan(at, start_deal, state, person)


def start_deal(ms: int, state: State, person: Person) -> None:
    """An opportunity."""
    records = enter(state, ms, person, "opportunity")
    selling.open_deal(state, ms, person, records, won=won, lost=lost)


def turn_away(state: State, ms: int, person: Person) -> None:
    """Recycled, or disqualified with a reason."""
    at = ms + state.between(1, 20) * DAY
    if state.chance(0.6):
        state.agenda.plan(at, recycle, state, person)
    else:
        state.agenda.plan(at, _disqualify, state, person)


def recycle(ms: int, state: State, person: Person) -> None:
    """Back to marketing; four in ten come again after months."""
    enter(state, ms, person, "recycled", "Bad timing")
    if state.chance(0.4):
        state.agenda.plan(ms + state.between(60, 150) * DAY, _again, state, person)


def _again(ms: int, state: State, person: Person) -> None:
    person.cycle += 1
    qualify(ms, state, person)


def _disqualify(ms: int, state: State, person: Person) -> None:
    enter(state, ms, person, "disqualified", REASONS[state.between(0, len(REASONS))])


def won(ms: int, state: State, person: Person) -> None:
    """A customer; a quarter buy again, a few speak for us."""
    enter(state, ms, person, "customer")
    company = person.company
    if company is not None:
        company.is_customer = True
        state.hubspot.update("companies", company.hubspot, ms, {"lifecyclestage": "customer"}, "AUTOMATION")
    if state.chance(0.25):
        state.agenda.plan(ms + state.between(45, 200) * DAY, _buy_again, state, person)
    elif state.chance(0.05):
        state.agenda.plan(ms + state.between(20, 90) * DAY, _speak_for_us, state, person)


def _buy_again(ms: int, state: State, person: Person) -> None:
    person.cycle += 1
    start_deal(ms, state, person)


def _speak_for_us(ms: int, state: State, person: Person) -> None:
    enter(state, ms, person, "advocate")


def lost(ms: int, state: State, person: Person) -> None:
    """After a lost deal some go back to marketing."""
    if state.chance(0.3):
        recycle(ms, state, person)
