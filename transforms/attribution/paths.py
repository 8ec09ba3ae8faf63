"""core.opportunity_touch: the path of touches that led to each deal.

Whose touches are eligible, and how old they may be, is a setting (`path` in glossary/attribution.yml). A touch counts once
per deal, for the main contact where several people shared it. Ties are ordered by (occurred_at, event_id). A touch at the
very time of a conversion counts, one after it does not: the path of a deal ends with its close, that of an open one takes
every touch so far.
"""

from glossary.model import AttributionPath
from transforms.changes import OF_AFFECTED_CREDIT
from transforms.work import Work, columns_of
from warehouse.tables import core

_DEAL = "pg_temp.affected_credit AS f JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id AND NOT o.is_deleted"
_OF_DEAL = (
    f"SELECT o.opportunity_id, p.person_id, p.is_primary FROM {_DEAL}"
    " JOIN {core.opportunity_person} AS p ON p.opportunity_id = o.opportunity_id"
)
_OF_ACCOUNT = (
    f"SELECT o.opportunity_id, p.person_id, false FROM {_DEAL} JOIN {{core.person}} AS p ON p.account_id = o.account_id"
)
_PEOPLE = {
    "account": f"{_OF_DEAL} UNION ALL {_OF_ACCOUNT} WHERE NOT EXISTS (SELECT FROM {{core.opportunity_person}} AS x"
    " WHERE x.opportunity_id = o.opportunity_id AND x.person_id = p.person_id)",
    "roles": f"{_OF_DEAL} UNION ALL {_OF_ACCOUNT} WHERE NOT EXISTS ("
    "SELECT FROM {core.opportunity_person} AS x WHERE x.opportunity_id = o.opportunity_id)",
    "primary": f"{_OF_DEAL} WHERE p.is_primary",
}
"""eligible -> opportunity_id, person_id, is_primary."""

_PATH = """
WITH people AS MATERIALIZED ({people}), lead AS (
  -- A lead is expected of everybody: where no history tells of one, it is inferred before what proves it.
  SELECT s.person_id, min(s.occurred_at) AS lead_at FROM {core.stage_change} AS s
  WHERE s.to_stage = 'lead'{of_people} GROUP BY s.person_id
)
SELECT DISTINCT ON (p.opportunity_id, t.event_id) p.opportunity_id, t.event_id, p.person_id, t.occurred_at, t.team,
  t.channel, t.lead_source, t.campaign_id, t.content_asset_id, l.lead_at
FROM people AS p
JOIN {core.opportunity} AS o ON o.opportunity_id = p.opportunity_id
JOIN {core.touchpoint} AS t ON t.person_id = p.person_id
LEFT JOIN lead AS l ON l.person_id = p.person_id
WHERE t.occurred_at <= CASE WHEN o.status IN ('won', 'lost') THEN coalesce(greatest(o.closed_at, o.created_at), 'infinity')
    ELSE 'infinity' END{limits}
ORDER BY p.opportunity_id, t.event_id, p.is_primary DESC, p.person_id
"""


_SAME_DEALS = """
DELETE FROM pg_temp.affected_credit AS f
WHERE NOT EXISTS (SELECT FROM pg_temp.affected_opportunity AS o WHERE o.opportunity_id = f.opportunity_id)
  AND f.opportunity_id NOT IN (
    SELECT opportunity_id FROM (
      (SELECT {columns} FROM pg_temp.deal_path EXCEPT SELECT {columns} FROM pg_temp.path_old)
      UNION ALL
      (SELECT {columns} FROM pg_temp.path_old EXCEPT SELECT {columns} FROM pg_temp.deal_path)
    ) AS d)
"""


def find_paths(work: Work) -> int:
    """Build core.opportunity_touch for the deals in `affected_credit`; returns rows written. `path_rows` has these rows.

    An incremental build then drops from `affected_credit` the deals whose path and own row are as they were: all that
    follows of a deal follows of these.
    """
    path = work.settings.attribution.path
    people = work.text(_PEOPLE[path.eligible])
    of_people = "" if work.full else " AND s.person_id IN (SELECT person_id FROM people)"
    query = work.text(_PATH, people=people, of_people=of_people, limits=_limits(path))
    if work.full:
        return work.replace("core.opportunity_touch", "", OF_AFFECTED_CREDIT, query=query)
    work.temp("deal_path", query, index="opportunity_id, event_id")
    work.temp("path_old", f"SELECT * FROM {{core.opportunity_touch}} WHERE {OF_AFFECTED_CREDIT}")
    work.run(_SAME_DEALS, columns=columns_of(core.opportunity_touch))
    work.run("ANALYZE pg_temp.affected_credit")
    return work.refresh("core.opportunity_touch", "deal_path", OF_AFFECTED_CREDIT)


def path_rows(work: Work) -> str:
    """The relation with the paths of all deals in `affected_credit`, and maybe of others."""
    return work.text("{core.opportunity_touch}") if work.full else "pg_temp.deal_path"


def _limits(path: AttributionPath) -> str:
    limits = {"l.lead_at": path.days_before_lead, "o.created_at": path.days_before_opportunity}
    return "".join(
        f" AND ({moment} IS NULL OR t.occurred_at >= {moment} - interval '{days} days')"
        for moment, days in limits.items()
        if days is not None
    )
