"""The review job: pairs of people that are probably one, for somebody to decide, or above a set probability at once."""

from typing import NamedTuple

import sqlalchemy as sa

from transforms.identity.likely import PEOPLE, Pair, likely_pairs, read_people
from warehouse import decisions, locks
from warehouse.engine import transaction
from warehouse.tables import core, ops

SHOWN_ABOVE = 0.5
"""Pairs that are less probable than not are not worth a look."""


class Reviewed(NamedTuple):
    """Pairs that wait for somebody, and pairs that were joined at once."""

    waiting: int
    joined: int


def review(engine: sa.Engine, *, accept_above: float | None = None) -> Reviewed:
    """Look for people who are probably one, and put core.identity_review in their place.

    Of two people the most alike records stand for them. Pairs that were decided on are not asked again.

    Args:
        engine: the warehouse, built.
        accept_above: pairs of at least this probability are joined, as by `warehouse.decisions.join`; None: none.
    """
    with locks.held(engine, "identity review"), transaction(engine, isolation="REPEATABLE READ") as connection:
        pairs = _between_people(connection, likely_pairs(read_people(connection), PEOPLE, above=SHOWN_ABOVE))
        joined = 0
        waiting = []
        for pair in pairs:
            if accept_above is not None and pair.probability >= accept_above:
                decisions.join(
                    connection, pair.left, pair.right, f"probability {pair.probability:.4f}, set: {accept_above}"
                )
                joined += 1
            else:
                waiting.append({"source_id": pair.left, "other_source_id": pair.right, "probability": pair.probability})
        connection.execute(core.identity_review.delete())
        if waiting:
            connection.execute(core.identity_review.insert(), waiting)
    return Reviewed(len(waiting), joined)


def waiting(connection: sa.Connection, limit: int | None = None) -> list[dict[str, object]]:
    """Pairs that wait, the most probable first: both records with name, address, number and company."""
    shown = """
        SELECT round(v.probability::numeric, 4) AS probability, v.source_id, a.name, a.email, a.phone, a.company, v.other_source_id,
          b.name AS other_name, b.email AS other_email, b.phone AS other_phone, b.company AS other_company
        FROM core.identity_review AS v
        JOIN record AS a ON a.source_id = v.source_id JOIN record AS b ON b.source_id = v.other_source_id
        ORDER BY v.probability DESC, v.source_id, v.other_source_id LIMIT :limit
    """
    record = """
        WITH record AS (
          SELECT p.source_id, p.full_name AS name, p.email, coalesce(p.mobile_phone, p.phone) AS phone,
            coalesce(a.name, p.company_name) AS company
          FROM staging.person AS p LEFT JOIN staging.account AS a ON a.source_id = p.account_source_id)
    """
    return [dict(row) for row in connection.execute(sa.text(record + shown), {"limit": limit}).mappings()]


def accept(connection: sa.Connection, record: str, other: str, reason: str | None) -> int:
    """Join a pair that waits, or any two; returns the decision's number. Raises SmarketingError as `decisions.join`."""
    number = decisions.join(connection, record, other, reason)
    _done(connection, record, other)
    return number


def reject(connection: sa.Connection, record: str, other: str, reason: str | None) -> int:
    """Keep a pair apart, so that it is not asked again; returns the decision's number."""
    number = decisions.keep_apart(connection, record, other, reason)
    _done(connection, record, other)
    return number


def _done(connection: sa.Connection, record: str, other: str) -> None:
    c = core.identity_review.c
    pair = {record, other}
    connection.execute(core.identity_review.delete().where(c.source_id.in_(pair), c.other_source_id.in_(pair)))


def _between_people(connection: sa.Connection, pairs: list[Pair]) -> list[Pair]:
    """Of each two people the most probable pair of records, without those that somebody has decided on."""
    link, d = core.identity_link.c, ops.identity_decision.c
    person: dict[str, object] = dict(connection.execute(sa.select(link.source_id, link.person_id)).all())
    decided = sa.select(d.source_id, d.value).where(d.withdrawn_at.is_(None), d.verdict.in_(("same", "different")))
    seen = {frozenset((person.get(a), person.get(b))) for a, b in connection.execute(decided)}
    found = []
    for pair in pairs:
        people = frozenset((person.get(pair.left), person.get(pair.right)))
        if None not in people and len(people) > 1 and people not in seen:
            seen.add(people)
            found.append(pair)
    return found
