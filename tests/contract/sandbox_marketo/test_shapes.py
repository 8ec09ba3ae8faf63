"""Answers have the shapes of Marketo's published specification."""

from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from sandbox.serve import Sandbox
from tests.contract.sandbox_marketo import shapes
from tests.contract.sandbox_marketo.conftest import PAST, Marketo, months

IDS = {"lead": "leads", "program": "programs", "list": "lists", "campaign": "campaigns", "email": "emails",
       "form": "forms", "page": "landing_pages"}  # fmt: skip
PLAIN: list[tuple[str, dict[str, Any], shapes.Schema]] = [
    ("/rest/v1/lead/{lead}.json", {}, shapes.answer(shapes.LEAD)),
    ("/rest/v1/leads.json", {"filterType": "id", "filterValues": "{lead}"}, shapes.answer(shapes.LEAD, shapes.PAGED)),
    ("/rest/v1/leads/describe.json", {}, shapes.answer(shapes.LEAD_ATTRIBUTE)),
    ("/rest/v1/leads/describe2.json", {}, shapes.answer(shapes.LEAD_ATTRIBUTE_2)),
    ("/rest/v1/leads/schema/fields.json", {"batchSize": 10}, shapes.answer(shapes.LEAD_FIELD, shapes.FEED)),
    ("/rest/v1/leads/schema/fields/email.json", {}, shapes.answer(shapes.LEAD_FIELD)),
    ("/rest/v1/leads/programs/1001.json", {"batchSize": 5}, shapes.answer(shapes.MEMBER_LEAD, shapes.PAGED)),
    ("/rest/v1/lists.json", {"batchSize": 5}, shapes.answer(shapes.LIST, shapes.PAGED)),
    ("/rest/v1/lists/{list}.json", {}, shapes.answer(shapes.LIST)),
    ("/rest/v1/lists/5001/leads.json", {}, shapes.answer(shapes.LEAD, shapes.PAGED)),
    ("/rest/v1/campaigns.json", {}, shapes.answer(shapes.CAMPAIGN, shapes.PAGED)),
    ("/rest/v1/campaigns/{campaign}.json", {}, shapes.answer(shapes.CAMPAIGN)),
    ("/rest/v1/activities/types.json", {}, shapes.answer(shapes.ACTIVITY_TYPE)),
    ("/rest/v1/programs/members/describe.json", {}, shapes.answer(shapes.MEMBER_ATTRIBUTES)),
    ("/rest/v1/stats/usage.json", {}, shapes.answer(shapes.USAGE)),
    ("/rest/v1/stats/usage/last7days.json", {}, shapes.answer(shapes.USAGE, least=7)),
    ("/rest/v1/stats/errors.json", {}, shapes.answer(shapes.ERRORS)),
    ("/rest/v1/stats/errors/last7days.json", {}, shapes.answer(shapes.ERRORS, least=7)),
    ("/rest/asset/v1/programs.json", {"maxReturn": 200}, shapes.asset(shapes.PROGRAM)),
    ("/rest/asset/v1/program/{program}.json", {}, shapes.asset(shapes.ONE_PROGRAM)),
    ("/rest/asset/v1/channels.json", {}, shapes.asset(shapes.CHANNEL)),
    ("/rest/asset/v1/smartCampaigns.json", {}, shapes.asset(shapes.SMART_CAMPAIGN)),
    ("/rest/asset/v1/smartCampaign/{campaign}.json", {}, shapes.asset(shapes.SMART_CAMPAIGN)),
    ("/rest/asset/v1/staticLists.json", {}, shapes.asset(shapes.STATIC_LIST)),
    ("/rest/asset/v1/staticList/{list}.json", {}, shapes.asset(shapes.STATIC_LIST)),
    ("/rest/asset/v1/emails.json", {}, shapes.asset(shapes.EMAIL)),
    ("/rest/asset/v1/email/{email}.json", {}, shapes.asset(shapes.EMAIL)),
    ("/rest/asset/v1/forms.json", {}, shapes.asset(shapes.FORM)),
    ("/rest/asset/v1/form/{form}.json", {}, shapes.asset(shapes.FORM)),
    ("/rest/asset/v1/landingPages.json", {}, shapes.asset(shapes.LANDING_PAGE)),
    ("/rest/asset/v1/landingPage/{page}.json", {}, shapes.asset(shapes.LANDING_PAGE)),
]


