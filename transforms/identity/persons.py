"""core.person and core.person_alias: one row per human being, from all records that are that person.

Beside the rules of survivorship:
- furthest funnel stage wins, whichever system says so; a stage beside the funnel only where there is no other;
- the lead source is the earliest record's that knows one: where somebody came from does not change later. Words that say
  how a record was made (`other`, `offline`) only stand where no record says more, `unmapped` only where none is known;
- a withdrawal of consent in any system wins;
- the account is the one that the person's records name, then one that a link record names (the main one first), then the
  only account with the domain of one of the person's addresses, or with a domain above it, then the only one with the name
  and country of the company on records that name no account.
"""

from transforms.identity.survivorship import PRIORITY, survivor
from transforms.work import Work

_PERSON = f"""
WITH record AS (
  SELECT l.person_id, r.*, coalesce(y.priority, 99) AS priority, l.rule = 'anchor' AS is_anchor, s.position, s.is_main,
    x.is_weak, al.account_id
  FROM pg_temp.affected_person AS f JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
  JOIN {{staging.person}} AS r ON r.source_id = l.source_id {PRIORITY}
  LEFT JOIN pg_temp.setting_stage AS s ON s.stage = r.funnel_stage
  LEFT JOIN pg_temp.setting_source AS x ON x.lead_source = r.lead_source
  LEFT JOIN {{core.account_link}} AS al ON al.source_id = r.account_source_id
), linked AS (
  SELECT DISTINCT ON (l.person_id) l.person_id, al.account_id
  FROM pg_temp.affected_person AS f JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
  JOIN {{staging.person_account}} AS r ON r.person_source_id = l.source_id AND NOT r.is_deleted
  JOIN {{core.account_link}} AS al ON al.source_id = r.account_source_id {PRIORITY}
  ORDER BY l.person_id, r.is_primary DESC, coalesce(y.priority, 99), r.source_id COLLATE "C"
), told AS MATERIALIZED (
  -- Some thousand records: asked together with the accounts, the planner would begin with these, all of them.
  SELECT l.person_id, e.rule, e.value
  FROM pg_temp.affected_person AS f JOIN {{core.identity_link}} AS l ON l.person_id = f.person_id
  JOIN {{core.identity_evidence}} AS e ON e.source_id = l.source_id AND e.kind = 'person'
    AND e.rule IN ('mail_domain', 'name_place')
), mailed AS (
  SELECT t.person_id, (array_agg(a.account_id))[1] AS account_id
  FROM told AS t JOIN {{core.account}} AS a ON t.rule = 'mail_domain' AND a.domain = t.value AND NOT a.is_deleted
  GROUP BY t.person_id HAVING count(DISTINCT a.account_id) = 1
), placed AS (
  SELECT t.person_id, (array_agg(a.account_id))[1] AS account_id
  FROM told AS t
  JOIN {{core.identity_evidence}} AS n ON t.rule = 'name_place' AND n.kind = 'account' AND n.rule = 'name_place' AND n.value = t.value
    AND n.is_live
  JOIN {{core.account_link}} AS a ON a.source_id = n.source_id
  GROUP BY t.person_id HAVING count(DISTINCT a.account_id) = 1
), person AS (
  SELECT person_id, max(source_id) FILTER (WHERE is_anchor) AS anchor_source_id,
    {survivor("full_name")} AS full_name, {survivor("email")} AS email,
    coalesce({survivor("phone")}, {survivor("mobile_phone")}) AS phone, {survivor("job_title")} AS job_title,
    {survivor("country")} AS country, {survivor("account_id")} AS account_id,
    {survivor("owner_source_id")} AS owner_source_id,
    {survivor("funnel_stage", "position IS NOT NULL", "is_deleted, is_main DESC, position DESC, source_id")} AS funnel_stage,
    coalesce(
      {survivor("lead_source", "lead_source <> 'unmapped'", 'is_weak, created_at NULLS LAST, source_id COLLATE "C"')},
      max(lead_source)) AS lead_source,
    coalesce(bool_or(is_opted_out), false) AS is_opted_out, bool_and(is_deleted) AS is_deleted,
    min(least(first_seen_at, created_at)) AS first_seen_at, count(*)::int AS record_count,
    count(DISTINCT source_system)::int AS system_count
  FROM record GROUP BY person_id
)
SELECT p.person_id, p.anchor_source_id, p.full_name, p.email, p.phone, p.job_title, p.country,
  coalesce(p.account_id, linked.account_id, mailed.account_id, placed.account_id) AS account_id, p.owner_source_id, p.funnel_stage,
  p.lead_source, p.is_opted_out, p.is_deleted, p.first_seen_at, p.record_count, p.system_count
FROM person AS p LEFT JOIN linked ON linked.person_id = p.person_id LEFT JOIN mailed ON mailed.person_id = p.person_id
LEFT JOIN placed ON placed.person_id = p.person_id
"""

_ALIAS = """
SELECT md5('person:' || l.source_id)::uuid AS alias_id, l.person_id
FROM pg_temp.affected_person AS f JOIN {core.identity_link} AS l ON l.person_id = f.person_id
"""

_FOLLOWED = "person_id, account_id, owner_source_id, funnel_stage"
"""Columns of core.person that journeys, accounts and credit go by."""
_REWRITTEN = f"""
INSERT INTO pg_temp.rewritten
SELECT DISTINCT person_id FROM (
  (SELECT {_FOLLOWED} FROM pg_temp.person_old EXCEPT SELECT {_FOLLOWED} FROM pg_temp.person_new)
  UNION ALL
  (SELECT {_FOLLOWED} FROM pg_temp.person_new EXCEPT SELECT {_FOLLOWED} FROM pg_temp.person_old)
) AS d
"""


def build_persons(work: Work) -> int:
    """Build core.person and core.person_alias for `affected_person`; returns rows of core.person written.

    Leaves `person_old` (person_id, account_id, owner_source_id, funnel_stage): the affected persons before; an incremental build
    adds those whose row it wrote or deleted to `person_written`.
    """
    touched = "t.person_id IN (SELECT person_id FROM pg_temp.affected_person)"
    work.temp("person_new", _PERSON, index="person_id")
    work.temp("person_old", f"SELECT {_FOLLOWED} FROM {{core.person}} AS t WHERE {touched}")
    work.temp("alias_new", _ALIAS, index="alias_id")
    work.refresh("core.person_alias", "alias_new", touched)
    if not work.full:
        work.run(_REWRITTEN)
    return work.refresh("core.person", "person_new", touched, noting="person_id", into="person_written")
