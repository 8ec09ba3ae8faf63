"""core.opportunity and core.opportunity_person: one row per deal, and the people of it.

The figures of a deal come from one record, so that amount, currency, stage and dates belong together: live before deleted,
the CRM's before the marketing copy. Only the account, owner, campaign and lead source are filled from other records where
that one is silent. Money is converted at the rate of the close date (else of creation) and rounded to the cent, since
credit is shared out in cents; without a rate the amount in the reporting currency is empty, never guessed.
"""

from transforms.identity.survivorship import PRIORITY, survivor
from transforms.work import Work

_RECORD = f"""
SELECT l.opportunity_id, r.*, coalesce(y.priority, 99) AS priority, l.rule = 'anchor' AS is_anchor, al.account_id,
  row_number() OVER (
    PARTITION BY l.opportunity_id
    ORDER BY r.is_deleted, coalesce(y.priority, 99), r.version_at DESC, r.source_id COLLATE "C") = 1 AS is_leading
FROM pg_temp.affected_opportunity AS f JOIN {{core.opportunity_link}} AS l ON l.opportunity_id = f.opportunity_id
JOIN {{staging.opportunity}} AS r ON r.source_id = l.source_id {PRIORITY}
LEFT JOIN {{core.account_link}} AS al ON al.source_id = r.account_source_id
"""

_PEOPLE = f"""
WITH named AS (
  SELECT d.opportunity_id, l.person_id, r.role, r.is_primary, coalesce(y.priority, 99) AS priority, r.source_id
  FROM pg_temp.deal_record AS d
  JOIN {{staging.opportunity_person}} AS r ON r.opportunity_source_id = d.source_id AND NOT r.is_deleted {PRIORITY}
  JOIN {{core.identity_link}} AS l ON l.source_id = r.person_source_id
  UNION ALL
  SELECT d.opportunity_id, l.person_id, NULL, true, d.priority, d.source_id
  FROM pg_temp.deal_record AS d JOIN {{core.identity_link}} AS l ON l.source_id = d.primary_person_source_id
  WHERE NOT d.is_deleted
), person AS (
  SELECT opportunity_id, person_id, min(priority) AS priority, min(source_id COLLATE "C") AS source_id,
    (array_agg(role ORDER BY priority, source_id COLLATE "C") FILTER (WHERE role <> ''))[1] AS role,
    bool_or(is_primary) AS is_primary, min(priority) FILTER (WHERE is_primary) AS primary_priority
  FROM named GROUP BY opportunity_id, person_id
)
SELECT opportunity_id, person_id, role,
  is_primary AND 1 = row_number() OVER (
    PARTITION BY opportunity_id ORDER BY is_primary DESC, primary_priority, source_id COLLATE "C", person_id) AS is_primary
FROM person
"""

_OPPORTUNITY = f"""
WITH linked AS (
  SELECT DISTINCT ON (d.opportunity_id) d.opportunity_id, al.account_id
  FROM pg_temp.deal_record AS d
  JOIN {{staging.opportunity_account}} AS r ON r.opportunity_source_id = d.source_id AND NOT r.is_deleted
  JOIN {{core.account_link}} AS al ON al.source_id = r.account_source_id {PRIORITY}
  ORDER BY d.opportunity_id, r.is_primary DESC, coalesce(y.priority, 99), r.source_id COLLATE "C"
), shared AS (
  SELECT opportunity_id, max(source_id) FILTER (WHERE is_anchor) AS anchor_source_id, {survivor("name")} AS name,
    {survivor("account_id")} AS account_id, {survivor("owner_source_id")} AS owner_source_id,
    {survivor("campaign_source_id")} AS campaign_id,
    coalesce({survivor("lead_source", "lead_source <> 'unmapped'")}, max(lead_source)) AS lead_source,
    bool_and(is_deleted) AS is_deleted, count(*)::int AS record_count
  FROM pg_temp.deal_record GROUP BY opportunity_id
)
SELECT s.opportunity_id, s.anchor_source_id, d.source_id, s.name, coalesce(s.account_id, linked.account_id) AS account_id,
  p.person_id AS primary_person_id, s.owner_source_id, s.campaign_id, s.lead_source, d.pipeline, d.stage, d.status,
  d.probability, d.amount, d.currency, round(d.amount * rate.rate, 2)::numeric(20, 4) AS amount_reporting, d.created_at,
  d.closed_at, s.is_deleted, s.record_count
FROM shared AS s JOIN pg_temp.deal_record AS d ON d.opportunity_id = s.opportunity_id AND d.is_leading
LEFT JOIN linked ON linked.opportunity_id = s.opportunity_id
LEFT JOIN pg_temp.deal_person AS p ON p.opportunity_id = s.opportunity_id AND p.is_primary
LEFT JOIN LATERAL (
  SELECT CASE WHEN d.currency = {{reporting}} THEN 1 ELSE (
    SELECT r.rate FROM pg_temp.setting_rate AS r
    WHERE r.currency = d.currency AND r.from_on <= (coalesce(d.closed_at, d.created_at) AT TIME ZONE {{zone}})::date
    ORDER BY r.from_on DESC LIMIT 1) END AS rate
) AS rate ON true
"""


def build_opportunities(work: Work) -> int:
    """Build core.opportunity and core.opportunity_person for `affected_opportunity`; returns rows written.

    Leaves `deal_person_old` (opportunity_id, person_id): the affected deals' people before.
    """
    touched = "t.opportunity_id IN (SELECT opportunity_id FROM pg_temp.affected_opportunity)"
    work.temp("deal_record", _RECORD, index="opportunity_id")
    work.temp("deal_person", _PEOPLE, index="opportunity_id, person_id")
    work.temp("opportunity_new", _OPPORTUNITY, index="opportunity_id")
    work.temp(
        "deal_person_old", f"SELECT t.opportunity_id, t.person_id FROM {{core.opportunity_person}} AS t WHERE {touched}"
    )
    people = work.refresh("core.opportunity_person", "deal_person", touched)
    return people + work.refresh("core.opportunity", "opportunity_new", touched)
