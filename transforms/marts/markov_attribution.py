"""marts.markov_attribution: what would be lost without a channel or source, by the Markov model over all closed deals.

Questions it answers:
- Which channels would cost most wins if they were not there, the last touch or not?
- How much revenue stands on each by that measure?

It is one figure over all paths: a deal more changes every share, so it is worked out anew from all paths, in SQL but for the
few equations at the end. Deals that are open have no end yet and are left out; won deals without a touch are unattributed.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Any

import sqlalchemy as sa

from transforms.attribution.markov import LOST, START, WON, Effect, removal_effects
from transforms.work import Work
from warehouse.tables import marts

DIMENSIONS = ("channel", "lead_source")

_STEPS = f"""
WITH step AS MATERIALIZED (
  SELECT t.opportunity_id, lead(t.event_id) OVER told IS NULL AS is_last,
    CASE o.status WHEN 'won' THEN '{WON}' ELSE '{LOST}' END AS fate,
    {{values}}, {{before}}
  FROM {{core.opportunity_touch}} AS t
  JOIN {{core.opportunity}} AS o ON o.opportunity_id = t.opportunity_id AND NOT o.is_deleted AND o.status IN ('won', 'lost')
  WINDOW told AS (PARTITION BY t.opportunity_id ORDER BY t.occurred_at, t.event_id)
)
{{counts}}
"""
_COUNTS = f"""
SELECT '{{0}}', coalesce({{0}}_before, '{START}'), {{0}}, count(*) FROM step GROUP BY 2, 3
UNION ALL
SELECT '{{0}}', {{0}}, fate, count(*) FROM step WHERE is_last GROUP BY 2, 3
UNION ALL
SELECT '{{0}}', {{0}}, NULL, count(*) FROM (SELECT DISTINCT opportunity_id, {{0}} FROM step) AS deal GROUP BY 2
"""
_WON = """
SELECT EXISTS (SELECT FROM {core.opportunity_touch} AS t WHERE t.opportunity_id = o.opportunity_id) AS has_path, count(*),
  coalesce(sum(round(o.amount_reporting, 2)), 0)
FROM {core.opportunity} AS o WHERE o.status = 'won' AND NOT o.is_deleted GROUP BY 1
"""
_UNIT = Decimal(10) ** -10
_CENT = Decimal("0.01")


def build_markov_attribution(work: Work) -> int:
    """Build marts.markov_attribution where any deal's path may have changed; returns rows written."""
    if not work.full and not work.count("affected_credit"):
        return 0
    won = {has_path: (count, amount) for has_path, count, amount in _rows(work, _WON)}
    steps: dict[str, dict[tuple[str, str], int]] = {dimension: {} for dimension in DIMENSIONS}
    deals: dict[str, dict[str, int]] = {dimension: {} for dimension in DIMENSIONS}
    for dimension, value, then, count in _counts(work):
        if then is None:
            deals[dimension][value] = count
        else:
            steps[dimension][value, then] = count
    rows = [row for dimension in DIMENSIONS for row in _of(dimension, steps[dimension], deals[dimension], won)]
    work.temp("markov_new", "SELECT * FROM {marts.markov_attribution} WHERE false")
    if rows:
        table = sa.table("markov_new", *(sa.column(c.name) for c in marts.markov_attribution.columns), schema="pg_temp")
        work.connection.execute(sa.insert(table), rows)
    return work.refresh("marts.markov_attribution", "markov_new")


def _counts(work: Work) -> list[tuple[Any, ...]]:
    """By dimension, how many steps lead from one value to the next, and (none next) how many deals have the value at all."""
    value = "coalesce(t.{0}, 'unknown')"
    return _rows(
        work,
        _STEPS,
        values=", ".join(f"{value.format(d)} AS {d}" for d in DIMENSIONS),
        before=", ".join(f"lag({value.format(d)}) OVER told AS {d}_before" for d in DIMENSIONS),
        counts=" UNION ALL ".join(_COUNTS.format(d) for d in DIMENSIONS),
    )


def _of(
    dimension: str, steps: dict[tuple[str, str], int], deals: dict[str, int], won: dict[bool, tuple[int, Decimal]]
) -> list[dict[str, object]]:
    effects = removal_effects(steps)
    count, amount = won.get(True, (0, Decimal(0)))
    shares = apportion(Decimal(1), effects, _UNIT)
    amounts = apportion(amount, effects, _CENT)
    rows: list[dict[str, object]] = [
        {
            "dimension": dimension,
            "value": value,
            "deal_count": deals[value],
            "removal_effect": round(Decimal(effect.removal), 10),
            "share": shares[value],
            "conversion_share": shares[value] * count,
            "revenue_amount": amounts[value],
        }
        for value, effect in effects.items()
    ]
    if False in won:
        count, amount = won[False]
        nobody = {"value": "unattributed", "deal_count": count, "removal_effect": None, "share": None}
        rows.append({"dimension": dimension, **nobody, "conversion_share": count, "revenue_amount": amount})
    return rows


def apportion(total: Decimal, effects: dict[str, Effect], unit: Decimal) -> dict[str, Decimal]:
    """A total shared by the effects in whole units, by the largest remainder; it is conserved where any effect is above 0."""
    exact = {name: total * Decimal(effect.share) / unit for name, effect in effects.items()}
    whole = {name: value.to_integral_value(ROUND_FLOOR) for name, value in exact.items()}
    left = int(total / unit - sum(whole.values())) if any(exact.values()) else 0
    for name in sorted(exact, key=lambda n: (whole[n] - exact[n], n))[:left]:
        whole[name] += 1
    return {name: value * unit for name, value in whole.items()}


def _rows(work: Work, statement: str, **literals: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in work.connection.exec_driver_sql(work.text(statement, **literals))]
