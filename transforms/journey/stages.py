"""Every passing of a funnel stage by a person: core.stage_change.

Who tells of a stage: the vendors' histories; the first stage of a record that has no earlier history (the stage before its
first change, else its present one, at its creation); and deals, whose creation makes their people an opportunity and whose
winning makes them customers.

How tellings become passings:
1. One passing that several systems tell of within a day is one (duplicates.py); the earliest telling stands, because that
   is when the first system knew. Hops within one system are all kept.
2. A first stage or a deal's stage counts only if the person is not there or further already in this pass: a lead record
   that is opened at MQL for somebody who is SQL elsewhere does not set them back.
3. A telling of the stage that the person is in already is no change.
4. A pass ends with customer, recycled, disqualified or churned; the next stage on the main line begins the next cycle.
5. A stage that everybody passes and no history tells of is inferred, just before the later stage that proves it (one
   microsecond each, so that order by time is the order of the funnel). In later cycles nothing is inferred before the
   first stage told: who buys again need not become a lead again.
"""

from transforms.journey.duplicates import tell_once
from transforms.work import Work

SAME_STAGE = "1 day"

_TELLING = """
WITH record AS (
  SELECT f.person_id, l.source_id FROM pg_temp.affected_events AS f
  JOIN {core.identity_link} AS l ON l.person_id = f.person_id
), history AS (
  SELECT r.person_id, r.source_id AS record_id, h.occurred_at, h.from_stage, h.to_stage, h.source_id, h.source_system
  FROM record AS r JOIN {staging.stage_change} AS h ON h.subject_source_id = r.source_id
  WHERE h.subject_type = 'person' AND NOT h.is_deleted
), earliest AS (
  SELECT DISTINCT ON (record_id) record_id, from_stage FROM history
  ORDER BY record_id, occurred_at, source_id COLLATE "C"
), told AS (
  SELECT person_id, occurred_at, to_stage, source_id, source_system, NULL::uuid AS opportunity_id, false AS is_weak,
    md5('stage_change:' || source_id)::uuid AS event_id
  FROM history
  UNION ALL
  SELECT r.person_id, p.created_at, CASE WHEN e.record_id IS NULL THEN p.funnel_stage ELSE e.from_stage END, p.source_id,
    p.source_system, NULL, true, md5('first_stage:' || p.source_id)::uuid
  FROM record AS r JOIN {staging.person} AS p ON p.source_id = r.source_id
  LEFT JOIN earliest AS e ON e.record_id = r.source_id
  WHERE p.created_at IS NOT NULL
  UNION ALL
  SELECT f.person_id, d.occurred_at, d.to_stage, o.source_id, 'deal', o.opportunity_id, true,
    md5('stage_' || d.to_stage || ':' || o.anchor_source_id)::uuid
  FROM pg_temp.affected_events AS f JOIN {core.opportunity_person} AS op ON op.person_id = f.person_id
  JOIN {core.opportunity} AS o ON o.opportunity_id = op.opportunity_id AND NOT o.is_deleted
  CROSS JOIN LATERAL (VALUES
    (o.created_at, 'opportunity'), (CASE WHEN o.status = 'won' THEN coalesce(o.closed_at, o.created_at) END, 'customer')
  ) AS d (occurred_at, to_stage)
  WHERE d.occurred_at IS NOT NULL
)
SELECT t.*, s.position, s.is_main, s.is_closer
FROM told AS t JOIN pg_temp.setting_stage AS s ON s.stage = t.to_stage
"""
_ONCE = tell_once("pg_temp.stage_telling", "to_stage", SAME_STAGE, 'occurred_at, is_weak, source_id COLLATE "C"')

