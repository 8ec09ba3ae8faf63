"""Holds staging against the truth of a sandbox's world (`built_truth`: core): records and links. Nothing of the product is used."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from sandbox.store import Store
from sandbox.world import World
from tests.support.told import as_text, field, is_same, is_told

HOLD_BACK = timedelta(minutes=6)
"""Salesforce's and Marketo's windows end five minutes before now."""

SECOND = timedelta(seconds=1)
VENDORS = ("hubspot", "salesforce", "marketo")

MAIN: Mapping[tuple[str, str], tuple[str, str]] = {
    ("hubspot", "contacts"): ("contacts", "person"),
    ("hubspot", "companies"): ("companies", "account"),
    ("hubspot", "deals"): ("deals", "opportunity"),
    **{("hubspot", kind): (kind, "engagement") for kind in ("calls", "emails", "meetings", "tasks", "notes")},
    ("hubspot", "owners"): ("owners", "team_member"),
    ("hubspot", "forms"): ("forms", "content_asset"),
    ("hubspot", "campaigns"): ("campaigns", "campaign"),
    ("hubspot", "form_submissions"): ("form_submissions", "touch"),
    ("hubspot", "email_events"): ("email_events", "touch"),
    ("salesforce", "Lead"): ("lead", "person"),
    ("salesforce", "Contact"): ("contact", "person"),
    ("salesforce", "Account"): ("account", "account"),
    ("salesforce", "Opportunity"): ("opportunity", "opportunity"),
    ("salesforce", "OpportunityContactRole"): ("opportunity_contact_role", "opportunity_person"),
    ("salesforce", "OpportunityHistory"): ("opportunity_history", "stage_change"),
    ("salesforce", "Campaign"): ("campaign", "campaign"),
    ("salesforce", "CampaignMember"): ("campaign_member", "campaign_member"),
    ("salesforce", "Task"): ("task", "engagement"),
    ("salesforce", "Event"): ("event", "engagement"),
    ("salesforce", "User"): ("user", "team_member"),
    ("salesforce", "LeadHistory"): ("lead_history", "stage_change"),
    ("marketo", "leads"): ("leads", "person"),
    ("marketo", "activities"): ("activities", "touch"),
    ("marketo", "programs"): ("programs", "campaign"),
    ("marketo", "campaigns"): ("campaigns", "campaign"),
    ("marketo", "program_members"): ("program_members", "campaign_member"),
    **{("marketo", kind): (kind, "content_asset") for kind in ("emails", "forms", "landing_pages")},
}
"""(vendor, kind of its store) -> stream and the entity that has one row per record. Deal pipelines give one per stage."""

STAGED: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("hubspot", "contacts"): {"funnel_stage_raw": "lifecyclestage"},
    ("hubspot", "companies"): {"name": "name"},
    ("hubspot", "deals"): {
        "name": "dealname", "stage": "dealstage", "pipeline": "pipeline", "amount": "amount", "currency": "deal_currency_code",
    },
    ("hubspot", "calls"): {"subject": "hs_call_title"},
    ("hubspot", "emails"): {"subject": "hs_email_subject"},
    ("hubspot", "meetings"): {"subject": "hs_meeting_title"},
    ("hubspot", "tasks"): {"subject": "hs_task_subject", "status": "hs_task_status"},
    ("hubspot", "forms"): {"name": "name"},
    ("hubspot", "campaigns"): {"name": "hs_name", "cost_amount": "hs_spend_items_sum_amount"},
    ("salesforce", "Lead"): {"funnel_stage_raw": "Status", "lead_source_raw": "LeadSource", "company_name": "Company"},
    ("salesforce", "Contact"): {"last_name": "LastName"},
    ("salesforce", "Account"): {"name": "Name", "currency": "CurrencyIsoCode"},
    ("salesforce", "Opportunity"): {"name": "Name", "stage": "StageName", "amount": "Amount", "currency": "CurrencyIsoCode"},
    ("salesforce", "OpportunityContactRole"): {"role": "Role"},
    ("salesforce", "OpportunityHistory"): {"to_stage_raw": "StageName", "amount": "Amount"},
    ("salesforce", "Campaign"): {"name": "Name", "budget_amount": "BudgetedCost", "cost_amount": "ActualCost"},
    ("salesforce", "CampaignMember"): {"status": "Status"},
    ("salesforce", "Task"): {"subject": "Subject", "status": "Status"},
    ("salesforce", "Event"): {"subject": "Subject"},
    ("salesforce", "User"): {"full_name": "Name"},
    ("salesforce", "LeadHistory"): {"from_stage_raw": "OldValue", "to_stage_raw": "NewValue"},
    ("marketo", "leads"): {"lead_source_raw": "leadSource", "company_name": "company", "job_title": "title", "score": "leadScore"},
    ("marketo", "programs"): {"name": "name", "channel_raw": "channel", "status": "status"},
    ("marketo", "program_members"): {"status": "statusName"},
    **{("marketo", kind): {"name": "name"} for kind in ("emails", "forms", "landing_pages")},
}  # fmt: skip
"""Staging columns that hold a key field as it is, but for blanks at the ends, NUL, and the form of a number."""

TOUCHES = {1, 2, 6, 7, 8, 9, 10, 11, 113}
"""Types of Marketo's activities that are interactions; the others give no touch."""

