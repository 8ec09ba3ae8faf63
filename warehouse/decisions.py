"""What people decide of who is who: splitting a record off, joining two, taking a decision back.

A decision is a row of ops.identity_decision. It stands beside the evidence and changes none of it, so it survives a build from
nothing and can be withdrawn. Its records are queued, so that the next build goes by it.
"""

import sqlalchemy as sa

from errors import SmarketingError
from warehouse.tables import core, ops

LINKS = (core.identity_link, core.account_link, core.opportunity_link)

_CLOSE = sa.text("""
INSERT INTO ops.identity_decision (verdict, source_id, rule, value, reason)
SELECT 'closed', e.source_id, e.rule, e.value, :reason FROM core.identity_evidence AS e
WHERE e.is_usable AND (
  e.source_id = :record AND e.rule IN ('merge', 'cross_id')
  OR e.value = :record AND e.source_id <> :record AND e.rule IN ('merge', 'cross_id')
  OR e.source_id = :record AND e.rule IN ('email', 'phone', 'name_domain', 'domain', 'deal') AND EXISTS (
    SELECT FROM core.identity_evidence AS o
    WHERE o.kind = e.kind AND o.rule = e.rule AND o.value = e.value AND o.source_id <> e.source_id AND o.is_usable))
ORDER BY e.source_id, e.rule, e.value
RETURNING decision_id, source_id, rule, value
""")
_WITHDRAW_SAME = sa.text("""
UPDATE ops.identity_decision SET withdrawn_at = now()
WHERE verdict = 'same' AND withdrawn_at IS NULL AND :record IN (source_id, value) RETURNING decision_id, source_id, rule, value
""")
_QUEUE = sa.text("""
INSERT INTO ops.staging_change (entity, source_key, load_id)
SELECT DISTINCT e.kind, e.source_key, 0 FROM core.identity_evidence AS e WHERE e.rule = 'self' AND e.source_id = ANY(:records)
""")


def split(connection: sa.Connection, record: str, reason: str | None) -> list[sa.Row[tuple[object, ...]]]:
    """Close all evidence that ties a record to others: after the next build it stands alone, until new evidence comes.

    Args:
        connection: open connection, in whose transaction it happens.
        record: source_id of a person's, account's or deal's record.
        reason: why, for those who read it later.

    Returns:
        What was closed or withdrawn: decision_id, source_id, rule, value.

    Raises:
        SmarketingError: the record is not known, or nothing ties it.
    """
    _group(connection, record)
    done = [*connection.execute(_CLOSE, {"record": record, "reason": reason})]
    done += connection.execute(_WITHDRAW_SAME, {"record": record})
    if not done:
        raise SmarketingError(
            f"Nothing ties {record} to another record.", remedy="`smarketing journey` shows what it is."
        )
    _queue(connection, {record, *(row.source_id for row in done), *(row.value for row in done)})
    return done


def join(connection: sa.Connection, record: str, other: str, reason: str | None) -> int:
    """Decide that two records are one; returns the decision's number.

    Raises:
        SmarketingError: one is not known, they are of two kinds, or one already.
    """
    kind, group = _group(connection, record)
    other_kind, other_group = _group(connection, other)
    if kind != other_kind:
        raise SmarketingError(
            f"{record} and {other} are not of one kind.", remedy="Name two records of people, or two of accounts."
        )
    if group == other_group:
        raise SmarketingError(f"{record} and {other} are one already.", remedy="Nothing is to be done.")
    return _decide(connection, "same", record, other, reason)


def keep_apart(connection: sa.Connection, record: str, other: str, reason: str | None) -> int:
    """Decide that two records are not one, so that nobody is asked again; returns the decision's number.

    Raises:
        SmarketingError: one is not known, or they are one already.
    """
    if _group(connection, record) == _group(connection, other):
        raise SmarketingError(
            f"{record} and {other} are one already.", remedy="`smarketing identity split` parts them."
        )
    return _decide(connection, "different", record, other, reason)


def withdraw(connection: sa.Connection, decision_id: int) -> None:
    """Take a decision back: evidence that was closed counts again, what was joined comes apart.

    Raises:
        SmarketingError: there is no such decision in force.
    """
    d = ops.identity_decision
    found = connection.execute(
        d.update()
        .where(d.c.decision_id == decision_id, d.c.withdrawn_at.is_(None))
        .values(withdrawn_at=sa.func.now())
        .returning(d.c.source_id, d.c.value)
    ).one_or_none()
    if found is None:
        raise SmarketingError(
            f"There is no decision {decision_id} in force.", remedy="`smarketing identity decisions` lists them."
        )
    _queue(connection, set(found))


def _decide(connection: sa.Connection, verdict: str, record: str, other: str, reason: str | None) -> int:
    values = {"verdict": verdict, "source_id": record, "rule": "decision", "value": other, "reason": reason}
    made = connection.execute(
        ops.identity_decision.insert().values(values).returning(ops.identity_decision.c.decision_id)
    )
    _queue(connection, {record, other})
    return int(made.scalar_one())


def _group(connection: sa.Connection, record: str) -> tuple[str, object]:
    for link in LINKS:
        id_ = next(iter(link.c))
        group = connection.scalar(sa.select(id_).where(link.c.source_id == record))
        if group is not None:
            return id_.name, group
    raise SmarketingError(
        f"No record {record} is known.",
        remedy="Give a source id such as hubspot:contacts:101; `smarketing journey` lists those of a person.",
    )


def _queue(connection: sa.Connection, records: set[str]) -> None:
    connection.execute(_QUEUE, {"records": sorted(records)})
