"""The connector: what `pipeline` calls, put together from declarations and the reader."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from connectors.base.model import Check, Page, Stream, Window
from connectors.salesforce.checks import checks
from connectors.salesforce.client import Client
from connectors.salesforce.reading import Reader
from connectors.salesforce.soql import Query, id_batches
from connectors.salesforce.streams import STREAMS, axis_of, fields_of


class Salesforce:
    """Reads one Salesforce org (see connectors.base.model.Connector).

    Args:
        client: the org.
        reader: reads and proves spans.
        streams: what can be read.
    """

    vendor = "salesforce"

    def __init__(self, client: Client, reader: Reader, streams: Mapping[str, Stream] = STREAMS) -> None:
        self.streams = streams
        self._client = client
        self._reader = reader

    def now(self) -> datetime:
        """Salesforce's clock, from the Date header of the latest answer; the first call asks for one."""
        if not self._client.session.has_clock:
            self._client.versions()
        return self._client.session.now()

    def read(self, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        """Everything of a stream in a window, deleted and merged records included; a full one starts at the beginning.

        Raises:
            VendorError: the window could not be proved; pages yielded so far must not be kept.
        """
        del ids  # no stream here has a parent
        start = None if window.kind == "full" else window.start
        yield from self._pages(Query(stream.path, fields_of(stream), axis_of(stream), start, window.end))

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of these records, deleted ones as such; those that are gone for good are left out."""
        for query in id_batches(list(ids), Query(stream.path, fields_of(stream), axis_of(stream))):
            yield from self._pages(query)

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all records that are not deleted, archived activities included."""
        for part in self._reader.read(self._live(stream)):
            if part.changes:
                yield [change.record_id for change in part.changes]

    def count(self, stream: Stream) -> int:
        """How many records are not deleted, by Salesforce's COUNT(); archived activities included."""
        return self._client.count(self._live(stream))

    def check(self) -> list[Check]:
        """Login, API version, objects and fields, daily calls and clock."""
        return checks(self._client, self.streams.values())

    def _live(self, stream: Stream) -> Query:
        has_deleted = "IsDeleted" in self._client.fields(stream.path)
        return Query(stream.path, ("Id",), "CreatedDate", condition="IsDeleted = false" if has_deleted else "")

    def _pages(self, query: Query) -> Iterator[Page]:
        for part in self._reader.read(query):
            yield Page(part.changes, expected=part.total, counted=len(part.changes))
