"""After a load: the vendor's own totals beside those of staging, for the suite of `ops.vendor_total`.

Both speak of records that had not changed for a while before the window's end: what changes meanwhile is in neither.
"""

import logging
from datetime import datetime

import sqlalchemy as sa

from connectors.base.model import Connector, Stream, Totalling, Window
from errors import SmarketingError
from glossary import Glossary
from transforms.normalize import entities_of
from warehouse import totals

log = logging.getLogger(__name__)

TRIES = 3
"""How often the vendor is asked, while records change between its answers."""


def note(
    connection: sa.Connection, connector: Connector, stream: Stream, window: Window, glossary: Glossary, load_id: int
) -> None:
    """Ask for the totals of a stream that was just loaded up to the end of a window, and note them beside those of staging.

    What the vendor does not answer is not noted: the load is none the worse for it.
    """
    entity = next(iter(entities_of(glossary, connector.vendor, stream.name)), None)
    if stream.finds_deletes != "count" or entity is None or not isinstance(connector, Totalling):
        return
    until = window.end - stream.lookback
    try:
        rows = _steady(connection, connector, stream, entity, until, load_id)
    except SmarketingError as error:
        log.warning("%s:%s was loaded, but its totals are not known: %s", connector.vendor, stream.name, error)
        return
    if rows is None:
        log.info("%s:%s changes too fast to be counted", connector.vendor, stream.name)
        return
    totals.note(connection, connector.vendor, stream.name, rows)


def _steady(
    connection: sa.Connection, connector: Totalling, stream: Stream, entity: str, until: datetime, load_id: int
) -> list[totals.Row] | None:
    """The vendor's totals beside staging's: where they differ, only if nothing changed while they were asked for."""
    for _ in range(TRIES):
        changed = connector.changed_ids(stream, until)
        rows = totals.beside(
            connection,
            connector.vendor,
            stream.name,
            entity,
            map(totals.Told._make, connector.totals(stream, until)),
            until=until,
            changed=changed,
            may_lag=connector.totals_lag,
            load_id=load_id,
        )
        # To ask again costs a request of a budget that is small: at HubSpot some four searches a second.
        if all(map(totals.agrees, rows)) or changed == connector.changed_ids(stream, until):
            return rows
    return None
