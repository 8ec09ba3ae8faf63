"""What each source record brings to tell who it is, kept from build to build in core.identity_evidence.

Keeping it makes the incremental build exact: a record that changed or vanished is compared with what it brought before,
and everybody who shared or shares a value with it is looked at again.

Rules, by kind of record:
  self         the record's own source_id (so that others can point at it)
  decision     a record that somebody who knows says is the same one (ops.identity_decision)
  merge        the record that it was merged into, as the vendor says
  cross_id     records that the vendor says are the same one
  email        (person) each address, and it without its +tag; role mailboxes and placeholders are kept but tie nobody
  phone        (person) each number, with the name beside it: colleagues and families share numbers
  name_domain  (person) the name at the company's domain, by address or by the account on the record
  mail_domain  (person) domain of an address and those above it, free-mail and public suffixes left out; ties to accounts only
  name_place   (person) name and country of the company, where the record names no account; ties to accounts only
  name_place   (account) its name and country
  domain       (account) web domain, free-mail left out
  deal         (opportunity) name, currency and amount together

Evidence that somebody has closed (ops.identity_decision) is kept, but no longer usable.
"""

from transforms.changes import narrow
from transforms.identity.names import name_key
from transforms.work import Work

READS = {
    "person": (
        "is_deleted",
        "merged_into_source_id",
        "same_as",
        "email",
        "other_emails",
        "phone",
        "mobile_phone",
        "full_name",
        "company_name",
        "country",
        "is_company",
        "account_source_id",
        "created_at",
    ),
    "account": ("is_deleted", "merged_into_source_id", "same_as", "name", "domain", "country", "created_at"),
    "opportunity": ("is_deleted", "merged_into_source_id", "same_as", "name", "currency", "amount", "created_at"),
}
"""Staging table -> columns that say who a record is, and how old; the other columns never move a record."""

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
    ARRAY(SELECT DISTINCT v.m FROM unnest(array_prepend(email, other_emails)) AS m
          CROSS JOIN LATERAL (VALUES (m), (regexp_replace(m, '[+][^@]*@', '@'))) AS v (m) WHERE v.m LIKE '_%@%_') AS emails,
    ARRAY[phone, mobile_phone] AS phones, account_source_id, {name} AS name_key, country,
    {company} AS company_key
  FROM {changed_person} AS r
), account AS (
  SELECT source_id, source_key, NOT is_deleted AS is_live, same_as, merged_into_source_id, ARRAY[domain] AS domains,
    {account_name} AS company_key, country
  FROM {changed_account} AS r
  UNION ALL
  SELECT source_id, source_key, is_live, same_as, merged_into_source_id,
    ARRAY(SELECT DISTINCT split_part(m, '@', 2) FROM unnest(emails) AS m), company_key, country
  FROM person AS p WHERE is_company AND NOT EXISTS (SELECT FROM {staging.account} AS a WHERE a.source_id = p.source_id)
), deal AS (
  SELECT source_id, source_key, NOT is_deleted AS is_live, same_as, merged_into_source_id, {deal_name} AS name_key, currency,
    amount
  FROM {changed_opportunity} AS r
), record AS (
  SELECT 'person' AS kind, source_id, source_key, is_live, same_as, merged_into_source_id FROM person WHERE NOT is_company
  UNION ALL
  SELECT 'account', source_id, source_key, is_live, same_as, merged_into_source_id FROM account
  UNION ALL
  SELECT 'opportunity', source_id, source_key, is_live, same_as, merged_into_source_id FROM deal
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
  -- Accounts are known by the domain that was registered: people of acme.test write from br.acme.test as well.
  SELECT DISTINCT 'person', source_id, source_key, is_live, 'mail_domain', d.domain, false
  FROM person CROSS JOIN LATERAL unnest(emails) AS m CROSS JOIN LATERAL (
    SELECT split_part(m, '@', 2) AS domain
    UNION ALL
    SELECT above FROM (
      SELECT array_to_string(labels[i:], '.') AS above
      FROM string_to_array(split_part(m, '@', 2), '.') AS labels, generate_series(2, cardinality(labels) - 1) AS i
    ) AS a
    WHERE m LIKE '%@%.%.%' AND NOT EXISTS (SELECT FROM pg_temp.setting_suffix AS x WHERE x.suffix = above)
  ) AS d
  WHERE NOT is_company
  UNION ALL
  SELECT kind, source_id, source_key, is_live, 'name_place', company_key || ' in ' || country, false
  FROM (
    SELECT 'person' AS kind, source_id, source_key, is_live, company_key, country FROM person WHERE NOT is_company
    UNION ALL
    SELECT 'account', source_id, source_key, is_live, company_key, country FROM account
  ) AS c
  WHERE company_key <> '' AND country <> '' AND NOT EXISTS (SELECT FROM pg_temp.setting_no_company AS x WHERE x.name = company_key)
  UNION ALL
  SELECT DISTINCT 'person', source_id, source_key, is_live, 'phone', n || ' ' || name_key, true
  FROM person CROSS JOIN LATERAL unnest(phones) AS n WHERE NOT is_company AND n <> '' AND name_key <> ''
  UNION ALL
  SELECT 'person', p.source_id, p.source_key, p.is_live, 'name_domain', p.name_key || ' @' || d.domain, true
  FROM person AS p CROSS JOIN LATERAL (
    SELECT split_part(m, '@', 2) AS domain FROM unnest(p.emails) AS m
    UNION SELECT a.domain FROM {staging.account} AS a WHERE a.source_id = p.account_source_id
  ) AS d
  WHERE NOT p.is_company AND d.domain <> '' AND {is_name}
    AND NOT EXISTS (SELECT FROM pg_temp.setting_free_domain AS f WHERE f.domain = d.domain)
  UNION ALL
  SELECT 'account', source_id, source_key, is_live, 'domain', d, true
  FROM account CROSS JOIN LATERAL unnest(domains) AS d WHERE d <> ''
  UNION ALL
  SELECT 'opportunity', source_id, source_key, is_live, 'deal', concat_ws(' ', name_key, currency, amount::float8), true
  FROM deal WHERE name_key <> '' AND amount <> 0
  UNION ALL
  SELECT DISTINCT r.kind, r.source_id, r.source_key, r.is_live, 'decision', d.value, true
  FROM record AS r JOIN {ops.identity_decision} AS d
    ON d.source_id = r.source_id AND d.verdict = 'same' AND d.withdrawn_at IS NULL
)
SELECT source_id, kind, rule, value,
  is_usable AND NOT EXISTS (
    SELECT FROM {ops.identity_decision} AS d WHERE d.source_id = b.source_id AND d.rule = b.rule AND d.value = b.value
      AND d.verdict = 'closed' AND d.withdrawn_at IS NULL) AS is_usable,
  is_live, source_key
