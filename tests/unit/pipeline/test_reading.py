"""Reading ahead: all changes in order, counts summed, and an end to the reading thread whatever happens."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.base.model import Change, Page
from pipeline import reading
from pipeline.reading import in_batches

T0 = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def page(*ids: str, expected: int | None = None, size: int = 1) -> Page:
    changes = [Change(i, T0, "upsert", b"x" * size) for i in ids]
    return Page(changes, expected, len(changes) if expected is not None else 0)


@pytest.mark.parametrize(("rows", "batches"), [(1, 3), (2, 2), (100, 1)])
def test_every_change_comes_once_and_in_order(monkeypatch: pytest.MonkeyPatch, rows: int, batches: int) -> None:
    monkeypatch.setattr(reading, "FIRST_ROWS", rows)
    monkeypatch.setattr(reading, "ROWS", rows)
    pages = [page("a", expected=5), page("b", "c"), page("d", expected=2)]
    with in_batches(pages, T0) as found:
        got = [b for b in found if b.rows]
    assert [version.record_id for b in got for version in b.versions] == ["a", "b", "c", "d"]
    assert len(got) == batches
    assert sum(b.expected or 0 for b in got) == 7
    assert sum(b.counted or 0 for b in got) == 2


def test_a_batch_is_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES", 1_000)
    with in_batches([page("a", size=600), page("b", size=600), page("c", size=600)], T0) as found:
        assert [b.rows for b in found] == [2, 1]


def test_no_pages_give_an_empty_batch_without_counts() -> None:
    with in_batches([], T0) as found:
        (batch,) = found
    assert (batch.rows, batch.versions, batch.expected, batch.counted) == (0, [], None, None)


def test_undated_changes_are_as_of_now() -> None:
    with in_batches([page("a")], NOW, undated=True) as found:
        assert [(v.at, v.is_observed) for b in found for v in b.versions] == [(NOW, True)]


def test_an_error_of_the_vendor_comes_through() -> None:
    def pages() -> Iterator[Page]:
        yield page("a")
        raise RuntimeError("the vendor's")

    with pytest.raises(RuntimeError, match="the vendor's"), in_batches(pages(), T0) as found:
        list(found)


def test_an_error_of_the_caller_ends_the_reading_after_the_page_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_ROWS", 1)
    monkeypatch.setattr(reading, "ROWS", 1)
    sent = 0
    going_on = threading.Event()

    def pages() -> Iterator[Page]:
        nonlocal sent
        while sent < 1_000:
            if sent == 2:
                going_on.wait(20)
            sent += 1
            yield page(str(sent))

    def load() -> None:
        with in_batches(pages(), T0) as found:
            next(found)
            going_on.set()
            raise RuntimeError("the caller's")

    with pytest.raises(RuntimeError, match="the caller's"):
        load()
    assert sent <= 4
    assert not any(thread.name.startswith("page-ahead") for thread in threading.enumerate())
