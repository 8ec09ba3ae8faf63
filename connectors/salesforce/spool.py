"""Where a Bulk result waits until it is proved: an unnamed temporary file of page bodies, compressed as they came."""

import csv
import io
import os
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from gzip import GzipFile
from typing import Any, NamedTuple

from errors import RunError


class DamagedError(Exception):
    """A page that cannot be read to its end: truncated or damaged compression, encoding or CSV."""


class Place(NamedTuple):
    """Where in the file a page's body lies."""

    offset: int
    length: int


class ResultPage(NamedTuple):
    """A page of a Bulk result.

    rows: how many it has, as Salesforce says (Sforce-NumberOfRecords); None where it does not say.
    locator, following: its own locator and the next page's; None at the beginning and at the end.
    """

    place: Place
    is_gzip: bool
    rows: int | None
    locator: str | None
    following: str | None


class _Slice(io.RawIOBase):
    """A place as a readable file of its own; positions are private, so that a writer may append meanwhile."""

    def __init__(self, descriptor: int, place: Place) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._at = place.offset
        self._end = place.offset + place.length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        data = os.pread(self._descriptor, min(len(view), self._end - self._at), self._at)
        view[: len(data)] = data
        self._at += len(data)
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
        self._counts: dict[Place, int] = {}
        self.header = list(fields)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def append(self, chunks: Iterable[bytes]) -> Place:
        """Keep one page's body; what a broken body leaves behind is never read.

        Raises:
            RunError: the disk is full.
        """
        with self._lock:
            start = self._end
            for chunk in chunks:
                self._end += self._write(chunk)
            return Place(start, self._end - start)

    def _write(self, chunk: bytes) -> int:
        try:
            done = 0
            while done < len(chunk):
                done += os.pwrite(self._file.fileno(), memoryview(chunk)[done:], self._end + done)
        except OSError as error:
            raise RunError(
                f"A Bulk result of Salesforce cannot be kept in {tempfile.gettempdir()} ({error.strerror}).",
                remedy="Free some space, or point TMPDIR at a larger disk.",
            ) from None
        return done

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
        if page.place not in self._counts:
            count = 0
            for row in self.rows(page):
                if len(row) != len(self.header):
                    raise DamagedError("columns")
                count += 1
            self._counts[page.place] = count
        return self._counts[page.place]

    def is_whole(self, page: ResultPage) -> bool:
        """Whether a page can be read to its end and has the rows that Salesforce says it has."""
        try:
            return page.rows in (None, self.count(page))
        except DamagedError:
            return False
