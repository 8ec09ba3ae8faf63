"""Companies that somebody enters a second time, and the merges of such pairs."""

from sandbox.world.companies import Company
from sandbox.world.hubspot_side import CONTACT_COMPANY
from sandbox.world.merging import merge_at_hubspot, merge_at_salesforce
from sandbox.world.state import State

TRIES = 12


def enter_company_twice(ms: int, state: State) -> None:
    """A company gets a second record in each system that knows it, with the name only; one person hangs on it."""
    for _ in range(TRIES if state.companies else 0):
        company = state.companies[state.between(0, len(state.companies))]
        if state.hubspot.is_live("companies", company.hubspot):
            break
    else:
        return
    name = company.name.rsplit(" ", 1)[0].upper()
    id_ = state.numbers.new("companies")
    state.hubspot.create("companies", id_, ms, {"name": name, "lifecyclestage": "lead"}, "CRM_UI")
    _remember(state, "hubspot", "companies", company, id_)
    person = state.colleagues[company.number][0] if state.colleagues.get(company.number) else None
    if person is not None and state.hubspot.is_live("contacts", person.hubspot):
        state.hubspot.link("contacts", str(person.hubspot), "companies", id_, *CONTACT_COMPANY)
    if state.salesforce.is_live("Account", company.salesforce):
        double = state.keys.new("Account")
        fields = {"Name": name, "CurrencyIsoCode": company.country.currency, "OwnerId": state.owner(1).salesforce}
        state.salesforce.create("Account", double, ms, fields)
        _remember(state, "salesforce", "Account", company, double)


def _remember(state: State, vendor: str, kind: str, company: Company, id_: str) -> None:
    company.others.append(f"{vendor}:{kind}:{id_}")
    state.company_doubles.append((vendor, company, id_))


def merge_companies(ms: int, state: State) -> None:
    """The oldest pair of company records that still live is merged, in the system where it is."""
    while state.company_doubles:
        vendor, company, double = state.company_doubles.pop(0)
        if vendor == "salesforce":
            if state.salesforce.is_live("Account", company.salesforce) and state.salesforce.is_live("Account", double):
                merge_at_salesforce(state, ms, "Account", str(company.salesforce), double)
                return
        elif state.hubspot.is_live("companies", company.hubspot) and state.hubspot.is_live("companies", double):
            _merge_at_hubspot(state, ms, company, double)
            return


def _merge_at_hubspot(state: State, ms: int, company: Company, double: str) -> None:
    old = str(company.hubspot)
    new = company.hubspot = merge_at_hubspot(state, ms, "companies", old, double)
    company.others.append(f"hubspot:companies:{old}")
    for contact in list(state.hubspot_store.links["companies", "contacts"].get(new, {})):
        state.hubspot.update("contacts", contact, ms, {"associatedcompanyid": new}, "AUTOMATION")
