"""Four nights against the truth of the world: no missing, no duplicate and no stale record, right links, right money, who is who."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from sandbox.hubspot.associations import default_link
from tests.support.built_truth import built_amounts, won_amounts
from tests.support.nights import credentials, night, sync_all
from tests.support.truth import link_disagreements, record_disagreements, settle

pytestmark = pytest.mark.slow


class State(NamedTuple):
    """How a record stands in staging."""

    is_deleted: bool
    merged_into: str | None


class Findings(NamedTuple):
    """What one night left different from the truth, and how the records that were acted on stand."""

    records: list[str]
    links: list[str]
    states: Mapping[str, State]


class Story(NamedTuple):
    """Four nights.

    acted: what was done between them -> the record that it was done to.
    nights: after each, what was found.
    """

    acted: Mapping[str, str]
    nights: list[Findings]


@pytest.fixture(scope="module")
def story(module_box: Any, module_warehouse: sa.Engine) -> Story:
    """The nights; each begins when Salesforce's newest change is older than its windows hold back."""
    keys = credentials(module_box)
    acted: dict[str, str] = {}
    nights: list[Findings] = []
    for number, act in enumerate((_bring, _remove, _take_back, _merge_again)):
        # A minute after the night: what it noticed bears the vendor's clock, which ran on while it read.
        module_box.advance(1 / 1440 if number else 0)
        act(module_box.world, acted)
        module_box.advance(1 if number else 0)
        settle(module_box)
        if number in (0, 3):
            night(module_warehouse, keys)
        else:
            sync_all(module_warehouse, keys)
        with module_warehouse.connect() as connection:
            nights.append(
                Findings(
                    record_disagreements(module_box.world, connection),
                    link_disagreements(module_box.world, connection),
                    {name: _state(connection, key) for name, key in acted.items()},
                )
            )
    return Story(acted, nights)


def _bring(world: Any, acted: dict[str, str]) -> None:
    """Records of our own, which nobody in the world touches, so that each act on them has its certain end."""
    fields: dict[str, Any]
    for number in range(1, 9):
        fields = {"email": f"person{number}@acted.example", "firstname": "Acted", "lastname": f"Person {number}"}
        if number in (4, 5, 8):  # these will be merged: so they are one person
            fields["person_id"] = "P-acted"
        acted[f"contact {number}"] = "hubspot:contacts:" + world.act("hubspot", "create", "contacts", None, fields)
    for number in range(1, 5):
        fields = {"name": f"Acted {number}", "domain": f"acted{number}.example"}
        acted[f"company {number}"] = "hubspot:companies:" + world.act("hubspot", "create", "companies", None, fields)
    for number in range(1, 4):
        fields = {
            "LastName": f"Lead {number}",
            "Company": "Acted",
            "Status": "Open - Not Contacted",
            "IsConverted": False,
        }
        fields["person_id"] = f"P-lead-{min(number, 2)}"
        acted[f"lead {number}"] = "salesforce:lead:" + world.act("salesforce", "create", "Lead", None, fields)
    for number in range(1, 5):
        fields = {"email": f"nurtured{number}@acted.example", "lastName": f"Nurtured {number}", "firstName": "Acted"}
        fields |= {"person_id": f"P-nurtured-{min(number, 3)}", "leadSource": "Webinar", "leadScore": number}
        acted[f"marketo lead {number}"] = "marketo:leads:" + world.act("marketo", "create", "leads", None, fields)
    program, static = (next(iter(world.marketo.live(kind))).id for kind in ("programs", "lists"))
    for number in (1, 4):
        lead = _id(acted, f"marketo lead {number}")
        fields = {"programId": int(program), "leadId": int(lead), "statusName": "Member"}
        key = world.act("marketo", "create", "program_members", None, fields)
        acted[f"marketo member {number}"] = f"marketo:program_members:{key}"
        world.act("marketo", "create", "list_members", None, {"listId": int(static), "leadId": int(lead)})
    there, back = default_link("contacts", "companies"), default_link("companies", "contacts")
    for contact, company in ((4, 2), (6, 4), (7, 4)):
        fields = {"to_kind": "companies", "to_id": _id(acted, f"company {company}")}
        fields |= {"type_id": there.type_id, "back_type_id": back.type_id}
        world.act("hubspot", "link", "contacts", _id(acted, f"contact {contact}"), fields)


