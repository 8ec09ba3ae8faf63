"""marts.conversion_assists: how often something was on the path to a conversion without being its last touch.

Questions it answers:
- Which content, campaigns, channels and sources help to convert, though another touch gets the last word?
- Which mostly close, and which mostly open?
- How much won revenue did each assist? (Not additive: a deal is assisted by many.)

Each conversion counts once for one asset, campaign, channel or source, however many of its touches were on the path; a
path of one touch has a last touch and no assist.
"""

from transforms.marts.difference import apply_difference
from transforms.work import Work

_TOUCHED = """
SELECT dimension, value, conversion, month_on, is_assist::int AS assist_count, is_last::int AS last_touch_count,
  CASE WHEN is_assist THEN coalesce(amount_reporting, 0) ELSE 0 END AS assisted_amount
FROM {rows}
"""
_LABELS = """
UPDATE {marts.conversion_assists} AS t SET label = n.name FROM (
  SELECT v.dimension, v.value, coalesce(k.name, a.name) AS name
  FROM (SELECT DISTINCT dimension, value FROM {marts.conversion_assists}) AS v
  LEFT JOIN {core.campaign} AS k ON v.dimension = 'campaign' AND k.campaign_id = v.value
  LEFT JOIN {staging.content_asset} AS a ON v.dimension = 'content_asset' AND a.source_id = v.value
) AS n
WHERE n.dimension = t.dimension AND n.value = t.value AND t.label IS DISTINCT FROM n.name
"""


def build_conversion_assists(work: Work) -> int:
    """Build marts.conversion_assists from `conversion_old` and `conversion_new`; returns rows written."""
    rows = apply_difference(
        work,
        "marts.conversion_assists",
        _TOUCHED,
        keys=("dimension", "value", "conversion", "month_on"),
        measures={"assist_count": "int", "last_touch_count": "int", "assisted_amount": "numeric(20, 4)"},
        parts="conversion",
        whole="core.conversion_touch",
        count="t.assist_count + t.last_touch_count",
    )
    work.run(_LABELS)
    return rows
