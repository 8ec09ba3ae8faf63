"""Reading whole windows in tests."""

from collections.abc import Iterable
from datetime import timedelta

from connectors.base.model import EPOCH, Change, Connector, Kind, Page, Window

START = 1_700_000_000_000
"""Milliseconds: the first moment of the tests' world."""


def window(stream: str, start: int, end: int, kind: Kind = "incremental") -> Window:
    return Window(stream, EPOCH + timedelta(milliseconds=start), EPOCH + timedelta(milliseconds=end), kind)


def pages(hubspot: Connector, name: str, span: tuple[int, int], kind: Kind, ids: Iterable[str] = ()) -> list[Page]:
    return list(hubspot.read(hubspot.streams[name], window(name, *span, kind), ids))


def read(
    hubspot: Connector, name: str, span: tuple[int, int] = (0, START * 2), kind: Kind = "full", ids: Iterable[str] = ()
) -> list[Change]:
    return [change for page in pages(hubspot, name, span, kind, ids) for change in page.changes]


def ids_of(changes: Iterable[Change], op: str = "upsert") -> list[str]:
    return [change.record_id for change in changes if change.op == op]
