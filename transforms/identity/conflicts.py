"""core.identity_conflict: evidence that ties nobody because it is shared too widely, ambiguous, or contradicted; and what became large.

A group of more records than the cap stays one, since no rule says where to part it: it is shown under its earliest record, for
somebody to split.
"""

from transforms.identity.components import Kind
from transforms.identity.values import weigh_values
from transforms.work import Work

_TOUCHED = """
SELECT DISTINCT CASE WHEN rule = 'self' THEN 'cross_id' ELSE rule END AS rule, value FROM pg_temp.evidence_touched
WHERE kind = '{kind}' AND rule IN ('self', 'cross_id', 'email', 'phone', 'name_domain', 'domain')
"""
_TO_WEIGH = "SELECT rule, value FROM pg_temp.conflict_value WHERE rule <> 'cross_id'"
_CONFLICTS = """
SELECT '{kind}' AS kind, v.rule, v.value,
  CASE WHEN v.holders > {cap} THEN 'shared_by_many' WHEN v.apart > 0 THEN 'several_mailboxes' ELSE 'several_accounts'
  END AS conflict,
  ARRAY(
    SELECT e.source_id FROM {core.identity_evidence} AS e
    WHERE e.kind = '{kind}' AND e.rule = v.rule AND e.value = v.value AND e.is_usable
    ORDER BY e.source_id COLLATE "C" LIMIT {cap} + 1) AS source_ids
FROM pg_temp.weighed AS v WHERE v.rule <> 'deal' AND v.holders > 1 AND NOT v.is_clear
UNION ALL
SELECT '{kind}', 'cross_id', value, 'names_disagree', array_agg(source_id ORDER BY source_id COLLATE "C")
FROM pg_temp.pointer WHERE NOT is_believed{of_touched} GROUP BY value
UNION ALL
SELECT '{kind}', 'group', max(source_id) FILTER (WHERE l.rule = 'anchor'), 'large_group',
  (array_agg(source_id ORDER BY source_id COLLATE "C"))[:{group_cap} + 1]
FROM pg_temp.affected_{kind} AS f JOIN {link} AS l ON l.{id} = f.{id} GROUP BY l.{id} HAVING count(*) > {group_cap}
"""
_OF_TOUCHED = " AND value IN (SELECT value FROM pg_temp.conflict_value WHERE rule = 'cross_id')"


def build_conflicts(work: Work, kind: Kind) -> int:
    """Build core.identity_conflict for one kind, after `resolve` has left `pointer`, `weighed` and its groups; returns rows written."""
    name = kind.name
    if not work.full:  # a full build has just weighed all
        work.temp("conflict_value", _TOUCHED, kind=name)
        weigh_values(work, name, _TO_WEIGH)
    work.temp(
        "conflict_new",
        _CONFLICTS,
        index="kind, rule, value",
        kind=name,
        id=kind.id_column,
        link=work.text("{" + kind.link + "}"),
        group_cap=str(work.settings.group_size_cap),
        of_touched="" if work.full else _OF_TOUCHED,
    )
    mine = f"t.kind = '{name}'"
    if not work.full:
        mine += f""" AND CASE WHEN t.rule = 'group'
          THEN md5(t.kind || ':' || t.value)::uuid IN (SELECT a.{kind.id_column} FROM pg_temp.affected_{name} AS a)
          ELSE (t.rule, t.value) IN (SELECT v.rule, v.value FROM pg_temp.conflict_value AS v) END"""
    return work.refresh("core.identity_conflict", "conflict_new", mine)
