"""The open-source client simple-salesforce, unchanged, drives the sandbox."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceResourceNotFound,
)

from sandbox.context import Context
from sandbox.store import Store
from tests.contract.sandbox_salesforce.conftest import CLIENT, HOSTILE, NOW, SECRET, START, USER, Clock, id_of, lead

LIVE = {id_of("Lead", n) for n in (1, 2, 3, 4)}
ALL = LIVE | {id_of("Lead", 5), id_of("Lead", 6)}


def more_leads(store: Store, count: int) -> set[str]:
    ids = {id_of("Lead", n) for n in range(100, 100 + count)}
    for n in range(100, 100 + count):
        store.create("Lead", id_of("Lead", n), START + timedelta(seconds=n), lead(n))
    return ids


def test_query_gives_live_records_with_attributes(sf: Salesforce) -> None:
    answer = sf.query("SELECT Id, Email, IsDeleted, CreatedDate, MasterRecordId FROM Lead ORDER BY CreatedDate")
    assert (answer["totalSize"], answer["done"]) == (4, True)
    assert {r["Id"] for r in answer["records"]} == LIVE
    first = dict(answer["records"][0])
    url = f"/services/data/v66.0/sobjects/Lead/{id_of('Lead', 1)}"
    assert dict(first.pop("attributes")) == {"type": "Lead", "url": url}
    assert first == {
        "Id": id_of("Lead", 1),
        "Email": "Person1@acme.example",
        "IsDeleted": False,
        "CreatedDate": "2026-03-01T08:01:00.123+0000",
        "MasterRecordId": None,
    }


def test_query_all_gives_every_page_and_with_deleted_the_deleted_too(sf: Salesforce, store: Store) -> None:
    more = more_leads(store, 4_300)
    ids = [r["Id"] for r in sf.query_all("SELECT Id FROM Lead")["records"]]
    assert (len(ids), set(ids)) == (4_304, LIVE | more)
    deleted = sf.query_all("SELECT Id, IsDeleted, MasterRecordId FROM Lead", include_deleted=True)["records"]
    assert {r["Id"] for r in deleted} == ALL | more
    gone = {r["Id"]: r["MasterRecordId"] for r in deleted if r["IsDeleted"]}
    assert gone == {id_of("Lead", 5): None, id_of("Lead", 6): id_of("Lead", 1)}


def test_query_more_follows_a_url_and_an_identifier(sf: Salesforce, store: Store) -> None:
    more_leads(store, 2_000)
    first = sf.query("SELECT Id FROM Lead")
    assert (first["totalSize"], len(first["records"]), first["done"]) == (2_004, 2_000, False)
    by_url = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    by_name = sf.query_more(first["nextRecordsUrl"].rpartition("/")[2])
    assert by_url["records"] == by_name["records"]
    assert (len(by_url["records"]), by_url["done"]) == (4, True)


def test_fields_of_a_parent_stand_in_its_relation(sf: Salesforce) -> None:
    records = sf.query("SELECT Name, Account.Name, Account.AnnualRevenue FROM Opportunity ORDER BY Name DESC")[
        "records"
    ]
    parents = {r["Name"]: r["Account"] for r in records}
    assert parents["No account"] is None
    account = parents[HOSTILE]
    assert (account["Name"], account["AnnualRevenue"]) == ("Acme Example", 12_500_000.0)
    assert account["attributes"]["type"] == "Account"


def test_describe(sf: Salesforce) -> None:
    names = {s["name"]: s for s in sf.describe()["sobjects"]}
    assert set(names) == {
        *("Account", "Campaign", "CampaignMember", "Contact", "CurrencyType", "Event", "Lead", "LeadHistory"),
        *("Opportunity", "OpportunityContactRole", "OpportunityHistory", "Task", "User"),
    }
    assert names["Lead"]["undeletable"]
    assert not names["CampaignMember"]["undeletable"]
    types = {f["name"]: f["type"] for f in sf.Opportunity.describe()["fields"]}
    assert types["Amount"] == "currency"
    assert types["CloseDate"] == "date"
    assert types["SystemModstamp"] == "datetime"
    assert types["CurrencyIsoCode"] == "picklist"
    assert sf.Lead.metadata()["objectDescribe"]["keyPrefix"] == "00Q"


def test_currency_exists_only_in_a_multi_currency_org(sf: Salesforce, context: Context) -> None:
    context.multi_currency = False
    assert "CurrencyIsoCode" not in {f["name"] for f in sf.Opportunity.describe()["fields"]}
    assert "CurrencyType" not in {each["name"] for each in (sf.describe() or {})["sobjects"]}
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        sf.query("SELECT CurrencyIsoCode FROM Opportunity")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
        sf.query("SELECT IsoCode FROM CurrencyType")


def test_limits_and_usage(sf: Salesforce) -> None:
    before = sf.limits()["DailyApiRequests"]
    sf.query("SELECT Id FROM Lead")
    after = sf.limits()["DailyApiRequests"]
    assert before["Max"] == after["Max"] == 115_000
    assert before["Remaining"] - after["Remaining"] == 2
    assert sf.api_usage["api-usage"].used == 115_000 - after["Remaining"]


def test_one_record(sf: Salesforce) -> None:
    assert sf.Opportunity.get(id_of("Opportunity", 1))["Amount"] == 1200.0
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        sf.Lead.get(id_of("Lead", 5))
    with pytest.raises(SalesforceResourceNotFound, match="NOT_FOUND"):
        sf.Lead.get(id_of("Lead", 999))


def test_deleted_and_updated(sf: Salesforce) -> None:
    deleted = sf.Lead.deleted(NOW - timedelta(days=1), NOW)
    assert {r["id"] for r in deleted["deletedRecords"]} == {id_of("Lead", 5), id_of("Lead", 6)}
    assert deleted["latestDateCovered"] == "2026-03-10T12:00:00.000+0000"
    members = sf.CampaignMember.deleted(NOW - timedelta(days=1), NOW)
    assert [r["id"] for r in members["deletedRecords"]] == [id_of("CampaignMember", 1)]
    updated = sf.Lead.updated(START, NOW)
    assert set(updated["ids"]) == LIVE


def test_bulk2_query_and_query_all(sf: Salesforce, store: Store) -> None:
    more = more_leads(store, 2_500)
    pages = list(sf.bulk2.Lead.query("SELECT Id, Email FROM Lead", max_records=1_000, wait=0))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(str(page), newline=""))]
    assert len(pages) == 3
    assert {row["Id"] for row in rows} == LIVE | more
    assert len(rows) == 2_504
    text = "".join(map(str, sf.bulk2.Lead.query_all("SELECT Id, IsDeleted, SystemModstamp FROM Lead", wait=0)))
    every = {row["Id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert set(every) == ALL | more
    assert every[id_of("Lead", 5)] == {
        "Id": id_of("Lead", 5),
        "IsDeleted": "true",
        "SystemModstamp": "2026-03-10T08:00:30.000Z",
    }


def test_bulk2_reports_a_failed_job(sf: Salesforce, context: Context) -> None:
    context.faults.switch("salesforce.bulk_failed", count=1)
    with pytest.raises(SalesforceOperationError, match="QUERY_TIMEOUT"):
        list(sf.bulk2.Lead.query("SELECT Id FROM Lead", wait=0))


def test_errors_reach_the_client(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        sf.query("SELECT Id FORM Lead")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
        sf.query("SELECT Id FROM Unicorn")


def test_a_session_ends_and_the_client_logs_in_again(
    sf: Salesforce, connected: Callable[..., Salesforce], clock: Clock, context: Context
) -> None:
    bare = connected(session_id=sf.session_id, instance=sf.sf_instance)
    assert bare.query("SELECT COUNT() FROM Lead")["totalSize"] == 4
    clock.now = NOW + timedelta(hours=2)
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        bare.query("SELECT COUNT() FROM Lead")
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 4
    lines = [(line.path.strip("/").rpartition("/")[2], line.status) for line in context.log.lines("salesforce")]
    assert lines == [("token", 200), ("query", 200), ("query", 401), ("query", 401), ("token", 200), ("query", 200)]


def test_password_login(connected: Callable[..., Salesforce], context: Context) -> None:
    context.credentials["salesforce_password"] = "made-up-password"
    keys: dict[str, Any] = {"consumer_key": CLIENT, "consumer_secret": SECRET, "username": USER}
    sf = connected(**keys, password="made-up-password")
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 4
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        connected(**keys, password="wrong")


def test_jwt_login(connected: Callable[..., Salesforce], context: Context, clock: Clock) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    context.credentials["salesforce_public_key"] = public
    context.clock = Context().clock  # simple-salesforce dates its assertions by this machine's clock
    sf = connected(username=USER, consumer_key=CLIENT, privatekey=private)
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 4
    context.clock = clock
    with pytest.raises(SalesforceAuthenticationFailed, match="expired"):
        connected(username=USER, consumer_key=CLIENT, privatekey=private)
