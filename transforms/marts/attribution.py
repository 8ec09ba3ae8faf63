"""marts.attribution: attributed pipeline and revenue by model, month, source and campaign.

Questions it answers:
- How much revenue did each source and campaign bring, under each model?
- How much open pipeline stands on each?
- How much revenue can no touch claim (`unattributed`)?
"""

from transforms.marts.difference import apply_difference
from transforms.work import Work

_CREDIT = """
SELECT model, month_on, lead_source, campaign_id,
  CASE WHEN is_won THEN 0 ELSE coalesce(amount_reporting, 0) END AS pipeline_amount,
  CASE WHEN is_won THEN coalesce(amount_reporting, 0) ELSE 0 END AS revenue_amount,
  CASE WHEN is_won THEN weight ELSE 0 END AS conversion_share, 1 AS credit_count
FROM {rows}
"""
_NAMES = """
UPDATE {marts.attribution} AS t SET campaign_name = c.name FROM (
  SELECT m.campaign_id, k.name FROM (SELECT DISTINCT campaign_id FROM {marts.attribution}) AS m
  LEFT JOIN {core.campaign} AS k ON k.campaign_id = m.campaign_id
) AS c
WHERE c.campaign_id = t.campaign_id AND t.campaign_name IS DISTINCT FROM c.name
"""


def build_attribution(work: Work) -> int:
    """Build marts.attribution from `credit_old` and `credit_new`; returns rows written."""
    rows = apply_difference(
        work,
        "marts.attribution",
        _CREDIT,
        keys=("model", "month_on", "lead_source", "campaign_id"),
        measures={
            "pipeline_amount": "numeric(20, 4)",
            "revenue_amount": "numeric(20, 4)",
            "conversion_share": "numeric(20, 10)",
            "credit_count": "bigint",
        },
        parts="credit",
        whole="core.attribution",
        count="t.credit_count",
    )
    work.run(_NAMES)
    return rows
