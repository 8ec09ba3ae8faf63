"""A made-up warehouse of any size, written straight into staging by SQL: people in three systems, deals, and what they did.

Of every ten people all are in HubSpot, nine in Marketo, eight are leads and five contacts in Salesforce: 3.2 records each. Most
records share the address; the others are tied by number and name, by name and company, or by cross id. Three people make an
account, thirty a deal. Each has twenty events: fifteen touches, 2.5 meetings, 2.5 stage changes.
"""

import sqlalchemy as sa

EVENTS_PER_PERSON = 20

_SOURCE = "source_id, source_key, source_system, source_stream, source_record_id, version_at, load_id"
_AT = "timestamptz '2024-01-01' + (({0})::bigint * 7919 % 1051200) * interval '1 minute'"


def _row(stream: str, id_: str) -> str:
    system, name = stream.split(":")
    key = f"'{stream}:' || {id_}"
    return f"{key}, {key}, '{system}', '{name}', ({id_})::text, timestamptz '2026-01-01', 1"


_NAME = "'Given' || n % 997 || ' Family' || n / 2"
_PERSON = (
    f"INSERT INTO staging.person ({_SOURCE}, full_name, email, phone, company_name, country, lead_source, funnel_stage, created_at,"
    " account_source_id, same_as) SELECT "
)


def _person(stream: str, where: str, email: str, phone: str, account: str, same_as: str) -> str:
    return (
        f"{_PERSON}{_row(stream, 'n')}, {_NAME}, {email}, {phone}, 'Acme ' || n / 3, 'DE', 'webinar', 'lead', {_AT.format('n')},"
        f" {account}, {same_as} FROM generate_series(:first, :last) AS n WHERE {where}"
    )


