"""Which fields are asked for: those that the field maps use, and every one that is not Marketo's own."""

import threading
from collections.abc import Iterator

import msgspec

from connectors.base.model import Stream
from connectors.marketo.api import Api
from connectors.marketo.streams import STANDARD


class _Field(msgspec.Struct):
    name: str


class _Described(msgspec.Struct):
    fields: list[_Field] = []


class _Answer(msgspec.Struct):
    result: list[_Described]


class Fields:
    """Asks once per connector what an instance has; thread-safe. A field that it lacks would fail a whole job (1003)."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._names: dict[str, tuple[str, ...]] = {}

    def of(self, stream: Stream) -> tuple[str, ...]:
        """Names to ask for: the declared ones that there are, then custom ones in the order of their names."""
        with self._lock:
            if stream.name not in self._names:
                self._names[stream.name] = tuple(self._chosen(stream))
            return self._names[stream.name]

    def _chosen(self, stream: Stream) -> Iterator[str]:
        declared = stream.options["fields"]
        if not isinstance(declared, tuple):
            raise TypeError(f"the fields of {stream.name} must be a tuple of names")
        answer = self._api.ask(str(stream.options["describe"]), _Answer)
        known = {field.name for one in answer.result for field in one.fields}
        yield from (name for name in declared if name in known or name == "id")
        yield from sorted(known - set(declared) - STANDARD)
