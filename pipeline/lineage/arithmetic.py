"""How a figure is made of its parts, exactly and in a line that people can follow.

Numbers are decimals and fractions, rounded as the warehouse rounds (half away from zero), to the digits of the mart's column. A
median is the warehouse's percentile_cont: made of doubles, so it is here, too.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from pipeline.lineage.model import Measure

Values = Sequence[Any]
"""What goes into a figure: the values of the parts that count, in order; nulls among them."""

_SHOWN = 6
_DIGITS = 60
"""More than any sum in a warehouse has."""


def _there(values: Values) -> list[Any]:
    return [v for v in values if v is not None]


def _sum(values: Values) -> Any:
    return sum(_there(values), Decimal(0))


def _mean(values: Values) -> Fraction | None:
    there = _there(values)
    return sum((Fraction(v) for v in there), Fraction(0)) / len(there) if there else None


def _percentile(at: float) -> Callable[[Values], Decimal | None]:
    def find(values: Values) -> Decimal | None:
        there = sorted(float(v) for v in _there(values))
        if not there:
            return None
        place = at * (len(there) - 1)
        low = int(place)
        high = min(low + 1, len(there) - 1)
        value = there[low] if low == place else there[low] + (there[high] - there[low]) * (place - low)
        return Decimal(f"{value:.15g}")  # so many digits of a double count where it becomes a numeric

    return find


RULES: Mapping[str, Callable[[Values], Any]] = {
    "count": len,
    "distinct": lambda values: len(set(_there(values))),
    "sum": _sum,
    "mean": _mean,
    "median": _percentile(0.5),
    "p90": _percentile(0.9),
    "earliest": lambda values: min(_there(values), default=None),
    "latest": lambda values: max(_there(values), default=None),
    "first": lambda values: values[0] if values else None,
}
"""Rule -> the figure that it makes of values. `share` and `quotient` are made of two numbers each."""


def figure(measure: Measure, parts: Sequence[Mapping[str, Any]], scale: int | None) -> tuple[Any, str]:
    """A figure and how it is made of its parts, in words.

    Args:
        measure: its declaration.
        parts: all parts of the kind that it counts, in order.
        scale: digits after the point of the mart's column; None: it is no decimal.
    """
    counted = [p for p in parts if not measure.when or p[measure.when]]
    if measure.rule == "share":
        share = _divided(Fraction(len(counted)), Fraction(len(parts)), scale)
        return share, f"{len(counted):,} of {len(parts):,} {measure.parts} ({measure.when})"
    values = [p[measure.of] for p in counted] if measure.of else list(counted)
    value = rounded(RULES[measure.rule](values), scale)
    return value, _told(measure, values, len(parts))


def quotient(measure: Measure, figures: Mapping[str, Any], scale: int | None) -> tuple[Any, str]:
    """A figure that is made of other figures, and how."""
    top, bottom = (_total(names, figures) for names in (measure.top, measure.bottom))
    words = " / ".join(_named(names, figures) for names in (measure.top, measure.bottom))
    return (None if top is None or bottom is None else _divided(top, bottom, scale)), words


def rounded(value: Any, scale: int | None) -> Any:
    """A number with so many digits after the point, half away from zero; anything else as it is."""
    if scale is None or not isinstance(value, int | Decimal | Fraction):
        return value
    exact = Fraction(value) * 10**scale
    whole = int(abs(exact) + Fraction(1, 2))
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_UP):
        return Decimal(whole if exact >= 0 else -whole).scaleb(-scale)


def _divided(top: Fraction, bottom: Fraction, scale: int | None) -> Any:
    return rounded(top / bottom, scale) if bottom else None


def _total(names: Sequence[str], figures: Mapping[str, Any]) -> Fraction | None:
    total = Fraction(0)
    for name in names:
        value = figures[name.removeprefix("-")]
        if value is None:
            return None
        total += -Fraction(value) if name.startswith("-") else Fraction(value)
    return total


def _named(names: Sequence[str], figures: Mapping[str, Any]) -> str:
    words = ""
    for name in names:
        sign = " - " if name.startswith("-") else " + " if words else ""
        column = name.removeprefix("-")
        words += f"{sign}{column} {plain(figures[column])}"
    return f"({words})" if len(names) > 1 else words


def _told(measure: Measure, values: Values, of_parts: int) -> str:
    which = f" ({measure.when})" if measure.when else ""
    parts = f"{len(values):,} of {of_parts:,} {measure.parts}{which}" if which else _counted(of_parts, measure.parts)
    if measure.rule == "count":
        return parts
    shown = [plain(v) for v in _there(values)[:_SHOWN]]
    rest = len(_there(values)) - len(shown)
    joined = (" + " if measure.rule in ("sum", "mean") else ", ").join(shown)
    if rest:
        joined += f" … and {rest:,} more"
    if measure.rule == "sum":
        return f"{joined or '0'}, from {parts}"
    if measure.rule == "mean":
        return f"({joined}) / {len(_there(values)):,}, from {parts}" if joined else parts
    word = {"median": "the median", "p90": "the 90th percentile", "distinct": "different ones"}.get(measure.rule)
    if word:
        return f"{word} of {joined}, from {parts}" if joined else parts
    return f"the {measure.rule} {measure.of} of {parts}"


def _counted(number: int, name: str) -> str:
    one = {"people": "person", "entries": "entry", "touches": "touch"}.get(name, name[:-1])
    return f"{number:,} {one if number == 1 else name}"


def plain(value: Any) -> str:
    """A value in an equation."""
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if value == rounded(value, 2) else f"{value.normalize():,f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
