"""How the marts on influence are made: a deal's claims of the touches on its path, a channel's weight of the deals it touched."""

from pipeline.lineage.model import Lineage, Measure, Parts

_TOUCHES = """
SELECT f.opportunity_id, w.person_id, w.occurred_at, w.team, w.channel, w.lead_source, t.touch_type, w.event_id,
  w.team = 'marketing' AS is_marketing, w.team = 'sales' AS is_sales,
  array_remove(ARRAY[t.source_id], NULL) AS source_ids
FROM figure AS f JOIN {core.opportunity_touch} AS w ON w.opportunity_id = f.opportunity_id
LEFT JOIN {core.touchpoint} AS t ON t.person_id = w.person_id AND t.event_id = w.event_id
"""
_DEAL = """
SELECT f.opportunity_id, o.name, o.status, o.amount, o.currency, o.amount_reporting, o.created_at, o.closed_at,
  ARRAY(SELECT l.source_id FROM {core.opportunity_link} AS l WHERE l.opportunity_id = o.opportunity_id
    ORDER BY l.source_id <> o.source_id, l.source_id COLLATE "C") AS source_ids
FROM figure AS f JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id
"""
_OPPORTUNITY_INFLUENCE = Lineage(
    "marts.opportunity_influence",
    (
        Parts(
            "touches",
            _TOUCHES,
            ("occurred_at", "team", "touch_type", "channel", "lead_source", "person_id"),
            "occurred_at, event_id",
            ("touch", "engagement"),
        ),
        Parts(
            "deals",
            _DEAL,
            ("name", "status", "amount", "currency", "amount_reporting", "created_at", "closed_at"),
            "opportunity_id",
            ("opportunity",),
        ),
    ),
    (
        Measure("amount_reporting", "first", "deals", of="amount_reporting"),
        Measure("created_at", "first", "deals", of="created_at"),
        Measure("closed_at", "first", "deals", of="closed_at"),
        Measure("first_marketing_at", "earliest", "touches", of="occurred_at", when="is_marketing"),
        Measure("first_sales_at", "earliest", "touches", of="occurred_at", when="is_sales"),
        Measure("marketing_touch_count", "count", "touches", when="is_marketing"),
        Measure("sales_touch_count", "count", "touches", when="is_sales"),
        Measure("person_count", "distinct", "touches", of="person_id"),
    ),
    (
        "account_id", "status", "field_source", "first_touch_source", "is_marketing_sourced", "is_influenced_before_creation",
        "is_influenced_before_close",
    ),
)  # fmt: skip

_TOUCHED = """
SELECT f.dimension, f.value, o.opportunity_id, o.name, o.status, o.closed_at, o.amount_reporting,
  ARRAY[o.source_id] AS source_ids
FROM figure AS f JOIN {core.opportunity} AS o ON NOT o.is_deleted AND CASE WHEN f.value = 'unattributed'
  THEN o.status = 'won'
    AND NOT EXISTS (SELECT FROM {core.opportunity_touch} AS w WHERE w.opportunity_id = o.opportunity_id)
  ELSE o.status IN ('won', 'lost') AND EXISTS (
    SELECT FROM {core.opportunity_touch} AS w WHERE w.opportunity_id = o.opportunity_id
      AND coalesce(CASE f.dimension WHEN 'channel' THEN w.channel ELSE w.lead_source END, 'unknown') = f.value) END
"""
# Shares come of equations over all paths: no deal has a part of its own in them, so they are labels here.
_MARKOV_ATTRIBUTION = Lineage(
    "marts.markov_attribution",
    (
        Parts(
            "deals",
            _TOUCHED,
            ("name", "status", "closed_at", "amount_reporting"),
            "closed_at, opportunity_id",
            ("opportunity",),
        ),
    ),
    (Measure("deal_count", "count", "deals"),),
    ("removal_effect", "share", "conversion_share", "revenue_amount"),
)

INFLUENCE = (_OPPORTUNITY_INFLUENCE, _MARKOV_ATTRIBUTION)
