"""What people and imports do to values: mistyped addresses, blanks, HTML, emoji, quotes, newlines, NUL, dates in three forms.

Which record gets which dirt follows from its number, so every world of a few thousand people has all of it; how much there
is of the common kinds is drawn.
"""

from decimal import Decimal
from random import Random

from sandbox.world.moments import date_text, hubspot_text

FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "uol.com.br", "gmx.de", "hotmail.com")
_TYPOS = {"gmail.com": "gmial.com", "outlook.com": "outlok.com", "yahoo.com": "yaho.com", "hotmail.com": "hotmial.com"}

RARE_EVERY = 131
"""Of so many records, each in turn gets one of the rare texts."""

_RARE = (
    "<b>{}</b>",
    "{} 😀",
    '"{}", "Inc."',
    "{}\nsecond line\r\n",
    "{}\x00",
    "  {}  ",
    "{}'; DROP TABLE person; --",
    "&lt;{}&gt; &amp;",
    "\u202e{}\u202c",
    "=1+1;{}",
)


def rare_text(number: int, text: str) -> str | None:
    """The rare form of a text, where it is this record's turn; None where not."""
    turn, rest = divmod(number, RARE_EVERY)
    return _RARE[turn % len(_RARE)].format(text) if rest == RARE_EVERY // 2 else None


def monster_name(number: int) -> str | None:
    """A name of 10,000 characters with emoji, quotes and NUL: one record in 5,000."""
    return ("O'\"Monster\x00 😀 " * 800)[:10_000] if number % 5_000 == 600 else None


def mistyped(rng: Random, email: str, number: int) -> str:
    """The address as somebody typed it; the wrong ones lead nowhere or to nobody."""
    if number % 401 == 77:
        return ("not-an-email", "@", "no mail", "a@b@c.example", "n/a")[number // 401 % 5]
    chance = rng.random()
    local, _, domain = email.partition("@")
    ways = (
        (0.93, email),
        (0.94, email.upper()),
        (0.95, f"{local.title()}@{domain}"),
        (0.965, f"{local}+news{number % 10}@{domain}"),
        (0.98, f" {email} "),
        (0.99, f"{email}."),
    )
    return next((way for share, way in ways if chance < share), f"{local}@{_TYPOS.get(domain, domain)}")


def employees(rng: Random, count: int) -> str | None:
    """A head count as text: a number, one with separators, a range, a float, blank, nothing."""
    chance = rng.random()
    if chance < 0.8:
        return str(count)
    forms = (f"{count:,}", f"{count}.0", f"{count // 2}-{count * 2}", "", " ", None, "many")
    return forms[int(rng.random() * len(forms))]


def amount_text(number: int, cents: int) -> str:
    """An amount as HubSpot's number property holds it: mostly 1234.5, at times with zeros or with an exponent."""
    amount = Decimal(cents).scaleb(-2)
    match number % 20:
        case 7:
            return f"{amount:.2f}"
        case 13:
            return f"{amount:.3f}"
        case 17:
            return f"{amount.normalize():E}"
        case _:
            return f"{amount.normalize():f}"


def date_forms(number: int, ms: int) -> str:
    """A date in one of three forms; ISO with time is by far the commonest."""
    match number % 60:
        case 5:
            return date_text(ms)
        case 6:
            return str(ms)
        case _:
            return hubspot_text(ms)
