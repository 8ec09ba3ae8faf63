"""Reading whole windows in tests."""

from collections.abc import Iterable
from datetime import datetime

from connectors.base.model import EPOCH, Change, Connector, Kind, Page, Window
from tests.contract.marketo.fake import NOW, day


def pages(
    marketo: Connector,
    name: str,
    start: datetime | None = None,
    end: datetime = NOW,
    kind: Kind = "incremental",
    ids: Iterable[str] = (),
) -> list[Page]:
    begin = (EPOCH if kind == "full" else day(1)) if start is None else start
    return list(marketo.read(marketo.streams[name], Window(name, begin, end, kind), ids))


def read(
    marketo: Connector,
    name: str,
    start: datetime | None = None,
    end: datetime = NOW,
    kind: Kind = "incremental",
    ids: Iterable[str] = (),
) -> list[Change]:
    return [change for page in pages(marketo, name, start, end, kind, ids) for change in page.changes]


def ids_of(changes: Iterable[Change], op: str = "upsert") -> list[str]:
    return [change.record_id for change in changes if change.op == op]
