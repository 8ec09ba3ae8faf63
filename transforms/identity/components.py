"""Records that evidence ties together, directly or through others, become one: connected components, set by set.

Method: each shared value ties its holders to the earliest of them (a star, so that edges grow with records and not with
pairs); then, until nothing moves, every group's root takes the least label seen across an edge, and pointer jumping
flattens the tree. Labels are numbered by age, so a finished label is the group's anchor. A chain of n records is done in
about log n rounds.

What ties (rule and value go into the link table, as the reason that can be shown):
  decision     somebody who knows says that they are the same
  merge        the vendor merged the records, or merged both into the same one
  cross_id     one names the other; not trusted where names and addresses speak against it, nor where they are silent and another
               record of that system has better reason: names that agree, or a shared address, number or domain
  email        the same address, unless it is a role mailbox, a placeholder, or shared by more records than the cap
  phone        the same number and the same name
  name_domain  the same name at the same company's domain, unless holders have different mailboxes at work: they may be two
  domain       (accounts) the same web domain, unless two live accounts of one system have it: then it is ambiguous
  deal         (deals) the same name, currency and amount, unless two live deals of one system have them
What is not trusted or ambiguous is shown in core.identity_conflict. Evidence that somebody closed ties nobody.
"""

from dataclasses import dataclass

from transforms.identity.evidence import ACCOUNTS, OPPORTUNITIES, PERSONS
from transforms.identity.names import name_key
from transforms.identity.values import weigh_values
from transforms.work import Work

# A surname with the same first letter of the given name, or the same part before the @, also agrees: people change firms.
_PERSONS_AGREE = """(
  a.name_key <> '' AND a.name_key = b.name_key
  OR left(a.name_key, 1) = left(b.name_key, 1)
    AND substring(a.name_key from '[^ ]+$') = substring(b.name_key from '[^ ]+$')
  OR EXISTS (SELECT FROM unnest(a.marks) AS x JOIN unnest(b.marks) AS y ON split_part(x, '@', 1) = split_part(y, '@', 1)))"""
# Names in two scripts cannot be compared; addresses can.
_PERSONS_SILENT = """(a.name_key = '' OR b.name_key = ''
    OR (a.name_key ~ '[a-z]') <> (b.name_key ~ '[a-z]') AND (a.marks = '{}' OR b.marks = '{}'))"""