def holds(body: Any, schema: shapes.Schema) -> None:
    jsonschema.Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize(("path", "query", "schema"), PLAIN, ids=[path for path, _, _ in PLAIN])
def test_an_answer(marketo: Marketo, box: Sandbox, path: str, query: dict[str, Any], schema: shapes.Schema) -> None:
    ids = {word: next(iter(box.world.marketo.live(kind))).id for word, kind in IDS.items()}
    filled = {name: str(value).format(**ids) for name, value in query.items()}
    holds(marketo.get(path.format(**ids), params=filled).json(), schema)


def test_identity_and_errors(marketo: Marketo) -> None:
    holds(marketo.login().json(), shapes.IDENTITY)
    holds(marketo.get("/rest/v1/nothing.json").json(), shapes.ERROR)


def test_feeds(marketo: Marketo, box: Sandbox) -> None:
    recent = marketo.since(box.world.now() - timedelta(days=14))
    for path, query, row in (
        ("/rest/v1/activities.json", {"activityTypeIds": "1,2,6,7,8,10,11,12,13,22"}, shapes.ACTIVITY),
        ("/rest/v1/activities.json", {"activityTypeIds": "24,25,32,101,104,113"}, shapes.ACTIVITY),
        ("/rest/v1/activities/leadchanges.json", {"fields": "title,leadStatus,nurtureWave"}, shapes.CHANGE),
        ("/rest/v1/activities/deletedleads.json", {"nextPageToken": recent}, shapes.ACTIVITY),
    ):
        token, more, seen = query.get("nextPageToken") or marketo.since(PAST), True, 0
        while more:
            body = marketo.get(path, params={**query, "nextPageToken": token}).json()
            token, more = body["nextPageToken"], body["moreResult"]
            seen += len(body.setdefault("result", []))  # Marketo leaves an empty one out
            holds(body, shapes.answer(row, shapes.FEED, least=0))
        assert seen, path
    body = marketo.get("/rest/v1/activities/pagingtoken.json", params={"sinceDatetime": "2026-05-01T00:00:00Z"}).json()
    assert body.keys() == {"requestId", "success", "nextPageToken"}


def test_members(marketo: Marketo) -> None:
    query = {"filterType": "statusName", "filterValues": "Member", "batchSize": "5"}
    body = marketo.get("/rest/v1/programs/1001/members.json", params=query).json()
    holds(body, shapes.answer(shapes.MEMBER, shapes.MORE))


def test_jobs(marketo: Marketo, box: Sandbox) -> None:
    filter_ = {"createdAt": months(box.world.now())[0]}
    schema = shapes.answer(shapes.EXPORT, shapes.PAGED)
    created = marketo.post("/bulk/v1/activities/export/create.json", json={"filter": filter_}).json()
    holds(created, schema)
    path = f"/bulk/v1/activities/export/{created['result'][0]['exportId']}"
    holds(marketo.post(f"{path}/enqueue.json").json(), schema)
    states = []
    for _ in range(3):
        body = marketo.get(f"{path}/status.json").json()
        holds(body, schema)
        states.append(body["result"][0]["status"])
    assert states == ["Processing", "Completed", "Completed"]
    assert {"numberOfRecords", "fileSize", "fileChecksum", "startedAt", "finishedAt"} < body["result"][0].keys()
    box.context.faults.switch("marketo.failed_job", count=1)
    failed = marketo.job("activities", filter_)
    marketo.done("activities", failed)
    holds(marketo.get("/bulk/v1/activities/export.json").json(), schema)
