"""What happens to records besides the journey: corrections, job changes, merges, archives, restores, deletes, changed links."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sandbox.world.dirt import employees
from sandbox.world.doubles import enter_company_twice, merge_companies
from sandbox.world.hubspot_side import DEAL_CONTACT, link_company
from sandbox.world.merging import merge_doubles
from sandbox.world.moments import to_datetime
from sandbox.world.people import TITLES, Person
from sandbox.world.salesforce_deals import add_role
from sandbox.world.state import State

TRIES = 12
KEPT = {"hubspot": timedelta(days=90), "salesforce": timedelta(days=15)}
"""How long a vendor's recycle bin gives a record back."""


def _somebody(state: State, has: Callable[[Person], bool]) -> Person | None:
    for _ in range(TRIES):
        person = state.people[state.between(0, len(state.people))]
        if has(person):
            return person
    return None


def correct_contact(ms: int, state: State) -> None:
    """Somebody edits a contact at HubSpot."""
    person = _somebody(state, lambda p: state.hubspot.is_live("contacts", p.hubspot))
    if person is None:
        return
    forms: tuple[dict[str, Any], ...] = (
        {"jobtitle": TITLES[state.between(0, len(TITLES))]},
        {"city": person.country.cities[state.between(0, len(person.country.cities))]},
        {"hubspotscore": str(state.between(0, 100))},
        {"phone": person.phone_written},
        {"mobilephone": person.phone},
        {"hubspot_owner_id": state.owner(state.between(0, 99)).hubspot or None},
        {"lastname": person.name.family.upper() or None},
        {"city": (None, "", " ")[person.number % 3]},
    )
    state.hubspot.update("contacts", person.hubspot, ms, forms[state.between(0, len(forms))], "CRM_UI")


def correct_lead(ms: int, state: State) -> None:
    """Somebody edits a lead or contact at Salesforce."""
    person = _somebody(state, lambda p: p.lead is not None or p.contact is not None)
    if person is None:
        return
    title = TITLES[state.between(0, len(TITLES))]
    owner = state.owner(state.between(0, 99)).salesforce
    fields: tuple[dict[str, Any], ...] = ({"Title": title}, {"Phone": person.phone_written}, {"OwnerId": owner})
    kind, id_ = ("Contact", person.contact) if person.contact else ("Lead", person.lead)
    state.salesforce.update(kind, id_, ms, fields[state.between(0, len(fields))])


def correct_company(ms: int, state: State) -> None:
    """A company grows or shrinks in both systems' records."""
    if not state.companies:
        return
    company = state.companies[state.between(0, len(state.companies))]
    company.employees += state.between(1, 9)
    state.hubspot.update(
        "companies", company.hubspot, ms, {"numberofemployees": employees(state.rng, company.employees)}
    )
    state.salesforce.update("Account", company.salesforce, ms, {"NumberOfEmployees": company.employees})


def change_job(ms: int, state: State) -> None:
    """A person goes to another company: the contact's link and text follow, the address some day."""
    person = _somebody(state, lambda p: p.company is not None and state.hubspot.is_live("contacts", p.hubspot))
    if person is None or person.hubspot is None or person.company is None or len(state.companies) < 2:
        return
    old, new = person.company, state.companies[state.between(0, len(state.companies))]
    if old is new:
        return
    if old.hubspot is not None:
        state.hubspot.unlink("contacts", person.hubspot, "companies", old.hubspot)
    state.colleagues[old.number].remove(person)
    state.colleagues.setdefault(new.number, []).append(person)
    person.company = new
    link_company(state, ms, person.hubspot, new)
    state.hubspot.update("contacts", person.hubspot, ms, {"company": new.name, "jobtitle": person.title}, "CRM_UI")


def change_group(ms: int, state: State) -> None:
    """Somebody joins or leaves a deal's contacts: a link that changes no record's date, and a contact role."""
    if not state.deals:
        return
    deal = state.deals[state.between(0, len(state.deals))]
    if not deal.is_told:
        return
    has_link = state.hubspot.is_live("deals", deal.hubspot)
    if len(deal.group) > 1 and state.chance(0.5):
        person, _, _ = deal.group.pop()
        if has_link and person.hubspot is not None:
            state.hubspot.unlink("deals", str(deal.hubspot), "contacts", person.hubspot)
        _drop_role(state, ms, deal.roles.pop(person.number, None))
        return
    person_or_none = _somebody(state, lambda p: p.contact is not None or state.hubspot.is_live("contacts", p.hubspot))
    if person_or_none is None or any(member is person_or_none for member, _, _ in deal.group):
        return
    person = person_or_none
    deal.group.append((person, "Influencer", False))
    if has_link and state.hubspot.is_live("contacts", person.hubspot):
        state.hubspot.link("deals", str(deal.hubspot), "contacts", str(person.hubspot), *DEAL_CONTACT)
    if person.contact is not None and state.salesforce.is_live("Contact", person.contact) and deal.salesforce:
        add_role(state, ms, deal, person, person.contact, "Influencer", is_primary=False)


