"""Whether a value that several records hold says that they are one: not where too many hold it, or where it is ambiguous."""

from transforms.work import Work

# An incremental build looks few values up, and no more holders than matter; a full one reads all that there are.
_HELD = {
    True: """
SELECT e.rule, e.value, e.source_id, e.is_live FROM ({values}) AS v
JOIN {core.identity_evidence} AS e ON e.kind = '{kind}' AND e.rule = v.rule AND e.value = v.value AND e.is_usable
""",
    False: """
SELECT v.rule, v.value, few.source_id, few.is_live FROM ({values}) AS v
CROSS JOIN LATERAL (
  SELECT e.source_id, e.is_live FROM {core.identity_evidence} AS e
  WHERE e.kind = '{kind}' AND e.rule = v.rule AND e.value = v.value AND e.is_usable LIMIT {cap} + 1
) AS few
""",
}
_VALUES = """
WITH mailbox AS (
  SELECT h.value, h.source_id, count(*) OVER (PARTITION BY h.value, m.value) AS together
  FROM pg_temp.holder AS h
  JOIN {core.identity_evidence} AS m ON m.source_id = h.source_id AND m.kind = '{kind}' AND m.rule = 'email'
  WHERE h.rule = 'name_domain' AND strpos(m.value, '+') = 0 AND EXISTS (
    SELECT FROM {core.identity_evidence} AS w
    WHERE w.source_id = m.source_id AND w.kind = '{kind}' AND w.rule = 'mail_domain' AND w.value = split_part(m.value, '@', 2))
), apart AS (
  SELECT value, count(DISTINCT source_id) - max(together) AS apart FROM mailbox GROUP BY value
), system AS (
  SELECT rule, value, split_part(source_id, ':', 1) AS system, count(*) AS holders, count(*) FILTER (WHERE is_live) AS live
  FROM pg_temp.holder GROUP BY 1, 2, 3
), counted AS (
  SELECT rule, value, sum(holders) AS holders, sum(live) AS live, count(*) FILTER (WHERE live > 0) AS live_systems
  FROM system GROUP BY rule, value
)
SELECT c.rule, c.value, c.holders, a.apart,
  c.holders <= {cap} AND coalesce(a.apart, 0) = 0 AND (c.rule NOT IN ('domain', 'deal') OR c.live = c.live_systems) AS is_clear
FROM counted AS c LEFT JOIN apart AS a ON c.rule = 'name_domain' AND a.value = c.value
"""


def weigh_values(work: Work, kind: str, values: str) -> None:
    """Make the temporary tables `holder` (rule, value, source_id, is_live) and `weighed` of some values of a kind.

    values: a query that gives them (rule, value).

    `weighed` has a row for each: rule, value; holders: how many records hold it, at most one more than the cap in an incremental
    build; apart: of a name at a company, how many of those that have a mailbox at work have another than the most common one, null
    where nobody has one; is_clear: whether the holders are one.
    """
    work.temp("holder", _HELD[work.full], index="rule, value", kind=kind, values=work.text(values, kind=kind))
    work.temp("weighed", _VALUES, index="rule, value", kind=kind)
