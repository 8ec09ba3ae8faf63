"""HubSpot's own client, unchanged, reads the sandbox."""

from typing import Any

from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest

from sandbox.hubspot.associations import default_link
from sandbox.store import Store


def test_lists_all_pages(client: Any) -> None:
    page = client.crm.contacts.basic_api.get_page(limit=100, properties=["email", "lastname"])
    assert [r.id for r in page.results] == [str(n) for n in range(1, 101)]
    assert page.paging.next.after
    assert page.results[0].properties["email"] == "Person1@acme.example"
    assert page.results[1].properties["lastname"] is None
    assert "phone" not in page.results[0].properties


def test_gets_all(client: Any, store: Store) -> None:
    store.archive("contacts", "17", store.records["contacts"]["17"].created_at)
    ids = [r.id for r in client.crm.contacts.get_all()]
    assert ids == [str(n) for n in range(1, 231) if n != 17]
    assert [r.id for r in client.crm.contacts.get_all(archived=True)] == ["17"]
    assert {r.id for r in client.crm.companies.get_all()} == {"7501", "7502", "7503"}
    assert {r.id for r in client.crm.deals.get_all()} == {"901", "902"}


def test_gets_all_with_history(client: Any) -> None:
    records = client.crm.contacts.get_all(properties_with_history=["lifecyclestage"])
    assert len(records) == 230
    fifth = next(r for r in records if r.id == "5")
    assert [v.value for v in fifth.properties_with_history["lifecyclestage"]] == ["customer", "lead"]
    assert fifth.properties_with_history["lifecyclestage"][0].updated_by_user_id == 77


def test_searches(client: Any) -> None:
    found: list[str] = []
    after = None
    while True:
        request = PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "hubspotscore", "operator": "EQ", "value": "3"}]}],
            properties=["email"],
            limit=10,
            after=after,
            sorts=[],
        )
        page = client.crm.contacts.search_api.do_search(public_object_search_request=request)
        assert page.total == 23
        found += [r.id for r in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert found == [str(n) for n in range(3, 231, 10)]


def test_reads_batches(client: Any) -> None:
    wanted = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": "3"}, {"id": "999"}], properties=["email"], properties_with_history=[]
    )
    answer = client.crm.contacts.batch_api.read(wanted)
    assert [r.id for r in answer.results] == ["3"]
    assert answer.num_errors == 1
    assert answer.errors[0].context == {"ids": ["999"]}


def test_reads_associations(client: Any, store: Store) -> None:
    both = default_link("contacts", "companies"), default_link("companies", "contacts")
    store.link("contacts", "1", "companies", "7501", *both)
    store.link("contacts", "1", "companies", "7502", *both)
    store.link("contacts", "1", "companies", "7501", default_link("contacts", "companies", primary=True))
    wanted = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "1"}, {"id": "2"}])
    answer = client.crm.associations.v4.batch_api.get_page("contacts", "companies", wanted)
    assert [r._from.id for r in answer.results] == ["1"]
    links = {to.to_object_id: [t.type_id for t in to.association_types] for to in answer.results[0].to}
    assert links == {"7501": [1, 279], "7502": [279]}
    assert answer.errors[0].context["fromObjectId"] == ["2"]
    page = client.crm.associations.v4.basic_api.get_page("companies", "7502", "contacts")
    assert [to.to_object_id for to in page.results] == ["1"]


def test_reads_settings(client: Any) -> None:
    assert {o.id for o in client.crm.owners.owners_api.get_page().results} == {"11"}
    assert {o.id for o in client.crm.owners.owners_api.get_page(archived=True).results} == {"12"}
    assert {o.id for o in client.crm.owners.get_all()} == {"11"}
    (pipeline,) = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert {s.id: s.metadata["isClosed"] for s in pipeline.stages} == {"contractsent": "false", "closedwon": "true"}
    properties = {p.name: p for p in client.crm.properties.core_api.get_all("contacts").results}
    assert properties["createdate"].type == "datetime"
    assert properties["lastmodifieddate"].modification_metadata.read_only_value
    assert properties["hs_analytics_source"].calculated
    assert {o.value for o in properties["lifecyclestage"].options} == {"lead", "customer"}


def test_reads_engagements_and_forms(client: Any) -> None:
    kinds = ("calls", "emails", "meetings", "notes", "tasks")
    found = {kind: [r.id for r in getattr(client.crm.objects, kind).basic_api.get_page().results] for kind in kinds}
    assert found == {"calls": ["801"], "emails": ["802"], "meetings": ["803"], "notes": ["805"], "tasks": ["804"]}
    assert [r.id for r in client.crm.objects.get_all("tasks")] == ["804"]
    assert {f.name for f in client.marketing.forms.forms_api.get_page().results} == {"Newsletter"}
