"""Taking up what a killed run began at the vendor: its window first, then what has come since."""

import sqlalchemy as sa

from connectors.base.model import Connector, Resuming, Window
from warehouse import pending


def resumed(connection: sa.Connection, vendor: str, planned: Window) -> Window:
    """The window to read: the planned one, or the one that a killed run began at the same place.

    A job at the vendor answers the question that it was made for. The end of a window is the vendor's now, so the next run
    would ask another question, and pay again; it asks the old one instead. A backfill's window is always the same.
    """
    if planned.kind == "backfill":
        return planned
    for begun in pending.begun(connection, vendor, planned.stream):
        is_ours = begun.kind == planned.kind and begun.start_at == planned.start
        if is_ours and planned.start < begun.end_at < planned.end:
            return Window(planned.stream, begun.start_at, begun.end_at, planned.kind)
    return planned


def remembering(connector: Connector, engine: sa.Engine, window: Window) -> Connector:
    """The connector for this window, with a memory where it has a use for one."""
    if not isinstance(connector, Resuming):
        return connector
    return connector.remembering(pending.Notes(engine, connector.vendor, window.stream, *_key(window)))


def finish(connection: sa.Connection, vendor: str, window: Window) -> None:
    """Take the notes of a window away, in the transaction that brings it in."""
    pending.finish(connection, vendor, window.stream, _key(window))


def clear_up(connector: Connector) -> None:
    """The load has committed: what was kept at the vendor may go."""
    if isinstance(connector, Resuming):
        connector.clear_up()


def _key(window: Window) -> pending.Begun:
    return pending.Begun(window.kind, window.start, window.end)
