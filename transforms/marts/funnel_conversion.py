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
_ENTRIES = f"""
WITH reached AS (
  SELECT p.person_id, coalesce(p.lead_source, 'unknown') AS lead_source, s.position, s.stage, s.at,
    coalesce('customer' <> ALL (p.inferred_stages) AND p.customer_at >= s.at, false) AS became_customer,
    lead(s.at) OVER stages AS next_at,
    max(s.at) OVER (stages ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS latest_after,
    bool_and(s.at IS NOT NULL OR s.position = 0) OVER (stages ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      AND s.at >= coalesce(max(s.at) FILTER (WHERE s.position > 0) OVER (
        stages ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), s.at) AS passed_all
  FROM pg_temp.person_journey_new AS p CROSS JOIN LATERAL (VALUES {_STAGE_ROWS}) AS s (position, stage, at)
  WINDOW stages AS (PARTITION BY p.person_id ORDER BY s.position)
)
SELECT r.person_id, r.stage, way.reading, date_trunc('month', r.at AT TIME ZONE {{zone}})::date AS cohort_on, r.lead_source,
  CASE way.reading WHEN 'any_stage' THEN coalesce(r.latest_after >= r.at, false) ELSE coalesce(r.next_at >= r.at, false) END
    AS is_converted,
  r.became_customer,
  CASE WHEN r.next_at >= r.at THEN extract(epoch FROM r.next_at - r.at) / 86400 END::numeric(14, 4) AS days
FROM reached AS r CROSS JOIN (VALUES ('any_stage'), ('all_stages')) AS way (reading)
WHERE r.at IS NOT NULL AND (way.reading = 'any_stage' OR r.passed_all)
"""
_TOUCHED = """
SELECT DISTINCT cohort_on, stage, lead_source, reading FROM (
  (SELECT * FROM pg_temp.funnel_entry_new EXCEPT SELECT * FROM pg_temp.funnel_entry_old)
  UNION ALL
  (SELECT * FROM pg_temp.funnel_entry_old EXCEPT SELECT * FROM pg_temp.funnel_entry_new)
) AS e
"""
_MART = """
SELECT e.cohort_on, e.stage, e.lead_source, e.reading, count(*)::int AS entered_count,
  count(*) FILTER (WHERE is_converted)::int AS converted_count,
  (count(*) FILTER (WHERE is_converted)::numeric / count(*))::numeric(6, 5) AS conversion_rate,
  (count(*) FILTER (WHERE became_customer)::numeric / count(*))::numeric(6, 5) AS cumulative_rate,
  (percentile_cont(0.5) WITHIN GROUP (ORDER BY days::float8))::numeric(12, 2) AS median_days,
  (percentile_cont(0.9) WITHIN GROUP (ORDER BY days::float8))::numeric(12, 2) AS p90_days
FROM {groups} AS e GROUP BY e.cohort_on, e.stage, e.lead_source, e.reading
"""
_GROUP = "({0}.cohort_on, {0}.stage, {0}.lead_source, {0}.reading)"


def build_funnel_conversion(work: Work) -> int:
    """Build core.funnel_entry for `affected_summary` and the cohorts in which an entry changed; returns rows written.

    A median cannot be kept up to date by difference, so a cohort is read again in whole, but only if an entry of it changed:
    most changes of a person (a touch, a title) change none.
    """
    mine = "t.person_id IN (SELECT person_id FROM pg_temp.affected_summary)"
    work.temp("funnel_entry_new", _ENTRIES, index="person_id, stage, reading")
    work.temp("funnel_entry_old", f"SELECT * FROM {{core.funnel_entry}} AS t WHERE {mine}")
    work.refresh("core.funnel_entry", "funnel_entry_new", mine)
    groups = work.text("{core.funnel_entry}")
    where = "true"
    if not work.full:
        work.temp("funnel_touched", _TOUCHED)
        same = " AND ".join(f"g.{c} = e.{c}" for c in ("cohort_on", "stage", "lead_source", "reading"))
        groups = f"(SELECT e.* FROM pg_temp.funnel_touched AS g JOIN {groups} AS e ON {same})"
        where = f"{_GROUP.format('t')} IN (SELECT {_GROUP.format('g')[1:-1]} FROM pg_temp.funnel_touched AS g)"
    work.temp("funnel_new", _MART, index="cohort_on, stage, lead_source, reading", groups=groups)
    return work.refresh("marts.funnel_conversion", "funnel_new", where)
