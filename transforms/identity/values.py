"""Whether a value that several records hold says that they are one: not where too many hold it, or where it is ambiguous."""

HOLDERS = """
SELECT count(*) AS holders, count(*) FILTER (WHERE is_live) AS live,
  count(DISTINCT split_part(source_id, ':', 1)) FILTER (WHERE is_live) AS live_systems,
  CASE WHEN v.rule = 'name_domain' THEN (
    SELECT count(DISTINCT m.source_id) - max(m.together) FROM (
      SELECT m.source_id, count(*) OVER (PARTITION BY m.value) AS together FROM {core.identity_evidence} AS h
      JOIN {core.identity_evidence} AS m ON m.source_id = h.source_id AND m.kind = h.kind AND m.rule = 'email'
      WHERE h.kind = '{kind}' AND h.rule = v.rule AND h.value = v.value AND h.is_usable AND strpos(m.value, '+') = 0
        AND EXISTS (SELECT FROM {core.identity_evidence} AS w WHERE w.source_id = m.source_id AND w.kind = m.kind
          AND w.rule = 'mail_domain' AND w.value = split_part(m.value, '@', 2))
    ) AS m
  ) END AS apart
FROM (
  SELECT e.source_id, e.is_live FROM {core.identity_evidence} AS e
  WHERE e.kind = '{kind}' AND e.rule = v.rule AND e.value = v.value AND e.is_usable LIMIT {cap} + 1
) AS few
"""
"""Who holds the value v (rule, value) of a kind.

holders, live: records, and live ones. live_systems: in how many systems. apart: of a name at a company, how many of those
that have a mailbox at work have another than the most common one; null where nobody has one.
"""

IS_CLEAR = """
c.holders <= {cap} AND coalesce(c.apart, 0) = 0 AND (v.rule NOT IN ('domain', 'deal') OR c.live = c.live_systems)
"""
"""Whether the holders c of a value v are one."""
