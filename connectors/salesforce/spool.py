"""Where a Bulk result waits until it is proved: an unnamed temporary file of page bodies, compressed as they came.

Pages are written by several threads at once, piece by piece, and read back as streams: neither holds a page in memory.
"""

import csv
import io
import os
import tempfile
import threading
import zlib
from array import array
from collections.abc import Iterable, Iterator
from gzip import GzipFile
from typing import Any, NamedTuple

from errors import RunError

csv.field_size_limit(1 << 27)
"""Python stops at 131,072 characters by default, which is as long as Salesforce's long text may be, and a rich one is longer."""


_PARTS = 64
"""Ids are told apart a part at a time, so that only a 64th of them is in a set at once."""


class DamagedError(Exception):
    """A page that cannot be read to its end: truncated or damaged compression, encoding or CSV."""


class Place(NamedTuple):
    """Where in the file a page's body lies: pieces of (offset, length), since pages are written at the same time."""

    pieces: tuple[tuple[int, int], ...]


class ResultPage(NamedTuple):
    """A page of a Bulk result.

    rows: how many it has, as Salesforce says (Sforce-NumberOfRecords); None where it does not say.
    following: the next page's locator; None at the end.
    """

    place: Place
    is_gzip: bool
    rows: int | None
    following: str | None


class _Slice(io.RawIOBase):
    """A place as a readable file of its own; positions are private, so that a writer may append meanwhile."""

    def __init__(self, descriptor: int, place: Place) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._pieces = list(reversed(place.pieces))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._pieces:
            return 0
        at, length = self._pieces.pop()
        view = memoryview(buffer)
        data = os.pread(self._descriptor, min(len(view), length), at)
        view[: len(data)] = data
        if data and len(data) < length:
            self._pieces.append((at + len(data), length - len(data)))
        return len(data)


class Spool:
    """An unnamed temporary file: it is gone with the process, whatever happens.

    Args:
        fields: the columns that were asked for.

    header: the columns in the order that they come in; the same, as far as is known since API version 50.
    """

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._file = tempfile.TemporaryFile(prefix="smarketing-")  # noqa: SIM115 - closed by close()
        self._end = 0
        self._lock = threading.Lock()
        self._ids: dict[Place, list[array[int]]] = {}
        self.header = list(fields)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def append(self, chunks: Iterable[bytes]) -> Place:
        """Keep one page's body; what a broken body leaves behind is never read. Several threads may do so at once.

        Raises:
            RunError: the disk is full.
        """
        pieces: list[tuple[int, int]] = []
        for chunk in chunks:
            with self._lock:
                at = self._end
                self._end += len(chunk)
            self._write(chunk, at)
            if pieces and sum(pieces[-1]) == at:
                pieces[-1] = pieces[-1][0], pieces[-1][1] + len(chunk)
            elif chunk:
                pieces.append((at, len(chunk)))
        return Place(tuple(pieces))

    def _write(self, chunk: bytes, at: int) -> None:
        try:
            done = 0
            while done < len(chunk):
                done += os.pwrite(self._file.fileno(), memoryview(chunk)[done:], at + done)
        except OSError as error:
            raise RunError(
                f"A Bulk result of Salesforce cannot be kept in {tempfile.gettempdir()} ({error.strerror}).",
                remedy="Free some space, or point TMPDIR at a larger disk.",
            ) from None

    def rows(self, page: ResultPage) -> Iterator[list[str]]:
        """A page's rows without the header, read as a stream; line ends inside quotes are kept as they are.

        Each page repeats the header, as far as is known; where one does not, its first row is a row.

        Raises:
            DamagedError: the page cannot be read to its end.
        """
        raw: io.BufferedReader | GzipFile = io.BufferedReader(_Slice(self._file.fileno(), page.place), 1 << 16)
        if page.is_gzip:
            raw = GzipFile(fileobj=raw)
        try:
            with io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
                rows = filter(None, csv.reader(text, strict=True))
                first = next(rows, None)
                if first is not None and sorted(first) == sorted(self.header):
                    self.header = first
                elif first is not None:
                    yield first
                yield from rows
        except (EOFError, OSError, UnicodeDecodeError, csv.Error, zlib.error) as error:
            raise DamagedError(type(error).__name__) from None

    def count(self, page: ResultPage) -> int:
        """How many rows a page has.

        Raises:
            DamagedError: it cannot be read to its end, or a row has more or fewer columns than the header.
        """
        if page.place not in self._ids:
            ids = [array("q") for _ in range(_PARTS)]
            at_id = None
            for row in self.rows(page):
                if len(row) != len(self.header):
                    raise DamagedError("columns")
                if at_id is None:
                    at_id = self.header.index("Id")  # after the first row, since the page may have its own order
                number = hash(row[at_id])
                ids[number % _PARTS].append(number)
            self._ids[page.place] = ids
        return sum(map(len, self._ids[page.place]))

    def distinct(self, pages: Iterable[ResultPage]) -> int:
        """How many different ids the pages have, after each was counted: eight bytes a row, by a hash of 64 bits."""
        found = [self._ids[page.place] for page in pages]
        return sum(len({number for ids in found for number in ids[part]}) for part in range(_PARTS))

    def is_whole(self, page: ResultPage) -> bool:
        """Whether a page can be read to its end and has the rows that Salesforce says it has."""
        try:
            return page.rows in (None, self.count(page))
        except DamagedError:
            return False
