"""A job outlives the process that began it: the next one takes it up, and pays for no other."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests

from connectors.base.model import Page, Resuming, Window
from connectors.base.session import Session
from connectors.salesforce.connector import Salesforce
from errors import CountMismatchError, QuotaError, UnreachableError, VendorError
from tests.contract.salesforce.conftest import Notes
from tests.contract.salesforce.fake import NOW, Org, Reply, leads, refusal, stamp

Made = Callable[..., Salesforce]
Start = Callable[..., Iterator[Page]]
JOB = r"POST \S+/jobs/query"
POLL = r"GET \S+/jobs/query/\w+$"
RESULTS = r"GET \S+/results"
WINDOW = Window("lead", NOW - timedelta(days=1), NOW + timedelta(days=3), "incremental")


class Killed(BaseException):
    """Stands for a process that is no more: nothing of the connector's may handle it."""


@pytest.fixture
def process(made: Made, notes: Notes) -> Callable[..., Salesforce]:
    """A connector as a new process would have it: nothing is shared but the notes."""
    return lambda **options: made(threshold=0, **options).remembering(notes)


def read(connector: Salesforce, window: Window = WINDOW) -> list[Page]:
    return list(connector.read(connector.streams["lead"], window))


def assert_complete(pages: list[Page], org: Org) -> None:
    found = sorted(change.record_id for page in pages for change in page.changes)
    assert found == sorted(row["Id"] for row in org.rows["Lead"])
    assert sum(page.expected or 0 for page in pages) == sum(page.counted for page in pages) == len(found)


@contextmanager
def killed_at(pattern: str, skip: int) -> Iterator[None]:
    """End the process in the moment that it asks for this, after `skip` times of asking."""
    send, left = Session.send, [skip]

    def dying(self: Session, method: str, path: str, **more: Any) -> requests.Response:
        if re.search(pattern, f"{method} {path}"):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return send(self, method, path, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "send", dying)
        yield


def test_the_connector_can_resume(made: Made) -> None:
    assert isinstance(made(), Resuming)


@pytest.mark.parametrize("moment", [POLL, r"GET \S+/resultPages", RESULTS])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_killed_process_leaves_its_job_to_the_next(
    org: Org, process: Callable[..., Salesforce], moment: str, skip: int
) -> None:
    org.rows["Lead"] = leads(60)
    org.listed_page, org.polls = 5, 2
    with killed_at(moment, skip), pytest.raises(Killed):
        read(process(page_rows=2))
    assert len(org.jobs) == 1, "nobody removed it"
    connector = process(page_rows=2)
    assert_complete(read(connector), org)
    assert len(org.asked(JOB)) == 1
    assert len(org.jobs) == 1, "kept until the load commits"
    connector.clear_up()
    assert not org.jobs


def test_a_load_that_fails_after_reading_leaves_the_job_to_the_next(
    org: Org, process: Callable[..., Salesforce]
) -> None:
    org.rows["Lead"] = leads(30)
    pages = process().read(process().streams["lead"], WINDOW)
    next(pages)
    pages.close()  # type: ignore[attr-defined]  # as when the database is gone
    assert_complete(read(process()), org)
    assert len(org.asked(JOB)) == 1


def test_rows_edited_since_the_job_was_made_are_no_mismatch(org: Org, process: Callable[..., Salesforce]) -> None:
    org.rows["Lead"] = leads(30)
    read(process())
    for row in org.rows["Lead"][:10]:
        row["SystemModstamp"] = stamp(NOW + timedelta(days=9))
    pages = read(process())
    assert len({change.record_id for page in pages for change in page.changes}) == 30
    assert len(org.asked(JOB)) == 1


def test_a_job_that_salesforce_no_longer_knows_is_made_again(
    org: Org, process: Callable[..., Salesforce], notes: Notes
) -> None:
    org.rows["Lead"] = leads(30)
    read(process())
    org.jobs.clear()
    assert_complete(read(process()), org)
    assert len(org.asked(JOB)) == 2
    assert [json.loads(each)["job"] for each in notes.values()] == list(org.jobs)


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_ended_badly_meanwhile_is_made_again(
    org: Org, process: Callable[..., Salesforce], state: str
) -> None:
    org.rows["Lead"] = leads(30)
    read(process())
    org.fail(POLL, lambda reply: Reply(body=reply.body | {"state": state}), skip=1)
    assert_complete(read(process()), org)
    assert len(org.asked(JOB)) == 2
    assert len(org.jobs) == 1


def test_a_note_of_another_api_version_or_that_cannot_be_read_is_of_no_use(
    org: Org, process: Callable[..., Salesforce], notes: Notes
) -> None:
    org.rows["Lead"] = leads(30)
    read(process())
    for number, note in enumerate(("{", '{"job":"750x","counted":30,"api_version":"65.0"}'), start=2):
        notes.update(dict.fromkeys(notes, note))
        assert_complete(read(process()), org)
        assert len(org.asked(JOB)) == number


def test_another_window_has_another_job(org: Org, process: Callable[..., Salesforce], notes: Notes) -> None:
    org.rows["Lead"] = leads(30)
    read(process())
    assert_complete(read(process(), Window("lead", WINDOW.start, WINDOW.end + timedelta(days=1), "incremental")), org)
    assert (len(org.asked(JOB)), len(notes)) == (2, 2)


def test_what_can_be_mended_keeps_the_job(org: Org, process: Callable[..., Salesforce]) -> None:
    org.rows["Lead"] = leads(30)
    org.fail(RESULTS, Reply(500, b"sorry"), times=6)
    with pytest.raises(UnreachableError):
        read(process())
    org.fail(POLL, refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(QuotaError):
        read(process())
    assert_complete(read(process()), org)
    assert len(org.asked(JOB)) == 1


def test_what_cannot_be_proved_leaves_neither_job_nor_note(
    org: Org, process: Callable[..., Salesforce], notes: Notes
) -> None:
    org.rows["Lead"] = leads(30, step=timedelta(0))
    org.count_lies = lambda _soql, count: count + 1
    with pytest.raises(CountMismatchError, match=r"counts 1 rows of Lead.* and gave 0"):
        read(process())
    org.count_lies = lambda _soql, count: count
    org.job_counts = lambda count: count + 1
    with pytest.raises(VendorError, match="gave 30 of 31 rows"):
        read(process())
    assert not org.jobs
    assert not notes


def test_halves_of_a_span_have_jobs_of_their_own(org: Org, process: Callable[..., Salesforce], notes: Notes) -> None:
    org.rows["Lead"] = leads(40, step=timedelta(hours=1))
    org.count_lies = lambda _soql, count: count - 1 if count == 40 else count
    assert_complete(read(process()), org)
    first = len(org.asked(JOB))
    assert len(notes) == len(org.jobs) == 2
    assert_complete(read(process()), org)
    assert len(org.asked(JOB)) == first + 2, "only the whole, which failed, is tried again"
