"""People as they truly are: name, addresses, phone, job, company."""

from dataclasses import dataclass
from random import Random

from sandbox.world.companies import Company
from sandbox.world.dirt import FREE_MAIL
from sandbox.world.names import Name, draw_name
from sandbox.world.places import Country, draw_country, draw_phone

TITLES = (
    "CEO",
    "Head of Marketing",
    "Diretora Comercial",
    "Analista",
    "Einkäufer",
    "Software Engineer",
    "CFO",
    "Office Manager",
    "Gerente de Vendas",
    "VP Sales",
    "部長",
)


@dataclass(slots=True, eq=False)
class Person:
    """One true person.

    number: counts from 1; `person_id` is the true id.
    email: the address given first; private: another one, which some records know instead.
    shared: whether `email` is a mailbox of several people (info@).
    hubspot: present id of the contact; lead, contact: Salesforce ids; marketo: of the lead there; None while there is none.
    lead_source: the truth: channel that brought the person.
    lead_word: the source that sales typed in, where it is not the usual word.
    stage, cycle: where the person stands in the funnel, and in which pass.
    sales_owner: number of the sales person; 0 while there is none.
    """

    number: int
    name: Name
    email: str
    private: str
    shared: bool
    phone: str
    phone_written: str
    title: str
    country: Country
    city: str
    company: Company | None
    channel: str = ""
    campaign: int = 0
    stage: str = ""
    cycle: int = 1
    hubspot: str | None = None
    lead: str | None = None
    contact: str | None = None
    sales_owner: int = 0
    opted_out: bool = False
    lead_status: str = ""
    lead_word: str = ""
    marketo: str | None = None

    @property
    def person_id(self) -> str:
        """The true person's id."""
        return f"P{self.number}"


class Addresses:
    """Gives addresses that nobody else has, save the shared mailboxes."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, name: Name, domain: str, number: int) -> str:
        """given.family@domain, with a number where that is taken."""
        local = f"{name.latin_given}.{name.latin_family}".strip(".")
        email = f"{local}@{domain}"
        if email in self._taken:
            email = f"{local}{number}@{domain}"
        self._taken.add(email)
        return email


def draw_person(rng: Random, number: int, company: Company | None, addresses: Addresses) -> Person:
    """A new person at a company, or a sole trader or private person on free mail where there is none."""
    draw = rng.random
    country = company.country if company is not None and draw() < 0.9 else draw_country(rng)
    name = draw_name(rng, country.culture)
    private = addresses.new(name, FREE_MAIL[int(draw() * len(FREE_MAIL))], number)
    shared = False
    if company is None:
        email = private
    elif draw() < 0.03:
        email, shared = f"{'info' if number % 2 else 'contato'}@{company.domain}", True
    else:
        email = addresses.new(name, company.domain, number)
    phone, written = draw_phone(rng, country)
    return Person(
        number,
        name,
        email,
        private,
        shared,
        phone,
        written,
        TITLES[int(draw() * len(TITLES))],
        country,
        country.cities[int(draw() * len(country.cities))],
        company,
    )
