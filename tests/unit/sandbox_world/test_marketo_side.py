"""What Marketo knows of a world: whom, with which cross ids, in which words, and nothing of it in the other vendors' records."""

import json
from collections import Counter, defaultdict

import pytest

from sandbox.marketo.activity_types import ACTIVITY_TYPES
from sandbox.marketo.channels import CHANNELS
from sandbox.marketo.schema import LEAD_FIELDS
from sandbox.world import World
from sandbox.world import nurture as nurturing
from tests.support.worlds import content


@pytest.fixture(scope="module")
def large() -> World:
    return World(int.from_bytes(b"marketo"), 4_000)


def test_a_fifth_of_the_people_are_nurtured_and_a_few_come_twice(large: World) -> None:
    owner = {r["record_id"]: r["person_id"] for r in large.truth.rows("person") if r["vendor"] == "marketo"}
    people = Counter(owner.values())
    assert 0.14 < len(people) / large.people < 0.24
    twice = sum(count > 1 for count in people.values())
    assert 0.02 < twice / len(people) < 0.12


def test_cross_ids_are_right_for_most_missing_for_some_wrong_for_few(large: World) -> None:
    owner = {(r["vendor"], r["kind"], r["record_id"]): r["person_id"] for r in large.truth.rows("person")}
    has_lead = {p for (vendor, kind, _), p in owner.items() if (vendor, kind) == ("salesforce", "Lead")}
    found: Counter[str] = Counter()
    for record in large.marketo.live("leads"):
        person = owner["marketo", "leads", record.id]
        if lead := record.fields.get("sfdcLeadId"):
            found["right" if owner["salesforce", "Lead", lead] == person else "wrong"] += 1
        elif person in has_lead:
            found["missing"] += 1
    total = sum(found.values())
    assert found["right"] / total > 0.7
    assert found["missing"] / total > 0.02
    assert 0 < found["wrong"] / total < 0.1


def test_programs_are_those_of_campaigns_and_the_engagement_programs(large: World) -> None:
    told = {
        record.partition(":programs:")[2]: row["name"]
        for row in large.truth.rows("campaign_cost")
        for record in row["records"]
        if record.startswith("marketo:")
    }
    programs = {r.id: r.fields for r in large.marketo.live("programs")}
    engaging = {id_ for id_, fields in programs.items() if fields["type"] == "Engagement"}
    assert len(engaging) == 3
    assert told == {id_: fields["name"] for id_, fields in programs.items() if id_ not in engaging}
    linked = [fields["sfdcId"] for fields in programs.values() if fields["sfdcId"]]
    assert len(set(linked)) == len(linked) > 10
    assert set(linked) < large.salesforce.records["Campaign"].keys()


def test_activities_have_the_attributes_of_their_type_and_refer_to_what_there_is(large: World) -> None:
    kinds = {1: "landing_pages", 2: "forms", 24: "lists", 25: "lists", 104: "programs", 113: "programs", 32: "leads"}
    kinds |= dict.fromkeys((6, 7, 8, 9, 10, 11), "emails")
    seen: Counter[int] = Counter()
    for record in large.marketo.live("activities"):
        fields = record.fields
        type_ = ACTIVITY_TYPES[fields["activityTypeId"]]
        seen[type_.id] += 1
        assert fields["attributes"].keys() <= type_.names, type_.name
        primary = fields["primaryAttributeValueId"]
        assert (primary is None) == (type_.primary is None)
        if kind := kinds.get(type_.id):
            assert str(primary) in large.marketo.records[kind].keys() | large.marketo.gone[kind].keys()
        elif type_.id in {13, 22}:
            assert any((f.id, f.display) == (primary, fields["primaryAttributeValue"]) for f in LEAD_FIELDS.values())
        if fields["campaignId"] is not None:
            assert str(fields["campaignId"]) in large.marketo.records["campaigns"]
        lead = str(fields["leadId"])
        assert lead in large.marketo.records["leads"] or lead in large.marketo.gone["leads"]
    assert set(seen) == set(ACTIVITY_TYPES) - {37}


def test_activities_are_written_in_order_of_their_dates(large: World) -> None:
    """Paging tokens are places in the log: what comes later must never come before."""
    written = sorted(large.marketo.records["activities"].values(), key=lambda record: int(record.id))
    dates = [record.created_at for record in written]
    assert dates == sorted(dates)


def test_leads_have_known_fields_and_dirt(large: World) -> None:
    leads = large.marketo.records["leads"].values()
    assert {name for record in leads for name in record.fields} <= LEAD_FIELDS.keys()
    for name, value in (("city", ""), ("phone", "n/a"), ("country", "BR"), ("leadSource", None)):
        assert any(record.fields.get(name) == value for record in leads), name
    emails = [record.fields["email"] for record in leads]
    assert any(email != email.strip() for email in emails)
    assert any(email.endswith(".") for email in emails)
    texts = [str(value) for record in leads for value in record.fields.values()]
    assert any("\n" in text for text in texts)
    assert any('"' in text for text in texts)


def test_the_history_of_members_ends_with_their_status(large: World) -> None:
    moves: dict[tuple[int, int], list[str]] = defaultdict(list)
    for record in large.marketo.live("activities"):
        fields = record.fields
        if fields["activityTypeId"] == 104:
            moves[fields["primaryAttributeValueId"], fields["leadId"]].append(fields["attributes"]["New Status"])
    merged = {r.merged_into for r in large.marketo.records["leads"].values() if r.merged_into}
    compared = 0
    for record in large.marketo.live("program_members"):
        program, lead = record.fields["programId"], record.fields["leadId"]
        if str(lead) not in merged:
            assert moves[program, lead][-1] == record.fields["statusName"]
            compared += 1
    assert compared > 500
    words = {word for statuses in moves.values() for word in statuses}
    assert words == {s for c in CHANNELS.values() for s in c.statuses} - {"Attended On-demand"} | {"Not in Program"}


def test_stages_are_told_as_revenue_stages(large: World) -> None:
    stages: Counter[tuple[str, str]] = Counter()
    for row in large.truth.rows("stage"):
        for key in row["records"]:
            vendor, kind, id_ = key.split(":")
            if vendor == "marketo":
                record = large.marketo.records[kind][id_]
                assert record.fields["activityTypeId"] == 101
                assert record.created_at >= row["entered_at"].replace(microsecond=0)
                stages[row["stage"], record.fields["attributes"]["New Stage"]] += 1
    assert stages["mql", "Marketing Qualified"] > 20
    assert stages["recycled", "Recycled"] > 5
    assert {"Sales Accepted", "Sales Qualified", "Opportunity", "Customer"} <= {told for _, told in stages}


def test_half_of_the_leads_get_one_change_in_one_second(large: World) -> None:
    wave = [r for r in large.marketo.live("activities") if r.fields["primaryAttributeValue"] == "Nurture Wave"]
    assert len({r.created_at for r in wave}) == 1
    assert len(wave) > 250


def test_the_other_vendors_do_not_notice(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def others(world: World) -> list[str]:
        return [json.dumps(line) for store in (world.hubspot, world.salesforce) for line in content(store)]

    usual = World(seed, 150)
    usual.advance(2)
    monkeypatch.setattr(nurturing, "SHARE", 0.9)
    monkeypatch.setattr(nurturing, "MOST_INVITED", 5)
    changed = World(seed, 150)
    changed.advance(2)
    assert len(changed.marketo.records["leads"]) > len(usual.marketo.records["leads"])
    assert others(usual) == others(changed)
