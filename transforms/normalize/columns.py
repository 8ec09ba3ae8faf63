"""Functions that a field map may name: each makes one column of text (or a condition) from others.

`FUNCTIONS` turn columns of text into one column of text, which then is read as the field's type. `PREDICATES` say for which
rows a map applies. Names stand in field maps, so they are part of the configuration's interface.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Final

import polars as pl

from transforms.normalize.numbers import booleans, decimals
from transforms.normalize.places import click_ids, read_domain, replaced
from transforms.normalize.times import timestamps

Columns = Sequence[pl.Series]
Function = Callable[[Columns], pl.Series]

_COMPLETED: Final = {"completed", "sent", "held", "done", "scheduled_completed"}
_KINDS: Final = {"call", "email", "listemail", "cadence", "linkedin", "meeting"}
_PERCENT: Final = pl.Decimal(38, 10)
_SHARE: Final = pl.Decimal(20, 8)
_ONE: Final = Decimal(1)


def first_given(columns: Columns) -> pl.Series:
    """The first of the columns that is not null."""
    found = columns[0]
    for column in columns[1:]:
        if found.null_count():
            found = found.zip_with(found.is_not_null(), column)
    return found


def joined(columns: Columns, separator: str) -> pl.Series:
    """The columns' texts joined; null only where all are."""
    frame = pl.DataFrame([c.alias(str(i)) for i, c in enumerate(columns)])
    text = frame.select(pl.concat_str(pl.all(), separator=separator, ignore_nulls=True).alias("v"))["v"]
    return text.set(text == "", None)


def joined_name(columns: Columns) -> pl.Series:
    """First and last name with a blank between."""
    return joined(columns, " ")


def joined_detail(columns: Columns) -> pl.Series:
    """Drill-downs of a source, as `detail 1 / detail 2`."""
    return joined(columns, " / ")


def shown_name(columns: Columns) -> pl.Series:
    """The name as the vendor shows it (third column), else first and last name."""
    return first_given([columns[2], joined(columns[:2], " ")])


def currency_code(columns: Columns) -> pl.Series:
    """ISO 4217 letters in capitals; null for anything else."""
    code = columns[0].str.to_uppercase()
    return code.set(~code.str.contains("^[A-Z]{3}$").fill_null(value=True), None)


def deal_status(columns: Columns) -> pl.Series:
    """open, won or lost from the columns closed, won and, if given, probability (1 is won, 0 lost, where the flags are silent).

    A deal that is won counts as closed even where the vendor forgot the first flag.
    """
    closed, won = booleans(columns[0]), booleans(columns[1])
    frame = pl.DataFrame({"closed": closed, "won": won})
    chance = pl.lit(None, dtype=_SHARE)
    if len(columns) > 2:
        frame = frame.with_columns(decimals(columns[2], _SHARE).alias("chance"))
        chance = pl.col("chance")
    c, w = pl.col("closed"), pl.col("won")
    silent = w.is_null()
    return frame.select(
        pl.when(w)
        .then(pl.lit("won"))
        .when(c & silent & (chance >= _ONE))
        .then(pl.lit("won"))
        .when(c & silent & (chance > 0))
        .then(None)
        .when(c)
        .then(pl.lit("lost"))
        .when(c.is_null() & silent & (chance >= _ONE))
        .then(pl.lit("won"))
        .when(c.is_null() & silent & (chance <= 0))
        .then(pl.lit("lost"))
        .otherwise(pl.lit("open"))
        .alias("v")
    )["v"]


def from_percent(columns: Columns) -> pl.Series:
    """0 to 100 as 0 to 1."""
    words = {w: decimals(pl.Series([w]), _PERCENT)[0] for w in columns[0].drop_nulls().unique()}
    # What is no number goes through as it stands, so that the type's own check reports it.
    return replaced(columns[0], {w: w if n is None else format(n / 100, "f") for w, n in words.items()})


def is_completed(columns: Columns) -> pl.Series:
    """True where the status says that it took place, false for other statuses, null without one."""
    word = columns[0].str.to_lowercase()
    done = word.is_in(sorted(_COMPLETED))
    return pl.DataFrame({"w": word, "d": done}).select(
        pl.when(pl.col("w").is_null()).then(None).when("d").then(pl.lit("true")).otherwise(pl.lit("false")).alias("v")
    )["v"]


def negated(columns: Columns) -> pl.Series:
    """True for false and false for true."""
    return (~booleans(columns[0])).cast(pl.String)


