"""Walking through pages: by token with loop detection, one page ahead, and many requests at once in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from errors import AnswerError

T = TypeVar("T")
R = TypeVar("R")


def by_token(
    fetch: Callable[[str | None], T], token_of: Callable[[T], str | None], *, where: str, first: str | None = None
) -> Iterator[T]:
    """Pages until one names no next token.

    Args:
        fetch: gets the page at a token; None is the first page.
        token_of: the next page's token, None or "" at the end.
        where: vendor and stream, for the message.
        first: where to start.

    Raises:
        AnswerError: the vendor named a token that was already used: going on would never end.
    """
    token = first
    used = {token}
    while True:
        page = fetch(token)
        yield page
        token = token_of(page)
        if not token:
            return
        if token in used:
            raise AnswerError(
                f"{where} names the same next page twice after {len(used)} pages.",
                remedy="Run again; if it stays so, the vendor's paging is broken: report it with this line.",
            )
        used.add(token)


def ahead(pages: Iterable[T]) -> Generator[T, None, None]:
    """The same pages, the next one always being fetched in a thread while the caller works on this one.

    At most two pages are held. Closing the iterator early waits for the request under way, so that nothing outlives it.
    """
    source = iter(pages)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="page-ahead") as thread:
        coming: Future[T | object] = thread.submit(next, source, end)
        while (page := coming.result()) is not end:
            coming = thread.submit(next, source, end)
            yield page  # type: ignore[misc]  # anything but `end` is a T


def in_order(work: Callable[[T], R], items: Iterable[T], *, workers: int = 4) -> Iterator[R]:
    """`work(item)` for each item, up to `workers` at once, results in the order of the items.

    At most `workers` results wait, so that memory stays bounded however slow the caller is; the first error ends it.
    """
    source = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="in-order") as threads:
        coming = deque(threads.submit(work, item) for item in islice(source, workers))
        try:
            while coming:
                result = coming.popleft().result()
                coming.extend(threads.submit(work, item) for item in islice(source, 1))
                yield result
        finally:
            for waiting in coming:
                waiting.cancel()


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items; nothing for no items."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
