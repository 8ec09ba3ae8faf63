"""How the closed-loop marts are made: deals by source, credits, conversions, entries into the funnel."""

from pipeline.lineage.model import Lineage, Measure, Parts
from transforms.marts.customers_by_source import COSTS, DEALS

_DEALS = f"""
SELECT f.month_on, f.lead_source, f.campaign_id, d.opportunity_id, o.name, d.status, d.closed_at, o.amount, o.currency,
  d.amount_reporting, d.cycle_days, d.status = 'won' AS is_won, d.status = 'lost' AS is_lost,
  d.status = 'won' AND d.is_first AS is_first_won,
  CASE WHEN o.lead_source <> 'unmapped' THEN 'deal' WHEN p.lead_source IS NOT NULL THEN 'main contact' ELSE 'nobody' END
    AS source_told_by,
  ARRAY(SELECT l.source_id FROM {{core.opportunity_link}} AS l WHERE l.opportunity_id = d.opportunity_id
    ORDER BY l.source_id <> o.source_id, l.source_id COLLATE "C") AS source_ids
FROM figure AS f JOIN ({DEALS}) AS d USING (month_on, lead_source, campaign_id)
JOIN {{core.opportunity}} AS o ON o.opportunity_id = d.opportunity_id
LEFT JOIN {{marts.person_journey}} AS p ON p.person_id = o.primary_person_id
"""
_COSTS = f"""
SELECT f.month_on, f.lead_source, f.campaign_id, c.name, c.started_on, s.cost_amount, ARRAY[f.campaign_id] AS source_ids
FROM figure AS f JOIN ({COSTS}) AS s USING (month_on, lead_source, campaign_id)
JOIN {{core.campaign}} AS c ON c.campaign_id = f.campaign_id
"""

# The deal's source stands in core, so its figures are those of the record that core.opportunity names; the others are shown.
_CUSTOMERS_BY_SOURCE = Lineage(
    "marts.customers_by_source",
    (
        Parts(
            "deals",
            _DEALS,
            ("name", "status", "closed_at", "amount", "currency", "amount_reporting", "cycle_days", "is_first_won",
             "source_told_by"),
            "is_won DESC, closed_at, opportunity_id",
            ("opportunity",),
        ),
        Parts("costs", _COSTS, ("name", "started_on", "cost_amount"), "name", ("campaign",)),
    ),
    (
        Measure("customer_count", "count", "deals", when="is_first_won"),
        Measure("deal_count", "count", "deals", when="is_won"),
        Measure("lost_deal_count", "count", "deals", when="is_lost"),
        Measure("revenue_amount", "sum", "deals", of="amount_reporting", when="is_won"),
        Measure("average_deal_amount", "quotient", top=("revenue_amount",), bottom=("deal_count",)),
        Measure("cycle_days", "mean", "deals", of="cycle_days", when="is_won"),
        Measure("win_rate", "quotient", top=("deal_count",), bottom=("deal_count", "lost_deal_count")),
        Measure("cost_amount", "first", "costs", of="cost_amount"),
        Measure("roi", "quotient", top=("revenue_amount", "-cost_amount"), bottom=("cost_amount",)),
    ),
    ("campaign_name",),
)  # fmt: skip

# A person's touches up to the stage, a deal's path up to its creation or close; of them, those with the row's value.
_CONVERSIONS = """
SELECT f.dimension, f.value, f.conversion, f.month_on, c.conversion_id, coalesce(o.name, p.full_name) AS name,
  w.converted_at, c.is_assist, c.is_last, c.amount_reporting,
  array_remove(ARRAY[o.source_id] || ARRAY(
    SELECT DISTINCT t.source_id FROM (
      SELECT t.* FROM {core.touchpoint} AS t WHERE t.person_id = p.person_id
      UNION ALL
      SELECT t.* FROM {core.opportunity_touch} AS way
      JOIN {core.touchpoint} AS t ON t.person_id = way.person_id AND t.event_id = way.event_id
      WHERE way.opportunity_id = o.opportunity_id
    ) AS t
    WHERE t.occurred_at <= w.converted_at AND c.value = CASE c.dimension WHEN 'content_asset' THEN t.content_asset_id
      WHEN 'campaign' THEN t.campaign_id WHEN 'channel' THEN t.channel ELSE t.lead_source END
    ORDER BY t.source_id), NULL) AS source_ids
FROM figure AS f JOIN {core.conversion_touch} AS c USING (dimension, value, conversion, month_on)
LEFT JOIN {core.opportunity} AS o ON o.opportunity_id = c.conversion_id
LEFT JOIN {core.person} AS p ON p.person_id = c.conversion_id
CROSS JOIN LATERAL (SELECT CASE
  WHEN o.opportunity_id IS NULL THEN (
    SELECT min(s.occurred_at) FROM {core.stage_change} AS s
    WHERE s.person_id = c.conversion_id AND s.to_stage = c.conversion AND NOT s.is_inferred)
  WHEN c.conversion = 'customer' THEN o.closed_at ELSE o.created_at END AS converted_at) AS w
"""
_CONVERSION_ASSISTS = Lineage(
    "marts.conversion_assists",
    (
        Parts(
            "conversions",
            _CONVERSIONS,
            ("name", "converted_at", "is_assist", "is_last", "amount_reporting", "conversion_id"),
            "converted_at, conversion_id",
            ("opportunity", "touch", "engagement"),
        ),
    ),
    (
        Measure("assist_count", "count", "conversions", when="is_assist"),
        Measure("last_touch_count", "count", "conversions", when="is_last"),
        Measure("assisted_amount", "sum", "conversions", of="amount_reporting", when="is_assist"),
    ),
    ("label",),
)