FROM brought AS b
WHERE rule NOT IN ('domain', 'mail_domain')
  OR NOT EXISTS (SELECT FROM pg_temp.setting_free_domain AS f WHERE f.domain = b.value)
"""

# A name says little of who somebody is unless it has two words; in scripts without blanks, three letters.
_IS_NAME = "(p.name_key LIKE '_% _%' OR octet_length(p.name_key) >= 3 * char_length(p.name_key) AND char_length(p.name_key) >= 3)"

_COMPANY = (
    "CASE WHEN r.is_company THEN coalesce(r.company_name, r.full_name)"
    " WHEN coalesce(r.account_source_id, '') = '' THEN r.company_name END"
)

# What people of a company bring depends on the domain of its record.
_COLLEAGUES = """
INSERT INTO pg_temp.identity_change
SELECT DISTINCT p.source_key FROM (
  SELECT source_id, domain FROM pg_temp.identity_change AS c JOIN {staging.account} AS a ON a.source_key = c.source_key
) AS new FULL JOIN (
  SELECT e.source_id, max(e.value) FILTER (WHERE e.rule = 'domain') AS domain
  FROM pg_temp.identity_change AS c JOIN {core.identity_evidence} AS e ON e.source_key = c.source_key AND e.kind = 'account'
  GROUP BY e.source_id
) AS old ON old.source_id = new.source_id
JOIN {staging.person} AS p ON p.account_source_id = coalesce(new.source_id, old.source_id)
WHERE new.domain IS DISTINCT FROM old.domain
  AND NOT EXISTS (SELECT FROM pg_temp.identity_change AS c WHERE c.source_key = p.source_key)
