"""Random calls to a world: truth and stores agree, equal calls give equal worlds, and links survive merges and deletes."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.store import Link, Store
from sandbox.world import World
from tests.support.worlds import digest, disagreements

KINDS = {
    "hubspot": ("contacts", "companies", "deals", "calls"),
    "salesforce": ("Lead", "Contact", "Task", "Opportunity"),
    "marketo": ("leads", "programs", "program_members", "list_members"),
}
FIELD = {"hubspot": "notes_bulk", "salesforce": "NextStep", "marketo": "productInterest"}
VERBS = ("update", "archive", "restore", "delete", "merge")
MERGEABLE = {"contacts", "companies", "deals", "Lead", "Contact", "leads"}
MARKETOS = {"update", "delete", "merge"}

calls = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.floats(0, 1.5), st.just(0)),
        st.tuples(
            st.sampled_from(
                [
                    (vendor, kind, verb)
                    for vendor, kinds in KINDS.items()
                    for kind in kinds
                    for verb in VERBS
                    if vendor != "marketo" or verb in MARKETOS
                ]
            ),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
        ),
    ),
    max_size=8,
)


def play(seed: int, script: list[Any]) -> World:
    world = World(seed, 60, history_days=120)
    for what, first, second in script:
        if what == "advance":
            world.advance(first)
            continue
        vendor, kind, verb = what
        store = {"hubspot": world.hubspot, "salesforce": world.salesforce, "marketo": world.marketo}[vendor]
        ids = [r.id for r in (store.archived(kind) if verb == "restore" else store.live(kind))]
        if not ids or (verb == "merge" and (kind not in MERGEABLE or len(ids) < 2)):
            continue
        one = ids[first % len(ids)]
        if verb == "merge":
            others = [i for i in ids if i != one]
            world.act(vendor, verb, kind, one, {"into": others[second % len(others)]})
        else:
            world.act(vendor, verb, kind, one, {FIELD[vendor]: str(second)} if verb == "update" else {})
    return world


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), calls)
def test_truth_and_stores_agree_whatever_is_done(seed: int, script: list[Any]) -> None:
    world = play(seed, script)
    assert disagreements(world) == []
    world.advance(2)
    assert disagreements(world) == []
    assert digest(world) == digest(_again(seed, script))


def _again(seed: int, script: list[Any]) -> World:
    world = play(seed, script)
    world.advance(2)
    return world


AT = datetime(2026, 6, 1, tzinfo=UTC)
A, B = Link(1, "HUBSPOT_DEFINED", None), Link(2, "HUBSPOT_DEFINED", None)

writes = st.lists(
    st.tuples(
        st.sampled_from(["link", "one way", "unlink", "merge", "delete"]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from([("contacts", "companies"), ("companies", "contacts"), ("contacts", "contacts")]),
    ),
    max_size=40,
)


@given(writes)
def test_links_are_what_the_plain_definition_says(script: list[tuple[str, int, int, tuple[str, str]]]) -> None:
    store = Store("hubspot", archiving_modifies=False)
    for kind in ("contacts", "companies"):
        for number in range(6):
            store.create(kind, str(number), AT, {})
    model: set[tuple[str, str, str, str, Link]] = set()
    for what, first, second, (kind, other) in script:
        one, two = str(first), str(second)
        exists = {i for i, r in store.records[kind].items() if r.merged_into is None}
        if one not in exists or (what in {"link", "one way"} and store.get(other, two) is None):
            continue
        if what == "link":
            store.link(kind, one, other, two, A, B)
            model |= {(kind, one, other, two, A), (other, two, kind, one, B)}
        elif what == "one way":
            store.link(kind, one, other, two, A)
            model.add((kind, one, other, two, A))
        elif what == "unlink":
            store.unlink(kind, one, other, two)
            ends = {(kind, one, other, two), (other, two, kind, one)}
            model = {line for line in model if line[:4] not in ends}
        elif what == "delete":
            store.delete(kind, one, AT)
            model = {x for x in model if x[:2] != (kind, one) and x[2:4] != (kind, one)}
        elif two in exists and one != two:
            store.merge(kind, one, two, AT)
            model = {
                (k, two if (k, i) == (kind, one) else i, o, two if (o, j) == (kind, one) else j, link)
                for k, i, o, j, link in model
            }
    held = {
        (k, i, o, j, link)
        for (k, o), by_id in store.links.items()
        for i, to_ids in by_id.items()
        for j, links in to_ids.items()
        for link in links
    }
    assert held == model
