"""This project's side of the bake-off: syncs some streams once, as a sync task does each, in a process of its own.

python -m benchmarks.bakeoff_ours PLAN

PLAN is JSON: `database`, `vendor`, `credentials`, `streams`, `haste` (pauses between tries are shortened to this share). Prints
`rows` read, the streams `done` and the errors of the others as JSON.
"""

import json
import sys
import time
from collections import Counter

from connectors import connect as connect_vendor
from errors import QuotaError, SmarketingError
from glossary import load
from pipeline.sync import sync_stream
from warehouse import quota
from warehouse.engine import connect, transaction


def main() -> None:
    """Sync each stream; one that fails does not keep the others."""
    plan = json.loads(sys.argv[1])
    pause = time.sleep
    vars(time)["sleep"] = lambda seconds: pause(seconds * plan["haste"])
    engine, words = connect(plan["database"]), load()
    connector = connect_vendor(plan["vendor"], plan["credentials"])
    rows = 0
    done: list[str] = []
    errors: Counter[str] = Counter()
    for name in plan["streams"]:
        try:
            rows += sync_stream(engine, connector, name, words, progress=lambda *_: None).read
        except SmarketingError as error:
            errors[f"{type(error).__name__}: {error.message}"] += 1
            if isinstance(error, QuotaError):  # one refusal here, after which the day goes on
                with transaction(engine) as connection:
                    quota.forget(connection)
        else:
            done.append(name)
    engine.dispose()
    print(json.dumps({"rows": rows, "done": done, "errors": errors}))


if __name__ == "__main__":
    main()