LINKS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("contacts", "companies"): ("person_account", "person_source_id", "account_source_id"),
    ("deals", "contacts"): ("opportunity_person", "opportunity_source_id", "person_source_id"),
    ("deals", "companies"): ("opportunity_account", "opportunity_source_id", "account_source_id"),
    **{
        (kind, other): ("engagement_link", "engagement_source_id", column)
        for kind in ("calls", "emails", "meetings", "tasks", "notes")
        for other, column in (("contacts", "person_source_id"), ("deals", "opportunity_source_id"))
    },
}
"""HubSpot's associations -> staging entity and its two ends."""


class Row(NamedTuple):
    """What staging says of one record."""

    version_at: datetime
    is_deleted: bool
    merged_into: str | None
    values: Mapping[Any, Any]


def stores(world: World) -> dict[str, Store]:
    """Vendor -> what it holds."""
    return {"hubspot": world.hubspot, "salesforce": world.salesforce, "marketo": world.marketo}


Key = tuple[str, str, str]
"""Vendor, kind of its store, record id."""


def record_disagreements(
    world: World, connection: sa.Connection, unsettled: Collection[Key] = (), vendors: Collection[str] = VENDORS
) -> list[str]:
    """One line for each vendor record that staging lacks, has twice, has in an old state, or has although it never was.

    unsettled: records that are not looked at, since they changed after what the last night could see.
    vendors: only theirs.
    """
    found: list[str] = []
    known: dict[str, set[str]] = defaultdict(set)
    told: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in world.truth.rows("vendor_record"):
        told[row["vendor"], row["kind"]].append(row)
    aside = {
        tuple(r)
        for r in connection.execute(sa.text("SELECT source_key, entity FROM ops.quarantine WHERE NOT is_loaded"))
    }
    for (vendor, kind), (stream, entity) in ((at, to) for at, to in MAIN.items() if at[0] in vendors):
        rows = _staged(connection, vendor, stream, entity)
        raw = _raw(connection, vendor, stream)
        store = stores(world)[vendor]
        if stream == "form_submissions":
            rows, raw = _named(store, rows, raw)
        for record in told[vendor, kind]:
            key = f"{vendor}:{stream}:{record['record_id']}"
            known[entity].add(key)
            if (vendor, kind, record["record_id"]) in unsettled or _is_without_row(world, record):
                continue
            here = rows.get(key, [])
            if (key, entity) in aside and not here:
                continue
            if len(here) != 1:
                if not (len(here) == 0 and _came_and_went(world, record, raw.get(record["record_id"]))):
                    found.append(f"{key}: {record['state']}, {len(here)} rows in staging.{entity}")
                continue
            found += [f"{key}: {line}" for line in _compared(record, here[0], raw[record["record_id"]], store, world)]
        found += [f"{key}: never was" for key in rows.keys() - known[entity]]
    if "hubspot" in vendors:
        found += _pipeline_disagreements(world, connection)
    return found + _raw_disagreements(world, connection, unsettled)


