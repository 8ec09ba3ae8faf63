"""Touches and engagements of the affected persons, as journey events; those that count become core.touchpoint.

A touch belongs to the person whose record it names; where the vendor gives only an address, to the person who has it, if
all its holders are one person (a mailbox that several people share says of none of them that it was they; that of a record
which was split off from it by a decision is no longer the record's).
A touchpoint is what METRICS.md 2 lists: visits, forms, mail opens and clicks, ad clicks, responses, downloads, and calls,
meetings and sales mails that took place. Mails sent, machine opens, automation steps, tasks and notes are events only. Of the
page views of one session the first is the touchpoint, for all.
One call, meeting or mail that two systems tell of within 15 minutes is one event; the CRM's row is kept.
"""

from transforms.journey.channels import evidence, find_channels, host
from transforms.journey.duplicates import tell_once
from transforms.journey.sessions import find_sessions
from transforms.work import Work

TOUCHPOINTS = (
    "first_visit",
    "page_visit",
    "form_submission",
    "email_open",
    "email_click",
    "ad_click",
    "campaign_response",
    "content_download",
)
"""Touches that are an interaction; the other types are events only."""
SAME_EVENT = "15 minutes"

_EVENT = """
CREATE TEMPORARY TABLE journey_event (
  person_id uuid, event_id uuid, occurred_at timestamptz, event_type text, team text, channel text, channel_rule int,
  lead_source text, campaign_id text, content_asset_id text, owner_id text, opportunity_id uuid, from_stage text,
  to_stage text, stage_number bigint, cycle_number int, is_touchpoint boolean, amount numeric, currency text,
  amount_reporting numeric, title text, source_id text, source_system text, source_stream text, source_record_id text,
  source_url text, also_source_ids text[], load_id bigint, session_id uuid,
  original_source text, original_source_rule int, page_views int
) ON COMMIT DROP
"""
_HOLDS = """
  {core.identity_evidence} AS e
  WHERE e.kind = 'person' AND e.rule = 'email' AND NOT EXISTS (
    SELECT FROM {ops.identity_decision} AS d WHERE d.source_id = e.source_id AND d.rule = e.rule AND d.value = e.value
      AND d.verdict = 'closed' AND d.withdrawn_at IS NULL)"""
