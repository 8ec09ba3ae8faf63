"""What an account is set up with: sales and marketing people, pipelines, forms, and each month's campaigns."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.world.channels import WITH_CAMPAIGNS, Channel
from sandbox.world.moments import DAY

FORMS = ("Newsletter", "Demo request", "Ebook download", "Webinar registration", "Contato comercial", "Pricing inquiry")
NEWSLETTER, WEBINAR = 0, 3

STAFF_NAMES = (
    ("Paula", "Vendas"), ("Max", "Vertrieb"), ("Grace", "Closer"), ("Raj", "Hunter"), ("Íris", "Campo"), ("Ken", "Eigyo"),
    ("Nina", "Quota"), ("Otto", "Pipeline"),
)  # fmt: skip
ZONES = ("America/Sao_Paulo", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/Lisbon", "Asia/Tokyo")

_DEFAULT = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
_RENEWAL = (
    ("94321001", "Renewal due", "0.5"),
    ("94321002", "Em negociação", "0.7"),
    ("closedwon", "Ganho", "1.0"),
    ("closedlost", "Perdido", "0.0"),
)
PIPELINES: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "default": ("Sales Pipeline", _DEFAULT),
    "75e28846": ("Renovações", _RENEWAL),
}
"""Pipeline id -> label and stages (id, label, probability)."""


@dataclass(slots=True, eq=False)
class Staff:
    """One of our own people.

    hubspot: owner id; user: HubSpot user id; salesforce: User id; "" where the person is not known there.
    """

    number: int
    given: str
    family: str
    team: str
    zone: str
    hubspot: str = ""
    user: str = ""
    salesforce: str = ""

    @property
    def email(self) -> str:
        """The address, the same in all systems."""
        return f"staff{self.number}@smart-demo.example"


@dataclass(slots=True, eq=False)
class Campaign:
    """One campaign. Money in cents of its currency; start, end in ms; email: HubSpot's id of its mailings.

    marketo: its program, "" where Marketo has no part in it.
    """

    number: int
    name: str
    channel: Channel
    start: int
    end: int
    budget: int
    actual: int
    currency: str
    hubspot: str = ""
    salesforce: str = ""
    email: int = 0
    marketo: str = ""

    @property
    def campaign_id(self) -> str:
        """The true campaign's id."""
        return f"C{self.number}"


def draw_staff(rng: Random, number: int) -> Staff:
    """One of our own people; every fourth is in marketing."""
    given, family = STAFF_NAMES[number % len(STAFF_NAMES)]
    zone = ZONES[int(rng.random() * len(ZONES))]
    family = family if number < len(STAFF_NAMES) else f"{family} {number // len(STAFF_NAMES) + 1}"
    return Staff(number, given, family, "marketing" if number % 4 == 3 else "sales", zone)


def draw_campaign(rng: Random, number: int, ms: int) -> Campaign:
    """A new campaign that starts today; channels and currencies take turns."""
    channel = WITH_CAMPAIGNS[number % len(WITH_CAMPAIGNS)]
    currency = ("USD", "EUR", "BRL", "GBP", "INR", "JPY")[number % 6]
    scale = {"INR": 80, "JPY": 150, "BRL": 5}.get(currency, 1)
    budget = int(2_000 + 18_000 * rng.random()) * scale * 100
    length = int(10 + 40 * rng.random()) * DAY
    word = ("Spring", "Smarketing", "Primavera", "Demo days", "Launch", "Küste & Meer")[int(rng.random() * 6)]
    name = f"{word} {channel.type} {number:03}"
    return Campaign(number, name, channel, ms, ms + length, budget, 0, currency)


def pipeline_fields(pipeline: str) -> dict[str, Any]:
    """A deal pipeline as HubSpot shows it, without id and dates."""
    label, stages = PIPELINES[pipeline]
    return {
        "objectType": "deals",
        "label": label,
        "displayOrder": list(PIPELINES).index(pipeline),
        "stages": [
            {
                "id": id_,
                "label": stage,
                "displayOrder": order,
                "archived": False,
                "metadata": {"isClosed": str(id_.startswith("closed")).lower(), "probability": probability},
            }
            for order, (id_, stage, probability) in enumerate(stages)
        ],
    }