def _is_without_row(world: World, record: Mapping[str, Any]) -> bool:
    """What staging says nothing of, or what no API tells: of the memberships of a deleted Marketo lead nothing is told."""
    fields = json.loads(record["fields"])
    match record["kind"]:
        case "LeadHistory":
            return bool(fields["Field"] != "Status")
        case "activities":
            return fields["activityTypeId"] not in TOUCHES
        case "program_members":
            return _lead_is_deleted(world, fields["leadId"])
    return False


def _lead_is_deleted(world: World, lead: object) -> bool:
    """Whether a lead was deleted, or merged into one that was."""
    entry = world.truth.entry("marketo", "leads", str(lead))
    while entry is not None and entry.merged_into is not None:
        entry = world.truth.entry("marketo", "leads", entry.merged_into)
    return entry is None or entry.state != "live"


def _raw_disagreements(world: World, connection: sa.Connection, unsettled: Collection[Key]) -> list[str]:
    """Marketo's activities, lists and list memberships that raw lacks or has although they are gone."""
    found: list[str] = []
    for kind in ("activities", "lists", "list_members"):
        if not connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": f"raw.marketo__{kind}"}):
            continue
        order = "record_id, version_at DESC, load_id DESC"
        statement = f"SELECT DISTINCT ON (record_id) record_id, op FROM raw.marketo__{kind} ORDER BY {order}"
        here = {id_ for id_, op in connection.execute(sa.text(statement)) if op == "upsert"}
        live = {record.id for record in world.marketo.live(kind)}
        if kind == "list_members":
            here = {id_ for id_ in here if not _lead_is_deleted(world, id_.partition("-")[2])}
        found += [
            f"marketo:{kind}:{id_} is not in raw" for id_ in live - here if ("marketo", kind, id_) not in unsettled
        ]
        found += [
            f"marketo:{kind}:{id_} is only in raw" for id_ in here - live if ("marketo", kind, id_) not in unsettled
        ]
    return found


def _staged(connection: sa.Connection, vendor: str, stream: str, entity: str) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    statement = sa.text(
        f"SELECT * FROM staging.{entity} WHERE source_system = :v AND source_stream = :s AND source_id NOT LIKE '%#%'"
    )
    for row in connection.execute(statement, {"v": vendor, "s": stream}).mappings():
        rows[row["source_key"]].append(Row(row["version_at"], row["is_deleted"], row["merged_into_source_id"], row))
    return rows


class Versions(NamedTuple):
    """All versions of one record in raw: how each came, and the fields of the newest that has some."""

    ops: set[str]
    fields: Mapping[str, Any]


def _raw(connection: sa.Connection, vendor: str, stream: str) -> dict[str, Versions]:
    statement = sa.text(
        f"SELECT record_id, op, CAST(record AS text), record_bytes FROM raw.{vendor}__{stream} "
        "ORDER BY record_id, version_at, load_id"
    )
    found: dict[str, Versions] = {}
    for record_id, op, text, exact in connection.execute(statement):
        before = found.get(record_id, Versions(set(), {}))
        fields = json.loads(bytes(exact)) if exact is not None else json.loads(text) if text else before.fields
        found[record_id] = Versions(before.ops | {op}, fields)
    return found