def _drop_role(state: State, ms: int, role: str | None) -> None:
    if role is not None and state.salesforce.is_live("OpportunityContactRole", role):
        state.salesforce.delete("OpportunityContactRole", role, ms)


def drop_role(ms: int, state: State) -> None:
    """A contact role vanishes: the vendor keeps no trace; the person stays in the true group."""
    for _ in range(TRIES if state.deals else 0):
        deal = state.deals[state.between(0, len(state.deals))]
        if deal.roles:
            _, role = deal.roles.popitem()
            _drop_role(state, ms, role)
            return


def drop_member(ms: int, state: State) -> None:
    """A campaign member vanishes: the vendor keeps no trace."""
    if state.members:
        at = state.between(0, len(state.members))
        state.members[at], state.members[-1] = state.members[-1], state.members[at]
        id_ = state.members.pop()
        if state.salesforce.is_live("CampaignMember", id_):
            state.salesforce.delete("CampaignMember", id_, ms)


def archive_contact(ms: int, state: State) -> None:
    """A contact is put into HubSpot's archive; one in eight for good, because the person asked for it."""
    person = _somebody(state, lambda p: state.hubspot.is_live("contacts", p.hubspot))
    if person is None or person.hubspot is None:
        return
    if state.chance(0.125):
        state.hubspot.delete("contacts", person.hubspot, ms)
        state.truth.erased(person.person_id, "hubspot", "contacts", person.hubspot, ms)
        return
    state.hubspot.archive("contacts", person.hubspot, ms)
    state.archived.append(("hubspot", "contacts", person.hubspot))


def archive_deal(ms: int, state: State) -> None:
    """A deal's copy at HubSpot is put into the archive."""
    if not state.deals:
        return
    deal = state.deals[state.between(0, len(state.deals))]
    if deal.hubspot is not None and state.hubspot.is_live("deals", deal.hubspot):
        state.hubspot.archive("deals", deal.hubspot, ms)
        state.archived.append(("hubspot", "deals", deal.hubspot))


def delete_lead(ms: int, state: State) -> None:
    """A lead goes to Salesforce's recycle bin."""
    person = _somebody(state, lambda p: p.contact is None and state.salesforce.is_live("Lead", p.lead))
    if person is not None and person.lead is not None:
        state.salesforce.archive("Lead", person.lead, ms)
        state.archived.append(("salesforce", "Lead", person.lead))


def delete_task(ms: int, state: State) -> None:
    """A task goes to Salesforce's recycle bin."""
    person = _somebody(
        state, lambda p: any(k == "Task" for k, _ in state.activities.get(p.contact or p.lead or "", ()))
    )
    if person is None:
        return
    for kind, id_ in state.activities[person.contact or person.lead or ""]:
        if kind == "Task" and state.salesforce.is_live(kind, id_):
            state.salesforce.archive(kind, id_, ms)
            return


def restore(ms: int, state: State) -> None:
    """Something archived not long ago is taken back, while its vendor still keeps it."""
    while state.archived:
        at = max(0, len(state.archived) - 1 - state.between(0, 20))
        vendor, kind, id_ = state.archived.pop(at)
        entry = state.truth.entry(vendor, kind, id_)
        store = state.hubspot_store if vendor == "hubspot" else state.salesforce_store
        held = store.get(kind, id_)
        is_kept = (
            held is not None and held.archived_at is not None and to_datetime(ms) - held.archived_at < KEPT[vendor]
        )
        if entry is not None and entry.state == "archived" and is_kept:
            desk = state.hubspot if vendor == "hubspot" else state.salesforce
            desk.restore(kind, id_, ms)
            return


ORDINARY: tuple[Callable[[int, State], None], ...] = (
    *(correct_contact,) * 12,
    *(correct_lead,) * 4,
    *(correct_company,) * 2,
    *(change_job,) * 1,
    *(change_group,) * 1,
)
"""Most of a day's changes, as often as they stand here."""

RARE: tuple[Callable[[int, State], None], ...] = (
    merge_doubles,
    enter_company_twice,
    merge_companies,
    drop_role,
    drop_member,
    archive_contact,
    restore,
    delete_lead,
    archive_deal,
    delete_task,
    change_group,
    change_job,
)
"""Each at least once a day in a world of 500 or more."""
