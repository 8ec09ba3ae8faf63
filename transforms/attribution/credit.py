"""core.attribution: each deal's amount shared among the touches on its path, under each model of the glossary.

Won deals give revenue, open ones pipeline; lost ones give no credit. A model weighs places on the path (first, last, the
touches that made the lead, the deal and the customer), all touches alike, channels alike, or touches by age. One touch in
several places takes their weights together; the weight of a place that no touch holds, and the middle's share where no touch
is in the middle, go to the other places pro rata; where no touch holds any place, all share alike.

Credit is conserved: amounts are shared in whole cents by the largest remainder (ties to the earlier touch), weights in units of
10^-10 by rounding what the path has come to so far, so both add up exactly. A deal without an eligible touch goes in full to
one row that names the deal itself and the source `unattributed`.
"""

from itertools import groupby

from glossary.model import AttributionModel
from transforms.attribution.paths import path_rows
from transforms.changes import OF_AFFECTED_CREDIT
from transforms.work import Work, quoted

_UNIT = f"{10**10}::numeric"

_DEAL = """
SELECT o.opportunity_id, o.account_id, o.status = 'won' AS is_won, o.amount_reporting, o.created_at,
  coalesce(date_trunc('month', (CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, o.created_at)
    ELSE coalesce(o.created_at, o.closed_at) END) AT TIME ZONE {zone})::date, DATE '1970-01-01') AS month_on,
  CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, 'infinity') ELSE 'infinity' END AS until
FROM pg_temp.affected_credit AS f
JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
WHERE o.status IN ('won', 'open')
"""
_PLACED = """
SELECT p.*, row_number() OVER (PARTITION BY opportunity_id ORDER BY occurred_at, event_id)::int AS position,
  count(*) OVER deal::int AS path_length{measures}
FROM (
  SELECT p.*, d.is_won, d.created_at, d.account_id, d.month_on, d.amount_reporting{skips}
  FROM {paths} AS p JOIN pg_temp.deal_credit AS d ON d.opportunity_id = p.opportunity_id
  WHERE p.occurred_at <= d.until
) AS p WHERE {counted}
WINDOW deal AS (PARTITION BY opportunity_id)
"""
_COLUMNS = """opportunity_id, model, event_id, person_id, account_id, position, path_length,
  (own_units / {unit})::numeric(12, 10) AS weight, (own_cents / 100)::numeric(20, 4) AS amount_reporting,
  is_won, month_on, coalesce(lead_source, 'unknown') AS lead_source, channel, coalesce(campaign_id, '') AS campaign_id,
  content_asset_id"""
# What touches that are all alike get follows from place and length: nothing need be weighed or ranked.
_EVEN = f"""
SELECT {_COLUMNS} FROM (
  SELECT m.model, {{kept}},
    round({{unit}} * position / path_length) - round({{unit}} * (position - 1) / path_length) AS own_units,
    floor(amount_reporting * 100 / path_length)
      + (position <= amount_reporting * 100 - path_length * floor(amount_reporting * 100 / path_length))::int AS own_cents
  FROM ({{placed}}) AS p CROSS JOIN (VALUES {{models}}) AS m (model)
) AS e
"""
_WEIGHED = """
SELECT m.*, {kept} FROM ({placed}) AS p
CROSS JOIN LATERAL (VALUES {models}) AS m (model, weight, is_other, named, rest) WHERE m.weight > 0 OR m.is_other
"""
_RANKED = f"""
SELECT {_COLUMNS} FROM (
  WITH weighed AS ({{weighed}}), shared AS (
    SELECT w.*, CASE
      WHEN held = 0 THEN is_other::int / others
      WHEN others = 0 THEN weight / held
      ELSE weight * named / held + is_other::int * rest / others END AS share
    FROM (
      SELECT w.*, sum(weight) OVER deal AS held, (count(*) FILTER (WHERE is_other) OVER deal)::numeric AS others
      FROM weighed AS w WINDOW deal AS (PARTITION BY opportunity_id, model)
    ) AS w
  ), exact AS (
    -- A trifle less than exact: what is exact to the cent must never be taken for a cent more.
    SELECT s.*, s.amount_reporting * 100 AS cents, s.amount_reporting * 100 * s.share - 1e-9 AS exact_cents,
      round({{unit}} * sum(share) OVER (PARTITION BY opportunity_id, model ORDER BY position)) AS units
    FROM shared AS s WHERE s.share > 0
  ), rounded AS (
    SELECT e.*, floor(exact_cents) AS whole_cents, cents - sum(floor(exact_cents)) OVER deal AS cents_left,
      row_number() OVER (PARTITION BY opportunity_id, model
        ORDER BY exact_cents - floor(exact_cents) DESC, position) AS cent_rank,
      units - coalesce(lag(units) OVER (PARTITION BY opportunity_id, model ORDER BY position), 0) AS own_units
    FROM exact AS e WINDOW deal AS (PARTITION BY opportunity_id, model)
  )
  SELECT r.*, whole_cents + (cent_rank <= cents_left)::int AS own_cents FROM rounded AS r
) AS r
"""
_UNATTRIBUTED = """
SELECT d.opportunity_id, m.model, d.opportunity_id, NULL, d.account_id, 0, 0, 1, d.amount_reporting, d.is_won, d.month_on,
  'unattributed', NULL, '', NULL
FROM pg_temp.deal_credit AS d CROSS JOIN (VALUES {models}) AS m (model)
WHERE NOT EXISTS (
  SELECT FROM {paths} AS p WHERE p.opportunity_id = d.opportunity_id AND p.occurred_at <= d.until)
"""
_KEPT = """p.opportunity_id, p.event_id, p.person_id, p.account_id, p.position, p.path_length, p.is_won, p.month_on,
  p.amount_reporting, p.lead_source, p.channel, p.campaign_id, p.content_asset_id"""