"""

_CHANGED = """
SELECT kind, source_id FROM pg_temp.evidence_new UNION
SELECT kind, source_id FROM pg_temp.evidence_old
"""

_OLD = """
SELECT e.source_id, e.kind, e.rule, e.value, e.is_usable, e.is_live, e.source_key FROM {evidence} AS e
"""

# A value whose holders did not change ties the same records as before. Pointers, domains and names are always looked at:
# whether they count also depends on names, on addresses and on who else is live.
_TOUCHED = """
SELECT DISTINCT kind, rule, value FROM (
  (SELECT * FROM pg_temp.evidence_new EXCEPT SELECT * FROM pg_temp.evidence_old)
  UNION ALL
  (SELECT * FROM pg_temp.evidence_old EXCEPT SELECT * FROM pg_temp.evidence_new)
  UNION ALL
  SELECT * FROM pg_temp.evidence_new WHERE rule NOT IN ('email', 'phone')
  UNION ALL
  SELECT * FROM pg_temp.evidence_old WHERE rule NOT IN ('email', 'phone')
) AS e
WHERE rule NOT IN ('mail_domain', 'name_place')
"""

# Holders of a touched value; beyond the cap a value ties nobody, so its holders need not be looked at.
_HOLDERS = """
INSERT INTO pg_temp.identity_seed
SELECT t.kind, h.source_id FROM pg_temp.evidence_touched AS t
CROSS JOIN LATERAL (
  SELECT e.source_id FROM {core.identity_evidence} AS e
  WHERE e.kind = t.kind AND e.rule = t.rule AND e.value = t.value LIMIT {cap} + 1
) AS h
WHERE t.rule IN ('email', 'phone', 'name_domain', 'deal') AND {cap} >= (
  SELECT count(*) FROM (
    SELECT FROM {core.identity_evidence} AS e
    WHERE e.kind = t.kind AND e.rule = t.rule AND e.value = t.value AND e.is_usable LIMIT {cap} + 1) AS n)
UNION
SELECT t.kind, e.source_id FROM pg_temp.evidence_touched AS t
JOIN {core.identity_evidence} AS e ON e.kind = t.kind AND e.value = t.value
  AND (e.rule = t.rule OR t.rule IN {pointers} AND e.rule IN {pointers})
WHERE t.rule NOT IN ('email', 'phone', 'name_domain', 'deal')
"""

# Whether a pointer counts depends on what ties the record that it names to others.
_NAMED = """
INSERT INTO pg_temp.evidence_touched
SELECT kind, 'self', source_id FROM pg_temp.identity_seed
EXCEPT SELECT kind, rule, value FROM pg_temp.evidence_touched
"""
_NAMING = """
INSERT INTO pg_temp.identity_seed
SELECT t.kind, e.source_id FROM pg_temp.evidence_touched AS t
JOIN {core.identity_evidence} AS e ON e.kind = t.kind AND e.rule = 'cross_id' AND e.value = t.value
WHERE t.rule = 'self'
"""

_POINTERS = "('self', 'decision', 'merge', 'cross_id')"
"""Rules whose value is a record."""


def refresh_evidence(work: Work) -> int:
    """Bring core.identity_evidence up to date and note in `identity_seed` (kind, source_id) whose group may change.

    An incremental build leaves `evidence_touched` (kind, rule, value): values that may tie other records than before.

    Returns:
        The number of records that brought something new or lost something.
    """
    narrow(work, "identity_change", READS)
    if not work.full:
        work.run(_COLLEAGUES)
    changed = {
        f"changed_{name}": work.changed_rows(work.text(f"{{staging.{name}}}"), "identity_change") for name in READS
    }
    name = name_key("r.full_name")
    work.temp(
        "evidence_new",
        _NEW,
        index="source_id, kind, rule, value",
        name=name,
        is_name=_IS_NAME,
        deal_name=name_key("r.name"),
        company=name_key(_COMPANY),
        account_name=name_key("r.name"),
        **changed,
    )
    work.temp(
        "evidence_old", _OLD, evidence=work.changed_rows(work.text("{core.identity_evidence}"), "identity_change")
    )
    work.temp("identity_seed", _CHANGED)
    if work.full:
        return work.refresh("core.identity_evidence", "evidence_new")
    work.temp("evidence_touched", _TOUCHED)
    work.run(_HOLDERS, pointers=_POINTERS)
    rows = work.refresh(
        "core.identity_evidence",
        "evidence_new",
        "t.source_key IN (SELECT c.source_key FROM pg_temp.identity_change AS c)",
    )
    work.run(_HOLDERS, pointers=_POINTERS)
    work.run(_NAMED)
    work.run(_NAMING)
    work.run("ANALYZE pg_temp.identity_seed")
    return rows
