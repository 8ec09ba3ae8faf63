"""The connector: what `pipeline` calls, put together from declarations and the reader."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from connectors.base.model import Check, Memory, Page, Stream, Total, Window
from connectors.base.quota import Store
from connectors.salesforce.checks import checks
from connectors.salesforce.client import Client
from connectors.salesforce.reading import Reader
from connectors.salesforce.soql import HEAD, Query, id_batches
from connectors.salesforce.streams import STREAMS, axis_of, fields_of

UNREADABLE = ("address", "location", "base64")
"""Types that the Bulk API does not take; what is in the first two are fields of their own as well."""


class Salesforce:
    """Reads one Salesforce org (see connectors.base.model.Connector).

    Args:
        client: the org.
        reader: reads and proves spans.
        streams: what can be read.
        memory: where the jobs of a window are noted.
        skip: calculated fields that are not compared, as "Lead.Age__c".
    """

    vendor = "salesforce"
    totals_lag = False

    def __init__(
        self,
        client: Client,
        reader: Reader,
        streams: Mapping[str, Stream] = STREAMS,
        *,
        memory: Memory | None = None,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self.streams = streams
        self._client = client
        self._reader = reader
        self._skip = skip
        # Windows only: an old list of keys, taken up again, would lack what has been made since.
        self._windows = reader if memory is None else reader.remembering(memory)

    def remembering(self, memory: Memory) -> "Salesforce":
        """The same org for one window: its Bulk jobs are noted in `memory`, and kept until `clear_up`."""
        return Salesforce(self._client, self._reader, self.streams, memory=memory, skip=self._skip)

    def clear_up(self) -> None:
        """Remove the Bulk jobs that were kept for a load, now that it has committed."""
        self._windows.clear_up()

    def describe(self, stream: Stream, *, anew: bool = False) -> Mapping[str, str]:
        """Field -> Salesforce's type of it, of all fields of the object that the user may see.

        Raises:
            ScopeError: the object is not shown to this user.
        """
        if anew:
            self._client.forget(stream.path)
        return {field.name: field.type for field in self._client.fields(stream.path).values()}

    @property
    def account(self) -> str:
        """The org, by its instance's address."""
        return self._client.auth.instance_url

    def share(self, store: Store, *, is_urgent: bool) -> None:
        """Take turns with all who use the org."""
        self._client.session.share(store, is_urgent=is_urgent)

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
        query = Query(stream.path, self._fields(stream), axis_of(stream), start, window.end)
        yield from _pages(self._windows, query)

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of these records, deleted ones as such; those that are gone for good are left out."""
        for query in id_batches(list(ids), Query(stream.path, self._fields(stream), axis_of(stream))):
            yield from _pages(self._reader, query)

    def read_undated(self, stream: Stream, came: Collection[str] = ()) -> Iterator[Page]:
        """Id and the formula and roll-up fields that are read, and those that came, of all records that are not deleted."""
        known = self._client.fields(stream.path)
        names = tuple(
            name
            for name in self._fields(stream)
            if name in came or (name in known and known[name].calculated and f"{stream.path}.{name}" not in self._skip)
        )
        if names:
            yield from _pages(self._reader, replace(self._live(stream), fields=("Id", *names)))

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all records that are not deleted, archived activities included."""
        for part in self._reader.read(self._live(stream)):
            if part.changes:
                yield [change.record_id for change in part.changes]

    def count(self, stream: Stream, until: datetime | None = None) -> int:
        """How many records that were created before `until` are not deleted, by COUNT(); archived activities included."""
        return self._reader.count(replace(self._live(stream), end=until))

    def totals(self, stream: Stream, until: datetime) -> list[Total]:
        """What Salesforce counts, and sums by currency, of records that are not deleted and were last changed before `until`."""
        return self._reader.totals(replace(self._live(stream), axis=axis_of(stream), end=until))

    def changed_ids(self, stream: Stream, since: datetime) -> set[str]:
        """The ids of the records that were changed or deleted since."""
        query = Query(stream.path, HEAD, axis_of(stream), since)
        return {change.record_id for part in self._reader.read(query) for change in part.changes}

    def check(self) -> list[Check]:
        """Login, API version, objects and fields, daily calls and clock."""
        return checks(self._client, self.streams.values())

    def _fields(self, stream: Stream) -> tuple[str, ...]:
        """What is asked for: the declared fields, and every one that the customer added."""
        known = self._client.fields(stream.path).values()
        added = sorted(field.name for field in known if field.custom and field.type not in UNREADABLE)
        return tuple(dict.fromkeys((*fields_of(stream), *added)))

    def _live(self, stream: Stream) -> Query:
        has_deleted = "IsDeleted" in self._client.fields(stream.path)
        return Query(stream.path, ("Id",), "CreatedDate", condition="IsDeleted = false" if has_deleted else "")


def _pages(reader: Reader, query: Query) -> Iterator[Page]:
    for part in reader.read(query):
        yield Page(part.changes, expected=part.total, counted=len(part.changes))
