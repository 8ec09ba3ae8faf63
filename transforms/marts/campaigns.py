"""core.campaign: campaigns with the cost in the reporting currency, at the rate of their start.

Small, so it is made anew in every build, and only rows that differ are written. `moved_campaign` names those whose name or
channel changed: the events that show them are rebuilt; a changed cost alone touches no event.
"""

from transforms.work import Work

_CAMPAIGN = """
SELECT c.source_id AS campaign_id, c.name, c.channel, m.lead_source, c.started_on,
  round(c.cost_amount * CASE WHEN c.currency = {reporting} THEN 1 ELSE (
    SELECT r.rate FROM pg_temp.setting_rate AS r
    WHERE r.currency = c.currency AND r.from_on <= coalesce(c.started_on, (c.created_at AT TIME ZONE {zone})::date)
    ORDER BY r.from_on DESC LIMIT 1) END, 2)::numeric(20, 4) AS cost_reporting,
  c.is_deleted
FROM {staging.campaign} AS c LEFT JOIN pg_temp.setting_channel AS m ON m.channel = c.channel
"""
_MOVED = """
SELECT coalesce(n.campaign_id, o.campaign_id) AS campaign_id
FROM pg_temp.campaign_new AS n FULL JOIN {core.campaign} AS o ON o.campaign_id = n.campaign_id
WHERE (n.name, n.channel, n.lead_source) IS DISTINCT FROM (o.name, o.channel, o.lead_source)
"""


def build_campaigns(work: Work) -> int:
    """Build core.campaign; returns rows written. Leaves `moved_campaign` (campaign_id)."""
    work.temp("campaign_new", _CAMPAIGN, index="campaign_id")
    work.temp("moved_campaign", _MOVED)
    return work.refresh("core.campaign", "campaign_new")
