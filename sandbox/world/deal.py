"""Deals as they truly are, and the words that the vendors have for their stages."""

from dataclasses import dataclass, field

from sandbox.world.catalog import Campaign
from sandbox.world.companies import Company
from sandbox.world.people import Person

STAGES = (
    ("Prospecting", "appointmentscheduled", 10, "Pipeline"),
    ("Qualification", "qualifiedtobuy", 20, "Pipeline"),
    ("Needs Analysis", "presentationscheduled", 30, "Pipeline"),
    ("Proposal/Price Quote", "decisionmakerboughtin", 60, "Best Case"),
    ("Negotiation/Review", "contractsent", 80, "Commit"),
    ("Closed Won", "closedwon", 100, "Closed"),
    ("Closed Lost", "closedlost", 0, "Omitted"),
)
"""Per stage: Salesforce's StageName, HubSpot's stage id, Salesforce's probability in percent, forecast category."""

WON, LOST = 5, 6
LAST_OPEN = 4

RENEWAL_STAGES = {
    0: "94321001",
    1: "94321001",
    2: "94321002",
    3: "94321002",
    4: "94321002",
    5: "closedwon",
    6: "closedlost",
}
HUBSPOT_PROBABILITY = ("0.2", "0.4", "0.6", "0.8", "0.9", "1", "0")

ROLES = ("Decision Maker", "Economic Buyer", "Influencer", "Business User", "Technical Buyer", "Evaluator", "Other")
LOSS_REASONS = ("Price", "No budget", "Competitor", "Sem resposta", "Bad timing", "No decision")

TYPICAL = {"USD": 12_000, "EUR": 11_000, "GBP": 9_500, "BRL": 48_000, "INR": 900_000, "JPY": 1_700_000}
"""Middle of the amounts, in units of the currency."""


@dataclass(slots=True, eq=False)
class Deal:
    """One true deal.

    cents: its amount in hundredths of the currency; None while nobody has named one.
    group: buying group as (person, role, is primary); the truth, also where no vendor was told.
    is_told: whether the vendors know any of the group.
    roles: person number -> id of the OpportunityContactRole, while it exists.
    pipeline: HubSpot's.
    fate: the stage in which it will be lost; None: it will be won.
    """

    number: int
    name: str
    company: Company | None
    person: Person
    currency: str
    cents: int | None
    group: list[tuple[Person, str, bool]]
    is_told: bool
    created: int
    close_date: int
    channel: str
    lead_source: str
    campaign: Campaign | None
    owner: int
    cycle: int
    fate: int | None
    pipeline: str = "default"
    stage: int = 0
    closed: int | None = None
    loss_reason: str | None = None
    next_step: str | None = None
    hubspot: str | None = None
    salesforce: str | None = None
    account: str | None = None
    roles: dict[int, str] = field(default_factory=dict)

    @property
    def opportunity_id(self) -> str:
        """The true opportunity's id."""
        return f"O{self.number}"

    @property
    def status(self) -> str:
        """open, won or lost."""
        return {WON: "won", LOST: "lost"}.get(self.stage, "open")

    @property
    def hubspot_stage(self) -> str:
        """The stage as HubSpot names it in the deal's pipeline."""
        return STAGES[self.stage][1] if self.pipeline == "default" else RENEWAL_STAGES[self.stage]

    @property
    def amount(self) -> str | None:
        """The amount as decimal text."""
        return None if self.cents is None else f"{self.cents // 100}.{self.cents % 100:02}"
