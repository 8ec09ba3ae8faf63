"""What a declaration says: which rows were counted for a row of a mart, and how each figure is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parts:
    """One kind of rows that were counted.

    name: what people call them, in the plural: deals, touches.
    query: select over `figure AS f`, the rows of the mart that are asked about, and tables in braces. It yields the mart's
        key columns, what is shown and what is counted, and `source_ids`, the staging rows that tell of the part.
    shows: columns that tell people which one it is.
    order: order of the parts, as SQL; by it the first is the first.
    entities: staging entities that `source_ids` stand in.
    """

    name: str
    query: str
    shows: Sequence[str]
    order: str
    entities: Sequence[str]


@dataclass(frozen=True, slots=True)
class Measure:
    """How one figure is made.

    column: the mart's column.
    rule: a name of `arithmetic.RULES`, or `quotient` of other figures.
    parts: name of the parts that are counted; empty for a quotient.
    of: the parts' column whose values go in.
    when: the parts' column that says whether a part counts; empty: all do.
    top, bottom: for a quotient: figures whose sum is divided, and by which sum; a minus before a name subtracts it.
    """

    column: str
    rule: str
    parts: str = ""
    of: str = ""
    when: str = ""
    top: Sequence[str] = ()
    bottom: Sequence[str] = ()

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that it is made of."""
        return tuple(name.removeprefix("-") for name in (*self.top, *self.bottom))


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a mart's rows are made.

    mart: full name of the table.
    labels: columns that are no figures: names, ids and words, which say what the row is about.
    """

    mart: str
    parts: Sequence[Parts]
    measures: Sequence[Measure]
    labels: Sequence[str] = ()
