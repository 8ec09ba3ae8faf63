"""The place where a Bulk result waits: what is whole, what is damaged, and how much memory it takes."""

import gzip
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest

from connectors.salesforce import bulk
from connectors.salesforce.spool import ResultPage, Spool

CSV = b'"Id","Name"\n"1","a"\n"2","b\nc"\n'


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool(("Id", "Name"))) as made:
        yield made


def page(spool: Spool, body: bytes, rows: int | None = 2, *, is_gzip: bool = False) -> ResultPage:
    return ResultPage(spool.append([body[:5], b"", body[5:]]), is_gzip, rows, None)


@pytest.mark.parametrize("is_gzip", [False, True])
def test_rows_come_back(spool: Spool, *, is_gzip: bool) -> None:
    page(spool, b"what a broken connection left")
    whole = page(spool, gzip.compress(CSV) if is_gzip else CSV, is_gzip=is_gzip)
    page(spool, CSV)
    assert list(spool.rows(whole)) == [["1", "a"], ["2", "b\nc"]]
    assert spool.is_whole(whole)


@pytest.mark.parametrize(
    ("body", "rows", "is_whole"),
    [
        (CSV, 2, True),
        (CSV, None, True),
        (CSV, 3, False),
        (CSV, 1, False),
        (b"", 0, True),
        (b"", 1, False),
        (b'"Id","Name"\n', 0, True),
        (b'"Id","Name"', 0, True),
        (CSV.split(b"\n", 1)[1], 2, True),
        (CSV[:-1], 2, True),
        (CSV[:-2], 2, False),
        (CSV + b'"3"\n', 3, False),
        (CSV + b'"3","\xff"\n', 3, False),
        (CSV + b'"3","a"b"\n', 3, False),
        (CSV.replace(b"\n", b"\r\n"), 2, True),
    ],
)
def test_what_is_whole(spool: Spool, body: bytes, rows: int | None, *, is_whole: bool) -> None:
    assert spool.is_whole(page(spool, body, rows)) is is_whole


def test_damaged_compression_is_not_whole(spool: Spool) -> None:
    packed = gzip.compress(CSV)
    for cut in range(len(packed)):
        assert not spool.is_whole(page(spool, packed[:cut], is_gzip=True)), cut
    for broken in (CSV, packed[:-8] + b"\0" * 8, b"\x1f\x8b" + b"\0" * 20):
        assert not spool.is_whole(page(spool, broken, is_gzip=True))


def test_columns_in_another_order(spool: Spool) -> None:
    other = page(spool, b'"Name","Id"\n"a","1"\n', 1)
    assert spool.is_whole(other)
    assert [change.record_id for batch in bulk._changes(spool, [other]) for change in batch] == ["1"]


def test_ids_are_told_apart_over_all_pages(spool: Spool) -> None:
    pages = [page(spool, CSV), page(spool, b'"Name","Id"\n"x","3"\n"y","1"\n')]
    assert [spool.count(each) for each in pages] == [2, 2]
    assert (spool.distinct(pages[:1]), spool.distinct(pages)) == (2, 3)


def test_pages_written_at_the_same_time_stay_apart(spool: Spool) -> None:
    bodies = [b'"Id","Name"\n' + b"".join(b'"%d-%d","n"\n' % (at, n) for n in range(900)) for at in range(6)]
    together = Barrier(len(bodies), timeout=20)

    def chunks(body: bytes) -> Iterator[bytes]:
        yield body[:97]
        together.wait()
        yield from (body[at : at + 97] for at in range(97, len(body), 97))

    def write(body: bytes) -> ResultPage:
        return ResultPage(spool.append(chunks(body)), is_gzip=False, rows=900, following=None)

    with ThreadPoolExecutor(len(bodies)) as threads:
        pages = list(threads.map(write, bodies))
    assert max(len(each.place.pieces) for each in pages) > 1, "they were written one after the other"
    for at, each in enumerate(pages):
        assert list(spool.rows(each)) == [[f"{at}-{n}", "n"] for n in range(900)]


def test_a_text_longer_than_python_takes_by_default(spool: Spool) -> None:
    text = "x" * 400_000
    whole = page(spool, f'"Id","Name"\n"1","{text}"\n'.encode(), 1)
    assert list(spool.rows(whole)) == [["1", text]]


def test_memory_does_not_grow_with_the_result(spool: Spool) -> None:
    count, width = 30_000, 400
    body = gzip.compress(b'"Id","Name"\n' + b"".join(b'"%d","%b"\n' % (n, b"x" * width) for n in range(count)), 1)
    whole = page(spool, body, count, is_gzip=True)
    del body
    tracemalloc.start()
    try:
        assert spool.is_whole(whole)
        assert sum(len(batch) for batch in bulk._changes(spool, [whole])) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000 < count * width
