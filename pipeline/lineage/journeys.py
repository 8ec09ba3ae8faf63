"""How the journeys are made: an event of the record that tells of it, a person's row of events, stages, deals and records."""

from pipeline.lineage.model import Lineage, Measure, Parts
from transforms.marts.person_journey import STAGES

# Each kind of event is known by the id that the build gave it, so that no other row can be taken for its origin.
_TOLD = """
SELECT f.person_id, f.event_id, e.told_by, e.occurred_at, e.amount, e.currency, e.amount_reporting,
  f.source_id || coalesce(f.also_source_ids, '{{}}') AS source_ids
FROM figure AS f CROSS JOIN LATERAL (
  SELECT 'a touch' AS told_by, t.occurred_at, NULL::numeric AS amount, NULL AS currency, NULL::numeric AS amount_reporting
  FROM {staging.touch} AS t WHERE t.source_id = f.source_id AND f.event_id = md5('touch:' || t.source_id)::uuid
  UNION ALL
  SELECT 'an engagement', coalesce(g.occurred_at, g.created_at), NULL, NULL, NULL
  FROM {staging.engagement} AS g WHERE g.source_id = f.source_id AND f.event_id = md5('engagement:' || g.source_id)::uuid
  UNION ALL
  SELECT CASE WHEN s.is_inferred THEN 'a later stage, which proves it' ELSE 'a change of stage' END, s.occurred_at, NULL,
    NULL, NULL
  FROM {core.stage_change} AS s WHERE s.person_id = f.person_id
    AND (f.event_type = 'stage_change' AND s.event_id = f.event_id
      OR f.event_type = 'hand_over' AND md5('hand_over:' || s.event_id::text)::uuid = f.event_id)
  UNION ALL
  SELECT 'a deal', CASE f.event_type WHEN 'deal_created' THEN o.created_at ELSE o.closed_at END, o.amount, o.currency,
    o.amount_reporting
  FROM {core.opportunity} AS o WHERE o.opportunity_id = f.opportunity_id
    AND f.event_id = md5(f.event_type || ':' || o.anchor_source_id)::uuid
  UNION ALL
  SELECT 'a change of the deal''s stage', h.occurred_at, h.amount, h.currency, NULL
  FROM {staging.stage_change} AS h WHERE h.source_id = f.source_id
    AND f.event_id = md5('deal_stage:' || h.source_id)::uuid
  UNION ALL
  SELECT 'a person''s record', least(r.first_seen_at, r.created_at), NULL, NULL, NULL
  FROM {staging.person} AS r WHERE r.source_id = f.source_id AND f.event_id = md5('first_seen:' || r.source_id)::uuid
) AS e
"""
_CUSTOMER_JOURNEY = Lineage(
    "marts.customer_journey",
    (
        Parts(
            "tellings",
            _TOLD,
            ("told_by", "occurred_at", "amount", "currency", "amount_reporting"),
            "occurred_at",
            ("touch", "engagement", "stage_change", "opportunity", "person"),
        ),
    ),
    tuple(
        Measure(column, "first", "tellings", of=column)
        for column in ("occurred_at", "amount", "currency", "amount_reporting")
    ),
    (
        "sequence_number", "account_id", "opportunity_id", "event_type", "team", "channel", "lead_source", "campaign_id",
        "campaign_name", "content_asset_id", "owner_id", "funnel_stage", "from_stage", "to_stage", "cycle_number",
        "is_touchpoint", "title", "source_system", "source_stream", "source_record_id", "source_id", "source_url",
        "also_source_ids", "load_id", "session_id",
    ),
)  # fmt: skip

