"""Another way: dlt's `rest_api` source into PostgreSQL, merged on the contact's id. Runs in a venv of its own.

.venv-dlt/bin/python with_dlt.py API_URL DATABASE_URL WORK_FOLDER [tuned]

Without `tuned` it runs as dlt comes: the settings of a program that names source, destination, key and `merge`.
"""

import json
import os
import sys
import time
from urllib.parse import parse_qs, quote, urlsplit

BEGAN = time.perf_counter()

SETTINGS = {
    # Two processes normalise and two threads load, since there are two cores.
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "2",
    # A file is the unit of parallel work: without smaller ones a single process would normalise.
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "25000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "25000",
    # Files go to the local disk only: compressing them costs time and saves none.
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
# CSV goes in by COPY and was quicker than dlt's default of INSERT statements, and as quick as Parquet (2026-11).
WRITE = {"loader_file_format": "csv", "strategy": "upsert"}


def main() -> None:
    """Run the pipeline once, and tell how long each step took."""
    api, database, folder = sys.argv[1:4]
    is_tuned = sys.argv[4:] == ["tuned"]
    os.environ.update({**QUIET, **(SETTINGS if is_tuned else {})})
    import dlt  # noqa: PLC0415 - reads its settings from the environment, and its import is part of what is timed
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    imported = time.perf_counter()
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{api}/crm/v3/objects/",
                "auth": {"type": "bearer", "token": "pat-bench-0000"},
                "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            },
            "resources": [
                {
                    "name": "contacts",
                    "primary_key": "id",
                    "write_disposition": {"disposition": "merge", "strategy": WRITE["strategy"]}
                    if is_tuned
                    else "merge",
                    "endpoint": {"path": "contacts", "params": {"limit": 100}, "data_selector": "results"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.postgres(_credentials(database)),
        dataset_name="bench",
        pipelines_dir=folder,
    )
    steps = {"imports": imported - BEGAN}
    pipeline.extract(source, **({"loader_file_format": WRITE["loader_file_format"]} if is_tuned else {}))
    steps["extract"] = time.perf_counter() - imported
    began = time.perf_counter()
    pipeline.normalize()
    steps["normalize"] = time.perf_counter() - began
    began = time.perf_counter()
    pipeline.load()
    steps["load"] = time.perf_counter() - began
    print(json.dumps({"steps": steps, "rows": {}}))


def _credentials(url: str) -> dict[str, object]:
    """A libpq URL as dlt wants it: it asks for a password, and for the socket's folder as host."""
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {
        "drivername": "postgresql",
        "username": parts.username or "postgres",
        "password": parts.password or "none",
        "host": quote(asked["host"], safe="") if "host" in asked else parts.hostname or "localhost",
        "port": int(asked.get("port") or parts.port or 5432),
        "database": parts.path.lstrip("/"),
    }


if __name__ == "__main__":
    main()
