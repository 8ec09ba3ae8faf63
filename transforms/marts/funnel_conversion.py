"""marts.funnel_conversion: conversion from stage to stage, by month of entry and source.

Questions it answers:
- Of those who became MQL in a month, how many became SAL, and how fast?
- Where does the funnel lose people, by source?
- How many of a cohort ended as customers?

Two readings, as HubSpot publishes them. Only dates that a vendor tells count, inferred ones do not.
  any_stage   entered: reached the stage; converted: reached any later stage, at or after it
  all_stages  entered: reached the stage after having passed each earlier one that everybody passes; converted: then the
              next one too
Days run to the next stage. The first time that a person reaches a stage counts.
"""

from transforms.marts.person_journey import STAGES
from transforms.work import Work

_STAGE_ROWS = ", ".join(
    f"({i}, '{s}', CASE WHEN '{s}' <> ALL (p.inferred_stages) THEN p.{s}_at END)" for i, s in enumerate(STAGES)
)

# The first stage, subscriber, may be left out: it is not among those that an all_stages path must have passed.
_MART = f"""
WITH reached AS (
  SELECT p.person_id, coalesce(p.lead_source, 'unknown') AS lead_source, s.position, s.stage, s.at, p.customer_at,
    'customer' <> ALL (p.inferred_stages) AND p.customer_at >= s.at AS became_customer,
    lead(s.at) OVER stages AS next_at,
    max(s.at) OVER (stages ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS latest_after,
    bool_and(s.at IS NOT NULL OR s.position = 0) OVER (stages ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      AND s.at >= coalesce(max(s.at) FILTER (WHERE s.position > 0) OVER (
        stages ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), s.at) AS passed_all
  FROM {{marts.person_journey}} AS p CROSS JOIN LATERAL (VALUES {_STAGE_ROWS}) AS s (position, stage, at)
  WINDOW stages AS (PARTITION BY p.person_id ORDER BY s.position)
), entered AS (
  SELECT r.*, 'any_stage' AS reading, coalesce(latest_after >= at, false) AS is_converted FROM reached AS r
  WHERE at IS NOT NULL
  UNION ALL
  SELECT r.*, 'all_stages', coalesce(next_at >= at, false) FROM reached AS r WHERE at IS NOT NULL AND passed_all
), timed AS (
  SELECT e.*, date_trunc('month', at AT TIME ZONE {{zone}})::date AS cohort_on,
    CASE WHEN next_at >= at THEN extract(epoch FROM next_at - at) / 86400 END AS days
  FROM entered AS e
)
SELECT cohort_on, stage, lead_source, reading, count(*)::int AS entered_count,
  count(*) FILTER (WHERE is_converted)::int AS converted_count,
  (count(*) FILTER (WHERE is_converted)::numeric / count(*))::numeric(6, 5) AS conversion_rate,
  (count(*) FILTER (WHERE became_customer)::numeric / count(*))::numeric(6, 5) AS cumulative_rate,
  (percentile_cont(0.5) WITHIN GROUP (ORDER BY days::float8))::numeric(12, 2) AS median_days,
  (percentile_cont(0.9) WITHIN GROUP (ORDER BY days::float8))::numeric(12, 2) AS p90_days
FROM timed GROUP BY cohort_on, stage, lead_source, reading
"""


def build_funnel_conversion(work: Work) -> int:
    """Build marts.funnel_conversion anew from marts.person_journey and write what differs; returns rows written.

    One narrow pass over one row per person: medians cannot be kept up to date by difference.
    """
    work.temp("funnel_new", _MART, index="cohort_on, stage, lead_source, reading")
    return work.refresh("marts.funnel_conversion", "funnel_new")
