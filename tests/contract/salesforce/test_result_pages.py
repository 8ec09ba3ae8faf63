"""Result pages that the server lists: several at once, each once, proved as ever; and what to do where it lists none."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base.model import Page
from errors import AnswerError, UnreachableError, VendorError
from tests.contract.salesforce.fake import Org, Reply, leads, refusal

Read = Callable[..., list[Page]]
JOB = r"POST \S+/jobs/query"
LIST = r"GET \S+/resultPages"
RESULTS = r"GET \S+/results"


def assert_complete(pages: list[Page], org: Org) -> None:
    found = sorted(change.record_id for page in pages for change in page.changes)
    assert found == sorted(row["Id"] for row in org.rows["Lead"])
    assert sum(page.expected or 0 for page in pages) == sum(page.counted for page in pages) == len(found)


@pytest.mark.parametrize("spelling", [("resultUrl", "nextRecordsUrl"), ("resultLink", "nextRecordUrl")])
@pytest.mark.parametrize("count", [3, 4, 24, 25, 26, 50, 51])
def test_every_id_at_each_number_of_pages(org: Org, read: Read, count: int, spelling: tuple[str, str]) -> None:
    org.rows["Lead"] = leads(count)
    org.listed_page, org.spelling = 5, spelling
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(RESULTS)) == -(-count // 5)
    assert len(org.asked(LIST)) == -(-count // 25)
    assert not any("maxRecords" in each for each in org.asked(RESULTS))
    assert not org.jobs


def test_a_result_of_one_page_is_not_listed(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.listed_page = 5
    assert_complete(read(threshold=0, page_rows=20), org)
    assert (len(org.asked(LIST)), len(org.asked(RESULTS))) == (0, 1)


def test_five_pages_come_at_the_same_time(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(25)
    org.listed_page = 5
    together = threading.Barrier(5, timeout=20)
    org.delay = lambda line: together.wait() if "/results?" in line else None
    assert_complete(read(threshold=0, page_rows=2), org)


def test_a_server_that_lists_no_pages_is_read_by_locators(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.listed_page = None
    assert_complete(read(threshold=0, page_rows=6), org)
    assert len(org.asked(RESULTS)) == 4


@pytest.mark.parametrize("skip", [0, 2, 6])
@pytest.mark.parametrize("fault", ["500", "reset", "truncated gzip", "short", "torn row"])
def test_a_bad_page_among_those_at_once_is_fetched_again(org: Org, read: Read, fault: str, skip: int) -> None:
    org.rows["Lead"] = leads(40)
    org.listed_page = 5

    def change(reply: Reply) -> Reply:
        match fault:
            case "500":
                return Reply(500, b"sorry")
            case "reset":
                return Reply(body=reply.body, headers=reply.headers, cut=True)
            case "truncated gzip":
                return Reply(body=reply.body, headers=reply.headers, half=True)
            case "short":
                return Reply(body=b"".join(reply.data.splitlines(keepends=True)[:-1]), headers=reply.headers)
        return Reply(body=reply.data[:-30], headers=reply.headers)

    org.fail(RESULTS, change, times=2, skip=skip)
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(JOB)) == 1, "the job need not run again"


def test_a_list_that_names_a_page_twice_makes_the_job_run_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(10)
    org.listed_page = 5
    org.fail(LIST, lambda reply: Reply(body=reply.body | {"resultPages": reply.body["resultPages"][:1] * 2}))
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(JOB)) == 2


@pytest.mark.parametrize("lacks", ["a page", "all that follow"])
def test_a_list_that_lacks_pages_makes_the_job_run_again(org: Org, read: Read, lacks: str) -> None:
    org.rows["Lead"] = leads(40)
    org.listed_page = 5
    change = {"done": True} if lacks == "all that follow" else {}

    def less(reply: Reply) -> Reply:
        pages = reply.body["resultPages"][:-1] if lacks == "a page" else reply.body["resultPages"]
        return Reply(body=reply.body | {"resultPages": pages} | change)

    org.fail(LIST, less)
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(JOB)) == 2


def test_a_row_that_comes_twice_in_place_of_another_makes_the_job_run_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.listed_page = 5

    def twice(reply: Reply) -> Reply:
        lines = reply.data.splitlines(keepends=True)
        return Reply(body=b"".join([*lines[:-1], lines[1]]), headers=reply.headers)

    org.fail(RESULTS, twice, skip=2)
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(JOB)) == 2


def test_a_list_that_never_ends_is_noticed(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(60)
    org.listed_page = 5
    again: list[str] = []

    def loop(reply: Reply) -> Reply:
        again.append(reply.body.get("nextRecordsUrl") or again[0])
        return Reply(body={"resultPages": [], "done": False, "nextRecordsUrl": again[0]})

    org.fail(LIST, loop, times=99)
    with pytest.raises(VendorError, match="same next page twice"):
        read(threshold=0, page_rows=2)
    assert not org.jobs


def test_the_token_goes_to_no_other_place(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(10)
    org.listed_page = 5
    for url in ("https://elsewhere.example/x", "/services/data/v66.0/jobs/query/750other/results?locator=1"):
        org.fail(LIST, Reply(body={"resultPages": [{"resultUrl": url}], "done": True}))
        with pytest.raises(AnswerError, match="not of the job"):
            read(threshold=0, page_rows=2)


@pytest.mark.parametrize(
    ("where", "refused"),
    [
        (RESULTS, refusal(400, "INVALID_QUERY_LOCATOR")),
        (RESULTS, refusal(404, "NOT_FOUND")),
        (RESULTS, refusal(409, "API_VERSION_MISMATCH")),
        (RESULTS, refusal(400, "INVALIDJOBSTATE")),
        (LIST, refusal(409, "API_VERSION_MISMATCH")),
        (LIST, refusal(400, "INVALIDJOBSTATE")),
    ],
)
def test_a_result_that_is_no_longer_given_makes_the_job_run_again(
    org: Org, read: Read, where: str, refused: Reply
) -> None:
    org.rows["Lead"] = leads(20)
    org.listed_page = 5
    org.fail(where, refused)
    assert_complete(read(threshold=0, page_rows=2), org)
    assert len(org.asked(JOB)) == 2


def test_a_result_that_is_never_given_ends_in_one_clear_error(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20, step=timedelta(0))
    org.listed_page = 5
    org.fail(RESULTS, refusal(400, "INVALID_QUERY_LOCATOR"), times=10**6)
    with pytest.raises(VendorError, match=r"no longer gives the Bulk result of Lead .*INVALID_QUERY_LOCATOR"):
        read(threshold=0, page_rows=2)
    assert not org.jobs


def test_a_job_that_vanishes_while_it_is_waited_for_is_made_again(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(20)
    org.fail(r"GET \S+/jobs/query/\w+$", refusal(404, "NOT_FOUND"))
    assert_complete(read(threshold=0), org)
    assert len(org.asked(JOB)) == 2


def test_jobs_that_hang_one_after_the_other_end_in_one_clear_error(org: Org, read: Read) -> None:
    org.rows["Lead"] = leads(40, step=timedelta(hours=1))
    org.polls = 10**9
    with pytest.raises(UnreachableError, match="3 Bulk jobs of Lead in a row"):
        read(threshold=1, patience=0)
    assert len(org.asked(JOB)) == 3
    assert not org.jobs, "jobs that hang are aborted and removed"