_EVENTS = """
SELECT f.person_id, j.sequence_number, j.occurred_at, j.team, j.title, j.channel, j.lead_source, j.campaign_id, j.is_touchpoint,
  j.is_touchpoint AND j.team = 'marketing' AS is_marketing_touch, j.is_touchpoint AND j.team = 'sales' AS is_sales_touch,
  j.is_touchpoint AND j.campaign_id IS NOT NULL AS is_campaign_touch,
  j.is_touchpoint AND j.team = 'sales' AND j.occurred_at >= f.handed_over_at AS is_answer,
  j.source_id || coalesce(j.also_source_ids, '{{}}') AS source_ids
FROM figure AS f JOIN {marts.customer_journey} AS j ON j.person_id = f.person_id
"""
_STAGES = """
SELECT f.person_id, s.occurred_at, s.from_stage, s.to_stage, s.cycle_number, s.is_inferred,
  s.to_stage = 'mql' AND NOT s.is_inferred AS is_hand_over, {flags}, ARRAY[s.source_id] AS source_ids
FROM figure AS f JOIN {{core.stage_change}} AS s ON s.person_id = f.person_id
""".format(flags=", ".join(f"s.to_stage = '{s}' AS is_{s}" for s in STAGES))
_PERSON_DEALS = """
SELECT f.person_id, o.opportunity_id, o.name, o.status, op.role, op.is_primary, o.created_at, o.closed_at, o.amount_reporting,
  o.status = 'won' AS is_won, o.status = 'won' AND op.is_primary AS is_won_as_primary,
  ARRAY[o.source_id] AS source_ids
FROM figure AS f JOIN {core.opportunity_person} AS op ON op.person_id = f.person_id
JOIN {core.opportunity} AS o ON o.opportunity_id = op.opportunity_id AND NOT o.is_deleted
"""
_RECORDS = """
SELECT f.person_id, l.source_id, r.source_system, l.rule, l.value, r.version_at, ARRAY[l.source_id] AS source_ids
FROM figure AS f JOIN {core.identity_link} AS l ON l.person_id = f.person_id
JOIN {staging.person} AS r ON r.source_id = l.source_id
"""
_EVENT_SHOWS = ("occurred_at", "team", "title", "channel", "lead_source")
_EVENT_ENTITIES = ("touch", "engagement", "stage_change", "opportunity", "person")
_PERSON_JOURNEY = Lineage(
    "marts.person_journey",
    (
        Parts("events", _EVENTS, _EVENT_SHOWS, "sequence_number", _EVENT_ENTITIES),
        Parts(
            "stages",
            _STAGES,
            ("occurred_at", "from_stage", "to_stage", "cycle_number", "is_inferred"),
            "occurred_at",
            ("stage_change", "opportunity", "person"),
        ),
        Parts(
            "deals",
            _PERSON_DEALS,
            ("name", "status", "role", "is_primary", "created_at", "closed_at", "amount_reporting"),
            "created_at, opportunity_id",
            ("opportunity",),
        ),
        Parts(
            "records",
            _RECORDS,
            ("source_id", "rule", "value"),
            """rule = 'anchor' DESC, source_id COLLATE "C\"""",
            ("person",),
        ),
    ),
    (
        Measure("event_count", "count", "events"),
        Measure("touch_count", "count", "events", when="is_touchpoint"),
        Measure("marketing_touch_count", "count", "events", when="is_marketing_touch"),
        Measure("sales_touch_count", "count", "events", when="is_sales_touch"),
        Measure("first_touch_at", "earliest", "events", of="occurred_at", when="is_touchpoint"),
        Measure("last_touch_at", "latest", "events", of="occurred_at", when="is_touchpoint"),
        Measure("first_touch_source", "first", "events", of="lead_source", when="is_touchpoint"),
        Measure("first_campaign_id", "first", "events", of="campaign_id", when="is_campaign_touch"),
        *(Measure(f"{s}_at", "earliest", "stages", of="occurred_at", when=f"is_{s}") for s in STAGES),
        Measure("handed_over_at", "earliest", "stages", of="occurred_at", when="is_hand_over"),
        Measure("first_sales_touch_at", "earliest", "events", of="occurred_at", when="is_answer"),
        Measure("deal_count", "count", "deals"),
        Measure("won_deal_count", "count", "deals", when="is_won"),
        Measure("revenue_amount", "sum", "deals", of="amount_reporting", when="is_won_as_primary"),
        Measure("system_count", "distinct", "records", of="source_system"),
    ),
    (
        "account_id", "full_name", "email", "lead_source", "funnel_stage", "inferred_stages", "outcome",
        "disqualified_reason",
    ),
)  # fmt: skip

JOURNEYS = (_CUSTOMER_JOURNEY, _PERSON_JOURNEY)
