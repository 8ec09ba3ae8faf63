import threading
import time
from collections.abc import Iterator

import pytest

from connectors.base.paginate import ahead, batches, by_token, in_order
from errors import AnswerError


def numbers(count: int, size: int) -> list[list[int]]:
    def fetch(token: str | None) -> list[int]:
        start = int(token or 0)
        return list(range(start, min(start + size, count)))

    def token_of(page: list[int]) -> str | None:
        return str(page[-1] + 1) if page and page[-1] + 1 < count else None

    return list(by_token(fetch, token_of, where="vendor:stream"))


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 21])
def test_all_pages_come_once(count: int) -> None:
    assert [one for page in numbers(count, 10) for one in page] == list(range(count))


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
def test_a_token_that_comes_again_stops(tokens: list[str]) -> None:
    answers = iter(tokens)
    with pytest.raises(AnswerError, match=f"vendor:stream names the same next page twice after {len(tokens)} pages"):
        list(by_token(lambda _token: None, lambda _page: next(answers), where="vendor:stream"))


def test_a_token_that_is_where_it_began_stops() -> None:
    with pytest.raises(AnswerError):
        list(by_token(lambda _token: None, lambda _page: "start", where="vendor:stream", first="start"))


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_ahead_keeps_the_pages(count: int) -> None:
    assert list(ahead(range(count))) == list(range(count))


def test_ahead_fetches_while_the_caller_works_and_no_further() -> None:
    fetched = [threading.Event() for _ in range(4)]

    def source() -> Iterator[int]:
        for at, event in enumerate(fetched):
            event.set()
            yield at

    pages = ahead(source())
    assert next(pages) == 0
    assert fetched[1].wait(5)
    assert not fetched[2].is_set()
    assert list(pages) == [1, 2, 3]


def test_ahead_passes_errors_on_after_the_pages_before() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise AnswerError("broken")

    pages = ahead(source())
    assert next(pages) == 1
    with pytest.raises(AnswerError, match="broken"):
        next(pages)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 50])
def test_in_order_keeps_the_order(count: int) -> None:
    def work(one: int) -> int:
        time.sleep(0.001 * (one % 3))
        return one * 2

    assert list(in_order(work, range(count), workers=4)) == [one * 2 for one in range(count)]


def test_in_order_holds_no_more_than_its_workers() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for one in range(100):
            taken.append(one)
            yield one

    results = in_order(lambda one: one, source(), workers=3)
    for done in range(1, 20):
        next(results)
        assert len(taken) <= done + 3


def test_in_order_ends_at_the_first_error() -> None:
    started: list[int] = []

    def work(one: int) -> int:
        started.append(one)
        if one == 2:
            raise AnswerError("broken")
        return one

    results = in_order(work, range(100), workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(AnswerError, match="broken"):
        next(results)
    assert len(started) < 10


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30])
def test_batches_hold_everything_once(count: int) -> None:
    got = list(batches(iter(range(count)), 10))
    assert [one for batch in got for one in batch] == list(range(count))
    assert all(0 < len(batch) <= 10 for batch in got)
