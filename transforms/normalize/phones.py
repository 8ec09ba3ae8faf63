"""Telephone numbers as E.164, read in the country of the record; null where the country has no number of that length.

A number is kept when its length is possible, not only when its range is known: ranges are added every month, and the
library's tables age. One digit over and over is no number. libphonenumber takes about 35 microseconds a number, so the
plain shapes are worked out in whole columns, by the library's own tables, where its rules leave no choice
(tests/properties proves each result equal):

- `+` and digits: the country code, then a number that does not begin with 0 or with the country's trunk prefix;
- digits in a known country: not beginning with its country code, its international or its trunk prefix; or beginning with
  a trunk prefix 0 that leaves a number of the country's general pattern.
All else goes to the library, one distinct value at a time.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from phonenumbers.phonemetadata import PhoneMetadata

_PLAIN: Final = r"^(\+[0-9]|[0-9(])[0-9 ().\-]{2,40}$"
_CODES: Final = sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_CODE: Final = f"^({'|'.join(_CODES)})"
_CARRIER_BLANK: Final = r"(?i)^\(?0xx[ )]*"
_ONE_DIGIT: Final = f"^({'|'.join(f'{d}+' for d in range(10))})$"
"""Numbers that people type to get past a form."""
_LONGEST_NATIONAL: Final = 17
_WORLD: Final = "001"

FEW: Final = 64
"""Up to so many numbers go to the library at once: setting whole columns up takes longer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the library's tables say of one country: enough to read its plain numbers.

    prefix: pattern of a trunk prefix at the beginning; never matches where there is none.
    abroad: pattern of an international prefix at the beginning.
    viable: general pattern of the national number.
    """

    code: str
    lengths: frozenset[int]
    prefix: str
    abroad: str
    viable: str
    has_plain_zero: bool


_NEVER: Final = "^[^0-9]"


@lru_cache(maxsize=512)
def plan(region: str) -> Plan | None:
    """The plan of a region that is the main one of its country code; None for others, which take the long way."""
    code = phonenumbers.country_code_for_region(region)
    if not code or phonenumbers.region_code_for_country_code(code) in {_WORLD, "ZZ"}:
        return None
    meta = PhoneMetadata.metadata_for_region(region, None)
    if meta is None or meta.general_desc is None or phonenumbers.region_code_for_country_code(code) != region:
        return None
    prefix, general = meta.national_prefix_for_parsing, meta.general_desc
    made = Plan(
        code=str(code),
        lengths=frozenset(n for n in general.possible_length if 0 < n <= _LONGEST_NATIONAL),
        prefix=f"^(?:{prefix})" if prefix else _NEVER,
        abroad=f"^(?:{meta.international_prefix})" if meta.international_prefix else _NEVER,
        viable=f"^(?:{general.national_number_pattern})$",
        has_plain_zero=prefix == "0" and not meta.national_prefix_transform_rule,
    )
    try:
        pl.Series(["0"]).to_frame("n").select(
            *(pl.col("n").str.contains(p).alias(str(i)) for i, p in enumerate((made.prefix, made.abroad, made.viable)))
        )
    except pl.exceptions.ComputeError:  # a pattern that only the library's own engine understands
        return None
    return made


def phones(text: pl.Series, regions: pl.Series | None, default_region: str | None) -> pl.Series:
    """Text to E.164.

    Args:
        text: numbers as written.
        regions: ISO alpha-2 of each record's country, or None.
        default_region: the country where the record's own is null.
    """
    if text.null_count() == len(text):
        return text
    home = regions if regions is not None else pl.Series([None] * len(text), dtype=pl.String)
    if default_region:
        home = home.fill_null(default_region)
    if len(text) <= FEW:
        few = [None if t is None else read_phone(t, r) for t, r in zip(text, home, strict=True)]
        return pl.Series(text.name, few, dtype=pl.String)
    return _many(text, home)


def _many(text: pl.Series, home: pl.Series) -> pl.Series:
    # Brazil writes 0xx11 where a carrier's digits go between the trunk zero and the area.
    frame = (
        pl.DataFrame({"t": text.str.replace(_CARRIER_BLANK, "0"), "r": home})
        .with_row_index("i")
        .filter(pl.col("t").is_not_null())
    )
    plain = pl.col("t").str.contains(_PLAIN)
    digits = frame.filter(plain).with_columns(
        pl.col("t").str.replace_all("[^0-9]", "").alias("d"), pl.col("t").str.starts_with("+").alias("plus")
    )
    found = [frame.clear().lazy().select("i", pl.col("t").alias("e"))]
    abroad = digits.filter("plus").with_columns(pl.col("d").str.extract(_CODE, 1).alias("code"))
    for (code,), group in abroad.filter(pl.col("code").is_not_null()).partition_by("code", as_dict=True).items():
        rules = plan(phonenumbers.region_code_for_country_code(int(str(code))))
        if rules:
            found.append(_international(group.lazy(), rules))
    at_home = digits.filter(~pl.col("plus") & pl.col("r").is_not_null())
    for (region,), group in at_home.partition_by("r", as_dict=True).items():
        rules = plan(str(region))
        if rules:
            found.append(_national(group.lazy(), rules))
    read = pl.concat(found).collect()
    rest = frame.join(read, on="i", how="anti")
    if rest.height:
        slow = [read_phone(t, r) for t, r in zip(rest["t"], rest["r"], strict=True)]
        read = pl.concat([read, pl.DataFrame({"i": rest["i"], "e": pl.Series(slow, dtype=pl.String)})])
    values = pl.Series(text.name, [None] * len(text), dtype=pl.String)
    return values.scatter(read["i"], read["e"]) if read.height else values


def _international(group: pl.LazyFrame, rules: Plan) -> pl.LazyFrame:
    number = pl.col("d").str.slice(len(rules.code))
    sure = (
        number.str.len_bytes().is_in(sorted(rules.lengths))
        & ~number.str.starts_with("0")
        & ~number.str.contains(rules.prefix)
        & ~number.str.contains(_ONE_DIGIT)
    )
    return group.filter(sure).select("i", (pl.lit("+") + pl.col("d")).alias("e"))


def _national(group: pl.LazyFrame, rules: Plan) -> pl.LazyFrame:
    d = pl.col("d")
    lengths = sorted(rules.lengths)
    foreign = d.str.contains(rules.abroad) | d.str.starts_with(rules.code)
    bare = ~d.str.contains(rules.prefix) & ~d.str.starts_with("0") & d.str.len_bytes().is_in(lengths)
    inner = d.str.slice(1)
    trunk = pl.lit(value=False)
    if rules.has_plain_zero:
        fits = ~inner.str.starts_with("0") & inner.str.len_bytes().is_in(lengths)
        trunk = d.str.starts_with("0") & fits & inner.str.contains(rules.viable)
    number = pl.when(bare).then(d).when(trunk).then(inner)
    read = group.filter(~foreign & ~d.str.contains(_ONE_DIGIT)).select("i", number.alias("n"))
    return read.drop_nulls("n").select("i", (pl.lit(f"+{rules.code}") + pl.col("n")).alias("e"))


@lru_cache(maxsize=131_072)
def read_phone(text: str, region: str | None) -> str | None:
    """One number as E.164 by libphonenumber; None where it is none, or lacks its area code."""
    try:
        number = phonenumbers.parse(re.sub(_CARRIER_BLANK, "0", text), region)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    if len(set(phonenumbers.national_significant_number(number))) == 1:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
