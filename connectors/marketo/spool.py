"""Where an export's file waits until it is proved: an unnamed temporary file of the bytes as they came, with their hash."""

import csv
import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator

from errors import RunError

csv.field_size_limit(1 << 26)  # an activity's attributes hold whole forms; Python's own limit is 128 KB


class DamagedError(Exception):
    """A file that is not what the job says it is. The text names what differs, never what is in it."""


class Spool:
    """An unnamed temporary file: it is gone with the process, whatever happens.

    size: bytes so far, which is where a broken download goes on.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="smarketing-")  # noqa: SIM115 - closed by close()
        # Where a reader stops early, nobody is left to close what another job has fetched meanwhile.
        weakref.finalize(self, self._file.close)
        self.size = 0
        self._hash = hashlib.sha256()

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def restart(self) -> None:
        """Forget what there is."""
        self._file.truncate(0)
        self.size, self._hash = 0, hashlib.sha256()

    def append(self, chunks: Iterable[bytes]) -> None:
        """Keep what arrives; what came before a broken connection stays.

        Raises:
            RunError: the disk is full.
        """
        for chunk in chunks:
            try:
                done = 0
                while done < len(chunk):
                    done += os.pwrite(self._file.fileno(), memoryview(chunk)[done:], self.size + done)
            except OSError as error:
                raise RunError(
                    f"An export of Marketo cannot be kept in {tempfile.gettempdir()} ({error.strerror}).",
                    remedy="Free some space, or point TMPDIR at a larger disk.",
                ) from None
            self.size += len(chunk)
            self._hash.update(chunk)

    def prove(self, size: int | None, checksum: str | None) -> None:
        """Compare with the job's `fileSize` and `fileChecksum` (sha256:...), where it names them.

        Raises:
            DamagedError: they differ.
        """
        if size is not None and size != self.size:
            raise DamagedError(f"{self.size} of {size} bytes")
        if checksum and checksum.rpartition(":")[2].lower() != self._hash.hexdigest():
            raise DamagedError("another checksum")

    def rows(self, header: list[str]) -> Iterator[list[str]]:
        """The rows below the header, read as a stream; line ends inside quotes are kept as they are.

        Args:
            header: the columns that must be there, in any order; it is put into the order of the file.

        Raises:
            DamagedError: the file is no whole CSV, its columns are others, or a row has more or fewer.
        """
        with os.fdopen(os.dup(self._file.fileno()), "rb") as copy:
            copy.seek(0)
            try:
                with io.TextIOWrapper(copy, encoding="utf-8", newline="") as text:
                    rows = csv.reader(text, strict=True)
                    first = next(rows, [])
                    if sorted(first) != sorted(header):
                        raise DamagedError("other columns than asked for")
                    header[:] = first
                    for row in filter(None, rows):
                        if len(row) != len(header):
                            raise DamagedError("a row with more or fewer columns than the header")
                        yield row
            except (UnicodeDecodeError, csv.Error) as error:
                raise DamagedError(type(error).__name__) from None
