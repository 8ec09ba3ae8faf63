"""What core says against the truth of the world: who is one person, and what was sold."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any, NamedTuple

import sqlalchemy as sa

from glossary import Glossary
from sandbox.world import World
from sandbox.world.channels import CHANNELS
from sandbox.world.dirt import FREE_MAIL
from tests.support.truth import MAIN, stores


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
    """How well records were tied to people, over all pairs of decidable records.

    Two of one name at one company whom nothing tells apart are `confused` where they are taken for one; precision is of the rest.
    """

    precision: float
    recall: float
    pairs: int
    wrong: set[tuple[str, str]]
    missed: set[tuple[str, str]]
    confused: set[frozenset[str]]


def identity_score(world: World, connection: sa.Connection) -> Score:
    """Pairs of source records: how many of those tied are one person, and how many of one person are tied."""
    people: dict[str, str] = {}
    for row in world.truth.rows("person"):
        if (row["vendor"], row["kind"]) not in MAIN:
            continue  # a system that these nights do not read
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
    alike = namesakes(world)
    wrong = {pair: frozenset(people[key] for key in pair) for pair in tied - true}
    judged = len(tied) - sum(who in alike for who in wrong.values())
    return Score(
        right / judged if judged else 1.0,
        right / len(true) if true else 1.0,
        len(true),
        {pair for pair, who in wrong.items() if who not in alike},
        true - tied,
        {who for who in wrong.values() if who in alike},
    )


def journey_disagreements(world: World, connection: sa.Connection) -> tuple[list[str], int]:
    """Real events of decidable people that are not in their journey exactly once; and how many were looked at.

    An event is looked at where a vendor still has a record that says that it took place and whose it is: by a decidable
    record of the person that is there, or by an address that nobody else has.
    """
    people: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    for row in world.truth.rows("person"):
        if (row["vendor"], row["kind"]) not in MAIN:
            continue
        for address in _brought(world, row, tags=True).addresses:
            owners[address].add(row["person_id"])
        if not row["undecidable"]:
            people[row["person_id"]].add(_key(row["vendor"], row["kind"], row["record_id"]))
    person_of = {
        s: str(p) for s, p in connection.execute(sa.text("SELECT source_id, person_id FROM core.identity_link"))
    }
    told: dict[str, set[tuple[str, str]]] = defaultdict(set)
    query = "SELECT person_id, event_id, source_id, also_source_ids FROM marts.customer_journey"
    for person_id, event_id, source_id, also in connection.execute(sa.text(query)):
        for each in (source_id, *(also or ())):
            told[each.partition("#")[0]].add((str(person_id), str(event_id)))
    found, looked_at = [], 0
    for event in world.truth.rows("event"):
        person = event["person_id"]
        known = people[person] & person_of.keys()
        if not any(_tells(world, record, person, known, owners) for record in event["records"]):
            continue
        mine = {person_of[key] for key in known}
        looked_at += 1
        keys = [_source_id(record) for record in event["records"]]
        times = len({event_id for key in keys for person_id, event_id in told[key] if person_id in mine})
        if times != 1:
            found.append(f"{event['type']} of {person} at {event['occurred_at']}, {keys}: {times} times")
    return found, looked_at


def deal_disagreements(world: World, connection: sa.Connection) -> tuple[list[str], int]:
    """Deals that a vendor still has whose status, amount or currency is not the true one; and how many were looked at.

    Two records of one deal may stand as two deals where nothing ties them: neither names the other, and nobody said an amount.
    For their sources see `source_disagreements`: the vendors' words are coarser than the truth.
    """
    query = """
        SELECT l.source_id, o.opportunity_id, o.status, o.amount, o.currency FROM core.opportunity_link AS l
        JOIN core.opportunity AS o USING (opportunity_id) WHERE NOT o.is_deleted
    """
    built = {row.source_id: row for row in connection.execute(sa.text(query))}
    found, looked_at = [], 0
    for deal in world.truth.rows("opportunity"):
        mine = {built[key].opportunity_id: built[key] for key in map(_source_id, deal["records"]) if key in built}
        live = [r for r in deal["records"] if _lives(world, r)]
        if not live:
            continue
        looked_at += 1
        amount = None if deal["amount"] is None else Decimal(str(deal["amount"]))
        true = (deal["status"], amount, deal["currency"])
        told = [(row.status, row.amount, row.currency) for row in mine.values()]
        may_be_two = amount is None and not any(_points(world, record) for record in deal["records"])
        if told != [true] and not (may_be_two and set(told) == {true}):
            found.append(f"{deal['opportunity_id']} {live}: {told}, not {true}")
    return found, looked_at


_SOURCE_FIELDS = (("salesforce", "Opportunity", "LeadSource"), ("hubspot", "deals", "hs_analytics_source"))
"""Where a deal's source stands, the one who is believed first."""
_COARSE = {("hubspot", "OTHER_CAMPAIGNS"), ("salesforce", "Phone Inquiry")}
"""Words that say less than the one true source which this world says them of."""


