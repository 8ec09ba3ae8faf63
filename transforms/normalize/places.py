"""Countries, web addresses and web domains."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

import idna
import polars as pl
import pycountry
import tldextract

from transforms.normalize.decode import clean

_ALIASES: Final = {
    "usa": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "estados unidos": "US",
    "eua": "US",
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "reino unido": "GB",
    "inglaterra": "GB",
    "brasil": "BR",
    "alemanha": "DE",
    "deutschland": "DE",
    "allemagne": "DE",
    "espanha": "ES",
    "españa": "ES",
    "frança": "FR",
    "itália": "IT",
    "italia": "IT",
    "índia": "IN",
    "japão": "JP",
    "nippon": "JP",
    "日本": "JP",
    "भारत": "IN",
    "méxico": "MX",
    "holanda": "NL",
    "países baixos": "NL",
    "holland": "NL",
    "suíça": "CH",
    "schweiz": "CH",
    "suisse": "CH",
    "áustria": "AT",
    "österreich": "AT",
    "canadá": "CA",
    "colômbia": "CO",
    "uruguai": "UY",
    "paraguai": "PY",
    "áfrica do sul": "ZA",
    "south korea": "KR",
    "coreia do sul": "KR",
    "russia": "RU",
    "rússia": "RU",
    "turkey": "TR",
    "turquia": "TR",
    "czech republic": "CZ",
}
_URL: Final = (
    r"^([A-Za-z][A-Za-z0-9+.\-]*://[^\s/?#]+|[^\s/?#:@]+\.[^\s/?#:@.]+(:[0-9]{1,5})?)([/?#][^\r\n]*)?$|^/[^\r\n]*$"
)
_DOMAIN_LABELS: Final = 2
_IP: Final = re.compile(r"[0-9.]+|\[?[0-9a-f:]*:[0-9a-f:]*\]?")
_EXTRACT: Final = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
"""Works on the list that comes with the package: no request, no cache file."""

CLICK_IDS: Final = ("gclid", "gbraid", "wbraid", "dclid", "msclkid", "fbclid", "ttclid", "li_fat_id", "twclid", "yclid")


@lru_cache(maxsize=4_096)
def read_country(text: str) -> str | None:
    """ISO alpha-2 of a country's name, code or common alias; None where it is none."""
    word = text.strip().casefold()
    if word in _ALIASES:
        return _ALIASES[word]
    try:
        return str(pycountry.countries.lookup(word).alpha_2)
    except LookupError:
        return None


def countries(text: pl.Series) -> pl.Series:
    """Text to ISO alpha-2; null where it is no country."""
    return replaced(text, {word: read_country(word) for word in text.drop_nulls().unique()})


def urls(text: pl.Series) -> pl.Series:
    """Text that can be a web address or path, unchanged; null where it cannot."""
    return text.set(~text.str.contains(_URL).fill_null(value=True), None)


def replaced(text: pl.Series, words: dict[str, str | None]) -> pl.Series:
    """Each value replaced by its word; null where there is none."""
    if not words:
        return pl.Series(text.name, [None] * len(text), dtype=pl.String)
    return text.replace_strict(words, default=None, return_dtype=pl.String)


@lru_cache(maxsize=131_072)
def read_domain(text: str) -> str | None:
    """The registrable domain (example.com.br) of a domain or web address, in IDNA ASCII; None for hosts that have none."""
    bare = text.strip().lower()
    try:
        host = urlsplit(bare if "//" in bare else f"//{bare}").hostname or ""
        host = idna.encode(host.strip("."), uts46=True).decode("ascii") if host else ""
    except (ValueError, UnicodeError):
        return None
    if "." not in host or _IP.fullmatch(host):
        return None
    parts = _EXTRACT(host)
    if not parts.suffix:  # an ending that is not on the list counts as one label, as the list's own rule says
        return ".".join(host.split(".")[-_DOMAIN_LABELS:])
    return f"{parts.domain}.{parts.suffix}" if parts.domain else None


def parameters(urls_: pl.Series, name: str) -> pl.Series:
    """The query parameter `name` of each address, decoded; null where it is missing or blank."""
    pattern = rf"(?i)[?&;]{re.escape(name)}=([^&#]*)"
    return _where(urls_, [f"{name}="], lambda some: _decoded(some.str.extract(pattern, 1)))


def click_ids(urls_: pl.Series) -> pl.Series:
    """The first ad click id of each address, as `gclid=...`; null where there is none."""
    return _where(urls_, [f"{name}=" for name in CLICK_IDS], _click_ids)


def _click_ids(urls_: pl.Series) -> pl.Series:
    pattern = rf"(?i)[?&;]({'|'.join(CLICK_IDS)})=([^&#]+)"
    return urls_.str.extract(pattern, 1).str.to_lowercase() + "=" + _decoded(urls_.str.extract(pattern, 2))


def _where(text: pl.Series, words: list[str], read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`read` of the rows that contain any of the words; null elsewhere. Most addresses carry no parameter at all."""
    values = pl.Series(text.name, [None] * len(text), dtype=pl.String)
    frame = text.rename("t").to_frame()
    rows = frame.select(pl.col("t").str.contains_any(words, ascii_case_insensitive=True).alias("v"))["v"]
    found = rows.fill_null(value=False).arg_true()
    return values.scatter(found, read(text.gather(found))) if len(found) else values


def _decoded(text: pl.Series) -> pl.Series:
    if text.null_count() == len(text):
        return text
    text = text.str.replace_all("+", " ", literal=True)
    coded = text.str.contains("%", literal=True).fill_null(value=False)
    if coded.any():
        words = {word: unquote(word, errors="replace") for word in text.filter(coded).unique()}
        text = text.zip_with(~coded, replaced(text, dict(words)))
    return clean(text)
