"""What the tests of the sandbox's world compare: the stores' whole content, and the truth against it."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sandbox.store import Store
from sandbox.world import World


def content(store: Store) -> Iterator[tuple[Any, ...]]:
    """All that a store holds, in the order in which it was written."""
    for kind, records in store.records.items():
        for r in records.values():
            yield kind, r.id, str(r.created_at), str(r.modified_at), r.fields, str(sorted(r.history.items()))
            yield str(r.archived_at), r.merged_into, str(r.visible_from)
    for kind, gone in store.gone.items():
        yield kind, {id_: str(at) for id_, at in gone.items()}
    for pair, by_id in store.links.items():
        for from_id, to_ids in by_id.items():
            yield pair, from_id, {to_id: sorted(map(str, kinds)) for to_id, kinds in to_ids.items()}


def digest(world: World) -> str:
    """A fingerprint of all stores and of the truth."""
    found = hashlib.blake2b()
    for store in (world.hubspot, world.salesforce, world.marketo):
        for line in content(store):
            found.update(json.dumps(line).encode())
    for table in ("person", "vendor_record", "opportunity", "event", "stage", "campaign_cost", "account", "erased"):
        for row in world.truth.lines(table):
            found.update(row)
    return found.hexdigest()


def disagreements(world: World) -> list[str]:
    """Where the truth about vendor records and what the stores hold differ; empty when they agree."""
    stores = {"hubspot": world.hubspot, "salesforce": world.salesforce, "marketo": world.marketo}
    told = {(r["vendor"], r["kind"], r["record_id"]): r for r in world.truth.rows("vendor_record")}
    held = {
        (vendor, kind, id_): record
        for vendor, store in stores.items()
        for kind, records in store.records.items()
        for id_, record in records.items()
    }
    gone = {(vendor, kind, id_) for vendor, store in stores.items() for kind, ids in store.gone.items() for id_ in ids}
    found = [f"not told: {key}" for key in (held.keys() | gone) - told.keys()]
    for key, row in told.items():
        record = held.get(key)
        if record is None:
            state, expected = row["state"], "deleted"
            found += [] if key in gone and state == expected else [f"{key}: told {state}, is gone"]
            continue
        state = "merged" if record.merged_into else "archived" if record.archived_at else "live"
        fields = {name: record.fields.get(name) for name in json.loads(row["fields"])}
        is_so = (state, record.merged_into, record.modified_at, fields)
        told_so = (row["state"], row["merged_into"], row["modified_at"], json.loads(row["fields"]))
        if is_so != told_so:
            found.append(f"{key}: told {told_so}, is {is_so}")
    return found
