"""What sales does: calls, mails, meetings; deals from opening to won, lost, opened again, changed after the close."""

import math
from collections.abc import Callable

from sandbox.world import hubspot_deals, salesforce_deals
from sandbox.world.deal import LAST_OPEN, LOSS_REASONS, LOST, ROLES, TYPICAL, WON, Deal
from sandbox.world.moments import DAY, HOUR, MINUTE, at_local
from sandbox.world.people import Person
from sandbox.world.salesforce_side import STATUS_WORDS, convert, ensure_account
from sandbox.world.state import State

TO_WON = 0.31
After = Callable[[int, State, Person], None]

_ATTEMPTS = ("call", "call", "email", "email", "reply", "meeting", "task", "note", "call", "email")


def plan_attempts(state: State, ms: int, person: Person, zone: str) -> None:
    """One to five attempts over about two weeks, the first within minutes or days."""
    at = ms + int(state.rng.random() ** 3 * 3 * DAY)
    for _ in range(1 + state.between(0, 5)):
        state.agenda.plan(at, act, state, person, _ATTEMPTS[state.between(0, len(_ATTEMPTS))], None)
        day = at // DAY + 1 + state.between(0, 4)
        at = at_local(zone, day, int((8 + 10 * state.rng.random()) * HOUR))


def act(ms: int, state: State, person: Person, what: str, deal: Deal | None) -> None:
    """A sales activity is logged, one in ten some days late; meetings mostly in both systems, minutes apart."""
    at = ms - int(state.rng.random() * 5 * DAY) if state.chance(0.1) else ms
    first, second = salesforce_deals.log_activity, hubspot_deals.log_activity
    if state.chance(0.35):
        first, second = second, first
    records: list[str] = []
    done = first(state, ms, person, what, at, deal, records)
    if not done and not second(state, ms, person, what, at, deal, records):
        return
    name, by = ("sales_email", "sales") if what == "email" else (what, "customer" if what == "reply" else "sales")
    opportunity = None if deal is None else deal.opportunity_id
    state.truth.event(person.person_id, name, at, records, by=by, opportunity=opportunity)
    if done and what == "meeting" and state.chance(0.7):
        state.agenda.plan(ms + state.between(2, 9) * MINUTE, _log_too, state, person, deal, at, second, records)


def _log_too(  # noqa: PLR0917 # an action
    ms: int,
    state: State,
    person: Person,
    deal: Deal | None,
    at: int,
    log: Callable[..., bool],
    records: list[str],
) -> None:
    log(state, ms, person, "meeting", at + state.between(-4, 5) * MINUTE, deal, records)


def _draw_cents(state: State, currency: str) -> int:
    cents = int(TYPICAL[currency] * math.exp(state.rng.gauss(0, 0.8)) * 100)
    return cents // 100 * 100 if currency == "JPY" or state.chance(0.6) else cents


def _draw_group(state: State, person: Person) -> list[tuple[Person, str, bool]]:
    group = [(person, ROLES[0], True)]
    company = person.company
    others = state.colleagues.get(company.number, []) if company is not None else []
    size = 1 + int(state.rng.random() ** 2 * 9)
    if size > 1 and len(others) > 1:
        for other in state.rng.sample(others, min(size, len(others))):
            if other is not person and len(group) < size:
                group.append((other, ROLES[state.between(1, len(ROLES))], False))
    return group


def open_deal(
    state: State, ms: int, person: Person, records: list[str], *, won: After, lost: After
) -> Deal:  # who, when, what follows
    """A deal comes to be, with its buying group; in Salesforce with a copy at HubSpot, or at HubSpot alone."""
    rng = state.rng
    company = person.company
    place = company.country if company is not None else person.country
    number = len(state.deals) + 1
    name = f"{company.name if company is not None else person.name.given} - {person.title} {number}"
    deal = Deal(
        number,
        name,
        company,
        person,
        place.currency,
        _draw_cents(state, place.currency) if state.chance(0.94) else None,
        _draw_group(state, person),
        state.chance(0.92),
        ms,
        ms + state.between(20, 120) * DAY,
        person.channel,
        person.lead_word,
        state.campaigns[person.campaign - 1] if person.campaign else None,
        person.sales_owner,
        person.cycle,
        None if state.chance(TO_WON) else state.between(0, LAST_OPEN + 1),
    )
    deal.stage = 1 if state.chance(0.3) else 0
    state.deals.append(deal)
    has_salesforce = person.lead is not None or person.contact is not None or state.chance(0.5)
    if person.cycle > 1 and not has_salesforce and state.chance(0.5):
        deal.pipeline = "75e28846"
    if has_salesforce:
        account = ensure_account(state, ms, person)
        salesforce_deals.open_opportunity(state, ms, deal, account)
        if state.salesforce.is_live("Lead", person.lead) and person.lead_status != STATUS_WORDS["opportunity"]:
            convert(state, ms, person, account, deal, records)
        salesforce_deals.add_roles(state, ms, deal, account)
        if state.chance(0.85):
            state.agenda.plan(ms + state.between(3, 15) * MINUTE, _copy, state, deal)
    else:
        hubspot_deals.show_deal(state, ms, deal)
    state.agenda.plan(_next(state, ms), progress, state, deal, won, lost)
    if rng.random() < 0.8:
        state.agenda.plan(ms + state.between(1, 20) * DAY + 9 * HOUR, _meet, state, deal)
    return deal


