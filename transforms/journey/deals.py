"""Deal events in the journeys of a deal's people, and the first trace of each person.

Created, won and lost come from the deal; its stage changes come from the history of the record that its figures are taken
from, so that a marketing copy does not tell everything twice. A deal that every system deleted leaves no event.
"""

from transforms.work import Work

_COLUMNS = """
INSERT INTO pg_temp.journey_event (person_id, event_id, occurred_at, event_type, team, campaign_id, owner_id, opportunity_id,
  from_stage, to_stage, is_touchpoint, amount, currency, amount_reporting, title, source_id, source_system, source_stream,
  source_record_id, source_url, load_id)
"""
_DEALS = (
    _COLUMNS
    + """
SELECT f.person_id, md5(e.event_type || ':' || o.anchor_source_id)::uuid, e.occurred_at, e.event_type, 'sales',
  o.campaign_id, o.owner_source_id, o.opportunity_id, NULL, NULL, false, o.amount, o.currency, o.amount_reporting,
  e.label || coalesce(': ' || left(o.name, 200), ''), r.source_id, r.source_system, r.source_stream, r.source_record_id,
  r.source_url, r.load_id
FROM pg_temp.affected_events AS f JOIN {core.opportunity_person} AS op ON op.person_id = f.person_id
JOIN {core.opportunity} AS o ON o.opportunity_id = op.opportunity_id AND NOT o.is_deleted
JOIN {staging.opportunity} AS r ON r.source_id = o.source_id
CROSS JOIN LATERAL (VALUES
  ('deal_created', 'Deal created', o.created_at),
  ('deal_won', 'Deal won', CASE WHEN o.status = 'won' THEN o.closed_at END),
  ('deal_lost', 'Deal lost', CASE WHEN o.status = 'lost' THEN o.closed_at END)
) AS e (event_type, label, occurred_at)
WHERE e.occurred_at IS NOT NULL
"""
)
_DEAL_STAGES = (
    _COLUMNS
    + """
SELECT f.person_id, md5('deal_stage:' || h.source_id)::uuid, h.occurred_at, 'deal_stage_change', 'sales', o.campaign_id,
  coalesce(h.changed_by_source_id, o.owner_source_id), o.opportunity_id, coalesce(h.from_stage_raw, h.from_stage),
  coalesce(h.to_stage_raw, h.to_stage), false, h.amount, h.currency, NULL,
  'Deal stage: ' || coalesce(h.to_stage_raw, h.to_stage, 'unknown'), h.source_id, h.source_system, h.source_stream,
  h.source_record_id, h.source_url, h.load_id
FROM pg_temp.affected_events AS f JOIN {core.opportunity_person} AS op ON op.person_id = f.person_id
JOIN {core.opportunity} AS o ON o.opportunity_id = op.opportunity_id AND NOT o.is_deleted
JOIN {staging.stage_change} AS h
  ON h.subject_source_id = o.source_id AND h.subject_type = 'opportunity' AND NOT h.is_deleted
"""
)
_FIRST_SEEN = (
    _COLUMNS
    + """
SELECT DISTINCT ON (f.person_id) f.person_id, md5('first_seen:' || r.source_id)::uuid, least(r.first_seen_at, r.created_at),
  'first_seen', 'system', NULL, NULL, NULL::uuid, NULL, NULL, false, NULL::numeric, NULL, NULL::numeric, 'First seen',
  r.source_id, r.source_system, r.source_stream, r.source_record_id, r.source_url, r.load_id
FROM pg_temp.affected_events AS f JOIN {core.identity_link} AS l ON l.person_id = f.person_id
JOIN {staging.person} AS r ON r.source_id = l.source_id
WHERE least(r.first_seen_at, r.created_at) IS NOT NULL
ORDER BY f.person_id, least(r.first_seen_at, r.created_at), r.source_id COLLATE "C"
"""
)


def add_deals(work: Work) -> None:
    """Add deal events and first traces of `affected_events` to `journey_event`."""
    work.run(_DEALS)
    work.run(_DEAL_STAGES)
    work.run(_FIRST_SEEN)
    work.run("ANALYZE pg_temp.journey_event")
