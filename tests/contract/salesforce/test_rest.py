"""Reading through REST: every id arrives, whatever the pages and the line do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base.model import Change, Page, Window
from connectors.salesforce.connector import Salesforce
from errors import (
    AnswerError,
    CountMismatchError,
    CredentialsError,
    QuotaError,
    ScopeError,
    UnreachableError,
    VendorError,
)
from tests.contract.salesforce.fake import NOW, Org, Reply, doing, lead, leads, refusal, stamp

Read = Callable[..., list[Page]]
ChangesOf = Callable[[list[Page]], list[Change]]
Made = Callable[..., Salesforce]
MORE = r"GET \S+/query/01g"
SELECT = r"queryAll\?q=SELECT Id"
COUNT = r"queryAll\?q=SELECT COUNT"


def ids(rows: list[dict[str, object]]) -> list[str]:
    return sorted(str(row["Id"]) for row in rows)


def assert_complete(pages: list[Page], org: Org) -> None:
    found = sorted(change.record_id for page in pages for change in page.changes)
    assert found == ids(org.rows["Lead"])
    assert sum(page.expected or 0 for page in pages) == sum(page.counted for page in pages) == len(found)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10, 11])
def test_every_id_at_each_number_of_pages(org: Org, read: Read, count: int) -> None:
    org.rows["Lead"] = leads(count)
    org.page_sizes = [5]
    pages = read()
    assert_complete(pages, org)
    assert len(org.asked(MORE)) == max(0, -(-count // 5) - 1)
    assert pages[0].expected == count, "an empty window is proved to be empty, too"


def test_short_pages_are_followed_to_the_end(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [7, 1, 3, 5]
    assert_complete(read(), org)


def test_the_payload_is_the_exact_bytes(org: Org, read: Read, changes_of: ChangesOf) -> None:
    odd = lead(1, LastName='Zoë "Z" 张 🎉 \\ \n\r\t </x>')
    body = json.dumps(
        {"attributes": {"type": "Lead"}, "Id": odd["Id"], "n": 1.50}, ensure_ascii=True, indent=1
    ).encode()
    exact = body.replace(b"1.5", b"1.500")
    org.rows["Lead"] = [odd]
    org.fail(SELECT, Reply(body=b'{ "totalSize":1,"done":true, "records" : [ %b ]}' % exact))
    assert [change.payload for change in changes_of(read())] == [exact]


ODD = [
    rb"half \ud83c pair",
    rb"\udf89\ud83c",
    rb"nul \u0000",
    rb"\\ud83c \ud83c\udf89",
    b"\xff",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_characters_stay_as_they_were_sent(org: Org, read: Read, changes_of: ChangesOf, name: bytes) -> None:
    org.rows["Lead"] = leads(3)
    records = [
        b'{ "Id":"%b", "LastName":"%b","n":%d}' % (row["Id"].encode(), name, number)
        for number, row in enumerate(org.rows["Lead"])
    ]
    org.fail(SELECT, Reply(body=b'{"totalSize":3,"done":true,"records":[%b]}' % b" , ".join(records)))
    assert [change.payload for change in changes_of(read())] == records


def test_windows_include_their_start_and_not_their_end(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = leads(5, step=timedelta(milliseconds=1))
    window = Window("lead", NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=3), "backfill")
    assert [each.record_id for each in changes_of(read(window=window))] == ids(org.rows["Lead"][1:3])


def test_neighbouring_windows_miss_nothing_and_share_nothing(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = leads(9, step=timedelta(milliseconds=1))
    cut = NOW + timedelta(microseconds=3500)
    parts = [
        changes_of(read(window=Window("lead", start, end, "backfill")))
        for start, end in ((NOW, cut), (cut, NOW + timedelta(days=1)))
    ]
    assert [len(part) for part in parts] == [4, 5]


def test_a_full_window_starts_at_the_beginning(org: Org, read: Read) -> None:
    org.rows["Lead"] = [lead(1, datetime(1998, 2, 3, tzinfo=UTC)), lead(2)]
    assert_complete(read(window=Window("lead", NOW, NOW + timedelta(days=1), "full")), org)


def test_deleted_and_merged_records_arrive_as_such(org: Org, read: Read, changes_of: ChangesOf) -> None:
    master = lead(1)["Id"]
    org.rows["Lead"] = [lead(1), lead(2, IsDeleted=True), lead(3, IsDeleted=True, MasterRecordId=master)]
    found = {each.record_id: (each.op, each.merged_into, each.version_at) for each in changes_of(read())}
    assert found == {
        master: ("upsert", None, NOW),
        lead(2)["Id"]: ("delete", None, NOW),
        lead(3)["Id"]: ("merge", master, NOW),
    }


def test_fields_that_the_org_lacks_are_not_asked_for(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(3)
    org.shown["Lead"] = ["Id", "SystemModstamp", "IsDeleted"]
    assert_complete(read(), org)
    assert len(org.asked("q=SELECT Id, SystemModstamp, IsDeleted FROM Lead")) == 1


def test_a_field_taken_away_meanwhile_is_left_out(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(3)
    org.fail(SELECT, doing(lambda: org.shown.update(Lead=["Id", "SystemModstamp"]), refusal(400, "INVALID_FIELD")))
    assert_complete(read(), org)


def test_a_field_that_stays_unknown_ends_the_reading(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(3)
    org.fail(SELECT, refusal(400, "INVALID_FIELD"), times=9)
    with pytest.raises(AnswerError, match="does not know a field of Lead"):
        read()


def test_a_hidden_object_is_a_missing_permission(org: Org, read: Read) -> None:
    del org.rows["Lead"]
    with pytest.raises(ScopeError, match="does not show the object Lead"):
        read()


def test_an_expired_session_is_renewed_between_pages(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [5]
    org.fail(MORE, doing(org.expire, refusal(401, "INVALID_SESSION_ID")), skip=1)
    assert_complete(read(), org)
    assert org.tokens_given == 2


def test_a_locator_that_died_with_its_session_starts_the_query_anew(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [5]
    org.locator_needs_token = True
    org.fail(MORE, doing(org.expire, refusal(401, "INVALID_SESSION_ID")), skip=1)
    assert_complete(read(), org)
    assert len(org.asked(SELECT)) == 2


def test_an_expired_locator_starts_the_query_anew(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [5]
    org.fail(MORE, doing(org.cursors.clear, refusal(400, "INVALID_QUERY_LOCATOR")), skip=1)
    assert_complete(read(), org)
    assert len(org.asked(SELECT)) == 2


def test_a_locator_that_keeps_expiring_makes_the_span_smaller(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(hours=2))
    org.page_sizes = [10]
    org.fail(MORE, refusal(400, "INVALID_QUERY_LOCATOR"), times=2)
    pages = read()
    assert_complete(pages, org)
    assert len([page for page in pages if page.expected is not None]) == 2


def test_a_key_that_stays_refused_is_named(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(2)
    org.fail("GET", refusal(401, "INVALID_SESSION_ID"), times=99)
    with pytest.raises(CredentialsError):
        read()


@pytest.mark.parametrize("status", [403, 503])
def test_a_used_up_quota_defers(org: Org, read: Read, status: int) -> None:
    org.rows["Lead"] = leads(2)
    org.fail(COUNT, refusal(status, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(QuotaError) as caught:
        read()
    assert caught.value.until is not None
    assert caught.value.until > datetime.now(UTC)
    assert len(org.asked(COUNT)) == 1, "calls are not burnt on trying again"


def test_too_many_calls_at_once_are_tried_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(2)
    org.fail(COUNT, refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), times=2)
    assert_complete(read(), org)


def test_the_reserve_is_left_to_the_orgs_other_tools(org: Org, made: Made, read: Read) -> None:
    org.rows["Lead"] = leads(2)
    org.usage = "95/100"
    with pytest.raises(QuotaError, match="95 of 100"):
        read(made(reserve=0.1))
    assert_complete(read(made(reserve=0.01)), org)


@pytest.mark.parametrize("pattern", [COUNT, SELECT, MORE, "describe", "oauth2"])
@pytest.mark.parametrize("fault", ["500", "503", "reset", "truncated gzip", "not JSON"])
def test_a_bad_line_or_server_is_tried_again(org: Org, read: Read, pattern: str, fault: str) -> None:
    org.rows["Lead"] = leads(11)
    org.page_sizes = [5]

    def change(reply: Reply) -> Reply:
        if fault == "reset":
            return Reply(body=reply.body, cut=True)
        if fault == "truncated gzip":
            return Reply(body=reply.body, half=True)
        return Reply(body=b"<html>maintenance") if fault == "not JSON" else Reply(int(fault), b"<html>sorry</html>")

    org.fail(pattern, change, times=2)
    assert_complete(read(), org)


@pytest.mark.parametrize("pattern", ["describe", "oauth2"])
def test_small_answers_that_stay_damaged(org: Org, read: Read, pattern: str) -> None:
    org.fail(pattern, Reply(body=b"<html>maintenance"), times=9)
    with pytest.raises(AnswerError):
        read()


def test_a_server_that_stays_down_is_unreachable(org: Org, read: Read) -> None:
    org.fail(COUNT, Reply(502, b"bad gateway"), times=99)
    with pytest.raises(UnreachableError):
        read()


def test_a_repeated_page_ends_the_reading(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [5]
    again: list[str] = []

    def loop(reply: Reply) -> Reply:
        again.append(reply.body.get("nextRecordsUrl", ""))
        return Reply(body=reply.body | {"nextRecordsUrl": again[0], "done": False})

    org.fail(MORE, loop, times=99)
    with pytest.raises(VendorError):
        read()


def test_rows_lost_between_pages_are_read_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.page_sizes = [5]
    org.fail(MORE, lambda reply: Reply(body=reply.body | {"records": reply.body["records"][:-1]}))
    assert_complete(read(), org)
    assert len(org.asked(SELECT)) == 2


def test_rows_lost_between_pages_are_noticed_even_if_the_count_agrees(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(hours=2))
    org.page_sizes = [15]
    org.count_lies = lambda _soql, count: 19 if count == 20 else count
    org.fail(MORE, lambda reply: Reply(body=reply.body | {"records": reply.body["records"][:-1]}))
    assert_complete(read(), org)


def test_a_row_twice_in_place_of_another_is_noticed(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(10)
    org.page_sizes = [5]
    org.fail(MORE, lambda reply: Reply(body=reply.body | {"records": [reply.body["records"][0]] * 5}))
    assert_complete(read(), org)


def test_a_query_that_finds_less_than_the_count_is_cut_in_two(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(hours=2))

    def less(reply: Reply) -> Reply:
        records = reply.body["records"][:-1]
        return Reply(body=reply.body | {"records": records, "totalSize": len(records)})

    org.fail(SELECT, less, times=2)
    pages = read()
    assert_complete(pages, org)
    assert len([page for page in pages if page.expected is not None]) == 2


def test_a_count_that_never_agrees_fails_with_both_counts(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.count_lies = lambda _soql, count: count + 1
    with pytest.raises(CountMismatchError, match=r"counts 1 rows of Lead from \S+ to \S+ and gave 0"):
        read()


def test_rows_edited_while_the_span_is_read_are_no_mismatch(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = leads(10)
    # Between the COUNT and the query, somebody edits a lead: it leaves the span.
    org.fail(COUNT, lambda reply: (org.rows["Lead"][3].update(SystemModstamp=stamp(NOW + timedelta(days=9))), reply)[1])
    found = changes_of(read())
    assert sorted(each.record_id for each in found) == ids(org.rows["Lead"][:3] + org.rows["Lead"][4:])
    assert len(org.asked(SELECT)) == 1


def test_a_query_that_times_out_is_cut_in_two(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(hours=2))
    org.fail(COUNT, refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long."))
    assert_complete(read(), org)
    assert len(org.asked(SELECT)) == 2


def test_ids_are_read_one_by_one_and_lost_ones_left_out(org: Org, made: Made) -> None:
    org.rows["Lead"] = [*leads(1200), lead(5000, IsDeleted=True)]
    connector = made()
    wanted = [*ids(org.rows["Lead"][::2]), "00Q999999999999AAA", "not an id'"]
    pages = list(connector.read_ids(connector.streams["lead"], wanted))
    found = [change.record_id for page in pages for change in page.changes]
    assert sorted(found) == ids(org.rows["Lead"][::2])
    assert max(len(each) for each in org.seen) < 16_384


def test_keys_are_those_that_live(org: Org, made: Made) -> None:
    org.rows["CampaignMember"] = [lead(number, IsDeleted=number % 3 == 0) for number in range(20)]
    org.page_sizes = [6]
    connector = made()
    keys = [key for batch in connector.read_keys(connector.streams["campaign_member"]) for key in batch]
    assert sorted(keys) == ids([row for row in org.rows["CampaignMember"] if not row["IsDeleted"]])
    org.rows["CampaignMember"].pop()  # deleted for good: no row tells of it
    keys = [key for batch in connector.read_keys(connector.streams["campaign_member"]) for key in batch]
    assert lead(19)["Id"] not in keys
    assert lead(17)["Id"] in keys
    assert connector.count(connector.streams["campaign_member"]) == len(keys)


def test_a_count_leaves_out_what_was_made_later(org: Org, made: Made) -> None:
    connector = made()
    stream = connector.streams["lead"]
    end = NOW + timedelta(days=1)
    org.rows["Lead"] = leads(5)
    org.rows["Lead"][0]["CreatedDate"] = stamp(end)
    org.rows["Lead"][1]["CreatedDate"] = stamp(end - timedelta(seconds=1))
    assert (connector.count(stream), connector.count(stream, end)) == (5, 4)


REFUSALS = [
    refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long."),
    refusal(400, "INVALID_FIELD", "No such column 'IsDeleted'"),
    Reply(200, b'{"totalSize": 3, "done"'),
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_count_that_is_refused_for_the_moment_is_asked_for_again(org: Org, made: Made, reply: Reply) -> None:
    connector = made()
    org.fail(COUNT, reply, times=1)
    assert connector.count(connector.streams["lead"]) == len(org.rows["Lead"])


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_count_that_stays_refused_ends_in_an_error_of_ours(org: Org, made: Made, reply: Reply) -> None:
    connector = made()
    org.fail(COUNT, reply, times=99)
    with pytest.raises(VendorError):
        connector.count(connector.streams["lead"])


def test_the_clock_is_the_vendors(org: Org, made: Made) -> None:
    org.clock_ahead = timedelta(days=400)
    connector = made()
    assert abs(connector.now() - org.clock_ahead - datetime.now(UTC)) < timedelta(seconds=5)
    assert org.asked("GET /services/data/$")
