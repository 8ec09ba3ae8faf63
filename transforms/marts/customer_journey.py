"""marts.customer_journey: every event of every person, in order.

Questions it answers:
- What happened with this person, when, by which team, on which channel and campaign?
- Which page views were one visit to the website?
- Which web visits, mails and calls came before the person was qualified, and before the deal was won?
- At which funnel stage was the person when it happened, and in which pass through the funnel?
- Where does the vendor show the record behind the event?

An event leads to the deal that the vendor says it was about, else to the person's earliest deal that was not closed before
it. The stage after an event counts stage changes of the same moment as already made.
"""

from transforms.work import Work

_JOURNEY = """
WITH ordered AS (
  SELECT j.*,
    row_number() OVER (PARTITION BY person_id ORDER BY occurred_at, event_id)::int AS sequence_number,
    count(stage_number) OVER (PARTITION BY person_id ORDER BY occurred_at, stage_number NULLS LAST, event_id) AS stages_passed
  FROM pg_temp.journey_event AS j
), stage AS (
  SELECT person_id, stage_number, to_stage, cycle_number FROM pg_temp.journey_event WHERE stage_number IS NOT NULL
), deal AS (
  SELECT f.person_id, o.opportunity_id, o.created_at,
    CASE WHEN o.status IN ('won', 'lost') THEN coalesce(o.closed_at, o.created_at) ELSE 'infinity' END AS until
  FROM pg_temp.affected_events AS f JOIN {core.opportunity_person} AS p ON p.person_id = f.person_id
  JOIN {core.opportunity} AS o ON o.opportunity_id = p.opportunity_id AND NOT o.is_deleted
), leads AS (
  SELECT DISTINCT ON (e.person_id, e.event_id) e.person_id, e.event_id, d.opportunity_id
  FROM pg_temp.journey_event AS e JOIN deal AS d ON d.person_id = e.person_id AND e.occurred_at <= d.until
  WHERE e.opportunity_id IS NULL
  ORDER BY e.person_id, e.event_id, d.created_at NULLS LAST, d.opportunity_id
)
SELECT e.person_id, e.event_id, e.occurred_at, e.sequence_number, p.account_id,
  coalesce(e.opportunity_id, leads.opportunity_id) AS opportunity_id, e.event_type, e.team, e.channel, e.lead_source,
  e.campaign_id, c.name AS campaign_name, e.content_asset_id, e.owner_id, s.to_stage AS funnel_stage, e.from_stage,
  e.to_stage, coalesce(s.cycle_number, 1) AS cycle_number, e.is_touchpoint, e.amount::numeric(20, 4) AS amount, e.currency,
  e.amount_reporting::numeric(20, 4) AS amount_reporting, e.title, e.source_system, e.source_stream, e.source_record_id,
  e.source_id, e.source_url, e.also_source_ids, e.load_id, e.session_id
FROM ordered AS e JOIN {core.person} AS p ON p.person_id = e.person_id
LEFT JOIN stage AS s ON s.person_id = e.person_id AND s.stage_number = e.stages_passed
LEFT JOIN leads ON leads.person_id = e.person_id AND leads.event_id = e.event_id
LEFT JOIN {core.campaign} AS c ON c.campaign_id = e.campaign_id
"""


def build_customer_journey(work: Work) -> int:
    """Build marts.customer_journey for `affected_events` from `journey_event`; returns rows written."""
    return work.replace(
        "marts.customer_journey",
        "customer_journey_new",
        "person_id IN (SELECT person_id FROM pg_temp.affected_events)",
        query=_JOURNEY,
        noting="person_id",
    )
