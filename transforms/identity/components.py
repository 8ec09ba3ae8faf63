"""Records that evidence ties together, directly or through others, become one: connected components, set by set.

Method: each shared value ties its holders to the earliest of them (a star, so that edges grow with records and not with
pairs); then, until nothing moves, every group's root takes the least label seen across an edge, and pointer jumping
flattens the tree. Labels are numbered by age, so a finished label is the group's anchor. A chain of n records is done in
about log n rounds.

What ties (rule and value go into the link table, as the reason that can be shown):
  merge     the vendor merged the records, or merged both into the same one
  cross_id  one names the other; not trusted where both have addresses and names and neither agrees
  email     the same address, unless it is a role mailbox, a placeholder, or shared by more records than the cap
  domain    (accounts) the same web domain, unless two live accounts of one system have it: then it is ambiguous
"""

from dataclasses import dataclass

from transforms.identity.evidence import ACCOUNTS, OPPORTUNITIES, PERSONS
from transforms.work import Work

_NAME = "lower(regexp_replace(coalesce({0}.name, ''), '[^[:alnum:]]+', ' ', 'g'))"
# A surname with the same first letter of the given name, or the same part before the @, also agrees: people change firms.
_PERSONS_AGREE = """(
  trim(a.name_key) = trim(b.name_key)
  OR (left(trim(a.name_key), 1) = left(trim(b.name_key), 1)
      AND substring(trim(a.name_key) from '[^ ]+$') = substring(trim(b.name_key) from '[^ ]+$'))
  OR EXISTS (SELECT FROM unnest(a.marks) AS x JOIN unnest(b.marks) AS y ON split_part(x, '@', 1) = split_part(y, '@', 1)))"""
_ACCOUNTS_AGREE = "split_part(trim(a.name_key), ' ', 1) = split_part(trim(b.name_key), ' ', 1)"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that records are resolved to.

    agrees: condition under which two records a and b that point at each other are believed by name.
    """

    name: str
    records: str
    link: str
    agrees: str

    @property
    def id_column(self) -> str:
        """The column of the stable id."""
        return f"{self.name}_id"


PERSON = Kind("person", PERSONS, "core.identity_link", _PERSONS_AGREE)
ACCOUNT = Kind("account", ACCOUNTS, "core.account_link", _ACCOUNTS_AGREE)
OPPORTUNITY = Kind("opportunity", OPPORTUNITIES, "core.opportunity_link", "true")

_SCOPE_ALL = """
SELECT source_id FROM {core.identity_evidence} WHERE kind = '{kind}' AND rule = 'self'
UNION SELECT source_id FROM {link}
"""
_SCOPE_CHANGED = """
SELECT s.source_id FROM pg_temp.identity_seed AS s WHERE s.kind = '{kind}'
UNION
SELECT mate.source_id FROM pg_temp.identity_seed AS s
JOIN {link} AS l ON l.source_id = s.source_id
JOIN {link} AS mate ON mate.{id} = l.{id}
WHERE s.kind = '{kind}'
"""
_NODES = """
SELECT row_number() OVER (ORDER BY r.created_at NULLS LAST, r.source_id COLLATE "C") AS node_id, r.source_id,
  row_number() OVER (ORDER BY r.created_at NULLS LAST, r.source_id COLLATE "C") AS label, {name} AS name_key,
  ARRAY(SELECT e.value FROM {core.identity_evidence} AS e
        WHERE e.source_id = r.source_id AND e.kind = '{kind}' AND e.rule IN ('email', 'domain')) AS marks