def source_disagreements(world: World, connection: sa.Connection, glossary: Glossary) -> tuple[list[str], int, int]:
    """Deals whose source is not the true one, as far as a vendor's word can tell; how many were looked at, how many exactly.

    A deal has the term for the word of the first record that has one which the glossary knows: live ones before archived ones,
    since where a deal came from stays true. A word that is said of one true source alone must give that; one that is said of
    several gives the term that stands for them.
    """
    said_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for channel in CHANNELS:
        said_of["salesforce", channel.salesforce].add(channel.name)
        said_of["hubspot", channel.hubspot].add(channel.name)
    query = """
        SELECT l.source_id, o.opportunity_id, o.lead_source FROM core.opportunity_link AS l
        JOIN core.opportunity AS o USING (opportunity_id) WHERE NOT o.is_deleted
    """
    built = {row.source_id: row for row in connection.execute(sa.text(query))}
    found, looked_at, exact = [], 0, 0
    for deal in world.truth.rows("opportunity"):
        live = [record for record in deal["records"] if _lives(world, record)]
        mine = {built[key].opportunity_id: built[key].lead_source for key in map(_source_id, live) if key in built}
        if len(mine) != 1:
            continue  # `deal_disagreements` tells of it
        looked_at += 1
        archived = [record for record in deal["records"] if record not in live and _source_id(record) in built]
        words = [
            (vendor, _word(world, records, vendor, kind, field))
            for records in (live, archived)
            for vendor, kind, field in _SOURCE_FIELDS
        ]
        said = [(vendor, word) for vendor, word in words if word]
        terms = {each: glossary.vocabularies[f"lead_source.{each[0]}"].lookup(each[1]) for each in said}
        believed = next((each for each in said if terms[each]), None)
        term = terms[believed] if believed else "unmapped" if said else None
        if believed and len(said_of[believed]) == 1 and believed not in _COARSE:
            exact += 1
            term = deal["lead_source"]
        told = next(iter(mine.values()))
        if told != term:
            found.append(
                f"{deal['opportunity_id']} {live}: {told}, not {term} ({said}, in truth {deal['lead_source']})"
            )
    return found, looked_at, exact


def _word(world: World, records: Iterable[str], vendor: str, kind: str, field: str) -> str | None:
    """What the first of these records that is of this vendor and kind has in the field."""
    for record in records:
        its_vendor, its_kind, id_ = record.split(":", 2)
        if (its_vendor, its_kind) == (vendor, kind) and (found := stores(world)[vendor].get(kind, id_)):
            word: str | None = found.fields.get(field)
            return word
    return None


def _lives(world: World, record: str) -> bool:
    vendor, kind, id_ = record.split(":", 2)
    found = stores(world)[vendor].get(kind, id_)
    return found is not None and not found.archived_at and not found.merged_into


def _points(world: World, record: str) -> bool:
    vendor, kind, id_ = record.split(":", 2)
    found = stores(world)[vendor].get(kind, id_)
    return found is not None and bool(found.fields.get("hs_salesforceopportunityid"))


_DONE = {
    "calls": ("hs_call_status", "COMPLETED"),
    "meetings": ("hs_meeting_outcome", "COMPLETED"),
    "tasks": ("hs_task_status", "COMPLETED"),
    "Task": ("IsClosed", True),
}


