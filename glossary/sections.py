"""Readers of the shared sections: terms, vocabularies, money."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from glossary.model import UNMAPPED, CurrencyRate, Money, Term, Vocabulary, fold
from glossary.nodes import Node, Problems
from glossary.reader import Reader, decimal

TEAMS = ("marketing", "sales", "both")
CURRENCY_LETTERS = 3


def read_terms(root: Node, terms: dict[str, dict[str, Term]], problems: Problems) -> None:
    """Add the terms under `kinds` of one file to `terms` (kind -> term -> Term)."""
    kinds = root.get("kinds")
    for kind, group in kinds.items() if kinds else ():
        found = terms.setdefault(kind, {})
        for name, node in group.items():
            reader = Reader(node, f"the {kind} `{name}`", problems)
            if name == UNMAPPED:
                problems.add(
                    node, f"`{UNMAPPED}` cannot be a term.", "It marks words that no term covers; choose another."
                )
            found[name] = Term(
                kind=kind,
                term=name,
                label=reader.text("label", required=True) or name,
                definition=reader.text("definition", required=True) or "",
                label_pt=reader.text("label_pt", required=True),
                owner_team=reader.text("owner_team", among=TEAMS),
                position=reader.number("position"),
                criterion=reader.text("criterion"),
                source=reader.text("source"),
                detail=reader.plain_map("detail"),
            )
            reader.done()


def read_vocabularies(
    root: Node, terms: dict[str, dict[str, Term]], vocabularies: dict[str, Vocabulary], problems: Problems
) -> None:
    """Add the vocabularies of one file. A word whose term is null is known and means none."""
    section = root.get("vocabularies")
    for name, node in section.items() if section else ():
        reader = Reader(node, f"the vocabulary `{name}`", problems)
        kind = reader.text("kind", required=True, among=terms) or ""
        words: dict[str, str] = {}
        ignored: set[str] = set()
        entries = reader.child("words", required=True)
        for word, item in entries.items() if entries else ():
            key = fold(word)
            if key in words or key in ignored:
                problems.add(item, f"`{word}` stands twice in `{name}` (case does not count).", "Keep one of the two.")
            if item.value is None:
                ignored.add(key)
            elif not isinstance(item.value, str) or (kind and item.value not in terms[kind]):
                choices = ", ".join(terms.get(kind, {}))
                problems.add(item, f"`{word}` maps to the unknown {kind} `{item.value}`.", f"Use one of: {choices}.")
            else:
                words[key] = item.value
        reader.done()
        vocabularies[name] = Vocabulary(name, kind, words, frozenset(ignored))


def read_money(root: Node, problems: Problems) -> Money:
    """Reporting currency and zone, and dated rates (currency -> day -> rate)."""
    reader = Reader(root, "the file currency.yml", problems)
    zone = reader.text("reporting_time_zone", required=True) or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        node = root.get("reporting_time_zone") or root
        problems.add(node, f"The time zone `{zone}` is unknown.", "Use an IANA name such as America/Sao_Paulo.")
    reporting = reader.text("reporting_currency", required=True) or "USD"
    rates: list[CurrencyRate] = []
    section = reader.child("rates", required=True)
    for currency, days in section.items() if section else ():
        if len(currency) != CURRENCY_LETTERS or not currency.isupper():
            problems.add(days, f"`{currency}` is not a currency code.", "Use three capital letters (ISO 4217).")
        for day, item in days.items():
            rate = decimal(item)
            try:
                from_on = date.fromisoformat(day)
            except ValueError:
                problems.add(item, f"`{day}` is not a day.", "Write YYYY-MM-DD.")
                continue
            if rate is None or rate <= 0:
                problems.add(item, f"The rate of {currency} on {day} must be above 0.", "Write it like 0.1876.")
                continue
            rates.append(CurrencyRate(currency, from_on, rate))
    return Money(reporting, zone, tuple(sorted(rates, key=lambda r: (r.currency, r.from_on))))
