"""Numbers, money and booleans from text, exactly: never through a float.

Plain numbers are cast in whole columns; everything else (thousands separators, currency signs, exponents) is read one
distinct value at a time by `read_decimal`.
"""

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import polars as pl

_CURRENCY: Final = re.compile(r"(?:[A-Z]{3}|R\$|US\$|[$\u20ac\u00a3\u00a5\u20b9])", re.ASCII)
_BLANKS: Final = re.compile(r"[\s\u00a0\u202f']")
_GROUPED_BY_COMMA: Final = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
_PLAIN: Final = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_INTEGER_BITS: Final = {"Int64": 63, "Int32": 31}
_LONGEST: Final = 64

_TRUE: Final = ("true", "t", "yes", "y", "1", "on", "sim", "s")
_FALSE: Final = ("false", "f", "no", "n", "0", "off", "n\u00e3o", "nao")
_BOOLEANS: Final = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


@lru_cache(maxsize=65_536)
def read_decimal(text: str) -> Decimal | None:
    """One number as written by people or machines; None where it is none.

    Where both comma and point stand, the last one parts the fraction. A lone comma parts it too, unless it groups
    thousands (1,234). A lone point always parts the fraction.
    """
    if len(text) > _LONGEST:
        return None
    value = _BLANKS.sub("", _CURRENCY.sub("", text.strip(), count=1))
    negative = value.startswith("-") or (value.startswith("(") and value.endswith(")"))
    value = value.strip("()") if value.startswith("(") else value.lstrip("+-")
    comma, point = value.rfind(","), value.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, fraction = (",", ".") if point > comma else (".", ",")
        value = value.replace(thousands, "").replace(fraction, ".")
    elif comma >= 0:
        value = value.replace(",", "") if _GROUPED_BY_COMMA.fullmatch(value) else value.replace(",", ".")
    elif value.count(".") > 1:
        value = value.replace(".", "")
    if not _PLAIN.fullmatch(value):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return -number if negative else number


def decimals(text: pl.Series, type_: pl.Decimal) -> pl.Series:
    """Text to decimals of the column's precision and scale (rounded half to even); null where none, or too large."""
    precision, scale = int(type_.precision or 38), int(type_.scale)
    whole = precision - scale
    if text.null_count() == len(text):
        return pl.Series(text.name, [None] * len(text), dtype=type_)
    plain = text.str.contains(rf"^-?[0-9]{{1,{whole}}}(\.[0-9]{{1,{scale}}})?$")
    read = text.set(~plain.fill_null(value=False), None).cast(type_, strict=False)
    if read.null_count() == text.null_count():
        return read
    unit, limit = Decimal(1).scaleb(-scale), Decimal(10) ** whole
    words: dict[str, Decimal] = {}
    for word in text.filter(read.is_null() & text.is_not_null()).unique():
        number = read_decimal(word)
        # The exponent is bounded first: quantize of 1e999 would be a number of 999 digits.
        if number is not None and (not number or number.adjusted() < whole):
            rounded = number.quantize(unit, rounding=ROUND_HALF_EVEN)
            if abs(rounded) < limit:
                words[word] = rounded
    return read.zip_with(read.is_not_null(), _replaced(text, words, type_))


def integers(text: pl.Series, type_: Any) -> pl.Series:
    """Text to whole numbers; 12.0 counts, 12.5 does not; null where none, or too large."""
    bits = _INTEGER_BITS[str(type_)]
    read = text.str.extract(r"^(-?[0-9]{1,18})(\.0*)?$", 1).cast(type_, strict=False)
    if read.null_count() == text.null_count():
        return read
    words: dict[str, int] = {}
    for word in text.filter(read.is_null() & text.is_not_null()).unique():
        number = read_decimal(word)
        if (
            number is not None
            and number.adjusted() <= bits
            and number == number.to_integral_value()
            and abs(number) < 2**bits
        ):
            words[word] = int(number)
    return read.zip_with(read.is_not_null(), _replaced(text, words, type_))


def booleans(text: pl.Series) -> pl.Series:
    """Text to booleans: true/false, yes/no, sim/não, 1/0; null for other words."""
    if text.null_count() == len(text):
        return pl.Series(text.name, [None] * len(text), dtype=pl.Boolean)
    return text.str.to_lowercase().replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)


def _replaced(text: pl.Series, words: dict[str, Any], type_: Any) -> pl.Series:
    if not words:
        return pl.Series(text.name, [None] * len(text), dtype=type_)
    new = pl.Series(list(words.values()), dtype=type_)
    return text.replace_strict(pl.Series(list(words), dtype=pl.String), new, default=None).cast(type_)
