"""Countries of the world: how common, currency, time zone, cities, phones, names' culture."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """One country.

    weight: its share of people.
    phones: patterns as people write them, national and international; # is a digit.
    culture: key into `names.CULTURES`.
    """

    code: str
    name: str
    weight: int
    currency: str
    zone: str
    cities: tuple[str, ...]
    phones: tuple[str, ...]
    culture: str


COUNTRIES: tuple[Country, ...] = (
    Country(
        "BR", "Brazil", 30, "BRL", "America/Sao_Paulo",
        ("São Paulo", "Curitiba", "Belo Horizonte", "Recife", "Florianópolis"),
        ("+55119########", "(11) 9####-####", "11 9####-####", "+55 (21) 9####-####", "0xx11 9####-####"),
        "lusophone",
    ),
    Country(
        "US", "United States", 24, "USD", "America/New_York",
        ("New York", "Austin", "Chicago", "San José", "Boston"),
        ("+14155######", "(415) 5##-####", "415.5##.####", "1-212-5##-####", "+1 312 5## #### x##"),
        "english",
    ),
    Country(
        "DE", "Germany", 12, "EUR", "Europe/Berlin",
        ("Berlin", "München", "Köln", "Hamburg"),
        ("+49151########", "0151 ########", "+49 (0) 151 ########", "0049 151 ########"),
        "german",
    ),
    Country(
        "IN", "India", 11, "INR", "Asia/Kolkata",
        ("Mumbai", "Bengaluru", "Pune", "Delhi"),
        ("+9198########", "098########", "+91 98### #####", "98########"),
        "indian",
    ),
    Country(
        "PT", "Portugal", 8, "EUR", "Europe/Lisbon",
        ("Lisboa", "Porto", "Braga"),
        ("+35191#######", "91# ### ###", "+351 91 ### ## ##"),
        "lusophone",
    ),
    Country(
        "JP", "Japan", 7, "JPY", "Asia/Tokyo",
        ("東京", "大阪", "Nagoya"),
        ("+81908#######", "090-8###-####", "+81 (0)90 8### ####"),
        "japanese",
    ),
    Country(
        "GB", "United Kingdom", 6, "GBP", "Europe/London",
        ("London", "Leeds", "Bristol"),
        ("+447400######", "07400 ######", "+44 (0)7400 ######"),
        "english",
    ),
    Country(
        "AE", "United Arab Emirates", 2, "USD", "Asia/Dubai",
        ("Dubai", "أبو ظبي"),
        ("+97150#######", "050 ### ####"),
        "arabic",
    ),
)  # fmt: skip

BY_CODE = {c.code: c for c in COUNTRIES}
_WHEEL = tuple(c for c in COUNTRIES for _ in range(c.weight))


def draw_country(rng: Random) -> Country:
    """A country, as common as it is."""
    return _WHEEL[int(rng.random() * len(_WHEEL))]


def draw_phone(rng: Random, country: Country) -> tuple[str, str]:
    """One number: as it really is (E.164), and as somebody wrote it down."""
    written = country.phones[int(rng.random() * len(country.phones))]
    digits = f"{int(rng.random() * 10**12):012}"
    out, at = [], 0
    for c in written:
        if c == "#":
            out.append(digits[at])
            at += 1
        else:
            out.append(c)
    return _international(country, "".join(out)), "".join(out)


_CALLING = {"BR": "55", "US": "1", "DE": "49", "IN": "91", "PT": "351", "JP": "81", "GB": "44", "AE": "971"}


def _international(country: Country, written: str) -> str:
    text = written.split(" x", maxsplit=1)[0].replace("(0)", "").replace("0xx", "0")
    digits = "".join(c for c in text if c in "0123456789")
    code = _CALLING[country.code]
    if text.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if country.code == "US" and digits.startswith("1"):
        return f"+{digits}"
    return f"+{code}{digits.lstrip('0')}"


def wrong_phone(rng: Random) -> str:
    """A number that leads nowhere."""
    return _WRONG[int(rng.random() * len(_WRONG))]


_WRONG = ("0000000000", "123", "n/a", "+1 000 000 0000", "ligar depois das 18h", "555")