def _tells(world: World, record: str, person: str, known: set[str], owners: Mapping[str, set[str]]) -> bool:
    """Whether a record lives, says that the event took place, and names the person: by one of its known records, or an address."""
    vendor, kind, id_ = record.split(":", 2)
    found = stores(world)[vendor].get(kind, id_)
    field, value = _DONE.get(kind, ("", None))
    if found is None or found.archived_at or found.merged_into or found.fields.get(field) != value:
        return False
    if vendor == "hubspot" and (kind, "contacts") in world.hubspot.links:
        # HubSpot shows no links to a contact in the archive, and none is left of one that was deleted for good.
        contacts = [f"hubspot:contacts:{other}" for other in world.hubspot.links[kind, "contacts"].get(id_, ())]
        return any(_lives(world, contact) and _source_id(contact) in known for contact in contacts)
    if kind == "activities":
        lead = f"marketo:leads:{found.fields['leadId']}"
        return _lives(world, lead) and _source_id(lead) in known
    if vendor == "salesforce":
        ids = [found.fields[name] for name in ("WhoId", "LeadId", "ContactId") if found.fields.get(name)]
        return any(_key(vendor, each, who) in known for each in ("Lead", "Contact") for who in ids)
    if kind in {"form_submissions", "email_events"}:
        values = {each["name"]: each["value"] for each in found.fields.get("values", ())}
        address = (found.fields.get("recipient") or values.get("email") or "").strip().lower().rstrip(".")
        # A submission without an id has one of ours: `record_disagreements` sees to these.
        has_id = kind == "email_events" or bool(found.fields.get("conversionId"))
        return bool(known) and has_id and owners.get(address) == {person} and address.partition("@")[0] not in ROLES
    msg = f"not known whose {record} is"
    raise AssertionError(msg)


def _source_id(record: str) -> str:
    vendor, kind, id_ = record.split(":", 2)
    return _key(vendor, kind, id_)


def decidable_pairs(world: World) -> set[tuple[str, str]]:
    """Pairs of records of one person that evidence ties, directly or through other records of the person.

    Worked out from the stores alone, by what any careful reader of all systems would go by: an address that nobody else has
    (a +tag is no other address), a cross id or merge, a number or a company's domain together with a name, unless the two
    records have other mailboxes at work.
    """
    owner, brought = _decidable(world)
    graph = {
        key: {other for other in record.named if owner.get(other) == owner[key]} for key, record in brought.items()
    }
    for mark, keys in _holders(brought).items():
        if len({owner[key] for key in keys}) > 1:
            continue
        for one, other in combinations(sorted(keys), 2):
            if not _are_told_apart(mark, brought[one], brought[other]):
                graph[one].add(other)
    together: dict[str, str] = {}
    for key in graph:
        together.setdefault(key, key)
    for key, others in graph.items():
        for other in others:
            old, new = together[key], together[other]
            together = {k: new if v == old else v for k, v in together.items()} if old != new else together
    return set(_pairs(together))


def namesakes(world: World) -> set[frozenset[str]]:
    """Two people of one name at one company who have records that nothing tells apart."""
    owner, brought = _decidable(world)
    return {
        frozenset((owner[one], owner[other]))
        for mark, keys in _holders(brought).items()
        for one, other in combinations(sorted(keys), 2)
        if owner[one] != owner[other] and _is_name_at(mark) and not _are_told_apart(mark, brought[one], brought[other])
    }


def _decidable(world: World) -> "tuple[dict[str, str], dict[str, _Brought]]":
    """Decidable records -> whose they are, and what they bring."""
    rows = [r for r in world.truth.rows("person") if (r["vendor"], r["kind"]) in MAIN and not r["undecidable"]]
    keys = [_key(r["vendor"], r["kind"], r["record_id"]) for r in rows]
    return (
        {key: r["person_id"] for key, r in zip(keys, rows, strict=True)},
        {key: _brought(world, r) for key, r in zip(keys, rows, strict=True)},
    )


