"""A process that syncs streams of HubSpot one after the other, as the tasks of a night or of a backfill do.

    python -m benchmarks.ceiling_reader API_URL TOKEN DATABASE_URL contacts,deals [FROM TO]

Reads everything, as a first night does; with an interval, that interval, as a backfill does. Prints the rows read as JSON.
"""

import json
import sys
from datetime import datetime

from connectors import connect as connect_vendor
from glossary import load
from pipeline.sync import sync_stream
from pipeline.windows import Interval
from warehouse.engine import connect


def main() -> None:
    """Sync, and tell how many rows came."""
    api, token, database, names, *interval = sys.argv[1:]
    backfill = Interval(*map(datetime.fromisoformat, interval)) if interval else None
    engine, glossary = connect(database), load()
    connector = connect_vendor("hubspot", {"base_url": api, "access_token": token})
    rows = sum(
        sync_stream(
            engine, connector, name, glossary, backfill=backfill, full=not backfill, progress=lambda *_: None
        ).read
        for name in names.split(",")
    )
    engine.dispose()
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
