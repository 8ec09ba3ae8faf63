"""The parsed form of a SOQL query."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written.

    kind: string, number, datetime, date, boolean, null or period.
    value: str, float, aware UTC datetime, ISO date text, bool or None; for a period such as LAST_N_DAYS:3 (name, n).
    text: as written, without quotes, escapes kept (LIKE reads them itself).
    """

    kind: str
    value: Any
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """`path op literal`; op is = != < <= > >= like in, or `not in`; several literals for the last two."""

    path: str
    op: str
    literals: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and` or `or`."""

    op: str
    terms: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT condition."""

    term: "Condition"


Condition = Compare | Junction | Negation


@dataclass(frozen=True, slots=True)
class Item:
    """What is selected: a field path, or the COUNT or SUM of one.

    function: count or sum; None for the field itself.
    """

    path: str
    at: int
    function: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ORDER BY."""

    path: str
    at: int
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; `count` is SELECT COUNT(), `group` the fields of GROUP BY."""

    text: str
    items: tuple[Item, ...]
    count: bool
    sobject: str
    sobject_at: int
    where: Condition | None = None
    order: tuple[Order, ...] = field(default=())
    limit: int | None = None
    offset: int = 0
    group: tuple[Item, ...] = field(default=())

    @property
    def is_aggregate(self) -> bool:
        """Whether its answer is made of groups of rows."""
        return bool(self.group) or any(item.function for item in self.items)
