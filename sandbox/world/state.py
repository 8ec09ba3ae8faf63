"""The whole of a world at its present moment; the other modules act on it."""

from random import Random
from typing import TYPE_CHECKING

from sandbox.context import Context
from sandbox.store import Store
from sandbox.world.agenda import Agenda
from sandbox.world.catalog import Campaign, Staff
from sandbox.world.desk import Desk, key_fields
from sandbox.world.ids import Keys, Numbers
from sandbox.world.marketo_side import Marketing
from sandbox.world.moments import MINUTE, to_datetime
from sandbox.world.people import Addresses, Person
from sandbox.world.truth import Truth

if TYPE_CHECKING:
    from sandbox.world.companies import Company
    from sandbox.world.deal import Deal

TRACKED = {
    "contacts": {"lifecyclestage", "hs_lead_status"},
    "deals": {"dealstage", "amount", "pipeline"},
}
"""HubSpot keeps the history of all properties; these are the ones that are asked for."""


def _at_once(_ms: int) -> int | None:
    """Marketo's records are seen as soon as they are written."""
    return None


class State:
    """Everything that is.

    rng: the one source of chance, but for Marketo's part; every draw is in the order of time, so equal calls give equal
        worlds.
    """

    def __init__(self, seed: int, start: int, context: Context) -> None:
        self.rng = Random(seed)
        self.context = context
        self.agenda = Agenda(start)
        self.truth = Truth(key_fields())
        self.hubspot_store = Store("hubspot", TRACKED, archiving_modifies=False)
        self.salesforce_store = Store("salesforce", archiving_modifies=True)
        self.hubspot = Desk(self.hubspot_store, self.truth, self._late_hubspot)
        self.salesforce = Desk(self.salesforce_store, self.truth, self._late_salesforce)
        self.marketo_store = Store("marketo", archiving_modifies=True)
        self.marketo = Desk(self.marketo_store, self.truth, _at_once)
        self.nurture = Marketing(Random(f"marketo {seed}"), self.marketo)
        self.numbers = Numbers()
        self.keys = Keys()
        self.addresses = Addresses()
        self.people: list[Person] = []
        self.companies: list[Company] = []
        self.colleagues: dict[int, list[Person]] = {}
        """Company number -> its people."""
        self.staff: list[Staff] = []
        self.forms: list[str] = []
        self.campaigns: list[Campaign] = []
        self.running: list[Campaign] = []
        self.deals: list[Deal] = []
        self.activities: dict[str, list[tuple[str, str]]] = {}
        """Salesforce Lead or Contact -> its (kind, id) of tasks, events and campaign members."""
        self.previous_lead: str | None = None
        """The lead that HubSpot handed over last."""
        self.members: list[str] = []
        """Ids of campaign members that are not deleted."""
        self.own_accounts: dict[int, str] = {}
        """Number of a sole trader -> the account in that person's name."""
        self.doubles: list[tuple[str, str, Person, str]] = []
        """(vendor, kind, person, id) of second records of a person that may be merged."""
        self.company_doubles: list[tuple[str, Company, str]] = []
        """(vendor, company, id) of second records of a company that may be merged."""
        self.archived: list[tuple[str, str, str]] = []
        """(vendor, kind, id) of what may be restored."""
        self._lag = Random(seed ^ 0x5EED)

    def chance(self, share: float) -> bool:
        """Whether something that happens with this share happens."""
        return self.rng.random() < share

    def between(self, low: float, high: float) -> int:
        """A whole number from low to high, even."""
        return int(low + (high - low) * self.rng.random())

    def owner(self, number: int) -> Staff:
        """One of the sales people by number from 1, or of all staff."""
        return self.staff[number % len(self.staff)]

    def _late_hubspot(self, ms: int) -> int | None:
        if not self.context.faults.strikes("hubspot.search_lag"):
            return None
        return ms + int(60 * MINUTE * self._lag.random() ** 3)

    def _late_salesforce(self, ms: int) -> int | None:
        if not self.context.faults.strikes("salesforce.late_commit"):
            return None
        return ms + MINUTE + int(7 * MINUTE * self._lag.random())

    def __repr__(self) -> str:
        return f"State(now={to_datetime(self.agenda.now).isoformat()}, people={len(self.people)})"