FROM pg_temp.identity_scope AS s JOIN ({records}) AS r ON r.source_id = s.source_id
"""
_EDGES = """
WITH held AS (
  SELECT n.node_id, e.rule, e.value FROM pg_temp.node AS n
  JOIN {core.identity_evidence} AS e ON e.source_id = n.source_id AND e.kind = '{kind}'
  WHERE e.is_usable AND e.rule IN ('email', 'domain')
), shared AS (
  SELECT rule, value, min(node_id) AS hub FROM held GROUP BY rule, value HAVING count(*) > 1
), valid AS (
  SELECT s.* FROM shared AS s CROSS JOIN LATERAL (
    SELECT count(*) AS holders, count(*) FILTER (WHERE is_live) AS live,
      count(DISTINCT split_part(source_id, ':', 1)) FILTER (WHERE is_live) AS live_systems
    FROM (SELECT e.source_id, e.is_live FROM {core.identity_evidence} AS e
          WHERE e.kind = '{kind}' AND e.rule = s.rule AND e.value = s.value LIMIT {cap} + 1) AS few
  ) AS c
  WHERE c.holders <= {cap} AND (s.rule <> 'domain' OR c.live = c.live_systems)
), merged AS (
  SELECT n.node_id, e.value FROM pg_temp.node AS n
  JOIN {core.identity_evidence} AS e ON e.source_id = n.source_id AND e.kind = '{kind}' AND e.rule = 'merge'
), merge_star AS (
  SELECT m.node_id, m.value FROM merged AS m
  UNION SELECT n.node_id, n.source_id FROM pg_temp.node AS n WHERE n.source_id IN (SELECT value FROM merged)
), edges AS (
  SELECT h.node_id AS u, v.hub AS v, h.rule, h.value FROM valid AS v JOIN held AS h ON h.rule = v.rule AND h.value = v.value
  UNION ALL
  SELECT node_id, min(node_id) OVER (PARTITION BY value), 'merge', value FROM merge_star
  UNION ALL
  SELECT a.node_id, b.node_id, 'cross_id', e.value FROM pg_temp.node AS a
  JOIN {core.identity_evidence} AS e ON e.source_id = a.source_id AND e.kind = '{kind}' AND e.rule = 'cross_id'
  JOIN pg_temp.node AS b ON b.source_id = e.value
  WHERE a.marks = '{{}}' OR b.marks = '{{}}' OR trim(a.name_key) = '' OR trim(b.name_key) = ''
    OR a.marks && b.marks OR {agrees}
)
SELECT u, v, rule, value FROM edges WHERE u <> v
"""
_HOOK = """
UPDATE pg_temp.node AS n SET label = least_seen.label
FROM (
  SELECT one.label AS root, min(other.label) AS label
  FROM (SELECT u, v FROM pg_temp.edge UNION ALL SELECT v, u FROM pg_temp.edge) AS e
  JOIN pg_temp.node AS one ON one.node_id = e.u JOIN pg_temp.node AS other ON other.node_id = e.v
  WHERE other.label < one.label GROUP BY one.label
) AS least_seen
WHERE n.node_id = least_seen.root AND least_seen.label < n.label
"""
_JUMP = """
UPDATE pg_temp.node AS n SET label = up.label
FROM pg_temp.node AS up WHERE up.node_id = n.label AND up.label < n.label
"""
_LINKS = """
SELECT md5('{kind}:' || anchor.source_id)::uuid AS {id}, n.source_id,
  CASE WHEN n.node_id = n.label THEN 'anchor' ELSE tie.rule END AS rule,
  CASE WHEN n.node_id = n.label THEN n.source_id ELSE tie.value END AS value
FROM pg_temp.node AS n JOIN pg_temp.node AS anchor ON anchor.node_id = n.label
LEFT JOIN (
  SELECT DISTINCT ON (node_id) node_id, rule, value
  FROM (SELECT u AS node_id, v AS other, rule, value FROM pg_temp.edge UNION ALL SELECT v, u, rule, value FROM pg_temp.edge
  ) AS e
  -- Towards an earlier record first: that is the way to the anchor.
  ORDER BY node_id, other < node_id DESC, array_position(ARRAY['merge', 'cross_id', 'email', 'domain'], rule), value COLLATE "C"
) AS tie ON tie.node_id = n.node_id
"""
_MOVED = """
SELECT s.source_id, l.{id} AS old_id, n.{id} AS new_id FROM pg_temp.identity_scope AS s
LEFT JOIN {link} AS l ON l.source_id = s.source_id
LEFT JOIN pg_temp.link_new AS n ON n.source_id = s.source_id
"""


def resolve(work: Work, kind: Kind) -> int:
    """Resolve the records of one kind that the seeds reach and bring its link table up to date.

    Leaves two temporary tables: `moved_<kind>` (source_id, old_id, new_id: records whose group's id changed, came or went)
    and `affected_<kind>` (id: groups, old and new, whose rows must be built again).

    Returns:
        The number of link rows written.
    """
    words = {"kind": kind.name, "id": kind.id_column, "link": work.text("{" + kind.link + "}")}
    work.temp("identity_scope", _SCOPE_ALL if work.full else _SCOPE_CHANGED, index="source_id", **words)
    name = _NAME.format("r")
    work.temp("node", _NODES, index="node_id;source_id", records=work.text(kind.records), name=name, **words)
    work.temp("edge", _EDGES, agrees=kind.agrees, **words)
    while work.run(_HOOK):
        while work.run(_JUMP):
            pass
    work.temp("link_new", _LINKS, index=f"{kind.id_column}, source_id;source_id", **words)
    work.temp("moved_all", _MOVED, index="source_id", **words)
    work.temp(
        f"moved_{kind.name}", "SELECT * FROM pg_temp.moved_all WHERE old_id IS DISTINCT FROM new_id", index="source_id"
    )
    work.temp(
        f"affected_{kind.name}",
        f"SELECT old_id AS {kind.id_column} FROM pg_temp.moved_all WHERE old_id IS NOT NULL"
        f" UNION SELECT new_id FROM pg_temp.moved_all WHERE new_id IS NOT NULL",
        index=kind.id_column,
    )
    return work.refresh(
        kind.link,
        "link_new",
        f"t.{kind.id_column} IN (SELECT a.{kind.id_column} FROM pg_temp.affected_{kind.name} AS a)",
    )
