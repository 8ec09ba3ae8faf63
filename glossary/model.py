"""What a loaded glossary is made of: plain, frozen records that every layer above reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

UNMAPPED = "unmapped"
"""What normalise writes where the glossary does not know a vendor's word. It is not a term."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word that both teams share. `kind` groups terms: funnel_stage, lead_source, channel, ..."""

    kind: str
    term: str
    label: str
    definition: str
    label_pt: str | None = None
    owner_team: str | None = None
    position: int | None = None
    criterion: str | None = None
    source: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A vendor's words and the terms that they mean.

    kind: kind of the terms.
    words: vendor word (trimmed, case-folded) -> term.
    ignored: words that are known and mean no term (a status that says nothing of the funnel).
    """

    name: str
    kind: str
    words: Mapping[str, str]
    ignored: frozenset[str] = frozenset()

    def lookup(self, value: str) -> str | None:
        """The term for a vendor's word, however it is cased or padded; None where none is meant."""
        return self.words.get(fold(value))

    def knows(self, value: str) -> bool:
        """Whether the glossary says anything of this word."""
        word = fold(value)
        return word in self.words or word in self.ignored


def fold(value: str) -> str:
    """The form in which vendor words are compared: trimmed and case-folded."""
    return value.strip().casefold()


@dataclass(frozen=True, slots=True)
class Rule:
    """One numbered rule of a channel model: it fires when any of its condition sets holds in full.

    when: condition sets; each maps a field (utm_source, utm_medium, utm_campaign, click_id, referrer_host, ...) to a
        POSIX-style regular expression that is searched, ignoring case, in the trimmed value ("" where missing).
    """

    number: int
    term: str
    when: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChannelModel:
    """An ordered list of rules; the first that fires names the channel."""

    name: str
    kind: str
    rules: tuple[Rule, ...]
    otherwise: str


@dataclass(frozen=True, slots=True)
class AttributionModel:
    """How one attribution model weighs the touches of a path, as data. One of weights, is_even, by_channel, half_life_days.

    weights: share of the credit by place (`PLACES` of glossary/attribution.py); they add up to one.
    skip_channels: channels that get no credit while any other touch is on the path.
    is_even: every touch gets the same.
    by_channel: every channel of the path gets the same, shared evenly among its touches.
    half_life_days: a touch that is so much older than another counts half.
    """

    name: str
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    skip_channels: tuple[str, ...] = ()
    is_even: bool = False
    by_channel: bool = False
    half_life_days: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AttributionPath:
    """Which touches are on the path to a deal.

    eligible: `account`: of all people of the deal's account and of the deal; `roles`: of the deal's people, of all of the
        account where none is named; `primary`: of the deal's main contact.
    days_before_lead: touches that are older than that when their person becomes a lead do not count; None: all do.
    days_before_opportunity: the same for the deal's creation.
    """

    eligible: str = "account"
    days_before_lead: int | None = None
    days_before_opportunity: int | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Attribution models by name, and the path that they share."""

    models: Mapping[str, AttributionModel]
    path: AttributionPath = AttributionPath()


@dataclass(frozen=True, slots=True)
class CurrencyRate:
    """Units of the reporting currency for one unit of `currency`, from `from_on` on."""

    currency: str
    from_on: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """Reporting currency, reporting time zone (IANA), and dated rates."""

    reporting_currency: str
    reporting_time_zone: str
    rates: tuple[CurrencyRate, ...]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One line of a field map.

    target: staging column, or `custom.<name>`.
    type: one of `FIELD_TYPES`.
    paths: dotted paths into the record; a `function` gets them all, without one there is one.
    const: the value itself, instead of a path.
    vocabulary: name of the vocabulary that turns the vendor's word into a term.
    ref: for ids: `stream` or `vendor:stream` that the id belongs to.
    separator: the value is a list written as one text, parted by this.
    function: a registered function that makes one column of text from those under `paths`.
    parameter: take this query parameter of the URL.
    is_required: a record without it is set aside.
    """

    target: str
    type: str
    paths: tuple[str, ...] = ()
    const: Any = None
    vocabulary: str | None = None
    ref: str | None = None
    separator: str | None = None
    function: str | None = None
    parameter: str | None = None
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class EntityMap:
    """How a stream's records fill one staging entity.

    part: added to source_id after `#`; with `rows` each sub-record names its own.
    rows: a registered function that turns one raw record into several sub-records.
    when, when_paths: a registered predicate and the columns that it judges; rows for which it does not hold are left out.
    needs: columns without which a row says nothing and is left out.
    """

    name: str
    entity: str
    fields: tuple[FieldSpec, ...]
    part: str | None = None
    rows: str | None = None
    when: str | None = None
    when_paths: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamMap:
    """All maps of one stream. url: template of the vendor's page, with {account} and {id}."""

    stream: str
    maps: tuple[EntityMap, ...]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FieldMap:
    """All streams of one vendor.

    account: portal id or instance address for deep links; None: no links.
    default_country: ISO alpha-2 that telephone numbers without a country are read in; None: such numbers need a plus sign.
    home_currency: ISO 4217 of amounts that come without a currency; None: they stay without, and out of all sums.
    day_first: how 05/03/2024 is read: 5 March (True) or May 3rd (False).
    """

    vendor: str
    streams: Mapping[str, StreamMap]
    account: str | None = None
    default_country: str | None = None
    home_currency: str | None = None
    day_first: bool = True


FIELD_TYPES = ("text", "email", "phone", "url", "country", "timestamp", "date", "money", "number", "boolean", "id")
"""The closed list of types of a field map."""