def _named(
    store: Store, rows: Mapping[str, list[Row]], raw: Mapping[str, Versions]
) -> tuple[dict[str, list[Row]], dict[str, Versions]]:
    """Submissions to which HubSpot gives no id, by the id that the store has for them: the content tells which it is."""
    ids: dict[str, list[str]] = defaultdict(list)
    for record in store.live("form_submissions"):
        if not record.fields.get("conversionId"):
            fields = dict(record.fields)
            ids[_content(fields.pop("formGuid"), fields)].append(record.id)
    named: dict[str, str] = {}
    for record_id, versions in raw.items():
        submission = dict(versions.fields["submission"])
        if not submission.get("conversionId") and (known := ids[_content(versions.fields["formGuid"], submission)]):
            named[record_id] = known.pop()
    prefix = "hubspot:form_submissions:"
    return (
        {prefix + named.get(_id(key), _id(key)): value for key, value in rows.items()},
        {named.get(key, key): value for key, value in raw.items()},
    )


def _content(form: str, fields: dict[str, Any]) -> str:
    return json.dumps([form, fields], sort_keys=True)


def _came_and_went(world: World, record: Mapping[str, Any], versions: Versions | None) -> bool:
    """No API shows it: deleted for good between two nights, or merged into one that was. Made and merged: only the merge.

    Of Marketo's merges a first night reads those of the last month alone.
    """
    is_marketo = record["vendor"] == "marketo"
    if versions is not None:
        # A Marketo lead that was deleted before the first night left a line in the log of deletes.
        return (record["state"] == "merged" or (is_marketo and record["state"] == "deleted")) and not versions.fields
    if is_marketo and record["state"] == "merged":
        return True
    if record["kind"] == "campaigns" and record["state"] == "archived":
        return True  # HubSpot lists the live ones alone: this was archived before anybody looked
    survivors = [world.truth.entry(record["vendor"], record["kind"], id_) for id_ in _chain(world, record)]
    last = survivors[-1].state if survivors and survivors[-1] else record["state"]
    return last == "deleted"


def _compared(record: Mapping[str, Any], row: Row, versions: Versions, store: Store, world: World) -> Iterator[str]:
    state = record["state"]
    if row.is_deleted != (state != "live"):
        yield f"{state}, but is_deleted is {row.is_deleted}"
        return
    chain = list(_chain(world, record))
    into = (row.merged_into or "").rpartition(":")[2] or None
    if (into not in chain) if state == "merged" else (into is not None):
        yield f"{state} into {chain}, staging says {into}"
    due = _version(record, store)
    if due is not None and row.version_at != due and not _is_noticed(record, row, versions, due):
        yield f"{state} since {due}, staging is as of {row.version_at}"
    is_for_good = (
        store.get(record["kind"], record["record_id"]) is None
    )  # changed and deleted between two nights: nobody saw it
    if state == "merged" or (state == "deleted" and (is_for_good or not versions.fields)):
        return
    fields = json.loads(record["fields"])
    given = {name: field(versions.fields, name) for name in fields}
    if store.vendor == "marketo":  # exports are text alone
        given, fields = ({name: as_text(value) for name, value in each.items()} for each in (given, fields))
    is_text = record["vendor"] == "salesforce"
    if given != fields and not (is_text and all(is_told(given[name], fields[name]) for name in fields)):
        yield f"{state} with {fields}, raw has {given}"
    for column, name in STAGED.get((record["vendor"], record["kind"]), {}).items():
        if not is_same(row.values[column], fields[name]):
            yield f"{column} is {row.values[column]!r}, {name} is {fields[name]!r}"


def _chain(world: World, record: Mapping[str, Any]) -> Iterator[str]:
    """Whom the record was merged into, and whom that one, and so on."""
    entry = world.truth.entry(record["vendor"], record["kind"], record["record_id"])
    while entry is not None and entry.merged_into is not None:
        yield entry.merged_into
        entry = world.truth.entry(record["vendor"], record["kind"], entry.merged_into)


