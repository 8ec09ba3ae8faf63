"""What a build has to do again: from the queue of changed records to the persons, accounts and deals that they reach.

The affected sets are temporary tables (`affected_person`, `affected_account`, `affected_opportunity`) that grow as the
build goes on; `affected_events` has the persons, of those affected, whose events must be looked at again: a new title
changes a person's row and no journey; `affected_summary` has those whose row in marts.person_journey may change.
Whatever a record fed before it changed is found through what the last build kept: core.identity_evidence, the link
tables, core.build_input and marts.customer_journey. In a full build every set is everything. `rewritten` has the
persons whose account, owner, stage, links, touches, stages or journey really changed: accounts and credit follow from
these.
"""

from collections.abc import Iterable, Mapping

from transforms.work import Work, quoted
from warehouse.tables import metadata

_LINKS = {
    "opportunity_person": {"opportunity": "opportunity_source_id", "person": "person_source_id"},
    "person_account": {"person": "person_source_id", "account": "account_source_id"},
    "opportunity_account": {"opportunity": "opportunity_source_id", "account": "account_source_id"},
    "engagement_link": {
        "engagement": "engagement_source_id",
        "person": "person_source_id",
        "opportunity": "opportunity_source_id",
    },
}
"""Staging tables whose rows name other records: table -> kind -> column."""

_DATED = ("person", "account", "opportunity")
"""Staging tables of which the newest row wins; in the others the date of the version says nothing."""

_OF_EVENTS: Mapping[str, tuple[str, ...]] = {
    "person": ("created_at", "first_seen_at", "funnel_stage", "source_url"),
    "engagement": (),
    "touch": (),
}
"""Staging table -> columns that events are made of; none: all. Deals, histories, links, accounts and campaigns come by their own
ways."""


def take(work: Work) -> int:
    """Take the queued changes into `change` (entity, source_key, changed_columns: null for all); returns the records named.

    A full build takes (and ignores) all that is queued: it reads everything anyway.
    """
    work.run("DROP TABLE IF EXISTS pg_temp.change")
    work.run("CREATE TEMPORARY TABLE change (entity text, source_key text, changed_columns text[]) ON COMMIT DROP")
    for noted in ("rewritten", "person_written"):
        work.run(f"DROP TABLE IF EXISTS pg_temp.{noted}")
        work.run(f"CREATE TEMPORARY TABLE {noted} (person_id uuid) ON COMMIT DROP")
    if work.full:
        return work.value(
            "WITH taken AS (DELETE FROM {ops.staging_change} RETURNING source_key) SELECT count(DISTINCT source_key) FROM taken"
        )
    work.run(
        """
        WITH taken AS (DELETE FROM {ops.staging_change} RETURNING entity, source_key, changed_columns)
        INSERT INTO pg_temp.change
        SELECT t.entity, t.source_key,
          CASE WHEN bool_and(t.changed_columns IS NOT NULL) THEN array_agg(DISTINCT c.column_name) END AS changed_columns
        FROM taken AS t LEFT JOIN LATERAL unnest(t.changed_columns) AS c (column_name) ON true
        GROUP BY t.entity, t.source_key
        HAVING t.entity IN ({dated}) OR NOT bool_and(t.changed_columns IS NOT NULL AND c.column_name = 'version_at')""",
        dated=_listed(_DATED),
    )
    work.run("CREATE INDEX ON pg_temp.change (source_key)")
    work.run("ANALYZE pg_temp.change")
    return work.value("SELECT count(DISTINCT source_key) FROM pg_temp.change")


def narrow(work: Work, name: str, reads: Mapping[str, Iterable[str]], *, columns: str = "source_key") -> None:
    """Make the temporary table `name`: records of which something changed that is read.

    reads: staging table -> columns of it that are read; none: all.
    columns: of the new table; with `entity`, a record is there once for each staging table.
    """
    conditions = [
        f"entity = '{entity}'"
        + (f" AND (changed_columns IS NULL OR changed_columns && ARRAY[{_listed(read)}])" if read else "")
        for entity, read in reads.items()
    ]
    work.temp(
        name, f"SELECT DISTINCT {columns} FROM pg_temp.change WHERE {' OR '.join(conditions)}", index="source_key"
    )


