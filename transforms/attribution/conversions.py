"""core.conversion_touch: what was on the path to each conversion, once per conversion and asset, campaign, channel, source.

Conversions: a person who became lead or MQL (first time, told by a vendor), with the person's own touches before it; a deal
that was created (opportunity) or won (customer), with the deal's path before it. An assist is any touch on the path but the
last; one of many touches counts its asset once (METRICS.md 3).
"""

from transforms.attribution.paths import path_rows
from transforms.work import Work

_TOUCHES = """
WITH person_conversion AS (
  SELECT s.person_id AS conversion_id, s.to_stage AS conversion, min(s.occurred_at) AS converted_at
  FROM pg_temp.stage_new AS s WHERE s.to_stage IN ('lead', 'mql') AND NOT s.is_inferred GROUP BY s.person_id, s.to_stage
), deal_conversion AS (
  SELECT o.opportunity_id AS conversion_id, c.conversion, c.converted_at, c.amount
  FROM pg_temp.affected_credit AS f
  JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
  CROSS JOIN LATERAL (VALUES
    ('opportunity', o.created_at, NULL), ('customer', CASE WHEN o.status = 'won' THEN o.closed_at END, o.amount_reporting)
  ) AS c (conversion, converted_at, amount)
  WHERE c.converted_at IS NOT NULL
), path AS (
  SELECT c.conversion_id, c.conversion, c.converted_at, NULL::numeric AS amount, t.event_id, t.occurred_at, t.channel,
    t.lead_source, t.campaign_id, t.content_asset_id
  FROM person_conversion AS c
  JOIN {core.touchpoint} AS t ON t.person_id = c.conversion_id AND t.occurred_at <= c.converted_at
  UNION ALL
  SELECT c.conversion_id, c.conversion, c.converted_at, c.amount, t.event_id, t.occurred_at, t.channel, t.lead_source,
    t.campaign_id, t.content_asset_id
  FROM deal_conversion AS c
  JOIN {paths} AS t ON t.opportunity_id = c.conversion_id AND t.occurred_at <= c.converted_at
), ranked AS (
  SELECT p.*, 1 = row_number() OVER (
    PARTITION BY conversion_id, conversion ORDER BY occurred_at DESC, event_id DESC) AS is_last
  FROM path AS p
)
SELECT r.conversion_id, r.conversion, d.dimension, d.value,
  date_trunc('month', min(r.converted_at) AT TIME ZONE {zone})::date AS month_on, bool_or(NOT r.is_last) AS is_assist,
  bool_or(r.is_last) AS is_last, max(r.amount)::numeric(20, 4) AS amount_reporting
FROM ranked AS r CROSS JOIN LATERAL (VALUES
  ('content_asset', r.content_asset_id), ('campaign', r.campaign_id), ('channel', r.channel), ('lead_source', r.lead_source)
) AS d (dimension, value)
WHERE d.value <> ''
GROUP BY r.conversion_id, r.conversion, d.dimension, d.value
"""


def build_conversions(work: Work) -> int:
    """Build core.conversion_touch for `affected_events` and `affected_credit`; returns rows written.

    Leaves `conversion_old` and `conversion_new` (rows before and after); a full build leaves neither.
    """
    touched = (
        "conversion_id IN (SELECT person_id FROM pg_temp.affected_events"
        " UNION ALL SELECT opportunity_id FROM pg_temp.affected_credit)"
    )
    if not work.full:
        work.temp("conversion_old", f"SELECT * FROM {{core.conversion_touch}} WHERE {touched}")
    return work.replace(
        "core.conversion_touch", "conversion_new", touched, query=work.text(_TOUCHES, paths=path_rows(work))
    )