_ACCOUNTS_AGREE = "a.name_key <> '' AND split_part(a.name_key, ' ', 1) = split_part(b.name_key, ' ', 1)"
_ACCOUNTS_SILENT = "(a.name_key = '' OR b.name_key = '' OR a.marks = '{}' OR b.marks = '{}')"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that records are resolved to.

    agrees: condition under which the names of two records, a that points at b, speak for it.
    is_silent: condition under which they speak neither for it nor against.
    """

    name: str
    records: str
    link: str
    agrees: str
    is_silent: str

    @property
    def id_column(self) -> str:
        """The column of the stable id."""
        return f"{self.name}_id"


PERSON = Kind("person", PERSONS, "core.identity_link", _PERSONS_AGREE, _PERSONS_SILENT)
ACCOUNT = Kind("account", ACCOUNTS, "core.account_link", _ACCOUNTS_AGREE, _ACCOUNTS_SILENT)
OPPORTUNITY = Kind("opportunity", OPPORTUNITIES, "core.opportunity_link", "true", "false")

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
WITH mark AS (
  SELECT e.source_id, array_agg(e.value) AS marks FROM pg_temp.identity_scope AS s
  JOIN {core.identity_evidence} AS e ON e.source_id = s.source_id AND e.kind = '{kind}' AND e.rule IN ('email', 'domain')
  GROUP BY e.source_id
)
SELECT row_number() OVER (ORDER BY r.created_at NULLS LAST, r.source_id COLLATE "C") AS node_id, r.source_id,
  row_number() OVER (ORDER BY r.created_at NULLS LAST, r.source_id COLLATE "C") AS label, {name} AS name_key,
  coalesce(m.marks, '{{}}') AS marks
FROM pg_temp.identity_scope AS s JOIN ({records}) AS r ON r.source_id = s.source_id
LEFT JOIN mark AS m ON m.source_id = r.source_id
"""
_SHARED_VALUES = """
SELECT e.rule, e.value FROM pg_temp.node AS n
JOIN {core.identity_evidence} AS e ON e.source_id = n.source_id AND e.kind = '{kind}'
WHERE e.is_usable AND e.rule IN ('email', 'phone', 'name_domain', 'domain', 'deal')
GROUP BY e.rule, e.value HAVING count(*) > 1
"""
_SHARED = """
SELECT n.node_id, min(n.node_id) OVER (PARTITION BY h.rule, h.value) AS hub, h.rule, h.value
FROM pg_temp.weighed AS v JOIN pg_temp.holder AS h ON h.rule = v.rule AND h.value = v.value
JOIN pg_temp.node AS n ON n.source_id = h.source_id
WHERE v.is_clear
"""
_POINTERS = """
WITH pair AS (
  SELECT a.node_id AS u, b.node_id AS v, a.source_id, split_part(a.source_id, ':', 1) AS system, e.value,
    coalesce(a.marks && b.marks OR {agrees}, false) AS is_agreed, {is_silent} AS is_silent
  FROM pg_temp.node AS a
  JOIN {core.identity_evidence} AS e
    ON e.source_id = a.source_id AND e.kind = '{kind}' AND e.rule = 'cross_id' AND e.is_usable
  JOIN pg_temp.node AS b ON b.source_id = e.value
), claimed AS (
  SELECT v, system FROM pair WHERE is_agreed
  UNION
  SELECT p.v, split_part(n.source_id, ':', 1) FROM pair AS p
  JOIN pg_temp.shared_value AS mine ON mine.node_id = p.v
  JOIN pg_temp.shared_value AS its ON its.rule = mine.rule AND its.value = mine.value AND its.node_id <> mine.node_id
  JOIN pg_temp.node AS n ON n.node_id = its.node_id
  WHERE p.is_silent AND NOT p.is_agreed
)
SELECT u, v, source_id, value,
  is_agreed OR is_silent AND NOT EXISTS (SELECT FROM claimed AS c WHERE c.v = p.v AND c.system = p.system) AS is_believed
FROM pair AS p
"""
_EDGES = """
WITH merged AS (
  SELECT n.node_id, e.value FROM pg_temp.node AS n
  JOIN {core.identity_evidence} AS e
    ON e.source_id = n.source_id AND e.kind = '{kind}' AND e.rule = 'merge' AND e.is_usable
), merge_star AS (
  SELECT m.node_id, m.value FROM merged AS m
  UNION SELECT n.node_id, n.source_id FROM pg_temp.node AS n WHERE n.source_id IN (SELECT value FROM merged)
), edges AS (
  SELECT node_id AS u, hub AS v, rule, value FROM pg_temp.shared_value
  UNION ALL
  SELECT node_id, min(node_id) OVER (PARTITION BY value), 'merge', value FROM merge_star
  UNION ALL
  SELECT u, v, 'cross_id', value FROM pg_temp.pointer WHERE is_believed
  UNION ALL
  SELECT a.node_id, b.node_id, 'decision', e.value FROM pg_temp.node AS a
  JOIN {core.identity_evidence} AS e ON e.source_id = a.source_id AND e.kind = '{kind}' AND e.rule = 'decision'
  JOIN pg_temp.node AS b ON b.source_id = e.value
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
_STRONGEST_FIRST = "ARRAY['decision', 'merge', 'cross_id', 'email', 'phone', 'name_domain', 'domain', 'deal']"
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
  ORDER BY node_id, other < node_id DESC, array_position({order}, rule), value COLLATE "C"
) AS tie ON tie.node_id = n.node_id
"""
_MOVED = """
SELECT s.source_id, l.{id} AS old_id, n.{id} AS new_id FROM pg_temp.identity_scope AS s
LEFT JOIN {link} AS l ON l.source_id = s.source_id
LEFT JOIN pg_temp.link_new AS n ON n.source_id = s.source_id
"""


def resolve(work: Work, kind: Kind) -> int:
    """Resolve the records of one kind that the seeds reach and bring its link table up to date.

    Leaves temporary tables: `moved_<kind>` (source_id, old_id, new_id: records whose group's id changed, came or went),
    `affected_<kind>` (id: groups, old and new, that records came to or left; in a full build, all), and `weighed` of the values that
    were looked at.

    Returns:
        The number of link rows written.
    """
    words = {"kind": kind.name, "id": kind.id_column, "link": work.text("{" + kind.link + "}")}
    work.temp("identity_scope", _SCOPE_ALL if work.full else _SCOPE_CHANGED, index="source_id", **words)
    work.temp(
        "node", _NODES, index="node_id;source_id", records=work.text(kind.records), name=name_key("r.name"), **words
    )
    weigh_values(work, kind.name, _SHARED_VALUES)
    work.temp("shared_value", _SHARED)
    work.temp("pointer", _POINTERS, agrees=kind.agrees, is_silent=kind.is_silent, **words)
    work.temp("edge", _EDGES, **words)
    while work.run(_HOOK):
        while work.run(_JUMP):
            pass
    work.temp("link_new", _LINKS, index=f"{kind.id_column}, source_id;source_id", order=_STRONGEST_FIRST, **words)
    work.temp("moved_all", _MOVED, index="source_id", **words)
    work.temp(
        f"moved_{kind.name}", "SELECT * FROM pg_temp.moved_all WHERE old_id IS DISTINCT FROM new_id", index="source_id"
    )
    groups = (
        "SELECT old_id AS {id} FROM pg_temp.{of} WHERE old_id IS NOT NULL"
        " UNION SELECT new_id FROM pg_temp.{of} WHERE new_id IS NOT NULL"
    )
    work.temp("group_seen", groups, index=kind.id_column, of="moved_all", **words)
    written = work.refresh(
        kind.link,
        "link_new",
        f"t.{kind.id_column} IN (SELECT g.{kind.id_column} FROM pg_temp.group_seen AS g)",
        noting=kind.id_column if kind is PERSON else "",
    )
    of = "moved_all" if work.full else f"moved_{kind.name}"
    work.temp(f"affected_{kind.name}", groups, index=kind.id_column, of=of, **words)
    return written