def read_links(work: Work) -> None:
    """Bring core.build_input up to date; leaves `subject` (kind, source_id): what changed links name, or named before."""
    narrow(work, "link_change", {**dict.fromkeys(_LINKS, ()), "stage_change": ()})
    parts = [
        f"SELECT source_key, '{kind}' AS kind, {column} AS subject_source_id"
        f" FROM {work.changed_rows(metadata.tables[f'staging.{table}'].fullname, 'link_change')} AS r WHERE {column} IS NOT NULL"
        for table, columns in _LINKS.items()
        for kind, column in columns.items()
    ]
    history = work.changed_rows(work.text("{staging.stage_change}"), "link_change")
    parts.append(f"SELECT source_key, subject_type, subject_source_id FROM {history} AS r")
    work.temp("input_new", " UNION ".join(parts), index="source_key, kind, subject_source_id")
    mine = "true" if work.full else "t.source_key IN (SELECT c.source_key FROM pg_temp.link_change AS c)"
    work.temp(
        "subject",
        "SELECT kind, subject_source_id AS source_id FROM pg_temp.input_new"
        f" UNION SELECT t.kind, t.subject_source_id FROM {{core.build_input}} AS t WHERE {mine}",
        index="source_id",
    )
    work.refresh("core.build_input", "input_new", mine)


def spread_to_accounts(work: Work) -> None:
    """Add the accounts of which a record changed to `affected_account`."""
    if work.full:
        return
    link = "JOIN {core.account_link} AS l ON l.source_id = r.source_id"
    _add(work, "account", *(f"SELECT l.account_id FROM {_rows(entity)} {link}" for entity in ("account", "person")))


def spread_to_persons(work: Work) -> None:
    """Add the persons of whom a record or the account may change to `affected_person`.

    Leaves `affected_events` (person_id): those whose records, or the sole right to an address, may be others than before.
    """
    work.temp("affected_events", "SELECT person_id FROM pg_temp.affected_person", index="person_id")
    if work.full:
        return
    _add(work, "events", _ADDRESSED)
    _add(
        work,
        "person",
        f"SELECT l.person_id FROM {_rows('person')} JOIN {{core.identity_link}} AS l ON l.source_id = r.source_id",
        """
        SELECT l.person_id FROM pg_temp.moved_account AS m
        JOIN {staging.person} AS p ON p.account_source_id = m.source_id
        JOIN {core.identity_link} AS l ON l.source_id = p.source_id""",
        """
        SELECT l.person_id FROM pg_temp.moved_account AS m
        JOIN {staging.person_account} AS p ON p.account_source_id = m.source_id
        JOIN {core.identity_link} AS l ON l.source_id = p.person_source_id""",
        """
        SELECT l.person_id FROM pg_temp.moved_domain AS m
        JOIN {core.identity_evidence} AS e ON e.kind = 'person' AND e.rule = 'mail_domain' AND e.value = m.domain
        JOIN {core.identity_link} AS l ON l.source_id = e.source_id""",
        """
        SELECT l.person_id FROM pg_temp.moved_place AS m
        JOIN {core.identity_evidence} AS e ON e.kind = 'person' AND e.rule = 'name_place' AND e.value = m.value
        JOIN {core.identity_link} AS l ON l.source_id = e.source_id""",
        """
        SELECT l.person_id FROM pg_temp.subject AS s
        JOIN {core.identity_link} AS l ON l.source_id = s.source_id WHERE s.kind = 'person'""",
    )


# Touches by address belong to the person who has it alone: to be looked at are those who lost one, and those who have one that
# came or went, or whose holder moved.
_ADDRESSED = """
WITH lost AS (
  SELECT source_id, value FROM pg_temp.evidence_old WHERE kind = 'person' AND rule = 'email'
  EXCEPT SELECT source_id, value FROM pg_temp.evidence_new WHERE kind = 'person' AND rule = 'email'
), address AS (
  SELECT value FROM pg_temp.evidence_touched WHERE kind = 'person' AND rule = 'email'
  UNION
  SELECT e.value FROM pg_temp.moved_person AS m
  JOIN {core.identity_evidence} AS e ON e.source_id = m.source_id AND e.kind = 'person' AND e.rule = 'email'
)
SELECT l.person_id FROM lost JOIN {core.identity_link} AS l ON l.source_id = lost.source_id
UNION
SELECT l.person_id FROM address AS a
JOIN {core.identity_evidence} AS e ON e.kind = 'person' AND e.rule = 'email' AND e.value = a.value
JOIN {core.identity_link} AS l ON l.source_id = e.source_id"""


