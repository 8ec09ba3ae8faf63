"""marts.account_journey: one account's journey in one row, for its buying group.

Questions it answers:
- Who is in the buying group, in which roles, and how many of them has anybody reached?
- What brought the account in, and when?
- What did each team do with it, and when last?
- How far is it, and what are its deals worth?

Its people are those whose account it is, and those who take part in one of its deals, wherever they work: a consultant may
stand in two accounts, so people and touches do not add up over accounts; deals and money do. A touch, meeting or deal that
several of them share is one event (the same event_id). Stages come from its people, and from its deals too, since a deal
need not name anybody: one that was created is an opportunity, one that was won a customer.

Outcome, first that holds: customer (has a won deal), open (has an open one), lost (has only lost ones), none.
"""

from transforms.work import Work

_MEMBERS = """
SELECT f.account_id, p.person_id FROM pg_temp.affected_journey AS f JOIN {core.person} AS p ON p.account_id = f.account_id
UNION
SELECT o.account_id, op.person_id FROM pg_temp.account_deal AS o
JOIN {core.opportunity_person} AS op ON op.opportunity_id = o.opportunity_id
"""
_DEALS = """
SELECT o.account_id, o.opportunity_id, o.status, o.amount_reporting, o.created_at, o.closed_at, o.owner_source_id
FROM pg_temp.affected_journey AS f JOIN {core.opportunity} AS o ON o.account_id = f.account_id AND NOT o.is_deleted
"""
# Of an event that several people share, that of the least person_id stands for all.
_EVENTS = """
SELECT DISTINCT ON (m.account_id, j.event_id) m.account_id, j.event_id, j.occurred_at, j.team, j.is_touchpoint, j.event_type,
  j.channel, j.lead_source, j.campaign_id
FROM pg_temp.account_member AS m JOIN {marts.customer_journey} AS j ON j.person_id = m.person_id
ORDER BY m.account_id, j.event_id, j.person_id
"""
_STAGES = """
SELECT m.account_id, s.to_stage AS stage, s.occurred_at, s.to_stage = 'mql' AND NOT s.is_inferred AS is_hand_over
FROM pg_temp.account_member AS m JOIN {core.stage_change} AS s ON s.person_id = m.person_id
UNION ALL
SELECT account_id, 'opportunity', created_at, false FROM pg_temp.account_deal
UNION ALL
SELECT account_id, 'customer', coalesce(closed_at, created_at), false FROM pg_temp.account_deal WHERE status = 'won'
UNION ALL
SELECT m.account_id, p.funnel_stage, NULL, false
FROM pg_temp.account_member AS m JOIN {core.person} AS p ON p.person_id = m.person_id
"""
_ROLES = """
SELECT account_id, jsonb_object_agg(role, people) AS people_by_role FROM (
  SELECT d.account_id, op.role, count(DISTINCT op.person_id) AS people
  FROM pg_temp.account_deal AS d JOIN {core.opportunity_person} AS op ON op.opportunity_id = d.opportunity_id
  WHERE op.role <> '' GROUP BY d.account_id, op.role) AS r
GROUP BY account_id
"""
_OWNERS = """
SELECT account_id, array_agg(DISTINCT owner_id ORDER BY owner_id) AS owner_ids FROM (
  SELECT a.account_id, a.owner_source_id COLLATE "C" AS owner_id
  FROM pg_temp.affected_journey AS f JOIN {core.account} AS a ON a.account_id = f.account_id
  UNION ALL SELECT account_id, owner_source_id COLLATE "C" FROM pg_temp.account_deal
  UNION ALL
  SELECT m.account_id, p.owner_source_id COLLATE "C"
  FROM pg_temp.account_member AS m JOIN {core.person} AS p ON p.person_id = m.person_id
) AS o WHERE owner_id <> '' GROUP BY account_id
"""
_SYSTEMS = """
SELECT account_id, array_agg(DISTINCT system ORDER BY system) AS systems FROM (
  SELECT f.account_id, split_part(l.source_id, ':', 1) COLLATE "C" AS system
  FROM pg_temp.affected_journey AS f JOIN {core.account_link} AS l ON l.account_id = f.account_id
  UNION ALL
  SELECT d.account_id, split_part(l.source_id, ':', 1) COLLATE "C"
  FROM pg_temp.account_deal AS d JOIN {core.opportunity_link} AS l ON l.opportunity_id = d.opportunity_id
  UNION ALL
  SELECT m.account_id, split_part(l.source_id, ':', 1) COLLATE "C"
  FROM pg_temp.account_member AS m JOIN {core.identity_link} AS l ON l.person_id = m.person_id
) AS s GROUP BY account_id
"""
_ACCOUNT = f"""
WITH people AS (
  SELECT m.account_id, count(*)::int AS person_count,
    count(*) FILTER (WHERE EXISTS (
      SELECT FROM {{core.touchpoint}} AS t WHERE t.person_id = m.person_id))::int AS engaged_person_count,
    count(*) FILTER (WHERE EXISTS (
      SELECT FROM {{core.opportunity_person}} AS op JOIN pg_temp.account_deal AS d
        ON d.opportunity_id = op.opportunity_id AND d.account_id = m.account_id
      WHERE op.person_id = m.person_id))::int AS buying_group_count
  FROM pg_temp.account_member AS m GROUP BY m.account_id
), handed AS (
  SELECT account_id, min(occurred_at) FILTER (WHERE is_hand_over) AS handed_over_at
  FROM pg_temp.account_stage GROUP BY account_id
), event AS (
  SELECT e.account_id, count(*)::int AS event_count, count(*) FILTER (WHERE is_touchpoint)::int AS touch_count,
    count(*) FILTER (WHERE is_touchpoint AND team = 'marketing')::int AS marketing_touch_count,
    count(*) FILTER (WHERE is_touchpoint AND team = 'sales')::int AS sales_touch_count,
    min(occurred_at) FILTER (WHERE is_touchpoint) AS first_touch_at,
    max(occurred_at) FILTER (WHERE is_touchpoint AND team = 'marketing') AS last_marketing_touch_at,
    max(occurred_at) FILTER (WHERE is_touchpoint AND team = 'sales') AS last_sales_touch_at,
    max(occurred_at) FILTER (WHERE team <> 'system') AS last_activity_at,
    min(occurred_at) FILTER (WHERE is_touchpoint AND team = 'sales' AND occurred_at >= h.handed_over_at)
      AS first_sales_touch_at
  FROM pg_temp.account_event AS e LEFT JOIN handed AS h ON h.account_id = e.account_id GROUP BY e.account_id
), first_touch AS (
  SELECT DISTINCT ON (account_id) account_id, lead_source, channel FROM pg_temp.account_event WHERE is_touchpoint
  ORDER BY account_id, occurred_at, event_id
), first_campaign AS (
  SELECT DISTINCT ON (account_id) account_id, campaign_id FROM pg_temp.account_event
  WHERE is_touchpoint AND campaign_id IS NOT NULL ORDER BY account_id, occurred_at, event_id
), furthest AS (
  SELECT DISTINCT ON (s.account_id) s.account_id, s.stage, s.occurred_at
  FROM pg_temp.account_stage AS s JOIN pg_temp.setting_stage AS g ON g.stage = s.stage
  ORDER BY s.account_id, g.is_main DESC, g.position DESC, s.occurred_at NULLS LAST
), deal AS (
  SELECT account_id, count(*)::int AS deal_count, count(*) FILTER (WHERE status = 'open')::int AS open_deal_count,
    count(*) FILTER (WHERE status = 'won')::int AS won_deal_count,
    count(*) FILTER (WHERE status = 'lost')::int AS lost_deal_count,
    sum(amount_reporting) FILTER (WHERE status = 'open') AS pipeline_amount,
    sum(amount_reporting) FILTER (WHERE status = 'won') AS revenue_amount, min(created_at) AS first_deal_at,
    min(closed_at) FILTER (WHERE status = 'won') AS first_won_at, max(closed_at) FILTER (WHERE status = 'won') AS last_won_at
  FROM pg_temp.account_deal GROUP BY account_id
), role AS ({_ROLES}), owner AS ({_OWNERS}), told AS ({_SYSTEMS})
SELECT a.account_id, a.name, a.domain, a.country, a.industry, a.owner_source_id AS owner_id,
  coalesce(w.owner_ids, '{{{{}}}}') AS owner_ids, coalesce(y.systems, '{{{{}}}}') AS systems,
  coalesce(p.person_count, 0) AS person_count, coalesce(p.engaged_person_count, 0) AS engaged_person_count,
  coalesce(p.buying_group_count, 0) AS buying_group_count, coalesce(r.people_by_role, '{{{{}}}}') AS people_by_role,
  e.first_touch_at, ft.lead_source AS first_touch_source, ft.channel AS first_touch_channel,
  fc.campaign_id AS first_campaign_id, coalesce(e.event_count, 0) AS event_count, coalesce(e.touch_count, 0) AS touch_count,
  coalesce(e.marketing_touch_count, 0) AS marketing_touch_count, coalesce(e.sales_touch_count, 0) AS sales_touch_count,
  e.last_marketing_touch_at, e.last_sales_touch_at, e.last_activity_at, s.stage AS funnel_stage,
  s.occurred_at AS funnel_stage_at, h.handed_over_at, e.first_sales_touch_at,
  CASE WHEN d.won_deal_count > 0 THEN 'customer' WHEN d.open_deal_count > 0 THEN 'open' WHEN d.deal_count > 0 THEN 'lost'
    ELSE 'none' END AS outcome,
  coalesce(d.deal_count, 0) AS deal_count, coalesce(d.open_deal_count, 0) AS open_deal_count,
  coalesce(d.won_deal_count, 0) AS won_deal_count, coalesce(d.lost_deal_count, 0) AS lost_deal_count,
  coalesce(d.pipeline_amount, 0)::numeric(20, 4) AS pipeline_amount,
  coalesce(d.revenue_amount, 0)::numeric(20, 4) AS revenue_amount, d.first_deal_at, d.first_won_at, d.last_won_at,
  a.is_deleted
FROM pg_temp.affected_journey AS f JOIN {{core.account}} AS a ON a.account_id = f.account_id
LEFT JOIN people AS p ON p.account_id = a.account_id
LEFT JOIN handed AS h ON h.account_id = a.account_id
LEFT JOIN event AS e ON e.account_id = a.account_id
LEFT JOIN first_touch AS ft ON ft.account_id = a.account_id
LEFT JOIN first_campaign AS fc ON fc.account_id = a.account_id
LEFT JOIN furthest AS s ON s.account_id = a.account_id
LEFT JOIN deal AS d ON d.account_id = a.account_id
LEFT JOIN role AS r ON r.account_id = a.account_id
LEFT JOIN owner AS w ON w.account_id = a.account_id
LEFT JOIN told AS y ON y.account_id = a.account_id
"""


def build_account_journey(work: Work) -> int:
    """Build marts.account_journey for `affected_journey` from core and marts.customer_journey; returns rows written."""
    work.temp("account_deal", _DEALS, index="account_id;opportunity_id")
    work.temp("account_member", _MEMBERS, index="account_id, person_id")
    work.temp("account_event", _EVENTS, index="account_id")
    work.temp("account_stage", _STAGES, index="account_id")
    work.temp("account_journey_new", _ACCOUNT, index="account_id")
    return work.replace(
        "marts.account_journey",
        "account_journey_new",
        "account_id IN (SELECT account_id FROM pg_temp.affected_journey)",
    )
