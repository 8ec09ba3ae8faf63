"""marts.opportunity_influence: who can claim each deal: sourced, in three readings, and influenced.

Questions it answers:
- How many deals, and how much pipeline and revenue, did marketing source, by the field, by the first touch, and by a
  marketing touch before the first sales activity?
- How many did it influence, before they were created and before they closed?

One row per deal: totals over any grouping are counts of deals, each once, never sums over channels (METRICS.md 3).
"""

from transforms.attribution.paths import path_rows
from transforms.changes import OF_AFFECTED_CREDIT
from transforms.work import Work

_INFLUENCE = """
SELECT o.opportunity_id, o.account_id, o.status, o.amount_reporting, o.created_at, o.closed_at,
  coalesce(o.lead_source, 'unknown') AS field_source, coalesce(t.first_touch_source, 'unattributed') AS first_touch_source,
  coalesce(t.first_marketing_at < coalesce(t.first_sales_at, 'infinity'), false) AS is_marketing_sourced,
  coalesce(t.first_marketing_at <= o.created_at, false) AS is_influenced_before_creation,
  t.first_marketing_at IS NOT NULL AS is_influenced_before_close, t.first_marketing_at, t.first_sales_at,
  coalesce(t.marketing_touch_count, 0)::int AS marketing_touch_count,
  coalesce(t.sales_touch_count, 0)::int AS sales_touch_count, coalesce(t.person_count, 0)::int AS person_count
FROM pg_temp.affected_credit AS f
JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
LEFT JOIN (
  SELECT opportunity_id, (array_agg(coalesce(lead_source, 'unknown') ORDER BY occurred_at, event_id))[1] AS first_touch_source,
    min(occurred_at) FILTER (WHERE team = 'marketing') AS first_marketing_at,
    min(occurred_at) FILTER (WHERE team = 'sales') AS first_sales_at,
    count(*) FILTER (WHERE team = 'marketing') AS marketing_touch_count,
    count(*) FILTER (WHERE team = 'sales') AS sales_touch_count, count(DISTINCT person_id) AS person_count
  FROM {paths} GROUP BY opportunity_id
) AS t ON t.opportunity_id = o.opportunity_id
"""


def build_opportunity_influence(work: Work) -> int:
    """Build marts.opportunity_influence for `affected_credit` from the paths; returns rows written."""
    return work.replace(
        "marts.opportunity_influence",
        "influence_new",
        OF_AFFECTED_CREDIT,
        query=work.text(_INFLUENCE, paths=path_rows(work)),
    )
