"""Timestamps and dates in the forms that vendors send, as UTC.

Known forms: ISO 8601 of any precision, with Z, offset or none (then UTC); milliseconds since 1970 (11 to 14 digits), seconds
(9 or 10 digits); a date alone as 2024-03-05, 2024/03/05, 20240305, 05/03/2024, 05.03.2024, 05-03-2024. A date alone is a day
of the reporting time zone, so that it stays on its day when reports cut days there. Years outside of 1900 to 2199 are taken
for what they are, mistakes, and read as null.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

Timestamp: Final = pl.Datetime("us", "UTC")
FIRST_YEAR: Final = 1900
END_YEAR: Final = 2200

_ISO_UTC: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$"
_ISO_OFFSET: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?[+-](0[0-9]|1[0-4]):?[0-5][0-9]$"
)
_MILLISECONDS: Final = r"^-?[0-9]{11,14}$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})", re.ASCII)
_COMPACT: Final = re.compile(r"\d{8}", re.ASCII)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_DIGITS: Final = re.compile(r"-?\d+(\.\d+)?(e\+?\d+)?", re.ASCII | re.IGNORECASE)
_SECONDS_DIGITS: Final = (9, 10)
_MILLISECONDS_DIGITS: Final = (11, 14)


def timestamps(text: pl.Series, zone: str, *, day_first: bool) -> pl.Series:
    """Text to UTC timestamps of microseconds; null where it cannot be read.

    The common forms are read in whole columns; tests/properties prove them equal to `read_timestamp`, which reads the rest.
    """
    if text.null_count() == len(text):
        return pl.Series(text.name, [None] * len(text), dtype=Timestamp)
    frame = text.rename("t").to_frame()
    t = pl.col("t")
    naive = t.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    read = frame.select(pl.when(t.str.contains(_ISO_UTC)).then(naive.dt.replace_time_zone("UTC")).alias("v"))["v"]
    if _is_open(read, text):
        offset = t.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
        read = _fill(read, text, frame.select(pl.when(t.str.contains(_ISO_OFFSET)).then(offset).alias("v"))["v"])
    if _is_open(read, text):
        epoch = (t.cast(pl.Int64, strict=False) * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        read = _fill(read, text, frame.select(pl.when(t.str.contains(_MILLISECONDS)).then(epoch).alias("v"))["v"])
    if _is_open(read, text):
        midnight = t.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        there = midnight.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone(
            "UTC"
        )
        read = _fill(read, text, frame.select(pl.when(t.str.contains(_DAY)).then(there).alias("v"))["v"])
    if _is_open(read, text):
        rest = text.filter(read.is_null() & text.is_not_null()).unique()
        words = {word: read_timestamp(word, zone, day_first=day_first) for word in rest}
        slow = text.replace_strict(
            pl.Series(list(words), dtype=pl.String), pl.Series(list(words.values()), dtype=Timestamp), default=None
        )
        read = _fill(read, text, slow.cast(Timestamp))
    inside = read.dt.year().is_between(FIRST_YEAR, END_YEAR - 1)
    return read.set(~inside.fill_null(value=True), None).alias(text.name)


def _is_open(read: pl.Series, text: pl.Series) -> bool:
    return read.null_count() > text.null_count()


def _fill(read: pl.Series, text: pl.Series, more: pl.Series) -> pl.Series:
    return read.zip_with(read.is_not_null() | text.is_null(), more.cast(Timestamp))


@lru_cache(maxsize=65_536)
def read_timestamp(text: str, zone: str, *, day_first: bool) -> datetime | None:
    """One text as an aware UTC datetime; None where it is no time or outside of 1900 to 2199."""
    value = text.strip()
    try:
        moment = _epoch(value) if _DIGITS.fullmatch(value) and not _COMPACT.fullmatch(value) else None
        if moment is None and (day := _day(value, day_first=day_first)) is not None:
            moment = datetime.combine(day, time(), ZoneInfo(zone))
        if moment is None:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, InvalidOperation):
        return None
    return moment if FIRST_YEAR <= moment.year < END_YEAR else None


def _epoch(value: str) -> datetime | None:
    number = Decimal(value)
    digits = len(str(abs(int(number)))) if abs(number) < Decimal(10) ** 15 else 0
    if _MILLISECONDS_DIGITS[0] <= digits <= _MILLISECONDS_DIGITS[1]:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number * 1000))
    if _SECONDS_DIGITS[0] <= digits <= _SECONDS_DIGITS[1]:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number * 1_000_000))
    raise ValueError(f"{digits} digits are no time")


def _day(value: str, *, day_first: bool) -> date | None:
    if match := _YEAR_FIRST.fullmatch(value):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_LAST.fullmatch(value):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        day, month = (first, second) if day_first else (second, first)
        try:
            return date(year, month, day)
        except ValueError:  # 12/31/2024 can only be meant one way
            return date(year, day, month)
    return None


def dates(text: pl.Series, zone: str, *, day_first: bool) -> pl.Series:
    """Text to dates: a date alone as it stands, a moment as its day in the reporting time zone; null where unreadable."""
    plain = (
        text.rename("t")
        .to_frame()
        .select(
            pl.when(pl.col("t").str.contains(_DAY)).then(pl.col("t").str.to_date("%Y-%m-%d", strict=False)).alias("v")
        )["v"]
    )
    if _is_open(plain, text):
        moments = timestamps(text, zone, day_first=day_first)
        plain = plain.zip_with(plain.is_not_null(), moments.dt.convert_time_zone(zone).dt.date())
    inside = plain.dt.year().is_between(FIRST_YEAR, END_YEAR - 1)
    return plain.set(~inside.fill_null(value=True), None).alias(text.name)