def _copy(ms: int, state: State, deal: Deal) -> None:
    hubspot_deals.show_deal(state, ms, deal)


def _meet(ms: int, state: State, deal: Deal) -> None:
    person = deal.group[state.between(0, len(deal.group))][0] if deal.is_told else deal.person
    if person.sales_owner == 0:
        person.sales_owner = deal.owner
    act(ms, state, person, _ATTEMPTS[state.between(0, len(_ATTEMPTS))] if state.chance(0.5) else "meeting", deal)


def _next(state: State, ms: int) -> int:
    return ms + (
        state.between(2, 8) * HOUR if state.chance(0.03) else state.between(2, 22) * DAY + state.between(0, 9 * HOUR)
    )


def tell(state: State, ms: int, deal: Deal) -> None:
    """The vendors hear of a change: Salesforce at once, HubSpot's copy minutes later."""
    if deal.salesforce is None:
        hubspot_deals.show_deal(state, ms, deal)
        return
    salesforce_deals.show_opportunity(state, ms, deal)
    if deal.hubspot is not None:
        state.agenda.plan(ms + state.between(1, 9) * MINUTE, _copy, state, deal)


def progress(ms: int, state: State, deal: Deal, won: After, lost: After) -> None:
    """A deal moves on: to the next stage, over one, or to its end."""
    if deal.fate is not None and deal.stage >= deal.fate:
        close(state, ms, deal, LOST)
        if state.chance(0.06):
            state.agenda.plan(ms + state.between(10, 60) * DAY, _reopen, state, deal, won, lost)
        else:
            lost(ms, state, deal.person)
        return
    if deal.stage == LAST_OPEN:
        close(state, ms, deal, WON)
        won(ms, state, deal.person)
        if state.chance(0.05):
            state.agenda.plan(ms + state.between(2, 30) * DAY, change_amount, state, deal)
        return
    deal.stage = min(LAST_OPEN, deal.stage + (2 if state.chance(0.12) else 1))
    deal.next_step = ("Send proposal", "Ligar para o CFO", "Demo", None)[state.between(0, 4)]
    if state.chance(0.3) or deal.cents is None:
        _redraw(state, deal)
    if state.chance(0.25):
        deal.close_date += state.between(5, 40) * DAY
    if state.chance(0.01):
        deal.currency = "EUR" if deal.currency == "USD" else "USD"
    tell(state, ms, deal)
    state.agenda.plan(_next(state, ms), progress, state, deal, won, lost)
    if state.chance(0.3):
        state.agenda.plan(ms + state.between(1, 40) * HOUR, _meet, state, deal)


def _redraw(state: State, deal: Deal) -> None:
    if deal.cents is None:
        deal.cents = _draw_cents(state, deal.currency)
    else:
        deal.cents = int(deal.cents * (0.7 + 0.6 * state.rng.random())) // 100 * 100


def change_amount(ms: int, state: State, deal: Deal) -> None:
    """The amount is corrected, be it after the close."""
    _redraw(state, deal)
    tell(state, ms, deal)


def close(state: State, ms: int, deal: Deal, stage: int) -> None:
    """Won or lost."""
    deal.stage, deal.closed, deal.close_date = stage, ms, ms
    if stage == LOST:
        deal.loss_reason = LOSS_REASONS[state.between(0, len(LOSS_REASONS))] if state.chance(0.85) else None
    elif deal.cents is None:
        deal.cents = _draw_cents(state, deal.currency)
    deal.next_step = None
    tell(state, ms, deal)


def _reopen(ms: int, state: State, deal: Deal, won: After, lost: After) -> None:
    deal.stage, deal.closed, deal.loss_reason = LAST_OPEN, None, None
    deal.fate = None if state.chance(0.5) else LAST_OPEN
    deal.close_date = ms + 20 * DAY
    tell(state, ms, deal)
    state.agenda.plan(_next(state, ms), progress, state, deal, won, lost)
