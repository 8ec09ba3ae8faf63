"""What happens in the world reaches the API: acts, days that pass, and the truth that stays right."""

from typing import Any

import pytest

from sandbox.serve import Sandbox, running_sandbox
from tests.contract.sandbox_marketo.conftest import Marketo, span
from tests.support.worlds import disagreements

ACTIVITIES = "/rest/v1/activities.json"


def new_lead(box: Sandbox, **fields: Any) -> str:
    return box.world.act("marketo", "create", "leads", None, {"email": "new@acted.example", **fields})


def one(marketo: Marketo, id_: str, fields: str) -> dict[str, Any]:
    row: dict[str, Any] = marketo.rows(f"/rest/v1/lead/{id_}.json", fields=fields)[0]
    return row


def test_create_and_update(marketo: Marketo, box: Sandbox) -> None:
    lead = new_lead(box, firstName="Nova", person_id="P1")
    assert one(marketo, lead, "firstName,title") == {"id": int(lead), "firstName": "Nova", "title": None}
    box.advance(0.01)
    marketo.login()
    since = box.world.now()
    box.world.act("marketo", "update", "leads", lead, {"title": "CEO", "firstName": "Nova"})
    told = one(marketo, lead, "title,updatedAt")
    assert told == {"id": int(lead), "title": "CEO", "updatedAt": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    changes = [
        r for r in marketo.feed("/rest/v1/activities/leadchanges.json", fields="title") if r["leadId"] == int(lead)
    ]
    assert [r["fields"] for r in changes] == [[], [{"id": 38, "name": "title", "newValue": "CEO", "oldValue": None}]]
    window = {"updatedAt": span(since.replace(microsecond=0), box.world.now())}
    assert lead in marketo.file("leads", window, fields=["id"]).decode().splitlines()
    rows = [r for r in box.world.truth.rows("person") if (r["vendor"], r["record_id"]) == ("marketo", lead)]
    assert [(r["person_id"], r["undecidable"]) for r in rows] == [("P1", False)]
    assert disagreements(box.world) == []


def test_delete(marketo: Marketo, box: Sandbox) -> None:
    lead = new_lead(box, lastName="Gone")
    program = {"programId": 1001, "leadId": int(lead), "statusName": "Member"}
    member = box.world.act("marketo", "create", "program_members", None, program)
    box.world.act("marketo", "delete", "leads", lead)
    assert marketo.code(f"/rest/v1/lead/{lead}.json") == "1004"
    assert marketo.rows("/rest/v1/leads.json", filterType="id", filterValues=lead) == []
    deletes = [r for r in marketo.feed("/rest/v1/activities/deletedleads.json") if r["leadId"] == int(lead)]
    assert [(r["activityTypeId"], r["primaryAttributeValueId"], r["primaryAttributeValue"]) for r in deletes] == [
        (37, int(lead), "Gone")
    ]
    entry = box.world.truth.entry("marketo", "program_members", member)
    assert entry is not None
    assert entry.state == "deleted"
    assert disagreements(box.world) == []
    box.advance(14.1)
    marketo.login()
    kept = marketo.feed("/rest/v1/activities/deletedleads.json")
    assert int(lead) not in {r["leadId"] for r in kept}


def test_merge(marketo: Marketo, box: Sandbox) -> None:
    winner, loser = new_lead(box, phone=None), new_lead(box, phone="+1 555 0100", email="other@acted.example")
    for lead in (winner, loser):
        fields = {"listId": 5001, "leadId": int(lead)}
        box.world.act("marketo", "create", "list_members", None, fields)
    program = {"programId": 1002, "leadId": int(loser), "statusName": "Engaged"}
    box.world.act("marketo", "create", "program_members", None, program)
    assert box.world.act("marketo", "merge", "leads", loser, {"into": winner}) == winner
    assert marketo.code(f"/rest/v1/lead/{loser}.json") == "1004"
    kept = one(marketo, winner, "email,phone")
    assert kept == {"id": int(winner), "email": "new@acted.example", "phone": "+1 555 0100"}
    merges = [r for r in marketo.feed(ACTIVITIES, activityTypeIds="32") if r["leadId"] == int(winner)]
    assert {a["name"]: a["value"] for a in merges[0]["attributes"]} == {
        "Master Updated": True,
        "Merge IDs": f"[{loser}]",
        "Merge Source": "Manual Merge",
        "Merged in Sales": False,
    }
    on_list = [r["id"] for r in marketo.rows("/rest/v1/lists/5001/leads.json")]
    assert on_list.count(int(winner)) == 1
    assert int(loser) not in on_list
    path = "/rest/v1/programs/1002/members.json"
    status = marketo.rows(path, filterType="leadId", filterValues=f"{winner},{loser}", fields="statusName")
    assert [(r["leadId"], r["statusName"]) for r in status] == [(int(winner), "Engaged")]
    assert int(loser) not in {r["leadId"] for r in marketo.feed("/rest/v1/activities/deletedleads.json")}
    entry = box.world.truth.entry("marketo", "leads", loser)
    assert entry is not None
    assert (entry.state, entry.merged_into) == ("merged", winner)
    assert disagreements(box.world) == []


def test_memberships_leave_their_activities(marketo: Marketo, box: Sandbox) -> None:
    lead, act = new_lead(box), box.world.act
    fields = {"programId": 1001, "leadId": int(lead), "statusName": "Member"}
    member = act("marketo", "create", "program_members", None, fields)
    act("marketo", "update", "program_members", member, {"statusName": "Engaged"})
    act("marketo", "update", "program_members", member, {"isExhausted": True})
    act("marketo", "delete", "program_members", member)
    act("marketo", "create", "program_members", None, {**fields, "statusName": "Our own word"})
    on_list = act("marketo", "create", "list_members", None, {"listId": 5001, "leadId": int(lead)})
    act("marketo", "delete", "list_members", on_list)
    told = [r for r in marketo.feed(ACTIVITIES, activityTypeIds="24,25,104") if r["leadId"] == int(lead)]
    moves = [
        tuple(next(a["value"] for a in r["attributes"] if a["name"] == name) for name in ("Old Status", "New Status"))
        for r in told
        if r["activityTypeId"] == 104
    ]
    outside = "Not in Program"
    assert moves == [(outside, "Member"), ("Member", "Engaged"), ("Engaged", outside), (outside, "Our own word")]
    assert [r["activityTypeId"] for r in told if r["primaryAttributeValueId"] == 5001] == [24, 25]
    path = "/rest/v1/programs/1001/members.json"
    row = marketo.rows(path, filterType="leadId", filterValues=lead, fields="statusName,program")[0]
    assert (row["statusName"], row["program"]) == ("Our own word", "Nurture: first steps")
    assert disagreements(box.world) == []


def test_what_cannot_be_done_is_refused(box: Sandbox) -> None:
    act, lead = box.world.act, new_lead(box)
    with pytest.raises(ValueError, match="no archive of leads"):
        act("marketo", "archive", "leads", lead)
    with pytest.raises(ValueError, match="not a live record"):
        act("marketo", "update", "leads", "1", {})
    with pytest.raises(ValueError, match="not another live record"):
        act("marketo", "merge", "leads", lead, {"into": lead})
    with pytest.raises(ValueError, match="does not merge programs"):
        act("marketo", "merge", "programs", "1001", {"into": "1002"})
    with pytest.raises(ValueError, match="no delete of activities"):
        act("marketo", "delete", "activities", "1")
    with pytest.raises(ValueError, match="exists or did exist"):
        act("marketo", "create", "leads", lead, {})
    with pytest.raises(ValueError, match="there is no marketo programs 1"):
        act("marketo", "create", "program_members", None, {"programId": 1, "leadId": int(lead), "statusName": "Member"})
    with pytest.raises(ValueError, match="delete a lead"):
        act("marketo", "create", "deleted_leads", None, {"leadId": 1})
    with pytest.raises(ValueError, match="there is no marketo Lead"):
        act("marketo", "create", "Lead", None, {})
    assert disagreements(box.world) == []


def test_days_that_pass_bring_changes_of_all_kinds(box: Sandbox) -> None:
    with running_sandbox(seed=box.world.seed, people=4_000) as larger, Marketo(larger) as marketo:
        since = larger.world.now()
        before = {record.id for record in larger.world.marketo.live("leads")}
        wanted = {1, 2, 6, 7, 10, 11, 12, 13, 22, 24, 25, 32, 101, 104, 113}
        types: set[int] = set()
        days = 0
        while days < 8 or (days < 30 and not types >= wanted):  # some are rare
            larger.advance(1)
            days += 1
            marketo.login()
            types |= {row["activityTypeId"] for some in ("1,2,6,7,8,10,11,12,13,22", "24,25,32,101,104,113")
                      for row in marketo.feed(ACTIVITIES, since, activityTypeIds=some)}  # fmt: skip
        assert types >= wanted
        now = {record.id for record in larger.world.marketo.live("leads")}
        assert now - before, "nobody new"
        assert before - now, "nobody gone"
        assert disagreements(larger.world) == []
