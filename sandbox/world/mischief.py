"""Faults that are events of the world rather than of an answer: hubs, bulk edits, hostile texts, formulas.

Each has one occasion a day. They draw from a chance of their own, so that a world without them stays as it is.
"""

from collections.abc import Callable
from random import Random

from sandbox.world.hubspot_side import DEAL_CONTACT
from sandbox.world.moments import DAY, to_datetime
from sandbox.world.state import State

HUB = 1_300
MOST_EDITED = 12_000
TEXTS = 5
"""Records of each kind that get a hostile text on one day."""

FEW = 3
"""People whose records are deleted for good on one day."""

NASTY = 'O\'Brien, "Inc."\r\nLinha 2\rLinha 3\n\x00 株式会社 \u202eabc\u202c =1+1 \\" ,,; ' + "😀" * 128


def plan_mischief(ms: int, state: State) -> None:
    """Plan what of it comes to pass on the day that begins now."""
    chance = Random(f"{ms}")
    for fault, happen in _EVENTS.items():
        if state.context.faults.strikes(fault):
            state.agenda.plan(ms + int(chance.random() * DAY), happen, state, chance)


def _hub(_ms: int, state: State, chance: Random) -> None:
    """A deal gets up to 1,300 contacts, which changes no record's date."""
    deals = [deal.hubspot for deal in state.deals if state.hubspot.is_live("deals", deal.hubspot)]
    if not deals:
        return
    deal = str(chance.choice(deals))
    contacts = [p.hubspot for p in state.people if p.hubspot and state.hubspot.is_live("contacts", p.hubspot)]
    for contact in chance.sample(contacts, min(HUB, len(contacts))):
        state.hubspot.link("deals", deal, "contacts", contact, *DEAL_CONTACT)


def _bulk_edit(ms: int, state: State, _chance: Random) -> None:
    """Up to 12,000 people get the same edit in one millisecond, in both systems: more than a search gives."""
    for person in state.people[:MOST_EDITED]:
        state.hubspot.update("contacts", person.hubspot, ms, {"hubspotscore": "2"}, "BULK_EDIT")
        state.salesforce.update("Lead", person.lead, ms, {"Rating": "Warm"})


def _nasty_text(ms: int, state: State, chance: Random) -> None:
    """Texts that break careless readers of CSV, JSON and SQL, in fields that the truth remembers."""
    people = chance.sample(state.people, min(TEXTS, len(state.people)))
    for number, person in enumerate(people):
        text = f"{number}{NASTY}{number}"
        state.hubspot.update("contacts", person.hubspot, ms, {"lastname": text}, "CRM_UI")
        state.salesforce.update("Lead", person.lead, ms, {"Company": text})
        state.salesforce.update("Contact", person.contact, ms, {"LastName": text})
    for company in chance.sample(state.companies, min(TEXTS, len(state.companies))):
        state.salesforce.update("Account", company.salesforce, ms, {"Name": f"{NASTY}{company.number}"})


def _gdpr_delete(ms: int, state: State, chance: Random) -> None:
    """Contacts are deleted for good because the people asked for it."""
    held = [(p.person_id, p.hubspot) for p in state.people]
    live = [(person, id_) for person, id_ in held if id_ and state.hubspot.is_live("contacts", id_)]
    for person, id_ in chance.sample(live, min(FEW, len(live))):
        state.hubspot.delete("contacts", id_, ms)
        state.truth.erased(person, "hubspot", "contacts", id_, ms)


def _short_lists(ms: int, state: State, chance: Random) -> None:
    """A form, an owner or a campaign is archived, or taken out of the archive, which changes no date of it."""
    kind = chance.choice(("forms", "owners", "campaigns"))
    held = sorted(state.hubspot_store.records[kind])
    if not held:
        return
    id_ = chance.choice(held)
    if state.hubspot.is_live(kind, id_):
        state.hubspot.archive(kind, id_, ms)
    else:
        state.hubspot.restore(kind, id_, ms)


def _hard_delete(ms: int, state: State, chance: Random) -> None:
    """Somebody empties Salesforce's recycle bin: a lead or contact of a person is gone, and a task with it."""
    held = [("Contact", p.contact) if p.contact else ("Lead", p.lead) for p in state.people]
    live = [(kind, id_) for kind, id_ in held if id_ and state.salesforce.is_live(kind, id_)]
    for kind, id_ in chance.sample(live, min(FEW, len(live))):
        tasks = [i for k, i in state.activities.get(id_, ()) if k == "Task" and state.salesforce.is_live(k, i)]
        for task in tasks[:1]:
            state.salesforce.delete("Task", task, ms)
        state.salesforce.delete(kind, id_, ms)


def _formula_change(ms: int, state: State, chance: Random) -> None:
    """A roll-up of some accounts changes, and their SystemModstamp does not."""
    store = state.salesforce_store
    live = [c.salesforce for c in state.companies if c.salesforce and state.salesforce.is_live("Account", c.salesforce)]
    with store.lock:
        for record in store.many("Account", chance.sample(live, min(TEXTS, len(live)))):
            # a new dict, since views of the record keep the one that they have
            record.fields = {**record.fields, "AnnualRevenue": float(to_datetime(ms).day * 1_000)}


_EVENTS: dict[str, Callable[[int, State, Random], None]] = {
    "hubspot.hub": _hub,
    "hubspot.short_lists": _short_lists,
    "hubspot.gdpr_delete": _gdpr_delete,
    "salesforce.hard_delete": _hard_delete,
    "world.bulk_edit": _bulk_edit,
    "world.nasty_text": _nasty_text,
    "salesforce.formula_change": _formula_change,
}
