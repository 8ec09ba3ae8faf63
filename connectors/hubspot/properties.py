"""Which properties an object has, and which are asked for: those that the field maps use, and every one that was added."""

import threading
from collections.abc import Mapping

import msgspec

from connectors.base.model import Stream
from connectors.hubspot.api import Api


class _Property(msgspec.Struct):
    name: str
    type: str = ""
    is_standard: bool | None = msgspec.field(default=None, name="hubspotDefined")
    archived: bool | None = None


class _Answer(msgspec.Struct):
    results: list[_Property]


class Properties:
    """Discovers properties once per object type and connector, and again when asked to; thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._known: dict[str, list[_Property]] = {}

    def of(self, stream: Stream) -> tuple[str, ...]:
        """Names to ask for, the declared ones first. HubSpot ignores names that an account does not have."""
        declared = stream.options["properties"]
        if not isinstance(declared, tuple):
            raise TypeError(f"the properties of {stream.name} must be a tuple of names")
        custom = sorted(one.name for one in self._all(stream) if not one.is_standard)
        return tuple(dict.fromkeys((*declared, *custom)))

    def types(self, stream: Stream, *, anew: bool = False) -> Mapping[str, str]:
        """Every property that the account has, with HubSpot's word for its type; anew: ask again."""
        return {one.name: one.type for one in self._all(stream, anew=anew)}

    def _all(self, stream: Stream, *, anew: bool = False) -> list[_Property]:
        kind = str(stream.options["type"])
        with self._lock:
            if anew or kind not in self._known:
                answer = self._api.ask(f"/crm/v3/properties/{kind}", _Answer, params={"archived": "false"})
                self._known[kind] = [one for one in answer.results if not one.archived]
            return self._known[kind]