def _holders(brought: "Mapping[str, _Brought]") -> dict[str, set[str]]:
    """Mark -> the records that bring it."""
    holders: dict[str, set[str]] = defaultdict(set)
    for key, record in brought.items():
        for mark in record.marks:
            holders[mark].add(key)
    return holders


def _is_name_at(mark: str) -> bool:
    return mark.startswith("name at ")


def _are_told_apart(mark: str, one: "_Brought", other: "_Brought") -> bool:
    """Whether two that share a name at a company have other mailboxes there."""
    return _is_name_at(mark) and bool(one.mailboxes and other.mailboxes) and not one.mailboxes & other.mailboxes


class _Brought(NamedTuple):
    """What a record brings: marks that nobody else should have, records that it names, addresses, and those at work."""

    marks: set[str]
    named: set[str]
    addresses: set[str]
    mailboxes: set[str]


_POINTERS = {
    "salesforceleadid": ("salesforce", "Lead"),
    "salesforcecontactid": ("salesforce", "Contact"),
    "ConvertedContactId": ("salesforce", "Contact"),
    "sfdcLeadId": ("salesforce", "Lead"),
    "sfdcContactId": ("salesforce", "Contact"),
}


def _brought(world: World, row: Mapping[str, Any], *, tags: bool = False) -> _Brought:
    """What a record brings; with `tags`, addresses as they stand."""
    vendor, kind = row["vendor"], row["kind"]
    record = stores(world)[vendor].get(kind, row["record_id"])
    if record is None:
        return _Brought(set(), set(), set(), set())
    fields = record.fields
    texts = [fields.get("email"), fields.get("Email"), *(fields.get("hs_additional_emails") or "").split(";")]
    addresses = {(text or "").strip().lower().rstrip(".") for text in texts}
    if not tags:
        addresses = {re.sub(r"[+][^@]*", "", address) for address in addresses}
    addresses = {a for a in addresses if re.fullmatch(r"[^@\s]+@[^@\s]+[.][a-z]+", a)}
    mailboxes = {a for a in addresses if a.partition("@")[2] not in FREE_MAIL}
    name = " ".join(
        str(fields.get(n) or "") for n in ("firstname", "lastname", "FirstName", "LastName", "firstName", "lastName")
    )
    name = " ".join(re.findall(r"\w+", name.casefold()))
    digits = {re.sub(r"\D", "", str(fields.get(n) or ""))[-8:] for n in ("phone", "Phone", "MobilePhone")}
    domains = {a.partition("@")[2] for a in mailboxes} | {_domain(world, vendor, fields)} - {""}
    marks = {a for a in addresses if a.partition("@")[0] not in ROLES}
    if len(name.split()) > 1:
        marks |= {f"{name} {d}" for d in digits if len(d) == 8} | {f"name at {name} {d}" for d in domains}
    named = {_key(*there, fields[f]) for f, there in _POINTERS.items() if fields.get(f)}
    if record.merged_into:
        named.add(_key(vendor, kind, record.merged_into))
    return _Brought(marks, named, addresses, mailboxes)


def _domain(world: World, vendor: str, fields: Mapping[str, Any]) -> str:
    """Domain of the company that the record hangs on."""
    if vendor == "hubspot" and fields.get("associatedcompanyid"):
        company = world.hubspot.get("companies", fields["associatedcompanyid"])
        return str(company.fields.get("domain") or "").lower() if company else ""
    if vendor == "salesforce" and fields.get("AccountId"):
        company = world.salesforce.get("Account", fields["AccountId"])
        return (
            re.sub(r"^(https?://)?(www[.])?", "", str(company.fields.get("Website") or "").lower()) if company else ""
        )
    return ""


def _key(vendor: str, kind: str, id_: str) -> str:
    return f"{vendor}:{MAIN[vendor, kind][0]}:{id_}"


ROLES = {"info", "contato", "sales", "office", "contact", "hello", "vendas", "compras", "kontakt"}
"""Mailboxes that several people read: they say nothing of who wrote."""


def _pairs(owner: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, person in owner.items():
        groups[person].append(key)
    for keys in groups.values():
        yield from combinations(sorted(keys), 2)
