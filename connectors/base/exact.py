"""JSON with half surrogate pairs: people's names contain them (an emoji cut in two), and no strict reader takes them.

What is kept of a record are its exact bytes all the same; only for looking into it the half is read as U+FFFD.
"""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|\\[^u])"  # any other escape, so that an escaped backslash is not taken for the start of one
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}",  # a half
    re.DOTALL,
)


def readable(body: bytes) -> bytes:
    """The same JSON at the same length, with U+FFFD for each half of a surrogate pair."""
    return _ESCAPE.sub(lambda found: found[1] or rb"\ufffd", body)


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """Made once for each shape: making one costs more than using it."""
    if shape not in _DECODERS:
        _DECODERS[shape] = msgspec.json.Decoder(shape)
    return _DECODERS[shape]


def decode_record(raw: msgspec.Raw, shape: type[T]) -> T:
    """Look into a record.

    Raises:
        msgspec.ValidationError: it does not have that shape.
    """
    look = _decoder(shape)
    try:
        return look.decode(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return look.decode(readable(bytes(raw)))


def decode_page(body: bytes, shape: type[T], field: str = "results") -> T:
    """A page whose records are raw, each as the exact slice of `body`.

    Args:
        body: the answer.
        shape: what it is decoded to.
        field: where the list of raw records stands in `shape`; other shapes are decoded as they are.

    Raises:
        msgspec.ValidationError: it does not have that shape.
        msgspec.DecodeError: it is no JSON, or not whole.
    """
    look = _decoder(shape)
    try:
        page = look.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        clean = readable(body)
        if clean == body:
            raise
        page = look.decode(clean)
        results = getattr(page, field, None)
        if isinstance(results, list):
            results[:] = _slices(body, clean, results)
    return page


def _slices(body: bytes, clean: bytes, results: list[Any]) -> list[Any]:
    """The elements as they stand in `body`; those of `clean` are in the same places."""
    exact: list[Any] = []
    at = 0
    for one in results:
        if not isinstance(one, msgspec.Raw):
            return results
        at = clean.index(bytes(one), at)
        end = at + len(bytes(one))
        exact.append(msgspec.Raw(body[at:end]))
        at = end
    return exact
