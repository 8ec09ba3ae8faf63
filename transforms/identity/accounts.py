"""core.account: one row per company, from all its records."""

from transforms.identity.survivorship import PRIORITY, survivor
from transforms.work import Work

_ACCOUNT = f"""
WITH record AS (
  SELECT l.account_id, r.*, coalesce(y.priority, 99) AS priority, l.rule = 'anchor' AS is_anchor
  FROM pg_temp.affected_account AS f JOIN {{core.account_link}} AS l ON l.account_id = f.account_id
  JOIN LATERAL (
    SELECT source_id, source_system, version_at, is_deleted, name, domain, country, industry, employee_count, owner_source_id
    FROM {{staging.account}} AS a WHERE a.source_id = l.source_id
    UNION ALL
    SELECT p.source_id, p.source_system, p.version_at, p.is_deleted, coalesce(p.company_name, p.full_name),
      (SELECT min(e.value) FROM {{core.identity_evidence}} AS e
       WHERE e.source_id = p.source_id AND e.kind = 'account' AND e.rule = 'domain'),
      p.country, NULL, NULL, p.owner_source_id
    FROM {{staging.person}} AS p
    WHERE p.source_id = l.source_id AND p.is_company
      AND NOT EXISTS (SELECT FROM {{staging.account}} AS a WHERE a.source_id = l.source_id)
  ) AS r ON true {PRIORITY}
)
SELECT account_id, max(source_id) FILTER (WHERE is_anchor) AS anchor_source_id,
  {survivor("name")} AS name, {survivor("domain")} AS domain, {survivor("country")} AS country,
  {survivor("industry")} AS industry, {survivor("employee_count")} AS employee_count,
  {survivor("owner_source_id")} AS owner_source_id, bool_and(is_deleted) AS is_deleted, count(*)::int AS record_count
FROM record GROUP BY account_id
"""

_DOMAIN_MOVED = """
SELECT DISTINCT domain FROM (
  (SELECT account_id, domain, is_deleted FROM pg_temp.account_old EXCEPT
   SELECT account_id, domain, is_deleted FROM pg_temp.account_new)
  UNION ALL
  (SELECT account_id, domain, is_deleted FROM pg_temp.account_new EXCEPT
   SELECT account_id, domain, is_deleted FROM pg_temp.account_old)
) AS d WHERE domain IS NOT NULL
"""

_PLACE_MOVED = """
WITH new AS (SELECT * FROM pg_temp.evidence_new WHERE kind = 'account' AND rule = 'name_place'),
  old AS (SELECT * FROM pg_temp.evidence_old WHERE kind = 'account' AND rule = 'name_place')
SELECT value FROM (
  (SELECT * FROM new EXCEPT SELECT * FROM old) UNION ALL (SELECT * FROM old EXCEPT SELECT * FROM new)
) AS e
UNION
SELECT e.value FROM pg_temp.moved_account AS m
JOIN {core.identity_evidence} AS e ON e.source_id = m.source_id AND e.kind = 'account' AND e.rule = 'name_place'
"""


def build_accounts(work: Work) -> int:
    """Build core.account for `affected_account`; returns rows written.

    Leaves `moved_domain` (domain) and, in an incremental build, `moved_place` (value): domains, and names in a country, whose
    accounts changed, so that the people who have them are looked at.
    """
    work.temp("account_new", _ACCOUNT, index="account_id")
    touched = "t.account_id IN (SELECT account_id FROM pg_temp.affected_account)"
    work.temp("account_old", f"SELECT * FROM {{core.account}} AS t WHERE {touched}")
    work.temp("moved_domain", _DOMAIN_MOVED)
    if not work.full:
        work.temp("moved_place", _PLACE_MOVED)
    return work.refresh("core.account", "account_new", touched)