def spread_to_opportunities(work: Work) -> None:
    """Add the deals of which a record, the account, people or links may change to `affected_opportunity`.

    Leaves `deal_account_old` (account_id): the accounts that these deals had.
    """
    if work.full:
        return
    link = "JOIN {core.opportunity_link} AS l ON l.source_id"
    _add(
        work,
        "opportunity",
        f"SELECT l.opportunity_id FROM {_rows('opportunity')} {link} = r.source_id",
        "SELECT l.opportunity_id FROM pg_temp.moved_account AS m"
        f" JOIN {{staging.opportunity}} AS o ON o.account_source_id = m.source_id {link} = o.source_id",
        "SELECT l.opportunity_id FROM pg_temp.moved_account AS m"
        f" JOIN {{staging.opportunity_account}} AS o ON o.account_source_id = m.source_id {link} = o.opportunity_source_id",
        "SELECT l.opportunity_id FROM pg_temp.moved_person AS m"
        f" JOIN {{staging.opportunity}} AS o ON o.primary_person_source_id = m.source_id {link} = o.source_id",
        "SELECT l.opportunity_id FROM pg_temp.moved_person AS m"
        f" JOIN {{staging.opportunity_person}} AS o ON o.person_source_id = m.source_id {link} = o.opportunity_source_id",
        f"SELECT l.opportunity_id FROM pg_temp.subject AS s {link} = s.source_id WHERE s.kind = 'opportunity'",
    )
    work.temp(
        "deal_account_old",
        "SELECT DISTINCT o.account_id FROM pg_temp.affected_opportunity AS f"
        " JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id WHERE o.account_id IS NOT NULL",
    )


def spread_to_journeys(work: Work) -> None:
    """Add the persons whose events may change to `affected_events`, and to `affected_person` those who are not there yet."""
    if work.full:
        return
    narrow(work, "event_change", _OF_EVENTS, columns="entity, source_key")
    work.temp("touched_engagement", _ENGAGEMENTS, index="source_id")
    # Of a record's many touches, once; a table of its own tells the planner how few records that are.
    work.temp(
        "touched_record",
        "SELECT DISTINCT t.person_source_id AS source_id FROM pg_temp.event_change AS c"
        " JOIN {staging.touch} AS t ON c.entity = 'touch' AND t.source_key = c.source_key",
    )
    person = "JOIN {core.identity_link} AS l ON l.source_id"
    _add(
        work,
        "events",
        "SELECT person_id FROM pg_temp.rewritten",
        f"SELECT l.person_id FROM {_rows('person', 'event_change')} {person} = r.source_id",
        f"SELECT l.person_id FROM pg_temp.subject AS s {person} = s.source_id WHERE s.kind = 'person'",
        "SELECT p.person_id FROM pg_temp.affected_opportunity AS f"
        " JOIN {core.opportunity_person} AS p ON p.opportunity_id = f.opportunity_id",
        "SELECT person_id FROM pg_temp.deal_person_old",
        # Who had it before; of a person's own record that is known by its links.
        "SELECT j.person_id FROM pg_temp.event_change AS c"
        " JOIN {marts.customer_journey} AS j ON split_part(j.source_id, '#', 1) = c.source_key WHERE c.entity <> 'person'",
        f"SELECT l.person_id FROM pg_temp.touched_record AS t {person} = t.source_id",
        "SELECT l.person_id FROM pg_temp.event_change AS c"
        " JOIN {staging.touch} AS t ON c.entity = 'touch' AND t.source_key = c.source_key AND t.person_source_id IS NULL"
        " JOIN {core.identity_evidence} AS e ON e.kind = 'person' AND e.rule = 'email' AND e.value = t.person_email"
        f" {person} = e.source_id",
        f"SELECT l.person_id FROM pg_temp.touched_engagement AS g"
        f" JOIN {{staging.engagement_link}} AS k ON k.engagement_source_id = g.source_id {person} = k.person_source_id",
        "SELECT j.person_id FROM pg_temp.touched_engagement AS g"
        " JOIN {marts.customer_journey} AS j ON split_part(j.source_id, '#', 1) = split_part(g.source_id, '#', 1)"
        " WHERE j.source_id = g.source_id",
        "SELECT j.person_id FROM pg_temp.moved_campaign AS m"
        " JOIN {marts.customer_journey} AS j ON j.campaign_id = m.campaign_id",
        # A deal's campaign stands in no event of its own before the deal is built: its people come with the deal.
    )
    _add(work, "person", "SELECT person_id FROM pg_temp.affected_events")


def spread_to_person_journeys(work: Work) -> None:
    """Make `affected_summary` (person_id): those of `affected_person` whose summary may change.

    Beside events, deals and the person's own row, it has a reason that records give.
    """
    if work.full:
        work.temp("affected_summary", "SELECT person_id FROM pg_temp.affected_person", index="person_id")
        return
    work.temp(
        "affected_summary",
        f"""
        SELECT person_id FROM pg_temp.affected_events
        UNION
        SELECT person_id FROM pg_temp.person_written
        UNION
        SELECT j.person_id FROM pg_temp.affected_person AS f
        JOIN {{marts.person_journey}} AS j ON j.person_id = f.person_id WHERE j.disqualified_reason IS NOT NULL
        UNION
        SELECT l.person_id FROM {_rows("person")} JOIN {{core.identity_link}} AS l ON l.source_id = r.source_id
        WHERE c.changed_columns && ARRAY['disqualified_reason']""",
        index="person_id",
    )


