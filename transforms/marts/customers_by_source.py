"""marts.customers_by_source: what each source and campaign brought, by month of the first won deal.

Questions it answers:
- How many customers did each marketing source bring, and what are they worth?
- What does the average deal of a source bring, how long does it take, how often is it won?
- Does a campaign earn what it costs?

A deal's source is the lead-source field of the deal; where it is empty or unknown to the glossary, that of its main contact
(marts.person_journey.lead_source), else `unknown`. A customer is an account, else a person, and counts once: in the month,
source and campaign of the first won deal. A campaign's cost stands in the month of its start under the source that its
channel means, so that it is counted once; such a row may have a cost and no customer. Deals closed in a month without a
known day of close do not appear.
"""

from transforms.work import Work

DEALS = """
SELECT o.opportunity_id, o.status, o.closed_at, o.amount_reporting,
  date_trunc('month', o.closed_at AT TIME ZONE {zone})::date AS month_on,
  coalesce(CASE WHEN o.lead_source <> 'unmapped' THEN o.lead_source END, p.lead_source, o.lead_source, 'unknown')
    AS lead_source,
  coalesce(o.campaign_id, '') AS campaign_id,
  extract(epoch FROM o.closed_at - o.created_at) / 86400 AS cycle_days,
  row_number() OVER (
    PARTITION BY o.status, coalesce(o.account_id, o.primary_person_id, o.opportunity_id)
    ORDER BY o.closed_at, o.opportunity_id) = 1 AS is_first
FROM {core.opportunity} AS o LEFT JOIN {marts.person_journey} AS p ON p.person_id = o.primary_person_id
WHERE NOT o.is_deleted AND o.status IN ('won', 'lost') AND o.closed_at IS NOT NULL
"""
"""The closed deals that are counted, with month, source and campaign, and whether each is its customer's first of its status."""
COSTS = """
SELECT date_trunc('month', started_on)::date AS month_on, coalesce(lead_source, 'unknown') AS lead_source, campaign_id,
  cost_reporting AS cost_amount
FROM {core.campaign} WHERE NOT is_deleted AND started_on IS NOT NULL AND cost_reporting <> 0
"""
"""What campaigns cost, by the month of their start and the source that their channel means."""

_MART = (
    f"WITH deal AS ({DEALS}), spent AS ({COSTS})"
    """, earned AS (
  SELECT month_on, lead_source, campaign_id, count(*) FILTER (WHERE status = 'won' AND is_first)::int AS customer_count,
    count(*) FILTER (WHERE status = 'won')::int AS deal_count,
    count(*) FILTER (WHERE status = 'lost')::int AS lost_deal_count,
    coalesce(sum(amount_reporting) FILTER (WHERE status = 'won'), 0) AS revenue_amount,
    avg(cycle_days) FILTER (WHERE status = 'won') AS cycle_days
  FROM deal GROUP BY month_on, lead_source, campaign_id
)
SELECT month_on, lead_source, campaign_id, c.name AS campaign_name, coalesce(e.customer_count, 0) AS customer_count,
  coalesce(e.deal_count, 0) AS deal_count, coalesce(e.lost_deal_count, 0) AS lost_deal_count,
  coalesce(e.revenue_amount, 0)::numeric(20, 4) AS revenue_amount,
  (e.revenue_amount / nullif(e.deal_count, 0))::numeric(20, 4) AS average_deal_amount,
  e.cycle_days::numeric(12, 2) AS cycle_days,
  (e.deal_count::numeric / nullif(e.deal_count + e.lost_deal_count, 0))::numeric(6, 5) AS win_rate,
  s.cost_amount, ((coalesce(e.revenue_amount, 0) - s.cost_amount) / nullif(s.cost_amount, 0))::numeric(14, 4) AS roi
FROM earned AS e FULL JOIN spent AS s USING (month_on, lead_source, campaign_id)
LEFT JOIN (SELECT campaign_id, name FROM {core.campaign}) AS c USING (campaign_id)
"""
)


def build_customers_by_source(work: Work) -> int:
    """Build marts.customers_by_source anew from the deals, one row each, and write what differs; returns rows written."""
    work.temp("customers_new", _MART, index="month_on, lead_source, campaign_id")
    return work.refresh("marts.customers_by_source", "customers_new")