_CREDITS = """
SELECT f.model, f.month_on, f.lead_source, f.campaign_id, a.opportunity_id, o.name AS deal, t.occurred_at AS touched_at,
  t.touch_type, t.channel, a.position, a.path_length, a.weight, a.amount_reporting, a.is_won, NOT a.is_won AS is_open,
  a.person_id, a.event_id, array_remove(ARRAY[t.source_id, o.source_id], NULL) AS source_ids
FROM figure AS f JOIN {core.attribution} AS a USING (model, month_on, lead_source, campaign_id)
LEFT JOIN {core.opportunity} AS o ON o.opportunity_id = a.opportunity_id
LEFT JOIN {core.touchpoint} AS t ON t.person_id = a.person_id AND t.event_id = a.event_id
"""
_ATTRIBUTION = Lineage(
    "marts.attribution",
    (
        Parts(
            "credits",
            _CREDITS,
            ("deal", "is_won", "touched_at", "touch_type", "channel", "position", "path_length", "weight",
             "amount_reporting"),
            "opportunity_id, position, event_id",
            ("touch", "engagement", "opportunity"),
        ),
    ),
    (
        Measure("pipeline_amount", "sum", "credits", of="amount_reporting", when="is_open"),
        Measure("revenue_amount", "sum", "credits", of="amount_reporting", when="is_won"),
        Measure("conversion_share", "sum", "credits", of="weight", when="is_won"),
        Measure("credit_count", "count", "credits"),
    ),
    ("campaign_name",),
)  # fmt: skip

_ENTRIES = """
SELECT f.cohort_on, f.stage, f.lead_source, f.reading, e.person_id, p.full_name AS name, s.occurred_at AS entered_at,
  e.is_converted, e.became_customer, e.days, array_remove(ARRAY[s.source_id], NULL) AS source_ids
FROM figure AS f JOIN {core.funnel_entry} AS e USING (cohort_on, stage, lead_source, reading)
LEFT JOIN {core.person} AS p ON p.person_id = e.person_id
LEFT JOIN LATERAL (
  SELECT s.occurred_at, s.source_id FROM {core.stage_change} AS s WHERE s.person_id = e.person_id AND s.to_stage = e.stage
  ORDER BY s.occurred_at, s.event_id LIMIT 1) AS s ON true
"""
_FUNNEL_CONVERSION = Lineage(
    "marts.funnel_conversion",
    (
        Parts(
            "entries",
            _ENTRIES,
            ("name", "entered_at", "is_converted", "became_customer", "days", "person_id"),
            "entered_at, person_id",
            ("stage_change", "person", "opportunity"),
        ),
    ),
    (
        Measure("entered_count", "count", "entries"),
        Measure("converted_count", "count", "entries", when="is_converted"),
        Measure("conversion_rate", "quotient", top=("converted_count",), bottom=("entered_count",)),
        Measure("cumulative_rate", "share", "entries", when="became_customer"),
        Measure("median_days", "median", "entries", of="days"),
        Measure("p90_days", "p90", "entries", of="days"),
    ),
)

CLOSED_LOOP = (_CUSTOMERS_BY_SOURCE, _CONVERSION_ASSISTS, _ATTRIBUTION, _FUNNEL_CONVERSION)
