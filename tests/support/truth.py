"""Holds a warehouse against the truth of a sandbox's world: records, links, revenue and identity. Nothing of the product is used."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Any, NamedTuple

import sqlalchemy as sa

from sandbox.store import Store
from sandbox.world import World

HOLD_BACK = timedelta(minutes=6)
"""Salesforce windows end five minutes before now."""

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
}  # fmt: skip
"""Staging columns that hold a key field as it is, but for blanks at the ends, NUL, and the form of a number."""

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
    return {"hubspot": world.hubspot, "salesforce": world.salesforce}


def record_disagreements(world: World, connection: sa.Connection) -> list[str]:
    """One line for each vendor record that staging lacks, has twice, has in an old state, or has although it never was."""
    found: list[str] = []
    known: dict[str, set[str]] = defaultdict(set)
    told: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in world.truth.rows("vendor_record"):
        told[row["vendor"], row["kind"]].append(row)
    aside = {
        tuple(r)
        for r in connection.execute(sa.text("SELECT source_key, entity FROM ops.quarantine WHERE NOT is_loaded"))
    }
    for (vendor, kind), (stream, entity) in MAIN.items():
        rows = _staged(connection, vendor, stream, entity)
        raw = _raw(connection, vendor, stream)
        store = stores(world)[vendor]
        if stream == "form_submissions":
            rows, raw = _named(store, rows, raw)
        for record in told[vendor, kind]:
            key = f"{vendor}:{stream}:{record['record_id']}"
            known[entity].add(key)
            if kind == "LeadHistory" and json.loads(record["fields"])["Field"] != "Status":
                continue
            here = rows.get(key, [])
            if (key, entity) in aside and not here:
                continue
            if len(here) != 1:
                if not (len(here) == 0 and _came_and_went(record, raw.get(record["record_id"]))):
                    found.append(f"{key}: {record['state']}, {len(here)} rows in staging.{entity}")
                continue
            found += [f"{key}: {line}" for line in _compared(record, here[0], raw[record["record_id"]], store, world)]
        found += [f"{key}: never was" for key in rows.keys() - known[entity]]
    return found + _pipeline_disagreements(world, connection)


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


def _came_and_went(record: Mapping[str, Any], versions: Versions | None) -> bool:
    """Made and deleted for good between two nights: no API shows it. Made and merged: there is only the merge."""
    return (record["state"] == "deleted" and versions is None) or (
        record["state"] == "merged" and versions is not None and not versions.fields
    )


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
    if due is not None and row.version_at != due and not _is_restored(record, row, versions):
        yield f"{state} since {due}, staging is as of {row.version_at}"
    if state == "merged" or (state == "deleted" and not versions.fields):
        return
    fields = json.loads(record["fields"])
    given = {name: _field(versions.fields, name) for name in fields}
    if given != fields:
        yield f"{state} with {fields}, raw has {given}"
    for column, name in STAGED.get((record["vendor"], record["kind"]), {}).items():
        if not _is_same(row.values[column], fields[name]):
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
        if record["state"] == "merged":
            return None
        if held.archived_at is not None:
            at = held.archived_at
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _is_restored(record: Mapping[str, Any], row: Row, versions: Versions) -> bool:
    """A record that was deleted and lives again is as of the reading that noticed it."""
    return record["state"] == "live" and "delete" in versions.ops and row.version_at >= record["modified_at"]


def _field(payload: Mapping[str, Any], name: str) -> Any:
    for place in (payload.get("properties"), payload.get("submission"), payload):
        if isinstance(place, Mapping) and name in place:
            return place[name]
    return None


def _is_same(staged: Any, field: Any) -> bool:
    if isinstance(staged, Decimal):
        try:
            return abs(staged - Decimal(str(field))) < Decimal("0.01")
        except InvalidOperation:
            return False
    text = None if field is None else str(field).replace("\0", "").strip() or None
    return bool(staged == text)


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


def won_amounts(world: World) -> dict[str, Decimal]:
    """Currency -> sum of the true won deals that a vendor still has."""
    live = {
        f"{r['vendor']}:{r['kind']}:{r['record_id']}" for r in world.truth.rows("vendor_record") if r["state"] == "live"
    }
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for deal in world.truth.rows("opportunity"):
        if deal["status"] == "won" and live.intersection(deal["records"]) and deal["amount"] is not None:
            sums[deal["currency"]] += Decimal(str(deal["amount"]))
    return dict(sums)


def built_amounts(connection: sa.Connection) -> dict[str, Decimal]:
    """The same from core.opportunity."""
    query = (
        "SELECT currency, sum(amount) AS total FROM core.opportunity WHERE status = 'won' AND NOT is_deleted AND amount IS NOT NULL "
        "GROUP BY currency"
    )
    return {row.currency: row.total for row in connection.execute(sa.text(query))}


class Score(NamedTuple):
    """How well records were tied to people, over all pairs of decidable records."""

    precision: float
    recall: float
    pairs: int
    wrong: set[tuple[str, str]]
    missed: set[tuple[str, str]]


def identity_score(world: World, connection: sa.Connection) -> Score:
    """Pairs of source records: how many of those tied are one person, and how many of one person are tied."""
    people: dict[str, str] = {}
    for row in world.truth.rows("person"):
        stream = MAIN[row["vendor"], row["kind"]][0]
        key = f"{row['vendor']}:{stream}:{row['record_id']}"
        people.pop(key, None)
        if not row["undecidable"]:
            people[key] = row["person_id"]
    given: dict[str, str] = {}
    for source_id, person_id in connection.execute(sa.text("SELECT source_id, person_id FROM core.identity_link")):
        given[source_id] = str(person_id)
    shared = people.keys() & given.keys()
    true = set(_pairs({key: people[key] for key in shared}))
    tied = set(_pairs({key: given[key] for key in shared}))
    right = len(true & tied)
    return Score(
        right / len(tied) if tied else 1.0,
        right / len(true) if true else 1.0,
        len(true),
        tied - true,
        true - tied,
    )


def strong_evidence(world: World) -> set[tuple[str, str]]:
    """Pairs of records of one person that share an address which nobody else has, or of which one names the other.

    Worked out from the stores alone: what any careful reader of both systems would tie, without guessing by name or phone.
    """
    people = {(r["vendor"], r["kind"], r["record_id"]): r for r in world.truth.rows("person")}
    holders: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    named: set[tuple[str, str]] = set()
    for (vendor, kind, id_), row in people.items():
        record = stores(world)[vendor].get(kind, id_)
        if record is None or row["undecidable"]:
            continue
        key = f"{vendor}:{MAIN[vendor, kind][0]}:{id_}"
        texts = [record.fields.get("email"), record.fields.get("Email")]
        texts += (record.fields.get("hs_additional_emails") or "").split(";")
        for text in texts:
            address = (text or "").strip().lower().rstrip(".")
            if re.fullmatch(r"[^@\s]+@[^@\s]+[.][a-z]+", address):
                owners[address].add(row["person_id"])
                holders[address].add(key)
        pointers = [("salesforce", "Lead", "salesforceleadid"), ("salesforce", "Contact", "salesforcecontactid")]
        pointers += [("salesforce", "Contact", "ConvertedContactId")]
        for *other, name in pointers:
            there = people.get((other[0], other[1], record.fields.get(name) or ""))
            if there is not None and there["person_id"] == row["person_id"] and not there["undecidable"]:
                named.add((key, f"{other[0]}:{MAIN[other[0], other[1]][0]}:{there['record_id']}"))
        if record.merged_into is not None:
            named.add((key, f"{vendor}:{MAIN[vendor, kind][0]}:{record.merged_into}"))
    shared = {
        pair
        for address, keys in holders.items()
        if len(owners[address]) == 1 and address.partition("@")[0].partition("+")[0] not in ROLES
        for pair in combinations(sorted(keys), 2)
    }
    return shared | {tuple(sorted(pair)) for pair in named}  # type: ignore[misc]


ROLES = {"info", "contato", "sales", "office", "contact", "hello", "vendas", "compras", "kontakt"}
"""Mailboxes that several people read: they say nothing of who wrote."""


def _pairs(owner: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, person in owner.items():
        groups[person].append(key)
    for keys in groups.values():
        yield from combinations(sorted(keys), 2)


def settle(box: Any) -> None:
    """Play on until Salesforce's last change is older than what its windows hold back: then a night sees all of it."""
    for _ in range(200):
        newest = max(r.modified_at for records in box.world.salesforce.records.values() for r in records.values())
        if box.world.now() - newest > HOLD_BACK:
            return
        box.advance((HOLD_BACK + timedelta(seconds=1)) / timedelta(days=1))
    raise AssertionError("this world never rests for six minutes")