_MEASURES = {
    "at_lead": "count(*) FILTER (WHERE occurred_at <= first_lead_at) OVER deal",
    "at_opportunity": "count(*) FILTER (WHERE occurred_at <= created_at) OVER deal",
    "last_at": "max(occurred_at) OVER deal",
    "in_channel": "count(*) OVER (PARTITION BY opportunity_id, channel)",
}
"""What models may ask of a path besides place and length: name -> expression. Only what is asked is worked out."""

_HOLDS = {
    "first": "position = 1",
    "last": "position = path_length",
    "lead": "position = at_lead",
    "opportunity": "position = at_opportunity",
    "customer": "is_won AND position = path_length",
}
"""place -> whether a touch holds it."""


def build_credit(work: Work) -> int:
    """Build core.attribution for `affected_credit` from the paths; returns rows written.

    Leaves `credit_old` and `credit_new` (rows of core.attribution before and after); a full build leaves neither.
    """
    if not work.full:
        work.temp("credit_old", f"SELECT * FROM {{core.attribution}} WHERE {OF_AFFECTED_CREDIT}")
    work.temp("deal_credit", _DEAL, index="opportunity_id")
    models = sorted(work.settings.attribution.models.values(), key=lambda m: (m.skip_channels, m.name))
    query = "SELECT * FROM {core.attribution} WHERE false"
    if models:
        paths = path_rows(work)
        parts = [_UNATTRIBUTED.format(models=_named(models), paths=paths)]
        weighed = []
        for skipped, group in groupby(models, key=lambda m: m.skip_channels):
            same = list(group)
            if even := [m for m in same if m.is_even]:
                placed = _placed(paths, skipped, "")
                parts.append(_EVEN.format(kept=_KEPT, placed=placed, models=_named(even), unit=_UNIT))
            if uneven := [m for m in same if not m.is_even]:
                values = ", ".join(f"({quoted(m.name)}, {_weight(m)})" for m in uneven)
                weighed.append(_WEIGHED.format(kept=_KEPT, placed=_placed(paths, skipped, values), models=values))
        if weighed:
            parts.append(_RANKED.format(weighed=" UNION ALL ".join(weighed), unit=_UNIT))
        query = work.text(" UNION ALL ".join(reversed(parts)))
    return work.replace("core.attribution", "credit_new", OF_AFFECTED_CREDIT, query=query)


def _named(models: list[AttributionModel]) -> str:
    return ", ".join(f"({quoted(m.name)})" for m in models)


def _placed(paths: str, skip_channels: tuple[str, ...], values: str) -> str:
    """SQL: the touches that models which skip these channels look at, in their places, with what `values` ask of them."""
    skipped = ", ".join(quoted(c) for c in skip_channels)
    is_skipped = f"coalesce(p.channel IN ({skipped}), false)"
    asked = [name for name in _MEASURES if name in values]
    per_deal = "min(p.lead_at) OVER (PARTITION BY p.opportunity_id) AS first_lead_at" if "at_lead" in asked else ""
    skips = f"{is_skipped} AS is_skipped, bool_and({is_skipped}) OVER (PARTITION BY p.opportunity_id) AS all_skipped"
    return _PLACED.format(
        paths=paths,
        measures="".join(f", {_MEASURES[name]} AS {name}" for name in asked),
        skips="".join(f", {part}" for part in (per_deal, skips if skipped else "") if part),
        counted="NOT is_skipped OR all_skipped" if skipped else "true",
    )


def _weight(model: AttributionModel) -> str:
    """weight, is_other, named, rest: a touch's weight by its places, whether it holds none, and what both kinds get in all."""
    if model.half_life_days is not None:
        days = "extract(epoch FROM last_at - occurred_at)::float8 / 86400"
        return f"power(2::float8, -({days}) / {model.half_life_days})::numeric, false, 1::numeric, 0::numeric"
    if model.by_channel:
        return "1::numeric / in_channel, false, 1::numeric, 0::numeric"
    named = {place: weight for place, weight in model.weights.items() if place != "middle"}
    rest = 1 - sum(named.values())
    weight = " + ".join(f"CASE WHEN {_HOLDS[place]} THEN {weight} ELSE 0 END" for place, weight in named.items()) or "0"
    held = " OR ".join(f"({_HOLDS[place]})" for place in named) or "false"
    # First and last are always held: without a rest to share, no other touch can get anything.
    is_other = "false" if not rest and {"first", "last"} & named.keys() else f"NOT coalesce({held}, false)"
    return f"({weight})::numeric, {is_other}, {sum(named.values())}::numeric, {rest}::numeric"
