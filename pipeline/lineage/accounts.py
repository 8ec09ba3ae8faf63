"""How marts.account_journey is made: of the account's people, what happened with them, their stages, and its deals."""

from pipeline.lineage.model import Lineage, Measure, Parts

_MEMBERS = """
  SELECT p.person_id FROM {core.person} AS p WHERE p.account_id = f.account_id
  UNION
  SELECT op.person_id FROM {core.opportunity} AS o
  JOIN {core.opportunity_person} AS op ON op.opportunity_id = o.opportunity_id
  WHERE o.account_id = f.account_id AND NOT o.is_deleted
"""
_PEOPLE = f"""
SELECT f.account_id, m.person_id, p.full_name AS name, g.roles, g.roles IS NOT NULL AS is_in_buying_group,
  EXISTS (SELECT FROM {{core.touchpoint}} AS t WHERE t.person_id = m.person_id) AS is_engaged,
  ARRAY(SELECT l.source_id FROM {{core.identity_link}} AS l WHERE l.person_id = m.person_id
    ORDER BY l.rule = 'anchor' DESC, l.source_id COLLATE "C") AS source_ids
FROM figure AS f CROSS JOIN LATERAL ({_MEMBERS}) AS m JOIN {{core.person}} AS p ON p.person_id = m.person_id
LEFT JOIN LATERAL (
  SELECT array_agg(DISTINCT coalesce(op.role, '')) AS roles FROM {{core.opportunity}} AS o
  JOIN {{core.opportunity_person}} AS op ON op.opportunity_id = o.opportunity_id AND op.person_id = m.person_id
  WHERE o.account_id = f.account_id AND NOT o.is_deleted) AS g ON true
"""
_EVENTS = f"""
SELECT e.*, e.is_touchpoint AND e.team = 'marketing' AS is_marketing_touch,
  e.is_touchpoint AND e.team = 'sales' AS is_sales_touch, e.is_touchpoint AND e.campaign_id IS NOT NULL AS is_campaign_touch,
  e.is_touchpoint AND e.team = 'sales' AND e.occurred_at >= e.handed_over_at AS is_answer, e.team <> 'system' AS is_activity
FROM (
  SELECT DISTINCT ON (f.account_id, j.event_id) f.account_id, f.handed_over_at, j.event_id, j.occurred_at, j.team, j.title,
    j.channel, j.lead_source, j.campaign_id, j.is_touchpoint,
    j.source_id || coalesce(j.also_source_ids, '{{{{}}}}') AS source_ids
  FROM figure AS f CROSS JOIN LATERAL ({_MEMBERS}) AS m JOIN {{marts.customer_journey}} AS j ON j.person_id = m.person_id
  ORDER BY f.account_id, j.event_id, j.person_id
) AS e
"""
_STAGES = f"""
SELECT f.account_id, s.*, s.stage = f.funnel_stage AS is_furthest FROM figure AS f CROSS JOIN LATERAL (
  SELECT s.to_stage AS stage, s.occurred_at, s.is_inferred, s.to_stage = 'mql' AND NOT s.is_inferred AS is_hand_over,
    ARRAY[s.source_id] AS source_ids
  FROM ({_MEMBERS}) AS m JOIN {{core.stage_change}} AS s ON s.person_id = m.person_id
  UNION ALL
  SELECT d.stage, d.reached_at, false, false, ARRAY[o.source_id] FROM {{core.opportunity}} AS o CROSS JOIN LATERAL (VALUES
    ('opportunity', o.created_at), ('customer', CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, o.created_at) END)
  ) AS d (stage, reached_at)
  WHERE o.account_id = f.account_id AND NOT o.is_deleted AND d.reached_at IS NOT NULL
) AS s
"""
_DEALS = """
SELECT f.account_id, o.opportunity_id, o.name, o.status, o.amount, o.currency, o.amount_reporting, o.created_at, o.closed_at,
  o.status = 'open' AS is_open, o.status = 'won' AS is_won, o.status = 'lost' AS is_lost,
  ARRAY(SELECT l.source_id FROM {core.opportunity_link} AS l WHERE l.opportunity_id = o.opportunity_id
    ORDER BY l.source_id <> o.source_id, l.source_id COLLATE "C") AS source_ids
FROM figure AS f JOIN {core.opportunity} AS o ON o.account_id = f.account_id AND NOT o.is_deleted
"""

ACCOUNT_JOURNEY = Lineage(
    "marts.account_journey",
    (
        Parts(
            "people",
            _PEOPLE,
            ("name", "roles", "is_in_buying_group", "is_engaged", "person_id"),
            "is_in_buying_group DESC, name, person_id",
            ("person",),
        ),
        Parts(
            "events",
            _EVENTS,
            ("occurred_at", "team", "title", "channel", "lead_source"),
            "occurred_at, event_id",
            ("touch", "engagement", "stage_change", "opportunity", "person"),
        ),
        Parts(
            "stages",
            _STAGES,
            ("occurred_at", "stage", "is_inferred", "is_furthest"),
            "occurred_at, stage",
            ("stage_change", "opportunity", "person"),
        ),
        Parts(
            "deals",
            _DEALS,
            ("name", "status", "amount", "currency", "amount_reporting", "created_at", "closed_at"),
            "created_at, opportunity_id",
            ("opportunity",),
        ),
    ),
    (
        Measure("person_count", "count", "people"),
        Measure("engaged_person_count", "count", "people", when="is_engaged"),
        Measure("buying_group_count", "count", "people", when="is_in_buying_group"),
        Measure("first_touch_at", "earliest", "events", of="occurred_at", when="is_touchpoint"),
        Measure("first_touch_source", "first", "events", of="lead_source", when="is_touchpoint"),
        Measure("first_touch_channel", "first", "events", of="channel", when="is_touchpoint"),
        Measure("first_campaign_id", "first", "events", of="campaign_id", when="is_campaign_touch"),
        Measure("event_count", "count", "events"),
        Measure("touch_count", "count", "events", when="is_touchpoint"),
        Measure("marketing_touch_count", "count", "events", when="is_marketing_touch"),
        Measure("sales_touch_count", "count", "events", when="is_sales_touch"),
        Measure("last_marketing_touch_at", "latest", "events", of="occurred_at", when="is_marketing_touch"),
        Measure("last_sales_touch_at", "latest", "events", of="occurred_at", when="is_sales_touch"),
        Measure("last_activity_at", "latest", "events", of="occurred_at", when="is_activity"),
        Measure("funnel_stage_at", "earliest", "stages", of="occurred_at", when="is_furthest"),
        Measure("handed_over_at", "earliest", "stages", of="occurred_at", when="is_hand_over"),
        Measure("first_sales_touch_at", "earliest", "events", of="occurred_at", when="is_answer"),
        Measure("deal_count", "count", "deals"),
        Measure("open_deal_count", "count", "deals", when="is_open"),
        Measure("won_deal_count", "count", "deals", when="is_won"),
        Measure("lost_deal_count", "count", "deals", when="is_lost"),
        Measure("pipeline_amount", "sum", "deals", of="amount_reporting", when="is_open"),
        Measure("revenue_amount", "sum", "deals", of="amount_reporting", when="is_won"),
        Measure("first_deal_at", "earliest", "deals", of="created_at"),
        Measure("first_won_at", "earliest", "deals", of="closed_at", when="is_won"),
        Measure("last_won_at", "latest", "deals", of="closed_at", when="is_won"),
    ),
    (
        "name", "domain", "country", "industry", "owner_id", "owner_ids", "systems", "people_by_role", "funnel_stage",
        "outcome", "is_deleted",
    ),
)  # fmt: skip