_MAIL = "'p' || n || '@acme' || n / 3 || '.test'"
_PHONE = "'+49151' || lpad(n::text, 8, '0')"
WORLD = (
    (f"INSERT INTO staging.account ({_SOURCE}, name, domain, country, created_at) SELECT {_row('hubspot:companies', 'n')},"
    f" 'Acme ' || n, 'acme' || n || '.test', 'DE', {_AT.format('n')} FROM generate_series(:first / 3, :last / 3) AS n"),
    (f"INSERT INTO staging.account ({_SOURCE}, name, domain, country, created_at) SELECT {_row('salesforce:account', 'n')},"
    f" 'Acme ' || n, 'acme' || n || '.test', 'DE', {_AT.format('n')} FROM generate_series(:first / 3, :last / 3) AS n"),
    _person("hubspot:contacts", "true", _MAIL, f"CASE n % 2 WHEN 0 THEN {_PHONE} END", "'hubspot:companies:' || n / 3", "NULL"),
    _person("marketo:leads", "n % 10 < 9", f"CASE WHEN n % 10 < 7 THEN {_MAIL} END", _PHONE, "NULL", "NULL"),
    _person(
        "salesforce:lead", "n % 10 < 8", f"CASE WHEN n % 10 < 6 THEN {_MAIL} END", f"CASE n % 2 WHEN 1 THEN {_PHONE} END", "NULL",
        "CASE WHEN n % 10 < 5 THEN ARRAY['salesforce:contact:' || n] END",
    ),
    _person(
        "salesforce:contact", "n % 10 < 5", f"CASE WHEN n % 10 < 4 THEN {_MAIL} END", "NULL", "'salesforce:account:' || n / 3", "NULL",
    ),
    (f"INSERT INTO staging.opportunity ({_SOURCE}, name, account_source_id, primary_person_source_id, pipeline, stage, status, amount,"
    f" currency, lead_source, created_at, closed_at) SELECT {_row('salesforce:opportunity', 'n')}, 'Deal ' || n,"
    " 'salesforce:account:' || n * 10, 'hubspot:contacts:' || n * 30, 'p', 's', CASE WHEN n % 10 < 6 THEN 'won' ELSE 'open' END,"
    f" 1000 + n % 90000, 'USD', 'webinar', {_AT.format('n * 30')}, {_AT.format('n * 30')} + interval '90 days'"
    " FROM generate_series(:first / 30 + 1, :last / 30) AS n"),
    (f"INSERT INTO staging.opportunity_person ({_SOURCE}, opportunity_source_id, person_source_id, role, is_primary)"
    f" SELECT {_row('salesforce:opportunity_contact_role', 'n')}, 'salesforce:opportunity:' || n, 'hubspot:contacts:' || n * 30 + 1,"
    " 'Decision Maker', false FROM generate_series(:first / 30 + 1, :last / 30) AS n"),
)  # fmt: skip
_TYPES = "(ARRAY['page_visit','email_open','email_click','form_submission','email_sent'])[1 + k % 5]"
EVENTS = (
    (f"INSERT INTO staging.touch ({_SOURCE}, type, occurred_at, person_source_id, utm_source, utm_medium, url, referrer, created_at)"
    f" SELECT {_row('hubspot:events', 'n::bigint * 100 + k')}, {_TYPES}, {_AT.format('n::bigint * 100 + k')}, 'hubspot:contacts:' || n,"
    " (ARRAY['google','newsletter','linkedin',NULL])[1 + (n + k) % 4], (ARRAY['cpc','email','social',NULL])[1 + (n + k) % 4],"
    " 'https://www.example.test/p' || k % 7, (ARRAY[NULL,'https://www.google.com/','https://t.co/x'])[1 + (n + k) % 3],"
    f" {_AT.format('n::bigint * 100 + k')} FROM generate_series(:first, :last) AS n, generate_series(:of, :of + 14) AS k"),
    (f"INSERT INTO staging.engagement ({_SOURCE}, type, direction, occurred_at, subject, is_completed, created_at)"
    f" SELECT {_row('salesforce:event', 'n::bigint * 100 + k')}, 'meeting', 'outbound', {_AT.format('n::bigint * 100 + k')}, 'Demo', true,"
    f" {_AT.format('n::bigint * 100 + k')} FROM generate_series(:first, :last) AS n, generate_series(:of, :of + 2) AS k"
    " WHERE (n + k) % 6 <> 0"),
    (f"INSERT INTO staging.engagement_link ({_SOURCE}, engagement_source_id, person_source_id)"
    f" SELECT {_row('salesforce:event_relation', 'n::bigint * 100 + k')}, 'salesforce:event:' || n::bigint * 100 + k,"
    " 'hubspot:contacts:' || n"
    " FROM generate_series(:first, :last) AS n, generate_series(:of, :of + 2) AS k WHERE (n + k) % 6 <> 0"),
    (f"INSERT INTO staging.stage_change ({_SOURCE}, subject_type, subject_source_id, occurred_at, from_stage, to_stage)"
    f" SELECT {_row('hubspot:contact_history', 'n::bigint * 100 + k')}, 'person', 'hubspot:contacts:' || n,"
    f" {_AT.format('n')} + k * interval '9 days', (ARRAY['subscriber','lead','mql'])[1 + k % 3], (ARRAY['lead','mql','sql'])[1 + k % 3]"
    " FROM generate_series(:first, :last) AS n, generate_series(:of, :of + 2) AS k WHERE (n + k) % 6 <> 1"),
)  # fmt: skip
_QUEUE = (
    "INSERT INTO ops.staging_change (entity, source_key, load_id, changed_columns)"
    " SELECT '{0}', source_key, 1, {1} FROM staging.{0} AS r WHERE {2}"
)


def write(connection: sa.Connection, people: int) -> None:
    """Write a world of so many people into empty staging tables."""
    for statement in (*WORLD, *EVENTS):
        _run(connection, statement, first=0, last=people - 1, of=0)
    connection.exec_driver_sql("ANALYZE")


def change(connection: sa.Connection, people: int) -> int:
    """One person in a hundred has a busy day: each record changes, and twenty events more; returns records that changed."""
    few = people // 100
    mine = "source_record_id::bigint < :few"
    connection.execute(
        sa.text(
            f"UPDATE staging.person SET job_title = 'Head of ' || source_record_id, version_at = now() WHERE {mine}"
        ),
        {"few": few},
    )
    for statement in EVENTS:
        _run(connection, statement, first=0, last=few - 1, of=20)
    rows = 0
    for table in ("person", "touch", "engagement", "engagement_link", "stage_change"):
        is_person = table == "person"
        columns = "ARRAY['job_title', 'version_at']" if is_person else "NULL"
        queue = sa.text(_QUEUE.format(table, columns, mine if is_person else "source_record_id::bigint % 100 >= 20"))
        rows += connection.execute(queue, {"few": few} if is_person else {}).rowcount
    return rows


def _run(connection: sa.Connection, statement: str, **values: int) -> None:
    for name, value in values.items():
        statement = statement.replace(f":{name}", str(value))
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