def _version(record: Mapping[str, Any], store: Store) -> datetime | None:
    """When the vendor dates the present state; None where it does not say."""
    held = store.get(record["kind"], record["record_id"])
    if held is None:
        return None
    at: datetime = record["modified_at"]
    if store.vendor == "hubspot":
        if record["state"] == "merged" or (record["kind"] == "owners" and held.archived_at is not None):
            return None
        if held.archived_at is not None:
            at = held.archived_at
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _is_noticed(record: Mapping[str, Any], row: Row, versions: Versions, due: datetime) -> bool:
    """What a reading noticed by itself is as of that reading.

    So does a record stand that was deleted and lives again; one that a list shows no longer; and one that Salesforce deleted
    in the minutes that windows hold back, where a comparison of ids noticed it before its window came.
    """
    is_salesforce = record["vendor"] == "salesforce"
    if is_salesforce and timedelta(0) < row.version_at - due < timedelta(milliseconds=1):
        return True  # a calculated field changed, which dates nothing: see pipeline/recalculated.py
    if "delete" not in versions.ops:
        return False
    if record["kind"] == "campaigns":
        return row.version_at >= due  # HubSpot has no list of the archived ones: they are missed, or shown again
    if record["state"] == "live":
        return bool(row.version_at >= record["modified_at"])
    return bool(is_salesforce and timedelta(0) < row.version_at - due < HOLD_BACK)


def _pipeline_disagreements(world: World, connection: sa.Connection) -> list[str]:
    told = {
        (record.id, str(stage["id"])) for record in world.hubspot.live("pipelines") for stage in record.fields["stages"]
    }
    query = (
        "SELECT source_record_id, stage FROM staging.pipeline_stage WHERE source_system = 'hubspot' AND NOT is_deleted"
    )
    here = Counter((row[0], row[1]) for row in connection.execute(sa.text(query)))
    return [
        f"pipelines: {key} is {here[key]} times in staging" for key in told | set(here) if here[key] != (key in told)
    ]


def link_disagreements(world: World, connection: sa.Connection) -> list[str]:
    """Associations between live HubSpot records that staging lacks, has twice, or has although they are not.

    A link to a record that was merged counts for its survivor: no engagement changes when its contact is merged.
    """
    found: list[str] = []
    store = world.hubspot
    for (kind, other), (entity, here, there) in LINKS.items():
        live, others = ({r.id for r in store.live(k)} for k in (kind, other))
        told = {
            (one, to)
            for one, links in store.links.get((kind, other), {}).items()
            for to, types in links.items()
            if types and one in live and to in others
        }
        statement = sa.text(
            f"SELECT source_id, {here}, {there} FROM staging.{entity} WHERE source_stream = :stream AND NOT is_deleted"
        )
        stream = f"{kind.removesuffix('s') if kind != 'companies' else 'company'}_to_{'company' if other == 'companies' else other[:-1]}"
        seen: Counter[tuple[str, str]] = Counter()
        for _, one, to in connection.execute(statement, {"stream": stream}):
            seen[_id(one), _survivor(store, other, _id(to))] += 1
        staged = {(one, to) for one, to in seen if one in live and to in others}
        found += [f"{kind} {one} -> {other} {to} is not in staging" for one, to in told - staged]
        found += [f"{kind} {one} -> {other} {to} is only in staging" for one, to in staged - told]
    return found


def _id(source_id: str) -> str:
    return source_id.rpartition(":")[2]


def _survivor(store: Store, kind: str, id_: str) -> str:
    record = store.get(kind, id_)
    while record is not None and record.merged_into is not None:
        record = store.get(kind, record.merged_into)
    return id_ if record is None else record.id


def settle(box: Any) -> None:
    """Play on until the last changes are older than what windows hold back, and than the second that a Date header leaves
    out: then a night sees all."""
    world = box.world
    quiet = ((world.salesforce, HOLD_BACK), (world.marketo, HOLD_BACK), (world.hubspot, 2 * SECOND))
    assert world.rest(quiet, HOLD_BACK + SECOND), "this world never rests for six minutes"
