"""Which properties of an object are asked for: those that the field maps use, and every one that the customer added."""

import threading

import msgspec

from connectors.base.model import Stream
from connectors.hubspot.api import Api


class _Property(msgspec.Struct):
    name: str
    is_standard: bool | None = msgspec.field(default=None, name="hubspotDefined")
    archived: bool | None = None


class _Answer(msgspec.Struct):
    results: list[_Property]


class Properties:
    """Discovers custom properties once per object type and connector; thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._names: dict[str, tuple[str, ...]] = {}

    def of(self, stream: Stream) -> tuple[str, ...]:
        """Names to ask for, the declared ones first. HubSpot ignores names that an account does not have."""
        kind = str(stream.options["type"])
        with self._lock:
            if kind not in self._names:
                declared = stream.options["properties"]
                if not isinstance(declared, tuple):
                    raise TypeError(f"the properties of {stream.name} must be a tuple of names")
                answer = self._api.ask(f"/crm/v3/properties/{kind}", _Answer, params={"archived": "false"})
                custom = sorted(one.name for one in answer.results if not one.is_standard and not one.archived)
                self._names[kind] = tuple(dict.fromkeys((*declared, *custom)))
            return self._names[kind]
