"""marts.person_journey: one person's journey in one row.

Questions it answers:
- Where did this person come from, and what was the first and the last touch?
- When did the person reach each funnel stage, and which of these dates are inferred?
- How long after the hand-over did sales first act?
- What became of the person: customer, open, lost, disqualified, recycled, or none of these?

Outcome, first that holds: customer (was one, or has a won deal); open (has an open deal); disqualified or recycled (last
stage); lost (has only lost deals); open (has reached lead or more); none.
"""

from transforms.work import Work

STAGES = ("subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer")
"""Stages that have a column of their own, in order."""

_FIRST_DATES = ", ".join(f"min(occurred_at) FILTER (WHERE to_stage = '{s}') AS {s}_at" for s in STAGES)
_STAGE_COLUMNS = ", ".join(f"s.{s}_at" for s in STAGES)

_PERSON = f"""
WITH journey AS (
  SELECT j.person_id, j.sequence_number, j.occurred_at, j.is_touchpoint, j.team, j.lead_source, j.campaign_id
  FROM pg_temp.affected_summary AS f JOIN {{marts.customer_journey}} AS j ON j.person_id = f.person_id
), passed AS MATERIALIZED (
  SELECT n.person_id, n.event_id, n.occurred_at, n.to_stage, n.is_inferred, g.position, g.is_main
  FROM pg_temp.affected_summary AS f JOIN {{core.stage_change}} AS n ON n.person_id = f.person_id
  JOIN pg_temp.setting_stage AS g ON g.stage = n.to_stage
), stage AS (
  SELECT person_id, {_FIRST_DATES},
    min(occurred_at) FILTER (WHERE to_stage = 'mql' AND NOT is_inferred) AS handed_over_at,
    (array_agg(to_stage ORDER BY occurred_at DESC, position DESC, event_id DESC))[1] AS last_stage,
    (array_agg(to_stage ORDER BY is_main DESC, position DESC))[1] AS furthest,
    max(position) FILTER (WHERE is_main) AS furthest_position
  FROM passed GROUP BY person_id
), inferred AS (
  SELECT person_id, array_agg(to_stage ORDER BY position) AS stages FROM (
    SELECT DISTINCT ON (person_id, to_stage) person_id, to_stage, is_inferred, position
    FROM passed ORDER BY person_id, to_stage, occurred_at, event_id) AS first
  WHERE is_inferred GROUP BY person_id
), event AS (
  SELECT e.person_id, count(*)::int AS event_count, count(*) FILTER (WHERE is_touchpoint)::int AS touch_count,
    count(*) FILTER (WHERE is_touchpoint AND team = 'marketing')::int AS marketing_touch_count,
    count(*) FILTER (WHERE is_touchpoint AND team = 'sales')::int AS sales_touch_count,
    min(occurred_at) FILTER (WHERE is_touchpoint) AS first_touch_at,
    max(occurred_at) FILTER (WHERE is_touchpoint) AS last_touch_at,
    min(occurred_at) FILTER (WHERE is_touchpoint AND team = 'sales' AND occurred_at >= s.handed_over_at)
      AS first_sales_touch_at
  FROM journey AS e LEFT JOIN stage AS s ON s.person_id = e.person_id GROUP BY e.person_id
), first_touch AS (
  SELECT DISTINCT ON (person_id) person_id, lead_source FROM journey WHERE is_touchpoint
  ORDER BY person_id, sequence_number
), first_campaign AS (
  SELECT DISTINCT ON (person_id) person_id, campaign_id FROM journey
  WHERE is_touchpoint AND campaign_id IS NOT NULL ORDER BY person_id, sequence_number
), deal AS (
  SELECT f.person_id, count(*)::int AS deal_count, count(*) FILTER (WHERE o.status = 'won')::int AS won_deal_count,
    count(*) FILTER (WHERE o.status = 'open')::int AS open_deal_count,
    sum(o.amount_reporting) FILTER (WHERE o.status = 'won' AND op.is_primary) AS revenue_amount
  FROM pg_temp.affected_summary AS f JOIN {{core.opportunity_person}} AS op ON op.person_id = f.person_id
  JOIN {{core.opportunity}} AS o ON o.opportunity_id = op.opportunity_id AND NOT o.is_deleted GROUP BY f.person_id
), reason AS (
  SELECT DISTINCT ON (f.person_id) f.person_id, r.disqualified_reason
  FROM pg_temp.affected_summary AS f JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
  JOIN {{staging.person}} AS r ON r.source_id = l.source_id AND r.disqualified_reason <> ''
  LEFT JOIN pg_temp.setting_system AS y ON y.system = r.source_system
  ORDER BY f.person_id, r.is_deleted, coalesce(y.priority, 99), r.version_at DESC, r.source_id COLLATE "C"
)
SELECT p.person_id, p.account_id, p.full_name, p.email,
  CASE WHEN p.lead_source IS NULL OR p.lead_source = 'unmapped' THEN coalesce(ft.lead_source, p.lead_source)
    ELSE p.lead_source END AS lead_source,
  ft.lead_source AS first_touch_source, e.first_touch_at, e.last_touch_at, fc.campaign_id AS first_campaign_id,
  CASE WHEN coalesce(g.position, 0) * g.is_main::int >= coalesce(s.furthest_position, 0) THEN p.funnel_stage
    ELSE s.furthest END AS funnel_stage,
  {_STAGE_COLUMNS}, coalesce(i.stages, '{{{{}}}}') AS inferred_stages, s.handed_over_at, e.first_sales_touch_at,
  CASE WHEN s.customer_at IS NOT NULL OR d.won_deal_count > 0 THEN 'customer'
    WHEN d.open_deal_count > 0 THEN 'open'
    WHEN s.last_stage IN ('disqualified', 'recycled') THEN s.last_stage
    WHEN d.deal_count > 0 THEN 'lost'
    WHEN s.lead_at IS NOT NULL THEN 'open' ELSE 'none' END AS outcome,
  reason.disqualified_reason, coalesce(e.event_count, 0) AS event_count, coalesce(e.touch_count, 0) AS touch_count,
  coalesce(e.marketing_touch_count, 0) AS marketing_touch_count, coalesce(e.sales_touch_count, 0) AS sales_touch_count,
  coalesce(d.deal_count, 0) AS deal_count, coalesce(d.won_deal_count, 0) AS won_deal_count,
  coalesce(d.revenue_amount, 0)::numeric(20, 4) AS revenue_amount, p.system_count
FROM pg_temp.affected_summary AS f JOIN {{core.person}} AS p ON p.person_id = f.person_id
LEFT JOIN pg_temp.setting_stage AS g ON g.stage = p.funnel_stage
LEFT JOIN stage AS s ON s.person_id = p.person_id
LEFT JOIN inferred AS i ON i.person_id = p.person_id
LEFT JOIN event AS e ON e.person_id = p.person_id
LEFT JOIN first_touch AS ft ON ft.person_id = p.person_id
LEFT JOIN first_campaign AS fc ON fc.person_id = p.person_id
LEFT JOIN deal AS d ON d.person_id = p.person_id
LEFT JOIN reason ON reason.person_id = p.person_id
"""


def build_person_journey(work: Work) -> int:
    """Build marts.person_journey for `affected_summary` from marts.customer_journey and core.stage_change; returns rows written."""
    work.temp("person_journey_new", _PERSON, index="person_id")
    return work.replace(
        "marts.person_journey",
        "person_journey_new",
        "person_id IN (SELECT person_id FROM pg_temp.affected_summary)",
    )