_ADDRESS = """
SELECT min(l.person_id::text)::uuid AS person_id, e.value
FROM ({holders}) AS e JOIN {core.identity_link} AS l ON l.source_id = e.source_id
GROUP BY e.value HAVING count(*) <= {cap} AND min(l.person_id::text) = max(l.person_id::text)
"""
# An incremental build looks few addresses up, and no more holders than matter; a full one reads all that there are.
_HOLDERS = {
    True: f"SELECT e.source_id, e.value FROM {_HOLDS}",
    False: f"""
  SELECT e.source_id, held.value
  FROM (
    SELECT DISTINCT e.value FROM pg_temp.affected_events AS f JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
    JOIN {{core.identity_evidence}} AS e ON e.source_id = l.source_id AND e.kind = 'person' AND e.rule = 'email'
  ) AS held
  CROSS JOIN LATERAL (SELECT e.source_id FROM {_HOLDS} AND e.value = held.value LIMIT {{cap}} + 1) AS e""",
}
_PERSON_TOUCH = f"""
SELECT t.person_id, t.source_id, t.occurred_at, t.type AS touch_type, t.campaign_source_id, t.content_asset_source_id,
  t.lead_source, t.is_machine, t.source_system, t.source_stream, t.source_record_id, t.source_url, t.load_id, {{evidence}}
FROM (
  SELECT f.person_id, t.*, {host("trim(t.referrer)")} AS came_from, {host("trim(t.url)")} AS page_host
  FROM pg_temp.affected_events AS f
  JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
  JOIN {{staging.touch}} AS t ON t.person_source_id = l.source_id
  UNION ALL
  SELECT a.person_id, t.*, {host("trim(t.referrer)")}, {host("trim(t.url)")} FROM pg_temp.person_address AS a
  JOIN {{staging.touch}} AS t ON t.person_email = a.value AND t.person_source_id IS NULL
) AS t
WHERE NOT t.is_deleted
"""
_TOUCHES = """
INSERT INTO pg_temp.journey_event
SELECT t.person_id, md5('touch:' || t.source_id)::uuid, t.occurred_at, t.touch_type, 'marketing',
  coalesce(v.channel, t.channel), coalesce(v.channel_rule, t.channel_rule),
  CASE WHEN v.entrance_id IS NULL THEN t.lead_source ELSE v.lead_source END,
  t.campaign_source_id, t.content_asset_source_id, NULL, NULL, NULL, NULL, NULL, NULL,
  t.touch_type IN ({types}) AND NOT t.is_machine AND coalesce(v.entrance_id = t.source_id, true), NULL, NULL, NULL,
  upper(left(t.touch_type, 1)) || replace(substr(t.touch_type, 2), '_', ' ') || CASE WHEN t.is_machine THEN ' (machine)' ELSE '' END,
  t.source_id, t.source_system, t.source_stream, t.source_record_id, t.source_url, NULL, t.load_id,
  md5('touch:' || v.entrance_id)::uuid, t.original_source, t.original_source_rule, v.page_views::int
FROM pg_temp.touch_channel AS t
LEFT JOIN (
  SELECT v.*, e.channel, e.channel_rule, e.lead_source FROM pg_temp.page_view AS v
  JOIN pg_temp.touch_channel AS e ON e.person_id = v.person_id AND e.source_id = v.entrance_id
) AS v ON v.person_id = t.person_id AND v.source_id = t.source_id
"""
_PERSON_ENGAGEMENT = """
WITH met AS (
  SELECT DISTINCT f.person_id, k.engagement_source_id
  FROM pg_temp.affected_events AS f JOIN {core.identity_link} AS l ON l.person_id = f.person_id
  JOIN {staging.engagement_link} AS k ON k.person_source_id = l.source_id AND NOT k.is_deleted
), about AS (
  SELECT k.engagement_source_id, (array_agg(l.opportunity_id ORDER BY l.opportunity_id))[1] AS opportunity_id
  FROM (SELECT DISTINCT engagement_source_id FROM met) AS m
  JOIN {staging.engagement_link} AS k ON k.engagement_source_id = m.engagement_source_id AND NOT k.is_deleted
  JOIN {core.opportunity_link} AS l ON l.source_id = k.opportunity_source_id
  GROUP BY k.engagement_source_id
)
SELECT m.person_id, md5('engagement:' || g.source_id)::uuid AS event_id, coalesce(g.occurred_at, g.created_at) AS occurred_at,
  g.type, g.direction, g.subject, g.owner_source_id, g.is_completed, g.source_id, g.source_system, g.source_stream,
  g.source_record_id, g.source_url, g.load_id, about.opportunity_id, coalesce(y.priority, 99) AS priority
FROM met AS m JOIN {staging.engagement} AS g ON g.source_id = m.engagement_source_id AND NOT g.is_deleted
LEFT JOIN about ON about.engagement_source_id = g.source_id
LEFT JOIN pg_temp.setting_system AS y ON y.system = g.source_system
WHERE coalesce(g.occurred_at, g.created_at) IS NOT NULL
  AND (g.is_completed OR (g.type IN ('task', 'note') AND g.is_completed IS NULL))
"""
_ENGAGEMENTS = (
    """
INSERT INTO pg_temp.journey_event
SELECT e.person_id, e.event_id, e.occurred_at, CASE WHEN e.type = 'email' THEN 'sales_email' ELSE e.type END,
  CASE WHEN e.direction = 'inbound' THEN 'customer' ELSE 'sales' END, NULL, NULL,
  CASE WHEN e.direction = 'outbound' THEN 'outbound' END, NULL, NULL, e.owner_source_id, e.opportunity_id, NULL, NULL, NULL,
  NULL, e.type IN ('call', 'meeting', 'email'), NULL, NULL, NULL,
  CASE e.type WHEN 'email' THEN 'Sales mail' ELSE upper(left(e.type, 1)) || substr(e.type, 2) END
    || CASE WHEN e.direction = 'inbound' THEN ' (inbound)' ELSE '' END || coalesce(': ' || left(e.subject, 200), ''),
  e.source_id, e.source_system, e.source_stream, e.source_record_id, e.source_url, e.also_source_ids, e.load_id
FROM ("""
    + tell_once(
        "pg_temp.person_engagement",
        "type",
        SAME_EVENT,
        'priority, occurred_at, source_id COLLATE "C"',
    )
    + ") AS e WHERE e.is_kept OR e.type IN ('task', 'note')"
)
_TOUCHPOINTS = """
SELECT j.person_id, j.event_id, j.occurred_at, j.event_type AS touch_type, j.team, j.channel, j.channel_rule,
  j.original_source, j.original_source_rule, j.lead_source, j.campaign_id, j.content_asset_id, p.account_id, j.opportunity_id,
  j.page_views, j.source_id
FROM pg_temp.journey_event AS j JOIN {core.person} AS p ON p.person_id = j.person_id
WHERE j.is_touchpoint
"""


def begin_events(work: Work) -> int:
    """Make `journey_event` with the touches and engagements of `affected_events`, and core.touchpoint from it.

    Returns:
        Rows of core.touchpoint written.
    """
    work.run("DROP TABLE IF EXISTS pg_temp.journey_event")
    work.run(_EVENT)
    work.temp("person_address", _ADDRESS, index="value", holders=work.text(_HOLDERS[work.full]))
    seen = evidence(work.settings.unwanted_referrals)
    work.temp("person_touch", _PERSON_TOUCH, evidence=seen)
    find_channels(work)
    find_sessions(work)
    work.run(_TOUCHES, types=", ".join(f"'{t}'" for t in TOUCHPOINTS))
    work.temp("person_engagement", _PERSON_ENGAGEMENT)
    work.run(_ENGAGEMENTS)
    work.run("ANALYZE pg_temp.journey_event")
    touched = "person_id IN (SELECT person_id FROM pg_temp.affected_events)"
    return work.replace("core.touchpoint", "touchpoint_new", touched, query=_TOUCHPOINTS, noting="person_id")