# A row that is gone may have been the other telling of an event that stays.
_ENGAGEMENTS = """
SELECT e.source_id FROM pg_temp.event_change AS c
JOIN {staging.engagement} AS e ON c.entity = 'engagement' AND e.source_key = c.source_key
UNION
SELECT c.source_key FROM pg_temp.change AS c WHERE c.entity = 'engagement' AND c.changed_columns IS NULL
UNION
SELECT s.source_id FROM pg_temp.subject AS s WHERE s.kind = 'engagement'
UNION
SELECT k.engagement_source_id FROM pg_temp.moved_opportunity AS m
JOIN {staging.engagement_link} AS k ON k.opportunity_source_id = m.source_id
"""

_CREDIT = """
WITH person AS (SELECT DISTINCT person_id FROM pg_temp.rewritten),
account AS (
  SELECT o.account_id FROM person AS f JOIN pg_temp.person_old AS o ON o.person_id = f.person_id WHERE o.account_id IS NOT NULL
  UNION
  SELECT p.account_id FROM person AS f JOIN {core.person} AS p ON p.person_id = f.person_id WHERE p.account_id IS NOT NULL
)
SELECT opportunity_id FROM pg_temp.affected_opportunity
UNION
SELECT o.opportunity_id FROM person AS f JOIN {core.opportunity_person} AS o ON o.person_id = f.person_id
UNION
SELECT o.opportunity_id FROM account AS a JOIN {core.opportunity} AS o ON o.account_id = a.account_id {where}
"""
_WITHOUT_PEOPLE = (
    "WHERE NOT EXISTS (SELECT FROM {core.opportunity_person} AS p WHERE p.opportunity_id = o.opportunity_id)"
)
OF_AFFECTED_CREDIT = "opportunity_id IN (SELECT opportunity_id FROM pg_temp.affected_credit)"
"""Which rows of a table by deal belong to `affected_credit`."""

_JOURNEYS = """
WITH person AS (SELECT DISTINCT person_id FROM pg_temp.rewritten)
SELECT account_id FROM pg_temp.affected_account
UNION
SELECT account_id FROM pg_temp.deal_account_old
UNION
SELECT o.account_id FROM pg_temp.affected_opportunity AS f
JOIN {core.opportunity} AS o ON o.opportunity_id = f.opportunity_id WHERE o.account_id IS NOT NULL
UNION
SELECT o.account_id FROM person AS f JOIN pg_temp.person_old AS o ON o.person_id = f.person_id WHERE o.account_id IS NOT NULL
UNION
SELECT p.account_id FROM person AS f
JOIN {core.person} AS p ON p.person_id = f.person_id WHERE p.account_id IS NOT NULL
UNION
SELECT o.account_id FROM person AS f
JOIN {core.opportunity_person} AS op ON op.person_id = f.person_id
JOIN {core.opportunity} AS o ON o.opportunity_id = op.opportunity_id WHERE o.account_id IS NOT NULL
"""
_ALL_JOURNEYS = "SELECT account_id FROM {core.account} UNION SELECT account_id FROM {marts.account_journey}"


def spread_to_account_journeys(work: Work) -> None:
    """Make `affected_journey` (account_id): accounts, old and new, of whatever was built again; in a full build, all."""
    work.temp("affected_journey", _ALL_JOURNEYS if work.full else _JOURNEYS, index="account_id")


def spread_to_credit(work: Work) -> None:
    """Make `affected_credit` (opportunity_id): deals whose path of touches may change."""
    is_by_account = work.settings.attribution.path.eligible == "account"
    where = "" if is_by_account else work.text(_WITHOUT_PEOPLE)
    work.temp("affected_credit", _CREDIT, index="opportunity_id", where=where)


def _rows(entity: str, change: str = "change") -> str:
    """The rows r of a staging table whose records are in the temporary table `change` (entity, source_key)."""
    return (
        f"pg_temp.{change} AS c JOIN {{staging.{entity}}} AS r ON c.entity = '{entity}' AND r.source_key = c.source_key"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _add(work: Work, kind: str, *queries: str) -> None:
    table, column = f"pg_temp.affected_{kind}", "person_id" if kind == "events" else f"{kind}_id"
    work.run(
        f"INSERT INTO {table} SELECT * FROM ({' UNION '.join(queries)}) AS n ({column})"
        f" WHERE {column} IS NOT NULL AND NOT EXISTS (SELECT FROM {table} AS t WHERE t.{column} = n.{column})"
    )
    work.run(f"ANALYZE {table}")
