"""Long windows through export jobs: splitting, proof, resumption, CSV of any content."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base.model import EPOCH, Connector, Page, Window
from connectors.marketo import activities
from connectors.marketo.auth import DAMAGED_TRIES
from errors import AnswerError, CountMismatchError, QuotaError, VendorError
from tests.contract.marketo.fake import NOW, FakeMarketo, Job, Reply, day, parse, refusal
from tests.contract.marketo.helpers import ids_of, pages, read

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = (
    "plain",
    'a "quoted" word, and a comma',
    "two\nlines",
    "carriage\r\nreturn \r alone",
    "東京 — ação 👍 \u202e",
    "a \0 byte",
    "'; DROP TABLE lead; --",
    "",
    " null ",
    "x" * 200_000,
)


def fill(vendor: FakeMarketo, count: int = 40) -> set[str]:
    for id_ in range(count):
        vendor.lead(id_, day(id_), day(id_), email=f"p{id_}@x.example")
        vendor.activity(id_, (1, 13, 104)[id_ % 3], day(id_), id_)
    return {str(id_) for id_ in range(count) if day(id_) >= START}


@pytest.mark.parametrize("name", ["leads", "activities"])
@pytest.mark.parametrize("count", [0, 1, 40, 69])
def test_full_read_is_cut_at_31_days_and_proved(vendor: FakeMarketo, marketo: Connector, name: str, count: int) -> None:
    expected = fill(vendor, count)
    found = pages(marketo, name, kind="full")
    changes = [change for page in found for change in page.changes]
    assert set(ids_of(changes)) == expected
    jobs = [job for job in vendor.jobs if job.kind == name]
    spans = sorted((job.body["filter"]["createdAt"] for job in jobs), key=lambda span: str(span["startAt"]))
    assert [parse(span["startAt"]) for span in spans] == [START, START + timedelta(31), START + timedelta(62)]
    assert parse(spans[-1]["endAt"]) == NOW
    assert all(parse(span["endAt"]) - parse(span["startAt"]) <= timedelta(31) for span in spans)
    assert sum(page.expected or 0 for page in found) == sum(page.counted for page in found) == len(changes)


def test_one_export_for_all_types(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    read(marketo, "activities", day(20), day(10))
    assert [job.body["filter"].keys() for job in vendor.jobs] == [{"createdAt"}]


def test_busy_short_window_becomes_an_export(
    vendor: FakeMarketo, marketo: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "MOST_PAGES", 5)
    vendor.page = 1
    for number in range(8):
        vendor.activity(number, 1, day(0.5))
    found = pages(marketo, "activities")
    assert sorted(ids_of(c for page in found for c in page.changes)) == [str(n) for n in range(8)]
    assert (found[0].expected, len(vendor.jobs)) == (8, 1)


def test_leads_of_a_long_window_by_last_change(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.lead(1, day(15), day(300))
    vendor.lead(2, day(2), day(300))
    changes = read(marketo, "leads", day(20), day(10))
    assert ids_of(changes) == ["1"]
    assert list(vendor.jobs[0].body["filter"]) == ["updatedAt"]
    assert changes[0].version_at == day(15)


def test_instances_without_that_filter_go_by_activities(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.has_updated_at = False
    for id_ in (1, 2, 3):
        vendor.lead(id_, day(15), day(300), email=f"p{id_}@x.example")
        vendor.activity(id_, 13, day(15), id_)
    vendor.activity(9, 10, day(15), 3)
    assert sorted(ids_of(read(marketo, "leads", day(20), day(10)))) == ["1", "2", "3"]
    assert {job.kind for job in vendor.jobs} == {"activities"}
    job = vendor.jobs[0]
    assert job.body["filter"]["activityTypeIds"] == [12, 13, 22, 32, 101]


def test_null_is_null_and_empty_is_empty(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.lead(1, day(15), day(15), email="", firstName=None, lastName="Null", productInterest="null")
    (change,) = read(marketo, "leads", kind="full")
    record = json.loads(change.payload)
    assert [record[name] for name in ("id", "email", "firstName", "lastName", "productInterest")] == [
        "1", "", None, "Null", None,
    ]  # fmt: skip
    assert list(record) == list(vendor.jobs[0].body["fields"])


def test_hostile_text_survives(vendor: FakeMarketo, marketo: Connector) -> None:
    for id_, text in enumerate(HOSTILE):
        vendor.lead(id_, day(15), day(15), lastName=text, firstName=text[::-1])
        vendor.activity(id_, 2, day(15), id_, attributes={"Form Fields": text})
    leads = {c.record_id: json.loads(c.payload)["lastName"] for c in read(marketo, "leads", kind="full")}
    assert leads == {str(id_): text for id_, text in enumerate(HOSTILE)}
    found = read(marketo, "activities", kind="full")
    fields = {c.record_id: json.loads(json.loads(c.payload)["attributes"])["Form Fields"] for c in found}
    assert fields == leads


def test_full_read_tells_of_late_deletes_and_merges(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor, 3)
    vendor.activity(100, 37, day(5), 500)
    vendor.activity(101, 32, day(20), 1, attributes={"Merge IDs": "[501]"})
    tombstones = {(c.record_id, c.op) for c in read(marketo, "leads", kind="full") if c.op != "upsert"}
    assert tombstones == {("500", "delete"), ("501", "merge")}


def test_program_members_in_full_ten_programs_a_job(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.members = {
        (p, 1): {"leadId": 1, "statusName": "Member", "updatedAt": "2026-03-01T02:00:00Z"} for p in range(1, 22)
    }
    vendor.programs = {p: {"id": p} for p in range(1, 22)}
    changes = read(marketo, "program_members", kind="full", ids=[str(p) for p in range(1, 23)])  # the last one is gone
    assert sorted(ids_of(changes)) == sorted(f"{p}-1" for p in range(1, 22))
    assert sorted(len(job.body["filter"]["programIds"]) for job in vendor.jobs) == [1, 10, 10]
    assert "programId" not in vendor.jobs[0].body["fields"]


def test_status_is_asked_once_a_minute(vendor: FakeMarketo, marketo: Connector, sleeps: list[float]) -> None:
    vendor.polls = 4
    fill(vendor)
    read(marketo, "activities", day(20), day(10))
    assert sleeps == [60.0] * 4


def test_job_that_never_ends_is_cancelled(vendor: FakeMarketo, connected: Callable[..., Connector]) -> None:
    vendor.polls = 10**9
    with pytest.raises(VendorError, match="not done after 6:00:00"):
        read(connected(poll_seconds="3600"), "activities", day(20), day(10))
    assert {job.status for job in vendor.jobs} == {"Cancelled"}


@pytest.mark.parametrize("verb", ["create", "enqueue"])
def test_full_queue_is_waited_for(vendor: FakeMarketo, marketo: Connector, sleeps: list[float], verb: str) -> None:
    fill(vendor)
    vendor.fail(verb, *[refusal("1029", "Too many jobs (10) in queue")] * 3)
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert sleeps == [60.0] * 4


def test_a_job_whose_enqueueing_was_answered_damaged_is_asked_about_as_often_as_any(
    vendor: FakeMarketo, marketo: Connector
) -> None:
    """The question that finds it queued already is none of the attempts at an answer that can be read."""
    fill(vendor)
    damaged, fewer = Reply(200, b'{"requestId": "1#2", "succ'), DAMAGED_TRIES - 1
    vendor.fail("enqueue", *[damaged] * fewer, refusal("1029", "Job already queued"))
    vendor.fail("status", *[damaged] * fewer)
    # The job is queued as it is made, for the fake's first answers about it are the ones above.
    vendor.jobs_start_queued = True
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert (len(vendor.asked("enqueue")), vendor.faults) == (DAMAGED_TRIES, [])


def test_used_up_exports_are_deferred_to_midnight_in_chicago(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.fail("create", refusal("1029", "Export daily quota 500MB exceeded."))
    with pytest.raises(QuotaError) as caught:
        read(marketo, "activities", day(20), day(10))
    assert caught.value.until is not None
    there = NOW + (caught.value.until - datetime.now(UTC))
    assert abs(there - datetime(2026, 3, 11, 5, tzinfo=UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("name", ["leads", "activities"])
def test_a_read_that_was_cut_short_goes_on_after_its_last_export(
    vendor: FakeMarketo, connected: Callable[..., Connector], name: str
) -> None:
    expected, marketo = fill(vendor, 69), connected()

    def use_up(job: Job) -> None:
        # Two run at a time, and either may be first.
        if job.kind == name and parse(job.body["filter"]["createdAt"]["startAt"]) == START:
            vendor.fail("create", refusal("1029", "Export daily quota 500MB exceeded."))

    vendor.before_file = use_up
    stream, window, found = marketo.streams[name], Window(name, EPOCH, NOW, "full"), list[Page]()
    with pytest.raises(QuotaError):
        deque(map(found.append, marketo.read(stream, window)), maxlen=0)
    place = found[-1].resume
    assert place, "what came is whole exports"
    vendor.before_file = lambda _job: None
    vendor.faults.clear()
    made = len(vendor.jobs)
    found += connected().read(stream, replace(window, resume=place))
    assert sorted(ids_of(change for page in found for change in page.changes)) == sorted(expected)
    again = [job.body["filter"]["createdAt"]["startAt"] for job in vendor.jobs[made:] if job.kind == name]
    assert min(again) == place


def test_a_read_that_goes_on_tells_of_the_merges_before_its_place(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor, 3)
    vendor.activity(101, 32, day(20), 1, attributes={"Merge IDs": "[501]"})
    window = Window("leads", EPOCH, NOW, "full", resume=f"{day(10):%Y-%m-%dT%H:%M:%SZ}")
    changes = [change for page in marketo.read(marketo.streams["leads"], window) for change in page.changes]
    assert [(c.record_id, c.op) for c in changes if c.op != "upsert"] == [("501", "merge")]


def test_a_short_window_of_which_an_export_came_is_not_read_again(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    for name in ("leads", "activities"):
        window = Window(name, day(1), NOW, "incremental", resume=f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
        assert [change for page in marketo.read(marketo.streams[name], window) for change in page.changes] == []


def test_completed_but_not_there_is_asked_for_again(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.fail("file.json", *[Reply(404, b"not found", {"Content-Type": "text/plain"})] * 3)
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert len(vendor.jobs) == 1


def test_broken_file_goes_on_where_it_broke(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.activities[15]["attributes"] = {"Form Fields": "長い" * 100_000}
    vendor.before_file = lambda job: vendor.fail(
        "file.json", Reply(200, job.file, {"Content-Type": "text/csv"}, damage="reset")
    )
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    first, second = vendor.asked("file.json")
    assert "Range" not in first.headers
    assert int(second.headers["Range"].removeprefix("bytes=").rstrip("-")) > 0
    assert len(vendor.jobs) == 1


def test_file_that_ends_early_without_a_word_goes_on(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.before_file = lambda job: vendor.fail(
        "file.json", Reply(200, job.file[: len(job.file) // 3], {"Content-Type": "text/csv"})
    )
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert vendor.asked("file.json")[1].headers["Range"].startswith("bytes=")


def test_server_that_knows_no_ranges_is_read_from_the_beginning(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)

    def break_twice(job: Job) -> None:
        whole = Reply(200, job.file, {"Content-Type": "text/csv"})
        vendor.fail("file.json", Reply(200, job.file, {"Content-Type": "text/csv"}, damage="reset"), whole)

    vendor.before_file = break_twice
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11


def test_flipped_byte_is_noticed_by_the_checksum(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.before_file = lambda job: vendor.fail(
        "file.json", Reply(200, job.file.replace(b"2026-02", b"2025-02", 1), {"Content-Type": "text/csv"})
    )
    changes = read(marketo, "activities", day(20), day(10))
    assert all(change.version_at and change.version_at.year == 2026 for change in changes)
    assert len(vendor.asked("file.json")) == 2


def test_checksum_that_never_fits_is_an_error(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.told = [{"fileChecksum": f"sha256:{'0' * 64}"}] * 3
    with pytest.raises(VendorError, match="another checksum"):
        read(marketo, "activities", day(20), day(10))
    assert len(vendor.jobs) == 3


def test_other_number_of_records_makes_a_new_job_then_an_error(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.told = [{"numberOfRecords": 12}]
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert len(vendor.jobs) == 2
    vendor.told = [{"numberOfRecords": 12}] * 3
    with pytest.raises(CountMismatchError, match=r"counts 12 records in its export of activities .* and gave 11"):
        read(marketo, "activities", day(20), day(10))


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_failed_job_is_made_again(vendor: FakeMarketo, marketo: Connector, status: str) -> None:
    fill(vendor)
    vendor.told = [{"status": status}]
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    vendor.told = [{"status": status}, {"status": status}, {"status": status}]
    with pytest.raises(VendorError, match=f"ended as {status}"):
        read(marketo, "activities", day(20), day(10))


def test_no_records_need_no_file(vendor: FakeMarketo, marketo: Connector) -> None:
    (page,) = pages(marketo, "activities", day(20), day(10))
    assert (page.changes, page.expected) == ([], 0)
    assert vendor.asked("file.json") == []


def test_token_that_ends_before_the_file(vendor: FakeMarketo, marketo: Connector) -> None:
    fill(vendor)
    vendor.before_file = lambda _job: vendor.end_token()
    assert len(ids_of(read(marketo, "activities", day(20), day(10)))) == 11
    assert vendor.tokens == 2


def test_field_that_the_instance_lost_is_named_as_such(vendor: FakeMarketo, marketo: Connector) -> None:
    vendor.fail("create", refusal("1003", "Invalid field ana.canary@firm.example"))
    with pytest.raises(AnswerError, match="does not take an export of leads") as caught:
        read(marketo, "leads", kind="full")
    assert "canary" not in f"{caught.value} {caught.value.detail}"
