"""What each source record brings to tell who it is, kept from build to build in core.identity_evidence.

Keeping it makes the incremental build exact: a record that changed or vanished is compared with what it brought before,
and everybody who shared or shares a value with it is looked at again.

Rules, by kind of record:
  self         the record's own source_id (so that others can point at it)
  merge        the record that it was merged into, as the vendor says
  cross_id     records that the vendor says are the same one
  email        (person) each address; role mailboxes and placeholders are kept but tie nobody
  mail_domain  (person) domain of an address, free-mail left out; ties to accounts only
  domain       (account) web domain, free-mail left out
"""

from transforms.work import Work

PERSONS = """
  SELECT source_id, source_key, source_system, created_at, is_deleted, full_name AS name
  FROM {staging.person} WHERE is_company IS NOT TRUE"""
ACCOUNTS = """
  SELECT source_id, source_key, source_system, created_at, is_deleted, name FROM {staging.account}
  UNION ALL
  SELECT p.source_id, p.source_key, p.source_system, p.created_at, p.is_deleted, p.full_name
  FROM {staging.person} AS p
  WHERE p.is_company AND NOT EXISTS (SELECT FROM {staging.account} AS a WHERE a.source_id = p.source_id)"""
OPPORTUNITIES = """
  SELECT source_id, source_key, source_system, created_at, is_deleted, name FROM {staging.opportunity}"""

_NEW = """
WITH person AS (
  SELECT source_id, source_key, NOT is_deleted AS is_live, same_as, merged_into_source_id, is_company IS TRUE AS is_company,
    ARRAY(SELECT DISTINCT m FROM unnest(array_prepend(email, other_emails)) AS m WHERE m LIKE '_%@%_') AS emails
  FROM {changed_person}
), account AS (
  SELECT source_id, source_key, NOT is_deleted AS is_live, same_as, merged_into_source_id, ARRAY[domain] AS domains
  FROM {changed_account}
  UNION ALL
  SELECT source_id, source_key, is_live, same_as, merged_into_source_id,
    ARRAY(SELECT DISTINCT split_part(m, '@', 2) FROM unnest(emails) AS m)
  FROM person AS p WHERE is_company AND NOT EXISTS (SELECT FROM {staging.account} AS a WHERE a.source_id = p.source_id)
), record AS (
  SELECT 'person' AS kind, source_id, source_key, is_live, same_as, merged_into_source_id FROM person WHERE NOT is_company
  UNION ALL
  SELECT 'account', source_id, source_key, is_live, same_as, merged_into_source_id FROM account
  UNION ALL
  SELECT 'opportunity', source_id, source_key, NOT is_deleted, same_as, merged_into_source_id FROM {changed_opportunity}
), brought AS (
  SELECT kind, source_id, source_key, is_live, 'self' AS rule, source_id AS value, true AS is_usable FROM record
  UNION ALL
  SELECT kind, source_id, source_key, is_live, 'merge', merged_into_source_id, true FROM record
  WHERE merged_into_source_id <> source_id
  UNION ALL
  SELECT DISTINCT kind, source_id, source_key, is_live, 'cross_id', other, true
  FROM record CROSS JOIN LATERAL unnest(same_as) AS other WHERE other <> source_id AND other <> ''
  UNION ALL
  SELECT 'person', source_id, source_key, is_live, 'email', m,
    NOT EXISTS (SELECT FROM pg_temp.setting_role AS r WHERE r.mailbox = split_part(split_part(m, '@', 1), '+', 1))
    AND NOT EXISTS (SELECT FROM pg_temp.setting_placeholder AS x WHERE x.email = m)
  FROM person CROSS JOIN LATERAL unnest(emails) AS m WHERE NOT is_company
  UNION ALL
  SELECT DISTINCT 'person', source_id, source_key, is_live, 'mail_domain', split_part(m, '@', 2), false
  FROM person CROSS JOIN LATERAL unnest(emails) AS m WHERE NOT is_company
  UNION ALL
  SELECT 'account', source_id, source_key, is_live, 'domain', d, true
  FROM account CROSS JOIN LATERAL unnest(domains) AS d WHERE d <> ''
)
SELECT source_id, kind, rule, value, is_usable, is_live, source_key FROM brought AS b
WHERE rule NOT IN ('domain', 'mail_domain')
  OR NOT EXISTS (SELECT FROM pg_temp.setting_free_domain AS f WHERE f.domain = b.value)
"""

