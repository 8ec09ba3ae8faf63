"""Marketo as `pipeline` sees it: which reader serves which stream."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from connectors.base.model import Check, Page, Stream, Window
from connectors.base.quota import Store
from connectors.marketo import assets
from connectors.marketo.activities import Activities
from connectors.marketo.api import Api
from connectors.marketo.auth import Settings
from connectors.marketo.check import check
from connectors.marketo.fields import Fields
from connectors.marketo.leads import Leads
from connectors.marketo.members import Members
from connectors.marketo.streams import STREAMS
from connectors.marketo.windows import resumed
from errors import ConfigurationError


class Marketo:
    """The connector to one Marketo instance; see `connectors.base.model.Connector`."""

    vendor = "marketo"
    streams: Mapping[str, Stream] = STREAMS

    def __init__(self, settings: Settings) -> None:
        self.api = Api(settings)
        self.account = settings.base_url
        fields = Fields(self.api)
        self._activities = Activities(self.api)
        self._leads = Leads(self.api, self._activities, fields)
        self._members = Members(self.api, self._activities, fields)

    def share(self, store: Store, *, is_urgent: bool) -> None:
        """Take turns with all who use the instance."""
        self.api.session.share(store, is_urgent=is_urgent)

    def now(self) -> datetime:
        """Marketo's clock, aware UTC."""
        return self.api.now()

    def read(self, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        """Everything of the stream in the window."""
        match stream.options["reader"]:
            case "leads":
                yield from self._leads.read(stream, window)
            case "activities":
                start = resumed(window) or (self._leads.beginning if window.kind == "full" else window.start)
                yield from self._activities.read(window, start)
            case "programs":
                yield from assets.read_programs(self.api, stream, window)
            case "program_members":
                yield from self._members.of_programs(stream, window)
            case "list_members":
                yield from self._members.of_lists(stream, window, ids)
            case _:
                yield from assets.read_small(self.api, stream)

    def read_ids(self, stream: Stream, ids: Iterable[str]) -> Iterator[Page]:
        """The current state of just these records; ids that Marketo does not have are left out.

        Raises:
            ConfigurationError: activities cannot be asked for by id.
        """
        match stream.options["reader"]:
            case "leads":
                yield from self._leads.by_ids(stream, ids)
            case "programs":
                yield from assets.programs(self.api, dict.fromkeys(ids))
            case "program_members" | "list_members":
                yield from self._members.by_ids(stream, ids)
            case "small":
                wanted = set(ids)
                for page in assets.read_small(self.api, stream):
                    if changes := [one for one in page.changes if one.record_id in wanted]:
                        yield Page(changes)
            case _:
                raise ConfigurationError(
                    f"marketo:{stream.name} cannot be read by id.", remedy="Read the days in question by a backfill."
                )

    def read_keys(self, stream: Stream) -> Iterator[list[str]]:
        """The ids of all programs.

        Raises:
            ConfigurationError: the stream finds its deletes in another way.
        """
        if stream.finds_deletes != "keys":
            raise _without_keys(stream)
        yield list(self.api.assets(stream.path))

    def count(self, stream: Stream, until: datetime | None = None) -> int:
        """Marketo counts nothing but what it exports.

        Raises:
            ConfigurationError: always.
        """
        del until
        raise _without_keys(stream)

    def check(self) -> list[Check]:
        """Key, permissions, allowances, clock: one line each, with a remedy."""
        return check(self.api)


def _without_keys(stream: Stream) -> ConfigurationError:
    return ConfigurationError(
        f"marketo:{stream.name} finds deletes by {stream.finds_deletes!r}, not by keys.",
        remedy="Read the stream instead.",
    )