def _remove(world: Any, acted: dict[str, str]) -> None:
    """Archives, deletes, hard deletes and merges, and a link that is taken away."""
    for name in ("contact 1", "contact 2", "company 1"):
        world.act("hubspot", "archive", name.split()[0].replace("company", "companie") + "s", _id(acted, name))
    world.act("hubspot", "delete", "contacts", _id(acted, "contact 3"))
    survivor = world.act("hubspot", "merge", "contacts", _id(acted, "contact 4"), {"into": _id(acted, "contact 5")})
    acted["survivor"] = f"hubspot:contacts:{survivor}"
    world.act("hubspot", "merge", "companies", _id(acted, "company 2"), {"into": _id(acted, "company 3")})
    gone = {"to_kind": "companies", "to_id": _id(acted, "company 4")}
    world.act("hubspot", "unlink", "contacts", _id(acted, "contact 6"), gone)
    world.act("salesforce", "archive", "Lead", _id(acted, "lead 1"))
    world.act("salesforce", "merge", "Lead", _id(acted, "lead 2"), {"into": _id(acted, "lead 3")})
    world.act("marketo", "delete", "leads", _id(acted, "marketo lead 2"))
    world.act("marketo", "merge", "leads", _id(acted, "marketo lead 4"), {"into": _id(acted, "marketo lead 3")})
    world.act("marketo", "update", "leads", _id(acted, "marketo lead 1"), {"leadScore": 77, "title": 'Head, "Ops"'})
    campaign = next(iter(world.salesforce.live("Campaign"))).id
    fields = {"CampaignId": campaign, "LeadId": _id(acted, "lead 3"), "Status": "Sent", "HasResponded": False}
    acted["member"] = "salesforce:campaign_member:" + world.act("salesforce", "create", "CampaignMember", None, fields)


def _take_back(world: Any, acted: dict[str, str]) -> None:
    """Restores, and the hard delete of what the last night brought."""
    world.act("hubspot", "restore", "contacts", _id(acted, "contact 1"))
    world.act("hubspot", "restore", "companies", _id(acted, "company 1"))
    world.act("salesforce", "restore", "Lead", _id(acted, "lead 1"))
    world.act("salesforce", "delete", "CampaignMember", _id(acted, "member"))


def _merge_again(world: Any, acted: dict[str, str]) -> None:
    """The survivor of a merge is merged; what was restored is archived once more; something comes and goes in one day."""
    world.act("hubspot", "merge", "contacts", _id(acted, "survivor"), {"into": _id(acted, "contact 8")})
    world.act("hubspot", "archive", "contacts", _id(acted, "contact 1"))
    brief = world.act("hubspot", "create", "contacts", None, {"email": "brief@acted.example", "lastname": "Brief"})
    world.act("hubspot", "archive", "contacts", brief)
    acted["brief contact"] = f"hubspot:contacts:{brief}"


def _id(acted: Mapping[str, str], name: str) -> str:
    return acted[name].rpartition(":")[2]


def _state(connection: sa.Connection, key: str) -> State:
    entities = {"contacts": "person", "lead": "person", "leads": "person", "companies": "account"}
    entity = entities.get(key.split(":")[1], "campaign_member")
    statement = sa.text(f"SELECT is_deleted, merged_into_source_id FROM staging.{entity} WHERE source_id = :key")
    return State(*connection.execute(statement, {"key": key}).one())