_CHANGED = """
SELECT kind, source_id FROM pg_temp.evidence_new UNION
SELECT kind, source_id FROM pg_temp.evidence_old
"""

_OLD = """
SELECT e.source_id, e.kind, e.rule, e.value, e.is_usable, e.is_live, e.source_key FROM {evidence} AS e
"""

# A value whose holders did not change ties the same records as before. Pointers and domains are always looked at: whether
# they count also depends on names and on who else is live.
_TOUCHED = """
SELECT DISTINCT kind, rule, value FROM (
  (SELECT * FROM pg_temp.evidence_new EXCEPT SELECT * FROM pg_temp.evidence_old)
  UNION ALL
  (SELECT * FROM pg_temp.evidence_old EXCEPT SELECT * FROM pg_temp.evidence_new)
  UNION ALL
  SELECT * FROM pg_temp.evidence_new WHERE rule IN ('self', 'merge', 'cross_id', 'domain')
  UNION ALL
  SELECT * FROM pg_temp.evidence_old WHERE rule IN ('self', 'merge', 'cross_id', 'domain')
) AS e
WHERE rule <> 'mail_domain'
"""

# Holders of a touched value; beyond the cap a value ties nobody, so its holders need not be looked at.
_HOLDERS = """
INSERT INTO pg_temp.identity_seed
SELECT t.kind, h.source_id FROM pg_temp.evidence_touched AS t
CROSS JOIN LATERAL (
  SELECT e.source_id FROM {core.identity_evidence} AS e
  WHERE e.kind = t.kind AND e.rule = t.rule AND e.value = t.value LIMIT {cap} + 1
) AS h
WHERE t.rule = 'email' AND {cap} >= (
  SELECT count(*) FROM (
    SELECT FROM {core.identity_evidence} AS e
    WHERE e.kind = t.kind AND e.rule = t.rule AND e.value = t.value LIMIT {cap} + 1) AS n)
UNION
SELECT t.kind, e.source_id FROM pg_temp.evidence_touched AS t
JOIN {core.identity_evidence} AS e ON e.kind = t.kind AND e.value = t.value
  AND (e.rule = t.rule OR (t.rule IN ('self', 'merge', 'cross_id') AND e.rule IN ('self', 'merge', 'cross_id')))
WHERE t.rule <> 'email'
"""


def refresh_evidence(work: Work) -> int:
    """Bring core.identity_evidence up to date and note in `identity_seed` (kind, source_id) whose group may change.

    Returns:
        The number of records that brought something new or lost something.
    """
    changed = {
        f"changed_{name}": work.changed_rows(work.text(f"{{staging.{name}}}")) + f" AS changed_{name}"
        for name in ("person", "account", "opportunity")
    }
    work.temp("evidence_new", _NEW, index="source_id, kind, rule, value", **changed)
    work.temp("evidence_old", _OLD, evidence=work.changed_rows(work.text("{core.identity_evidence}")))
    work.temp("identity_seed", _CHANGED)
    if work.full:
        return work.refresh("core.identity_evidence", "evidence_new")
    work.temp("evidence_touched", _TOUCHED)
    work.run(_HOLDERS)
    rows = work.refresh(
        "core.identity_evidence", "evidence_new", "t.source_key IN (SELECT c.source_key FROM pg_temp.change AS c)"
    )
    work.run(_HOLDERS)
    work.run("ANALYZE pg_temp.identity_seed")
    return rows
