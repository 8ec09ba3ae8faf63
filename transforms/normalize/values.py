"""One field of a map: from the record's columns of text to the typed column of staging, with what was lost on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from glossary.loader import Glossary
from glossary.model import UNMAPPED, FieldMap, FieldSpec, fold
from transforms.normalize.columns import FUNCTIONS
from transforms.normalize.decode import as_text, clean
from transforms.normalize.emails import emails
from transforms.normalize.ids import ids
from transforms.normalize.numbers import booleans, decimals, integers
from transforms.normalize.phones import phones
from transforms.normalize.places import countries, parameters, urls
from transforms.normalize.times import dates, timestamps

Number: Final = pl.Decimal(38, 10)
"""Numbers of fields that a user adds."""


@dataclass(slots=True)
class Loss:
    """Rows of a column whose given value could not be read."""

    column: str
    rule: str
    rows: pl.Series


@dataclass(slots=True)
class Reading:
    """The columns of one batch of (sub-)records, and what is read from them.

    text: path -> cleaned text.
    regions: ISO country of each row, once it is read: telephone numbers need it.
    """

    glossary: Glossary
    map: FieldMap
    text: Mapping[str, pl.Series]
    height: int
    regions: pl.Series | None = None
    losses: list[Loss] = field(default_factory=list)
    _moments: dict[tuple[str, ...], pl.Series] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        """The reporting time zone."""
        return self.glossary.money.reporting_time_zone

    def source(self, spec: FieldSpec) -> pl.Series:
        """The field's text, before it is read as its type."""
        if spec.const is not None:
            return pl.Series([as_text(spec.const)], dtype=pl.String).new_from_index(0, self.height)
        columns = [self.text[path] for path in spec.paths]
        if spec.function:
            return clean(FUNCTIONS[spec.function](columns))
        if spec.parameter:
            return parameters(columns[0], spec.parameter)
        return columns[0]

    def read(self, spec: FieldSpec, type_: pl.DataType) -> pl.Series:
        """One typed column. type_: the staging column's type (of the elements, for lists)."""
        text = self.source(spec)
        if text.null_count() == len(text):  # as most are, where a night brings a record or two
            return text.cast(pl.List(pl.String) if spec.separator else type_)
        if spec.separator:
            return self._list(spec, text)
        value = self._typed(spec, text, type_)
        self._note(spec, text, value)
        return value

    def word(self, spec: FieldSpec, *, has_raw: bool) -> tuple[pl.Series, pl.Series]:
        """A glossary term and the vendor's own word. Unknown words are `unmapped` where the raw word is kept beside it."""
        raw = self.source(spec)
        if spec.vocabulary is None:  # a constant is a term already
            return raw, raw.clear(self.height)
        vocabulary = self.glossary.vocabularies[spec.vocabulary]
        terms: dict[str, str] = {}
        unknown: list[str] = []
        for word in raw.drop_nulls().unique():
            term = vocabulary.words.get(fold(word))
            if term is not None:
                terms[word] = term
            elif not vocabulary.knows(word):
                unknown.append(word)
                if has_raw:
                    terms[word] = UNMAPPED
        mapped = (
            raw.clear(self.height) if not terms else raw.replace_strict(terms, default=None, return_dtype=pl.String)
        )
        if unknown and not has_raw:
            self.losses.append(Loss(spec.target, "word_unknown", raw.is_in(unknown).fill_null(value=False)))
        return mapped, raw

    def _typed(self, spec: FieldSpec, text: pl.Series, type_: pl.DataType) -> pl.Series:  # noqa: PLR0911 - one per type
        match spec.type:
            case "email":
                return emails(text)
            case "phone":
                return phones(text, self.regions, self.map.default_country)
            case "url":
                return urls(text)
            case "country":
                return countries(text)
            case "timestamp":
                return self._timestamp(spec, text)
            case "date":
                return dates(text, self.zone, day_first=self.map.day_first)
            case "money" | "number":
                return decimals(text, type_) if isinstance(type_, pl.Decimal) else integers(text, type_)
            case "boolean":
                return booleans(text)
            case "id":
                return ids(text, self.map.vendor, spec.ref)
            case _:
                return text

    def _timestamp(self, spec: FieldSpec, text: pl.Series) -> pl.Series:
        if spec.function or spec.const is not None:
            return timestamps(text, self.zone, day_first=self.map.day_first)
        if spec.paths not in self._moments:
            self._moments[spec.paths] = timestamps(text, self.zone, day_first=self.map.day_first)
        return self._moments[spec.paths]

    def _list(self, spec: FieldSpec, text: pl.Series) -> pl.Series:
        """A text of several values, each read by itself, as a list; null where none is left."""
        rows = text.is_not_null().arg_true()
        long = pl.DataFrame({"row": rows, "item": text.gather(rows).str.split(str(spec.separator))}).explode("item")
        long = long.with_columns(clean(long["item"])).drop_nulls()
        inner = Reading(
            self.glossary,
            self.map,
            {},
            long.height,
            self.regions.gather(long["row"]) if self.regions is not None and long.height else None,
        )
        item = long["item"]
        if spec.type == "id":  # some lists carry more than the id: `id:time`
            item = item.str.replace(":.*$", "")
        value = inner._typed(spec, item, pl.String())
        lost = long["row"].filter(value.is_null())
        if len(lost):
            self.losses.append(
                Loss(
                    spec.target,
                    f"{spec.type}_invalid",
                    pl.int_range(self.height, eager=True).is_in(lost.cast(pl.Int64).unique().implode()),
                )
            )
        kept = long.with_columns(value.alias("item")).drop_nulls("item")
        return listed(kept, self.height)

    def _note(self, spec: FieldSpec, text: pl.Series, value: pl.Series) -> None:
        if value.null_count() > text.null_count():
            self.losses.append(Loss(spec.target, f"{spec.type}_invalid", text.is_not_null() & value.is_null()))


def listed(long: pl.DataFrame, height: int) -> pl.Series:
    """Rows (row, item) as one list per row: distinct, in order, null where there is none."""
    lists = pl.Series([None] * height, dtype=pl.List(pl.String))
    if not long.height:
        return lists
    grouped = long.unique(["row", "item"], maintain_order=True).group_by("row", maintain_order=True).agg("item")
    every = pl.DataFrame({"row": pl.int_range(height, eager=True).cast(grouped["row"].dtype)})
    return every.join(grouped, on="row", how="left", maintain_order="left")["item"]
