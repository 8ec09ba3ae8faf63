"""Reading through Bulk API 2.0: complete and proved, whatever becomes of jobs, pages and text."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base.model import Change, Page, Window
from connectors.salesforce.connector import Salesforce
from errors import CountMismatchError, QuotaError, RunError, UnreachableError, VendorError
from tests.contract.salesforce.fake import NOW, Org, Reply, lead, leads, refusal, stamp

Read = Callable[..., list[Page]]
ChangesOf = Callable[[list[Page]], list[Change]]
Made = Callable[..., Salesforce]
JOB = r"POST \S+/jobs/query"
POLL = r"GET \S+/jobs/query/\w+$"
RESULTS = r"GET \S+/results"
HOSTILE = [
    "plain",
    "",
    None,
    'say "hello", twice ""',
    "two\nlines",
    "carriage\rreturn and\r\nboth",
    "\n",
    "田中 太郎 🎉 Zoë",
    "nul \x00 in the middle",
    "x" * 10_000,
    ",;\t'",
    'ends with a quote"',
    "Id",
]


def assert_complete(pages: list[Page], org: Org) -> None:
    found = sorted(change.record_id for page in pages for change in page.changes)
    assert found == sorted(row["Id"] for row in org.rows["Lead"])
    assert sum(page.expected or 0 for page in pages) == sum(page.counted for page in pages) == len(found)


@pytest.mark.parametrize("count", [1, 4, 5, 6, 10, 11])
def test_every_id_at_each_number_of_pages(org: Org, read: Read, count: int) -> None:
    org.rows["Lead"] = leads(count)
    assert_complete(read(threshold=0, page_rows=5), org)
    assert len(org.asked(RESULTS)) == -(-count // 5)
    assert not org.jobs, "the job is removed after reading"


def test_a_job_that_finds_nothing(org: Org, read: Read) -> None:
    org.count_lies = lambda _soql, count: 1 if len(org.asked("COUNT")) == 1 else count
    pages = read(threshold=0)
    assert [page.expected for page in pages] == [0]
    assert len(org.asked(JOB)) == 1


def test_the_server_may_give_smaller_pages_than_asked(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.bulk_page = 3
    assert_complete(read(threshold=0, page_rows=10), org)


@pytest.mark.parametrize(("count", "jobs"), [(10, 0), (11, 1)])
def test_the_count_chooses_between_rest_and_bulk(org: Org, read: Read, count: int, jobs: int) -> None:
    org.rows["Lead"] = leads(count)
    assert_complete(read(threshold=10), org)
    assert len(org.asked(JOB)) == jobs


def test_hostile_text_arrives_as_it_is(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = [lead(number, LastName=text, Company=text) for number, text in enumerate(HOSTILE)]
    found = [json.loads(each.payload) for each in changes_of(read(threshold=0, page_rows=4))]
    assert [each["LastName"] for each in found] == [text or None for text in HOSTILE]
    assert [each["Company"] for each in found] == [text or None for text in HOSTILE]


def test_random_text_arrives_as_it_is(org: Org, read: Read, changes_of: ChangesOf, seed: int) -> None:
    dice = random.Random(seed)
    alphabet = 'ab,"\n\r\t\x00é張🎉 \u2028'
    texts = ["".join(dice.choices(alphabet, k=dice.randrange(1, 30))) for _ in range(300)]
    org.rows["Lead"] = [lead(number, LastName=text) for number, text in enumerate(texts)]
    found = [json.loads(each.payload)["LastName"] for each in changes_of(read(threshold=0, page_rows=70))]
    assert found == texts


def test_the_payload_is_the_columns_as_text(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = [lead(1, IsConverted=False, Email=None)]
    org.shown["Lead"] = ["Id", "Email", "IsConverted", "IsDeleted", "SystemModstamp"]
    assert [each.payload for each in changes_of(read(threshold=0))] == [
        b'{"Id":"%b","Email":null,"IsConverted":"false","SystemModstamp":"2026-03-01T12:00:00.000Z","IsDeleted":"false"}'
        % lead(1)["Id"].encode()
    ]


def test_rest_and_bulk_tell_the_same_changes(org: Org, read: Read, changes_of: ChangesOf) -> None:
    master = lead(1)["Id"]
    org.rows["Lead"] = [lead(1), lead(2, IsDeleted=True), lead(3, IsDeleted=True, MasterRecordId=master)]
    by_rest, by_bulk = (
        [each._replace(payload=b"") for each in changes_of(read(threshold=threshold))] for threshold in (100, 0)
    )
    assert by_rest == by_bulk
    assert [each.op for each in by_bulk] == ["upsert", "delete", "merge"]


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_ends_badly_is_made_again(org: Org, read: Read, state: str) -> None:
    org.rows["Lead"] = leads(20)
    org.polls = 0
    message = "InvalidBatch : Failed to process query: QUERY_TIMEOUT: SELECT Id FROM Lead WHERE Email = 'a@b.example'"
    org.fail(POLL, lambda reply: Reply(body=reply.body | {"state": state, "errorMessage": message}))
    assert_complete(read(threshold=0), org)
    assert len(org.asked(JOB)) == 2


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_keeps_ending_badly_gives_smaller_spans_to_rest(org: Org, read: Read, state: str) -> None:
    org.rows["Lead"] = leads(40, step=timedelta(hours=1))
    org.fail(POLL, lambda reply: Reply(body=reply.body | {"state": state}), times=999)
    assert_complete(read(threshold=15), org)


def test_a_job_that_always_fails_is_named_without_its_query(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(0))
    message = "QUERY_TIMEOUT: SELECT Id FROM Lead WHERE Email = 'someone@people.example'"
    org.fail(POLL, lambda reply: Reply(body=reply.body | {"state": "Failed", "errorMessage": message}), times=9999)
    with pytest.raises(VendorError, match=r"ended as Failed \(QUERY_TIMEOUT\)") as caught:
        read(threshold=5)
    assert "people.example" not in f"{caught.value!r}{caught.value}{caught.value.detail}"


def test_an_object_that_bulk_does_not_take_is_read_by_rest(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(40, step=timedelta(hours=1))
    org.fail(JOB, refusal(400, "INVALIDENTITY", "Entity 'Lead' is not supported by the Bulk API."), times=999)
    assert_complete(read(threshold=15), org)


def test_a_job_that_hangs_is_aborted_and_its_span_cut(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(40, step=timedelta(hours=1))
    org.polls = 10**9
    assert_complete(read(threshold=30, patience=0), org)
    assert org.asked("PATCH")


def test_used_up_bulk_jobs_defer(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(5)
    org.fail(JOB, refusal(400, "EXCEEDED_QUOTA", "ApiBatchItems Limit exceeded."))
    with pytest.raises(QuotaError):
        read(threshold=0)


@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize("fault", ["500", "401", "reset", "truncated gzip", "short", "torn row", "not gzip"])
def test_a_bad_result_page_is_fetched_again(org: Org, read: Read, fault: str, skip: int) -> None:
    org.rows["Lead"] = leads(20)

    def change(reply: Reply) -> Reply:  # noqa: PLR0911 - one per fault
        lines = reply.data.splitlines(keepends=True)
        match fault:
            case "500":
                return Reply(500, b"sorry")
            case "401":
                org.expire()
                return refusal(401, "INVALID_SESSION_ID")
            case "reset":
                return Reply(body=reply.body, headers=reply.headers, cut=True)
            case "truncated gzip":
                return Reply(body=reply.body, headers=reply.headers, half=True)
            case "short":
                return Reply(body=b"".join(lines[:-1]), headers=reply.headers)
            case "torn row":
                return Reply(body=reply.data[:-30], headers=reply.headers)
        return Reply(body=reply.data.replace(b",", b"\xff,"), headers=reply.headers)

    org.fail(RESULTS, change, times=1 if fault == "401" else 2, skip=skip)
    assert_complete(read(threshold=0, page_rows=5), org)
    assert len(org.asked(JOB)) == 1, "the job need not run again"


def test_a_page_that_stays_short_makes_the_job_run_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    headers = {"Sforce-NumberOfRecords": "21", "Sforce-Locator": "null"}
    org.fail(RESULTS, lambda reply: Reply(body=reply.body, headers=headers), times=4)
    assert_complete(read(threshold=0), org)
    assert len(org.asked(JOB)) == 2


def test_a_line_that_stays_broken_is_unreachable(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.fail(RESULTS, lambda reply: Reply(body=reply.body, cut=True), times=99)
    with pytest.raises(UnreachableError):
        read(threshold=0)


def test_a_chain_of_pages_that_ends_early_is_noticed(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.fail(RESULTS, lambda reply: Reply(body=reply.body, headers=reply.headers | {"Sforce-Locator": "null"}), skip=1)
    assert_complete(read(threshold=0, page_rows=5), org)
    assert len(org.asked(JOB)) == 2


def test_a_repeated_locator_ends_the_reading(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.fail(RESULTS, lambda reply: Reply(body=reply.body, headers=reply.headers | {"Sforce-Locator": "MT5"}), times=99)
    with pytest.raises(VendorError):
        read(threshold=0, page_rows=5)
    assert not org.jobs


def test_rows_without_a_header_on_later_pages_are_rows(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(12)

    def headless(reply: Reply) -> Reply:
        return Reply(body=reply.data.split(b"\n", 1)[1], headers=reply.headers)

    org.fail(RESULTS, headless, times=99, skip=1)
    assert_complete(read(threshold=0, page_rows=5), org)


def test_a_job_that_counts_other_rows_than_the_probe_is_cut(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(hours=2))
    org.count_lies = lambda _soql, count: count - 1 if count == 20 else count
    pages = read(threshold=0)
    assert_complete(pages, org)
    assert len([page for page in pages if page.expected is not None]) == 2


def test_a_job_count_that_never_agrees_fails(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.job_counts = lambda count: count + 1
    with pytest.raises(VendorError, match=r"gave \d+ of \d+ rows"):
        read(threshold=0)


def test_a_probe_that_never_agrees_fails_with_both_counts(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(0))
    org.count_lies = lambda _soql, count: count + 1
    with pytest.raises(CountMismatchError):
        read(threshold=5)


def test_rows_edited_while_the_job_waits_are_no_mismatch(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(10)
    gone = org.rows["Lead"][3]
    org.on_job = lambda: gone.update(SystemModstamp=stamp(NOW + timedelta(days=9)))
    pages = read(threshold=0)
    org.rows["Lead"].remove(gone)
    assert_complete(pages, org)
    assert len(org.asked(JOB)) == 1


def test_keys_come_through_bulk_as_well(org: Org, made: Made) -> None:
    org.rows["CampaignMember"] = [lead(number, IsDeleted=number % 3 == 0) for number in range(20)]
    connector = made(threshold=3, page_rows=6)
    keys = [key for batch in connector.read_keys(connector.streams["campaign_member"]) for key in batch]
    assert sorted(keys) == sorted(row["Id"] for row in org.rows["CampaignMember"] if not row["IsDeleted"])


def test_nothing_is_left_in_the_temporary_folder(
    org: Org, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    org.rows["Lead"] = leads(50)
    assert_complete(read(threshold=0, page_rows=5), org)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(org: Org, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    org.rows["Lead"] = leads(50)

    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(RunError, match="No space left on device"):
        read(threshold=0)
    assert not org.jobs


def test_batches_stay_small(org: Org, made: Made) -> None:
    org.rows["Lead"] = leads(9000, step=timedelta(seconds=1))
    connector = made(threshold=0, page_rows=2500)
    window = Window("lead", NOW - timedelta(days=1), NOW + timedelta(days=3), "full")
    sizes = [len(page.changes) for page in connector.read(connector.streams["lead"], window)]
    assert sum(sizes) == 9000
    assert max(sizes) <= 2000