_PASSED = f"""
WITH once AS (
  SELECT person_id, event_id, occurred_at, to_stage, source_id, opportunity_id, is_weak, position, is_main, is_closer,
    also_source_ids
  FROM ({_ONCE}) AS o WHERE is_kept
), passes AS (
  SELECT o.*, count(*) FILTER (WHERE is_closer) OVER (told ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS pass
  FROM once AS o WINDOW told AS (PARTITION BY person_id ORDER BY occurred_at, position, event_id)
), ahead AS (
  SELECT p.*, max(position) FILTER (WHERE is_main) OVER (
    PARTITION BY person_id, pass ORDER BY occurred_at, position, event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS furthest
  FROM passes AS p
), moved AS (
  SELECT a.*, lag(to_stage) OVER (PARTITION BY person_id ORDER BY occurred_at, position, event_id) AS before
  FROM ahead AS a WHERE NOT (is_weak AND coalesce(furthest, 0) >= position)
), changed AS (
  SELECT person_id, event_id, occurred_at, to_stage, source_id, opportunity_id, position, is_main, is_closer, also_source_ids,
    is_main AND position <= (SELECT position FROM pg_temp.setting_stage WHERE stage = 'customer') AS opens,
    count(*) FILTER (WHERE is_closer) OVER (
      PARTITION BY person_id ORDER BY occurred_at, position, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS pass
  FROM moved WHERE before IS DISTINCT FROM to_stage
), opened AS (
  SELECT c.*, opens AND pass > 0 AND 1 = row_number() OVER (
    PARTITION BY person_id, pass, opens ORDER BY occurred_at, position, event_id) AS is_restart
  FROM changed AS c
), cycled AS (
  SELECT o.*, 1 + count(*) FILTER (WHERE is_restart) OVER (
    PARTITION BY person_id ORDER BY occurred_at, position, event_id)::int AS cycle_number
  FROM opened AS o
)
SELECT c.*, max(position) FILTER (WHERE is_main) OVER (
    PARTITION BY person_id, cycle_number ORDER BY occurred_at, position, event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS furthest
FROM cycled AS c
"""
_STAGES = """
WITH filled AS (
  SELECT person_id, event_id, occurred_at, to_stage, source_id, opportunity_id, position, cycle_number, also_source_ids,
    false AS is_inferred
  FROM pg_temp.stage_passed
  UNION ALL
  SELECT p.person_id, md5('inferred:' || s.stage || ':' || p.event_id::text)::uuid,
    p.occurred_at - (p.position - s.position) * interval '1 microsecond', s.stage, p.source_id, p.opportunity_id, s.position,
    p.cycle_number, NULL, true
  FROM pg_temp.stage_passed AS p
  JOIN pg_temp.setting_stage AS s ON s.is_expected AND s.position < p.position
    AND s.position > coalesce(p.furthest, CASE WHEN p.cycle_number = 1 THEN 0 ELSE p.position END)
  WHERE p.is_main
)
SELECT person_id, event_id, occurred_at, lag(to_stage) OVER told AS from_stage, to_stage, cycle_number, is_inferred,
  opportunity_id, source_id, also_source_ids, row_number() OVER told AS stage_number
FROM filled WINDOW told AS (PARTITION BY person_id ORDER BY occurred_at, position, event_id)
"""
_EVENTS = """
INSERT INTO pg_temp.journey_event
SELECT s.person_id, s.event_id, s.occurred_at, 'stage_change',
  CASE WHEN s.is_inferred THEN 'system' WHEN g.position <= mql.position THEN 'marketing' ELSE 'sales' END, NULL, NULL, NULL,
  NULL, NULL, coalesce(h.changed_by_source_id, d.owner_source_id), s.opportunity_id, s.from_stage, s.to_stage,
  s.stage_number, s.cycle_number, false, NULL, NULL, NULL,
  'Stage: ' || s.to_stage || CASE WHEN s.is_inferred THEN ' (inferred)' ELSE '' END, s.source_id,
  coalesce(h.source_system, d.source_system, r.source_system), coalesce(h.source_stream, d.source_stream, r.source_stream),
  coalesce(h.source_record_id, d.source_record_id, r.source_record_id), coalesce(h.source_url, d.source_url, r.source_url),
  s.also_source_ids, coalesce(h.load_id, d.load_id, r.load_id)
FROM pg_temp.stage_new AS s
JOIN pg_temp.setting_stage AS g ON g.stage = s.to_stage
LEFT JOIN pg_temp.setting_stage AS mql ON mql.stage = 'mql'
LEFT JOIN {staging.stage_change} AS h ON h.source_id = s.source_id AND s.opportunity_id IS NULL
LEFT JOIN {staging.opportunity} AS d ON d.source_id = s.source_id AND s.opportunity_id IS NOT NULL
LEFT JOIN {records} AS r ON r.source_id = s.source_id AND s.opportunity_id IS NULL AND h.source_id IS NULL
"""
_RECORDS = """(
  SELECT p.* FROM pg_temp.affected_events AS f JOIN {core.identity_link} AS l ON l.person_id = f.person_id
  JOIN {staging.person} AS p ON p.source_id = l.source_id)"""
_HAND_OVERS = """
INSERT INTO pg_temp.journey_event
SELECT DISTINCT ON (j.person_id, s.cycle_number) j.person_id, md5('hand_over:' || j.event_id::text)::uuid, j.occurred_at,
  'hand_over', 'marketing', NULL, NULL, NULL, NULL, NULL, p.owner_source_id, NULL::uuid, NULL, NULL, NULL::bigint, NULL::int,
  false, NULL::numeric, NULL, NULL::numeric, 'Handed over to sales', j.source_id, j.source_system, j.source_stream,
  j.source_record_id, j.source_url, NULL::text[], j.load_id
FROM pg_temp.stage_new AS s
JOIN pg_temp.journey_event AS j ON j.person_id = s.person_id AND j.event_id = s.event_id
JOIN {core.person} AS p ON p.person_id = s.person_id
WHERE s.to_stage = 'mql' AND NOT s.is_inferred
ORDER BY j.person_id, s.cycle_number, s.stage_number
"""


def build_stages(work: Work) -> int:
    """Build core.stage_change for `affected_events` and add stages and hand-overs to `journey_event`.

    A hand-over is the first MQL that is told (not inferred) in a cycle.

    Returns:
        Rows of core.stage_change written.
    """
    work.temp("stage_telling", _TELLING)
    work.temp("stage_passed", _PASSED)
    work.temp("stage_new", _STAGES, index="person_id, event_id")
    work.run(_EVENTS, records=work.text("{staging.person}" if work.full else _RECORDS))
    work.run(_HAND_OVERS)
    touched = "person_id IN (SELECT person_id FROM pg_temp.affected_events)"
    return work.replace("core.stage_change", "stage_new", touched, noting="person_id")