def end_of_day(columns: Columns) -> pl.Series:
    """A date alone becomes its last moment (UTC); anything else stays."""
    text = columns[0]
    day = text.str.contains("^[0-9]{4}-[0-9]{2}-[0-9]{2}$").fill_null(value=False)
    return text.zip_with(~day, text + "T23:59:59.999999Z")


def asset_time(columns: Columns) -> pl.Series:
    """A time as Marketo's asset API writes it, 2015-05-21T22:45:13Z+0000: with the zone once."""
    return columns[0].str.replace(r"Z\+0000$", "Z")


def _end_after(columns: Columns, microseconds: int) -> pl.Series:
    start = timestamps(columns[0], str(UTC), day_first=True)
    length = decimals(columns[1], pl.Decimal(18, 3))
    frame = pl.DataFrame({"s": start, "l": (length.cast(pl.Float64) * microseconds).cast(pl.Int64, strict=False)})
    end = frame.select((pl.col("s") + pl.duration(microseconds=pl.col("l"))).alias("v"))["v"]
    return end.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def end_after_milliseconds(columns: Columns) -> pl.Series:
    """Start (first column) and length in milliseconds (second) as the end."""
    return _end_after(columns, 1_000)


def end_after_seconds(columns: Columns) -> pl.Series:
    """Start (first column) and length in seconds (second) as the end."""
    return _end_after(columns, 1_000_000)


def web_domain(columns: Columns) -> pl.Series:
    """The registrable domain of the first column that has one."""
    return first_given([replaced(c, {w: read_domain(w) for w in c.drop_nulls().unique()}) for c in columns])


def click_id(columns: Columns) -> pl.Series:
    """The ad click id in a web address."""
    return click_ids(columns[0])


def task_kind(columns: Columns) -> pl.Series:
    """Salesforce's word for what a task is: subtype, else type; `Task` where neither names a kind, `Call` with a call type."""
    subtype, type_, call = columns
    kinds = sorted(_KINDS)
    named = [c.set(~c.str.to_lowercase().is_in(kinds).fill_null(value=True), None) for c in (subtype, type_)]
    by_call = call.set(call.is_not_null(), "Call")
    return first_given([named[0], named[1], by_call, pl.Series(["Task"] * len(call), dtype=pl.String)])


def _only(prefix: str) -> Function:
    def only(columns: Columns) -> pl.Series:
        return columns[0].set(~columns[0].str.starts_with(prefix).fill_null(value=True), None)

    only.__doc__ = f"Salesforce ids that begin with {prefix}; null for others."
    return only


FUNCTIONS: Mapping[str, Function] = {
    "asset_time": asset_time,
    "click_id": click_id,
    "currency_code": currency_code,
    "deal_status": deal_status,
    "end_after_milliseconds": end_after_milliseconds,
    "end_after_seconds": end_after_seconds,
    "end_of_day": end_of_day,
    "first_given": first_given,
    "from_percent": from_percent,
    "is_completed": is_completed,
    "joined_detail": joined_detail,
    "joined_name": joined_name,
    "negated": negated,
    "only_account_id": _only("001"),
    "only_contact_id": _only("003"),
    "only_lead_id": _only("00Q"),
    "only_opportunity_id": _only("006"),
    "shown_name": shown_name,
    "task_kind": task_kind,
    "web_domain": web_domain,
}


def is_given(columns: Columns) -> pl.Series:
    """All columns are given."""
    held = columns[0].is_not_null()
    for column in columns[1:]:
        held = held & column.is_not_null()
    return held


def is_true(columns: Columns) -> pl.Series:
    """The first column says true."""
    return booleans(columns[0]).fill_null(value=False)


def is_web_visit(columns: Columns) -> pl.Series:
    """Time, source, address: there was a visit. HubSpot stamps contacts that came in offline too, with neither address nor visit."""
    at, source, url = columns
    online = (source.str.to_uppercase() != "OFFLINE").fill_null(value=False)
    return at.is_not_null() & (online | url.is_not_null())


def is_status_field(columns: Columns) -> pl.Series:
    """Salesforce history of the field Status."""
    return (columns[0].str.to_lowercase() == "status").fill_null(value=False)


def has_party(columns: Columns) -> pl.Series:
    """WhoId is a lead or contact, or WhatId an opportunity."""
    who, what = columns
    person = who.str.starts_with("00Q") | who.str.starts_with("003")
    return person.fill_null(value=False) | what.str.starts_with("006").fill_null(value=False)


PREDICATES: Mapping[str, Function] = {
    "has_party": has_party,
    "is_given": is_given,
    "is_status_field": is_status_field,
    "is_true": is_true,
    "is_web_visit": is_web_visit,
}
