"""After a load: the vendor's own totals beside those of staging, for the suite of `ops.vendor_total`.

Both speak of records that had not changed for a while before the window's end: what changes meanwhile is in neither.
"""

import logging

import sqlalchemy as sa

from connectors.base.model import Connector, Stream, Totalling, Window
from errors import SmarketingError
from glossary import Glossary
from transforms.normalize import entities_of
from warehouse import totals
from warehouse.totals import Told

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
        for _ in range(TRIES):
            before = connector.changed_ids(stream, until)
            told = connector.totals(stream, until)
            if before == connector.changed_ids(stream, until):
                break
        else:
            log.info("%s:%s changes too fast to be counted", connector.vendor, stream.name)
            return
    except SmarketingError as error:
        log.warning("%s:%s was loaded, but its totals are not known: %s", connector.vendor, stream.name, error)
        return
    totals.note(
        connection,
        connector.vendor,
        stream.name,
        entity,
        map(Told._make, told),
        until=until,
        changed=before,
        may_lag=connector.totals_lag,
        load_id=load_id,
    )
