"""core.attribution: each deal's amount shared among the touches on its path, under each model of the glossary.

Won deals give revenue, open ones pipeline; lost ones give no credit. Weights go by place: first, last, the middle shared
evenly, `only` for a path of one, `two` for a path of two; where a place's share has no touch, it goes to the others pro
rata. Credit is conserved: amounts are shared in whole cents and weights in units of 10^-10, each by the largest remainder
(ties to the earlier touch), so both add up exactly. A deal without an eligible touch goes in full to one row that names the
deal itself and the source `unattributed`.
"""

from decimal import Decimal

from glossary.model import AttributionModel
from transforms.work import Work, quoted

UNIT = 10**10

_DEAL = """
SELECT o.opportunity_id, o.status = 'won' AS is_won, o.amount_reporting,
  coalesce(date_trunc('month', (CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, o.created_at)
    ELSE coalesce(o.created_at, o.closed_at) END) AT TIME ZONE {zone})::date, DATE '1970-01-01') AS month_on,
  CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, 'infinity') ELSE 'infinity' END AS until
FROM pg_temp.affected_credit AS f
JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
WHERE o.status IN ('won', 'open')
"""
_SHARE = """
SELECT {model} AS model, p.*, {share} AS share FROM (
  SELECT p.*, row_number() OVER (PARTITION BY p.opportunity_id ORDER BY p.occurred_at, p.event_id)::int AS position,
    count(*) OVER (PARTITION BY p.opportunity_id)::int AS path_length
  FROM (SELECT p.*, bool_and({skipped}) OVER (PARTITION BY p.opportunity_id) AS all_skipped, {skipped} AS is_skipped
        FROM pg_temp.deal_path AS p JOIN pg_temp.deal_credit AS d ON d.opportunity_id = p.opportunity_id
        WHERE p.occurred_at <= d.until) AS p
  WHERE NOT is_skipped OR all_skipped
) AS p
"""
_CREDIT = """
WITH shared AS ({shares}), exact AS (
  SELECT s.*, d.amount_reporting * 100 AS cents, d.is_won, d.month_on,
    d.amount_reporting * 100 * s.share / sum(s.share) OVER deal AS exact_cents,
    {unit} * s.share / sum(s.share) OVER deal AS exact_units
  FROM shared AS s JOIN pg_temp.deal_credit AS d ON d.opportunity_id = s.opportunity_id
  WHERE s.share > 0 WINDOW deal AS (PARTITION BY s.opportunity_id, s.model)
), rounded AS (
  SELECT e.*, floor(exact_cents) AS whole_cents, floor(exact_units) AS whole_units,
    cents - sum(floor(exact_cents)) OVER deal AS cents_left, {unit} - sum(floor(exact_units)) OVER deal AS units_left,
    row_number() OVER (PARTITION BY opportunity_id, model
      ORDER BY exact_cents - floor(exact_cents) DESC, position) AS cent_rank,
    row_number() OVER (PARTITION BY opportunity_id, model
      ORDER BY exact_units - floor(exact_units) DESC, position) AS unit_rank
  FROM exact AS e WINDOW deal AS (PARTITION BY opportunity_id, model)
)
SELECT opportunity_id, model, event_id, person_id, position, path_length,
  ((whole_units + (unit_rank <= units_left)::int) / {unit})::numeric(12, 10) AS weight,
  ((whole_cents + (cent_rank <= cents_left)::int) / 100)::numeric(20, 4) AS amount_reporting,
  is_won, month_on, coalesce(lead_source, 'unknown') AS lead_source, coalesce(campaign_id, '') AS campaign_id
FROM rounded
UNION ALL
SELECT d.opportunity_id, m.model, d.opportunity_id, NULL, 0, 0, 1, d.amount_reporting, d.is_won, d.month_on,
  'unattributed', ''
FROM pg_temp.deal_credit AS d CROSS JOIN (VALUES {models}) AS m (model)
WHERE NOT EXISTS (
  SELECT FROM pg_temp.deal_path AS p WHERE p.opportunity_id = d.opportunity_id AND p.occurred_at <= d.until)
"""


def build_credit(work: Work) -> int:
    """Build core.attribution for `affected_credit` from `deal_path`; returns rows written.

    Leaves `credit_old` and `credit_new` (rows of core.attribution before and after).
    """
    touched = "opportunity_id IN (SELECT opportunity_id FROM pg_temp.affected_credit)"
    work.temp("credit_old", f"SELECT * FROM {{core.attribution}} WHERE {touched}")
    work.temp("deal_credit", _DEAL, index="opportunity_id")
    models = sorted(work.settings.attribution.values(), key=lambda m: m.name)
    if models:
        shares = " UNION ALL ".join(work.text(_SHARE, **_words(m)) for m in models)
        names = ", ".join(f"({quoted(m.name)})" for m in models)
        work.temp("credit_new", _CREDIT, shares=shares, models=names, unit=f"{UNIT}::numeric")
    else:
        work.temp("credit_new", "SELECT * FROM {core.attribution} WHERE false")
    return work.replace("core.attribution", "pg_temp.credit_new", touched)


def _words(model: AttributionModel) -> dict[str, str]:
    """The pieces of SQL that make one model's shares."""
    skipped = ", ".join(quoted(c) for c in model.skip_channels)
    return {
        "model": quoted(model.name),
        "share": "1" if model.is_even else _by_place(model),
        "skipped": f"coalesce(p.channel IN ({skipped}), false)" if skipped else "false",
    }


def _by_place(model: AttributionModel) -> str:
    first, middle, last = (model.weights.get(place, Decimal(0)) for place in ("first", "middle", "last"))
    two = model.two or {"first": first, "last": last}
    if not two.get("first") and not two.get("last"):
        two = {"first": Decimal(1), "last": Decimal(1)}  # a model of the middle alone has nothing to say of two touches
    return (
        "CASE WHEN path_length = 1 THEN 1"
        f" WHEN path_length = 2 THEN CASE position WHEN 1 THEN {two.get('first', 0)} ELSE {two.get('last', 0)} END"
        f" WHEN position = 1 THEN {first} WHEN position = path_length THEN {last}"
        f" ELSE {middle}::numeric / (path_length - 2) END"
    )
