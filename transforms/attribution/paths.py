"""The path of touches that led to each deal.

Eligible are the touches of the deal's people; of all people of its account where no person is named. A touch counts once
per deal, for the main contact where several people shared it. Ties are ordered by (occurred_at, event_id). A touch at the
very time of a conversion counts, one after it does not; a deal that is open takes every touch so far.
"""

from transforms.work import Work

_PATH = """
WITH people AS (
  SELECT o.opportunity_id, p.person_id, p.is_primary FROM pg_temp.affected_credit AS f
  JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
  JOIN {core.opportunity_person} AS p ON p.opportunity_id = o.opportunity_id
  UNION ALL
  SELECT o.opportunity_id, p.person_id, false FROM pg_temp.affected_credit AS f
  JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted
  JOIN {core.person} AS p ON p.account_id = o.account_id
  WHERE NOT EXISTS (SELECT FROM {core.opportunity_person} AS x WHERE x.opportunity_id = o.opportunity_id)
)
SELECT DISTINCT ON (p.opportunity_id, t.event_id) p.opportunity_id, t.event_id, p.person_id, t.occurred_at, t.channel,
  t.lead_source, t.campaign_id, t.content_asset_id
FROM people AS p JOIN {core.touchpoint} AS t ON t.person_id = p.person_id
ORDER BY p.opportunity_id, t.event_id, p.is_primary DESC, p.person_id
"""


def find_paths(work: Work) -> None:
    """Make `deal_path` with the touches of the deals in `affected_credit`."""
    work.temp("deal_path", _PATH, index="opportunity_id, occurred_at, event_id")
