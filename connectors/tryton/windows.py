"""Which records changed in a window, and when a record got its state."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from connectors.base.model import Window
from connectors.tryton.rest import Domain
from connectors.tryton.values import Record, marked, parsed


def changed(window: Window, dated: Sequence[str]) -> Domain:
    """The domain of records that changed in the window, themselves or through a record that belongs to them.

    `write_date` is null until the first update; until then `create_date` says when the record got its state.

    Args:
        window: start inclusive, end exclusive.
        dated: dotted links to records whose own dates count.
    """
    start, end = marked(window.start), marked(window.end)
    own: Domain = [
        "OR",
        [["write_date", ">=", start], ["write_date", "<", end]],
        [["write_date", "=", None], ["create_date", ">=", start], ["create_date", "<", end]],
    ]
    return ["OR", own, *(_through(link, own) for link in dated)]


def _through(link: str, domain: Domain) -> Domain:
    for step in reversed(link.split(".")):
        # In a list of its own: Tryton adds a clause of its own to it, which an "OR" in front would swallow.
        domain = [[step, "where", [domain]]]
    return domain


def version_at(record: Record, dated: Sequence[str]) -> datetime | None:
    """The newest date of a plain record and of what belongs to it; None: it has none (rows written past Tryton)."""
    dates = [
        date for each in _with_children(record, dated) if (date := each.get("write_date") or each.get("create_date"))
    ]
    return max(map(parsed, dates), default=None)


def _with_children(record: Record, dated: Sequence[str]) -> Iterator[Record]:
    yield record
    for link in dated:
        found: list[Any] = [record]
        for step in link.split("."):
            found = [child for each in found for child in _listed(each.get(step))]
        yield from found


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
