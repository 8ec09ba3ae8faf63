"""HubSpot as `pipeline` sees it: which reader serves which stream."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from connectors.base.model import EPOCH, Check, Page, Stream, Total, Window
from connectors.base.quota import Store
from connectors.hubspot import events, objects, search
from connectors.hubspot.api import Api
from connectors.hubspot.auth import Settings
from connectors.hubspot.batch import Fields
from connectors.hubspot.check import check
from connectors.hubspot.links import linked, read_links
from connectors.hubspot.properties import Properties
from connectors.hubspot.small import read_small
from connectors.hubspot.streams import STREAMS
from errors import ConfigurationError

AHEAD = timedelta(hours=1)
"""What is dated a little later than now has changed as well: clocks differ."""


class HubSpot:
    """The connector to one HubSpot account; see `connectors.base.model.Connector`."""

    vendor = "hubspot"
    totals_lag = True
    streams: Mapping[str, Stream] = STREAMS

    def __init__(self, settings: Settings) -> None:
        self.api = Api(settings)
        self.properties = Properties(self.api)
        self.account = settings.account

    def share(self, store: Store, *, is_urgent: bool) -> None:
        """Take turns with all who use the account."""
        self.api.session.share(store, is_urgent=is_urgent)

    def now(self) -> datetime:
        """HubSpot's clock, aware UTC."""
        return self.api.now()

    def describe(self, stream: Stream, *, anew: bool = False) -> Mapping[str, str]:
        """Property -> HubSpot's type of it, for object streams; empty for the others."""
        return self.properties.types(stream, anew=anew) if stream.options["reader"] == "objects" else {}

    def read(self, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        """Everything of the stream in the window; object streams bring the archived records each time."""
        match stream.options["reader"]:
            case "objects":
                if window.kind == "full":
                    yield from objects.full(self.api, self.properties, stream, window)
                else:
                    yield from search.windowed(self.api, self.properties, stream, window)
                yield from objects.archived_pages(self.api, self.properties, stream, window)
            case "small":
                yield from read_small(self.api, stream)
            case "email_events":
                yield from events.email_events(self.api, stream, window)
            case "submissions":
                yield from events.submissions(self.api, stream, window, ids)
            case _:
                yield from self.read_ids(stream, ids)

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of just these live records; ids that were merged away or are unknown are left out.

        Raises:
            ConfigurationError: e-mail events and submissions cannot be asked for by id.
        """
        match stream.options["reader"]:
            case "objects":
                yield from objects.by_ids(self.api, stream, ids, Fields(self.properties.of(stream)))
            case "history":
                history = cast("tuple[str, ...]", stream.options["properties"])
                yield from objects.by_ids(self.api, stream, ids, Fields(history, history))
            case "links":
                yield from read_links(self.api, stream, ids)
            case "linked":
                yield from linked(self.api, stream, ids)
            case "small":
                wanted = set(ids)
                for page in read_small(self.api, stream):
                    changes = [one for one in page.changes if one.record_id in wanted and one.op == "upsert"]
                    if changes:
                        yield Page(changes)
            case _:
                raise ConfigurationError(
                    f"hubspot:{stream.name} cannot be read by id.", remedy="Read the days in question by a backfill."
                )

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all live records of an object stream, by list, which knows of a delete at once.

        Raises:
            ConfigurationError: the stream finds its deletes in another way.
        """
        _must_count(stream)
        return objects.keys(self.api, stream)

    def count(self, stream: Stream, until: datetime | None = None) -> int:
        """How many live records search counts; its index lags, so it may still count what is gone.

        Its windows hold nothing back, so `until` is not asked for.

        Raises:
            ConfigurationError: the stream finds its deletes in another way.
        """
        del until
        _must_count(stream)
        return search.total(self.api, stream)

    def totals(self, stream: Stream, until: datetime) -> list[Total]:
        """How many live records search counts that were last changed before `until`; HubSpot sums nothing."""
        return [Total("", search.total(self.api, stream, Window(stream.name, EPOCH, until, "backfill")))]

    def changed_ids(self, stream: Stream, since: datetime) -> set[str]:
        """The ids of the live records that search shows as changed since."""
        return search.ids(self.api, stream, Window(stream.name, since, max(since, self.now()) + AHEAD, "backfill"))

    def check(self) -> list[Check]:
        """Key, scopes, clock: one line each, with a remedy."""
        return check(self.api)


def _must_count(stream: Stream) -> None:
    if stream.finds_deletes != "count":
        raise ConfigurationError(
            f"hubspot:{stream.name} finds deletes by {stream.finds_deletes!r}, not by keys.",
            remedy="Read the stream instead.",
        )