@pytest.mark.parametrize("number", range(4))
def test_staging_holds_every_record_once_as_it_is_now(story: Story, number: int) -> None:
    assert not story.nights[number].records, "\n".join(story.nights[number].records)


@pytest.mark.parametrize("number", range(4))
def test_staging_holds_every_link_of_live_records(story: Story, number: int) -> None:
    assert not story.nights[number].links, "\n".join(story.nights[number].links)


def test_deletes_archives_restores_and_merges_arrive_as_such(story: Story) -> None:
    first, second, third, fourth = (each.states for each in story.nights)
    gone, live = State(is_deleted=True, merged_into=None), State(is_deleted=False, merged_into=None)
    assert set(first.values()) == {live}
    removed = {"contact 1", "contact 2", "contact 3", "company 1", "lead 1", "marketo lead 2", "marketo member 4"}
    into = {"contact 4": "survivor", "contact 5": "survivor", "lead 2": "lead 3", "marketo lead 4": "marketo lead 3"}
    merged = {name: State(is_deleted=True, merged_into=story.acted[winner]) for name, winner in into.items()}
    companies = {name: second[name] for name in ("company 2", "company 3")}
    assert {state.is_deleted for state in companies.values()} == {True}
    assert len({state.merged_into for state in companies.values()} - {None}) == 1
    still = {name: live for name in second if name not in {*removed, *merged, *companies}}
    assert second == {**dict.fromkeys(removed, gone), **merged, **companies, **still}
    back = {"contact 1": live, "company 1": live, "lead 1": live, "member": gone}
    assert third == {**second, **back}
    assert fourth["survivor"].is_deleted
    assert fourth["survivor"].merged_into == fourth["contact 8"].merged_into
    assert fourth["survivor"].merged_into not in {None, story.acted["survivor"]}
    moved = {name: fourth[name] for name in ("survivor", "contact 4", "contact 5", "contact 8")}
    assert {state.is_deleted for state in moved.values()} == {True}
    assert fourth == {**third, **moved, "contact 1": gone, "brief contact": gone}


def test_revenue_is_what_the_vendors_know(story: Story, module_box: Any, module_warehouse: sa.Engine) -> None:
    assert story.nights
    with module_warehouse.connect() as connection:
        assert built_amounts(connection) == won_amounts(module_box.world)


def test_a_record_that_is_lost_doubled_or_stale_is_noticed(
    story: Story, module_box: Any, module_warehouse: sa.Engine
) -> None:
    """The comparison itself can fail: each kind of damage gives a line."""
    assert story.nights[-1].records == []
    picked = "(SELECT min(source_id) FROM staging.{} WHERE {})"
    person, engagement = picked.format("person", "true"), picked.format("engagement", "NOT is_deleted")
    contact, campaign = (
        picked.format("person", "source_stream = 'contacts'"),
        picked.format("campaign", "source_system = 'salesforce'"),
    )
    damages = (
        f"DELETE FROM staging.person WHERE source_id = {person}",
        f"UPDATE staging.engagement SET version_at = version_at - interval '1 hour' WHERE source_id = {engagement}",
        f"UPDATE staging.person SET is_deleted = NOT is_deleted WHERE source_id = {person}",
        f"UPDATE staging.campaign SET budget_amount = coalesce(budget_amount, 0) + 1 WHERE source_id = {campaign}",
        f"UPDATE staging.person SET source_id = source_id || '1', source_key = source_key || '1' WHERE source_id = {contact}",
    )
    for damage in damages:
        with module_warehouse.connect() as connection:
            assert connection.execute(sa.text(damage)).rowcount == 1, damage
            assert record_disagreements(module_box.world, connection) != [], damage
            connection.rollback()
    with module_warehouse.connect() as connection:
        connection.execute(sa.text("DELETE FROM staging.person_account"))
        assert link_disagreements(module_box.world, connection) != []
        connection.rollback()
