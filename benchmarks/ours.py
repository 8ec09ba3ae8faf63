"""One way: this project, from the API to validated staging, as `smarketing sync` does it.

    python -m benchmarks.ours API_URL DATABASE_URL

Reads, keeps raw versions, normalises, merges into staging, validates with Great Expectations. Prints seconds by step as JSON.
"""

import json
import sys
import time

BEGAN = time.perf_counter()

from connectors import connect as connect_vendor  # noqa: E402 - importing is part of what is timed
from glossary import load  # noqa: E402
from pipeline.sync import sync_stream  # noqa: E402
from pipeline.validate import imported_meanwhile, validate  # noqa: E402
from warehouse.engine import connect  # noqa: E402


def main() -> None:
    """Sync contacts, validate, and tell how long each took."""
    api, database = sys.argv[1:3]
    imported = time.perf_counter()
    engine = connect(database)
    glossary = load()
    connector = connect_vendor("hubspot", {"base_url": api, "access_token": "pat-bench-0000"})
    ready = time.perf_counter()
    with imported_meanwhile():
        counts = sync_stream(engine, connector, "contacts", glossary)
    synced = time.perf_counter()
    checked = validate(engine, glossary)
    ended = time.perf_counter()
    engine.dispose()
    steps = {
        "imports": imported - BEGAN,
        "glossary and connections": ready - imported,
        "sync: read, raw, normalise, merge": synced - ready,
        "validate": ended - synced,
    }
    rows = {"read": counts.read, "staged": counts.staged, "set aside": counts.set_aside + checked.quarantined}
    print(json.dumps({"steps": steps, "rows": rows}))


if __name__ == "__main__":
    main()
