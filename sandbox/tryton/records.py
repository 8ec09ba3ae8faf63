"""A small business inside a running Tryton: parties, deals, lists and a scenario, drawn from a seed, that lives by the day."""

import random
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.tryton import words
from sandbox.tryton.client import Admin, adding
from sandbox.tryton.server import TrytonServer

EMPLOYEES = 3
COMPANY = 1
"""Id of the selling company, the only one."""

WELCOME = "Welcome"
LEAD, LOST, WON = 1, 2, 7
"""Of eight opportunities two stay leads, two are lost and one is won; three are open, one of them with lines."""

PARTY, DEAL, MECHANISM = "party.party", "sale.opportunity", "party.contact_mechanism"


Known = Mapping[str, str]
"""Somebody who is in other systems too: {"name", "email"}."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one day changed, by Tryton's ids.

    renamed: party whose own name changed. rewritten: party of which only a contact mechanism changed, which leaves the
    party's own dates as they were. won, lost: opportunities. deleted: party. created: party. unsubscribed: marketing.email.
    """

    renamed: int
    rewritten: int
    won: int
    lost: int
    loss_reason: str
    deleted: int
    created: int
    unsubscribed: int


class Business:
    """Creates and changes records over REST as the administrator.

    Args:
        server: the running server.
        seed: what all is drawn from: the same seed and calls give the same records (but for the server's own times).
    """

    def __init__(self, server: TrytonServer, *, seed: int = 1) -> None:
        self.admin = Admin(server)
        self._seed = seed

    def fill(
        self,
        *,
        parties: int = 200,
        opportunities: int = 60,
        people: Sequence[Known] = (),
        later: Callable[[int], None] = lambda _days: None,
    ) -> None:
        """Fill an empty server: `parties` (a third of them companies), `opportunities`, lists, one scenario that ran.

        Args:
            parties: number of parties to draw.
            opportunities: number of opportunities to draw.
            people: further parties, known elsewhere too; they are the first to buy, one deal each.
            later: sets the server's clock on by so many days; between the steps of a sale.
        """
        chance = random.Random(f"{self._seed}:seed")
        ids = self._parties(chance, parties, people)
        employees = self._employees(chance)
        drawn = self._opportunities(chance, opportunities, ids, employees, known=len(people))
        self._sell(chance, drawn, later)
        self._mailing(chance, ids)
        self._scenario()

    def grow(self, day: int) -> None:
        """What lets a business go on for ever: two new offers and a new reader, for those that a day wins and loses."""
        chance = random.Random(f"{self._seed}:grow:{day}")
        mechanisms = self.admin.search(
            MECHANISM, [["type", "=", "email"], ["party.active", "=", True]], ["party", "value"]
        )
        (list_, *_) = self.admin.search("marketing.email.list")
        readers = {reader["email"] for reader in self.admin.search("marketing.email", [], ["email"])}
        (employee, *_) = self.admin.search("company.employee")
        buyers = chance.sample(mechanisms, 2)
        offers = [
            {
                "party": buyer["party"],
                "contact": buyer["id"],
                "company": COMPANY,
                "employee": employee["id"],
                "amount": Decimal(chance.randrange(50_000, 9_000_000)) / 100,
                "description": f"{chance.choice(words.TRADE)} offer {day}",
            }
            for buyer in buyers
        ]
        for id_ in self.admin.create(DEAL, offers):
            self.admin.press(DEAL, id_, "opportunity")
        new = [email for m in mechanisms if (email := _listed(m["value"])) not in readers][:1]
        self.admin.create("marketing.email", [{"email": email, "list_": list_["id"]} for email in new])

    def advance(self, day: int, *, spared: Container[int] = ()) -> Day:
        """One day of work: changes of each kind that a nightly job must see.

        Args:
            day: its number; the same one draws the same changes.
            spared: parties that it leaves alone.

        Raises:
            IndexError: nothing is left to win, lose or delete; seed more.
        """
        chance = random.Random(f"{self._seed}:day:{day}")
        sold_to = {deal["party"] for deal in self.admin.search(DEAL, [], ["party"])}
        staff = {employee["party"] for employee in self.admin.search("company.employee", [], ["party"])}
        mechanisms = self.admin.search(MECHANISM, [["type", "=", "email"], ["party.active", "=", True]], ["party"])
        parties = [
            p["id"]
            for p in self.admin.search(PARTY, [["id", ">", COMPANY], ["active", "=", True]])
            if p["id"] not in staff and p["id"] not in spared
        ]
        deleted = chance.choice([id_ for id_ in parties if id_ not in sold_to])
        renamed = chance.choice([id_ for id_ in parties if id_ != deleted])
        mechanism = chance.choice([m for m in mechanisms if m["party"] not in {deleted, renamed}])
        open_deals = [
            deal["id"] for deal in self.admin.search(DEAL, [["state", "=", "opportunity"], ["lines", "=", None]])
        ]
        won, lost = chance.sample(open_deals, 2)
        reason = chance.choice(words.LOSS)
        self.admin.write(PARTY, renamed, name=f"{chance.choice(words.FIRST)} {chance.choice(words.LAST)} {day}")
        self.admin.write(MECHANISM, mechanism["id"], value=f"moved.{day}.{mechanism['party']}@{_domain(chance)}")
        self.win(won, amount=Decimal(chance.randrange(100_000, 9_000_000)) / 100)
        self.lose(lost, reason)
        self.admin.delete(PARTY, deleted)
        (created,) = self._parties(chance, 1)
        unsubscribed = chance.choice(self.admin.search("marketing.email", [["active", "=", True]]))["id"]
        self.admin.write("marketing.email", unsubscribed, active=False)
        return Day(renamed, mechanism["party"], won, lost, reason, deleted, created, unsubscribed)

    def win(self, id_: int, *, amount: Decimal) -> None:
        """Win an open opportunity without lines the way Tryton does: convert it to a sale, quote that, have it confirmed."""
        self.admin.press(DEAL, id_, "convert")
        (sale,) = self.admin.search("sale.sale", [["origin", "=", f"{DEAL},{id_}"]])
        line = {"type": "line", "quantity": 1, "unit_price": amount, "description": "As offered"}
        self.admin.write("sale.sale", sale["id"], lines=adding(line))
        self.admin.press("sale.sale", sale["id"], "quote")
        self.admin.press("sale.sale", sale["id"], "confirm")

    def lose(self, id_: int, reason: str) -> None:
        """Lose an open opportunity, with the reason."""
        self.admin.write(DEAL, id_, lost_reason=reason)
        self.admin.press(DEAL, id_, "lost")

    def _parties(self, chance: random.Random, count: int, people: Sequence[Known] = ()) -> list[int]:
        company, person = (
            self.admin.search("party.category", [["name", "=", name]])[0]["id"] for name in ("Company", "Person")
        )
        countries = [country["id"] for country in self.admin.search("country.country")]
        drawn = []
        for known in (*people, *[None] * count):
            is_company = known is None and chance.random() < 1 / 3
            draw = _company if is_company else _person
            values = _known(known) if known else draw(chance)
            values["categories"] = [["add", [company if is_company else person]]]
            values["addresses"] = adding({"city": chance.choice(words.CITY), "country": chance.choice(countries)})
            drawn.append(values)
        return self.admin.create(PARTY, drawn)

    def _employees(self, chance: random.Random) -> list[int]:
        parties = self.admin.create(PARTY, [_person(chance) for _ in range(EMPLOYEES)])
        return self.admin.create("company.employee", [{"party": party, "company": COMPANY} for party in parties])

    def _opportunities(
        self, chance: random.Random, count: int, parties: list[int], employees: list[int], *, known: int
    ) -> list[int]:
        mechanisms: dict[int, int] = {}
        for mechanism in self.admin.search(MECHANISM, [["type", "=", "email"]], ["party"]):
            mechanisms.setdefault(mechanism["party"], mechanism["id"])
        currencies = [currency["id"] for currency in self.admin.search("currency.currency")]
        origin = {
            f"marketing_{kind}": self.admin.create(f"marketing.{kind}", [{"name": name} for name in names])
            for kind, names in (("campaign", words.CAMPAIGN), ("medium", words.MEDIUM), ("source", words.SOURCE))
        }
        # A third of the parties never buys: those may be deleted later.
        buyers = parties[: max(known, len(parties) * 2 // 3, 1)]
        today = _today()
        drawn: list[dict[str, Any]] = []
        for number in range(count):
            party = parties[number] if number < known else chance.choice(buyers)
            values: dict[str, Any] = {
                "party": party,
                "contact": mechanisms.get(party) or chance.choice(sorted(mechanisms.values())),
                "company": COMPANY,
                "employee": chance.choice(employees),
                "currency": chance.choice(currencies),
                "amount": Decimal(chance.randrange(50_000, 9_000_000)) / 100,
                "start_date": today - timedelta(days=chance.randrange(10, 400)),
                "conversion_probability": chance.choice((0.1, 0.25, 0.5, 0.75)),
                "description": f"{chance.choice(words.TRADE)} offer",
                **{name: chance.choice(ids) for name, ids in origin.items() if chance.random() < 0.8},
            }
            if number % 8 == 0:
                values["lines"] = adding({"quantity": float(chance.randrange(1, 9)), "description": "Seats"})
            drawn.append(values)
        return self.admin.create(DEAL, drawn)

    def _sell(self, chance: random.Random, deals: list[int], later: Callable[[int], None]) -> None:
        """Tryton guards the state: a deal is born a lead, and moves by its buttons."""
        later(5)
        for number, id_ in enumerate(deals):
            if number % 4 != LEAD:
                self.admin.press(DEAL, id_, "opportunity")
        later(20)
        for number, id_ in enumerate(deals):
            if number % 4 == LOST:
                self.lose(id_, chance.choice(words.LOSS))
            if number % 8 == WON:
                self.win(id_, amount=Decimal(chance.randrange(100_000, 9_000_000)) / 100)

    def _mailing(self, chance: random.Random, parties: list[int]) -> None:
        (list_,) = self.admin.create("marketing.email.list", [{"name": "Monthly news"}])
        mechanisms = self.admin.search(MECHANISM, [["type", "=", "email"], ["party", "in", parties]], ["value"])
        chosen = [_listed(m["value"]) for m in mechanisms if chance.random() < 0.5] or [_listed(mechanisms[0]["value"])]
        self.admin.create("marketing.email", [{"email": email, "list_": list_} for email in dict.fromkeys(chosen)])

    def _scenario(self) -> None:
        """A scenario for all persons, triggered by Tryton's own scheduled task as it would be over night."""
        (scenario,) = self.admin.create(
            "marketing.automation.scenario",
            [
                {
                    "name": WELCOME,
                    "model": PARTY,
                    "domain": '[["categories.name", "=", "Person"]]',
                    "activities": adding({"name": "Greeting"}),
                }
            ],
        )
        self.admin.press("marketing.automation.scenario", scenario, "run")
        for method in ("scenario|trigger", "record.activity|process"):
            (task,) = self.admin.search("ir.cron", [["method", "=", f"marketing.automation.{method}"]])
            self.admin.press("ir.cron", task["id"], "run_once")


def _known(person: Known) -> dict[str, Any]:
    return {"name": person["name"], "contact_mechanisms": adding({"type": "email", "value": person["email"]})}


def _person(chance: random.Random) -> dict[str, Any]:
    first, last = chance.choice(words.FIRST), chance.choice(words.LAST)
    email = f"{_plain(first)}.{_plain(last)}{chance.randrange(10_000)}@{_domain(chance)}"
    mechanisms = [{"type": "email", "value": email}]
    if chance.random() < 0.6:
        mechanisms.append({"type": "mobile", "value": f"+55 11 9{chance.randrange(10**7, 10**8)}"})
    return {"name": f"{first} {last}", "contact_mechanisms": adding(*mechanisms)}


def _company(chance: random.Random) -> dict[str, Any]:
    word, trade = chance.choice(words.FIRM), chance.choice(words.TRADE)
    domain = f"{word}{trade}{chance.randrange(1000)}.example".lower()
    mechanisms = [{"type": "website", "value": f"https://www.{domain}"}, {"type": "email", "value": f"hello@{domain}"}]
    return {"name": f"{word} {trade}", "contact_mechanisms": adding(*mechanisms)}


def _listed(email: str) -> str:
    """An address as Tryton's lists keep it, each once."""
    return email.strip().lower()


def _domain(chance: random.Random) -> str:
    return f"{chance.choice(words.FIRM)}-{chance.choice(words.TRADE)}.example".lower()


def _plain(name: str) -> str:
    return name.lower().encode("ascii", "ignore").decode()


def _today() -> date:
    return datetime.now(UTC).date()
