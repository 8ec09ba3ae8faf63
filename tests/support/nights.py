"""Nights on a sandbox: sync every stream in order, validate, build; and what two warehouses must have in common."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors import connect
from glossary import Glossary, load
from pipeline.build import build
from pipeline.sync import SyncCounts, sync_stream
from pipeline.validate import validate
from pipeline.windows import Interval

CRM_AND_MARKETING = ("hubspot", "salesforce")

# The run log tells of attempts, which differ by design, as do turns; windows end when the vendor's clock says.
RUN_LOG = {"ops.load", "ops.quota", "ops.window", "ops.validation_result", "ops.staging_change"}
# Load ids, and times at which something was done or observed here.
VOLATILE = {
    "load_id", "raw_load_id", "parent_load_id", "read_at", "quarantined_at", "published_at", "position_at",
    "recalculated_at", "noticed_at", "counted_at", "until_at", "found_at",
}  # fmt: skip


def credentials(box: Any) -> dict[str, dict[str, str]]:
    """Vendor -> credentials of a running sandbox."""
    keys = box.credentials
    return {
        "hubspot": {
            "base_url": box.hubspot_url,
            "access_token": keys["hubspot_access_token"],
            "search_per_second": "0",
        },
        "salesforce": {
            "login_url": box.salesforce_url,
            "client_id": keys["salesforce_client_id"],
            "client_secret": keys["salesforce_client_secret"],
        },
        "marketo": {
            "base_url": box.marketo_url,
            "client_id": keys["marketo_client_id"],
            "client_secret": keys["marketo_client_secret"],
            "calls_per_20_seconds": "0",
            "poll_seconds": "0",
        },
    }


def unhurried(box: Any) -> None:
    """HubSpot allows any number of requests, so that its readers need not wait for their turn."""
    box._servers["hubspot"].config.app.app.limits.burst = 10**9


def sync_all(
    engine: sa.Engine,
    keys: Mapping[str, Mapping[str, str]],
    *,
    glossary: Glossary | None = None,
    backfill: Interval | None = None,
    until: datetime | None = None,
    only: Sequence[str] | None = None,
    rng: random.Random | None = None,
) -> list[SyncCounts]:
    """Sync every stream of every vendor, records before what hangs on them; with `rng` in random order otherwise."""
    words = glossary or load()
    vendors = list(keys)
    if rng:
        rng.shuffle(vendors)
    done: list[SyncCounts] = []
    for vendor in vendors:
        connector = connect(vendor, keys[vendor])
        names = [n for n in connector.streams if only is None or n in only]
        if rng:
            rng.shuffle(names)
        done += [
            sync_stream(engine, connector, name, words, backfill=backfill, until=until, progress=lambda *_: None)
            for name in sorted(names, key=lambda n: connector.streams[n].order)
        ]
    return done


def night(
    engine: sa.Engine, keys: Mapping[str, Mapping[str, str]], *, full: bool = False, **options: Any
) -> list[SyncCounts]:
    """One night: sync all, validate, build."""
    words = load()
    counts = sync_all(engine, keys, glossary=words, **options)
    validate(engine, words)
    build(engine, words, full=full, progress=lambda *_: None)
    return counts


def contents(
    engine: sa.Engine, schemas: Sequence[str] = ("raw", "staging", "core", "marts", "glossary", "ops")
) -> dict[str, list[str]]:
    """Every table's rows as sorted text, but for load ids and times of doing."""
    found: dict[str, list[str]] = {}
    inspector = sa.inspect(engine)
    with engine.connect() as connection:
        for schema in schemas:
            for table in sorted(inspector.get_table_names(schema=schema)):
                name = f"{schema}.{table}"
                if name in RUN_LOG or table == "alembic_version":
                    continue
                columns = [
                    c["name"]
                    for c in inspector.get_columns(table, schema=schema)
                    if c["name"] not in _volatile(schema, table)
                ]
                text = ", ".join(f'CAST("{c}" AS text)' for c in columns)
                statement = f"SELECT concat_ws('|', {text}) FROM {schema}.\"{table}\""
                found[name] = sorted(connection.scalars(sa.text(statement)))
    return found


def _volatile(schema: str, table: str) -> set[str]:
    if schema == "raw":
        return VOLATILE | {"version_at"} if _undated(table) else VOLATILE
    if schema == "staging":
        return VOLATILE | {"version_at", "deleted_at"}
    return VOLATILE


def _undated(table: str) -> bool:
    """Versions that the vendor does not date bear the time of reading."""
    ends = (
        "__owners",
        "__pipelines",
        "campaign_member",
        "opportunity_contact_role",
        "__activity_types",
        "__list_members",
        "__program_members",
    )
    return "_to_" in table or table.endswith(ends)


def differences(one: Mapping[str, list[str]], other: Mapping[str, list[str]], show: int = 3) -> list[str]:
    """One line per table that differs, with examples."""
    lines = []
    for name in sorted(set(one) | set(other)):
        a, b = one.get(name, []), other.get(name, [])
        if a != b:
            only_a, only_b = sorted(set(a) - set(b)), sorted(set(b) - set(a))
            lines.append(f"{name}: {len(a)} rows and {len(b)}; only left {only_a[:show]}; only right {only_b[:show]}")
    return lines
