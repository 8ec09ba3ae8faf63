"""Companies: name, domain, country, size; subsidiaries on sub-domains or their own; two that share a domain."""

from dataclasses import dataclass, field
from random import Random

from sandbox.world.places import Country, draw_country, draw_phone


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Aço Alto Azul Baia Boreal Campo Cedro Claro Delta Duna Erva Farol Fluvial Grano Horizon Iris Jade Kilo Luna Mar Nimbus"
    " Norte Ocra Pinho Quartz Rio Sabiá Terra Umbra Vale Vento Xisto Ypê Zinc Acre Bright Coral Drift Ember Frost"
)
_SECOND = _words(
    "Logistics Foods Systems Labs Motors Textil Energia Health Media Solar Seguros Câmbio Papel Robotics Retail Travel"
    " Agro Chemie Optik Verlag Software Consulting Mineração Telecom Fashion Maritime"
)
_FORMS = {
    "BR": ("Ltda.", "S.A."),
    "PT": ("Lda.", "S.A."),
    "US": ("Inc.", "LLC"),
    "DE": ("GmbH", "AG", "GmbH & Co. KG"),
    "IN": ("Pvt. Ltd.", "Ltd."),
    "JP": ("K.K.", "株式会社"),
    "GB": ("Ltd", "plc"),
    "AE": ("FZE", "LLC"),
}
INDUSTRIES = (
    "COMPUTER_SOFTWARE",
    "RETAIL",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "INSURANCE",
    "MACHINERY",
    "HOSPITAL_HEALTH_CARE",
    "Agronegócio",
)
_ASCII = str.maketrans("çãâêéíóõúüáà", "caaeeioouuaa")


@dataclass(slots=True, eq=False)
class Company:
    """One true company.

    number: counts from 1; `account_id` is its true id.
    domain: of its mail and web; "" for a sole trader, who is no company to any vendor.
    hubspot, salesforce: ids of its records; None while it has none there.
    others: its further records, entered twice or merged away, as `vendor:kind:id`.
    """

    number: int
    name: str
    domain: str
    country: Country
    city: str
    phone: str
    employees: int
    industry: str
    parent: "Company | None" = None
    hubspot: str | None = None
    salesforce: str | None = None
    is_customer: bool = False
    others: list[str] = field(default_factory=list)

    @property
    def account_id(self) -> str:
        """The true account's id."""
        return f"A{self.number}"


def draw_company(rng: Random, number: int, others: list[Company]) -> Company:
    """A new company; 4 % are subsidiaries of an earlier one, 1 % share an earlier one's domain."""
    draw = rng.random
    country = draw_country(rng)
    first = _FIRST[int(draw() * len(_FIRST))]
    second = _SECOND[int(draw() * len(_SECOND))]
    forms = _FORMS[country.code]
    name = f"{first} {second} {forms[int(draw() * len(forms))]}"
    domain = f"{first}{second}{number}.example".lower().translate(_ASCII)
    parent = None
    chance = draw()
    if others and chance < 0.05:
        other = others[int(draw() * len(others))]
        if chance < 0.01:
            domain = other.domain
        else:
            parent = other
            name = f"{other.name.rsplit(' ', 1)[0]} {country.name}"
            if chance < 0.035:
                domain = f"{country.code.lower()}{number}.{other.domain}"
    size = int(5 * (1 / max(draw(), 0.0005)) ** 0.9)
    return Company(
        number,
        name,
        domain,
        country,
        country.cities[int(draw() * len(country.cities))],
        draw_phone(rng, country)[1],
        size,
        INDUSTRIES[int(draw() * len(INDUSTRIES))],
        parent,
    )
