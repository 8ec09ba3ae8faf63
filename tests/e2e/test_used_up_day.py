"""A vendor's day ends in the middle of a night: what came is kept, the rest waits until the day is renewed, nothing is lost.

As under Airflow, a task that was deferred runs again at the time that it named, and one that is done does not; each is a process of
its own, with a connector that knows nothing of the others. Time passes for the vendor and for what the warehouse knows of it.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connectors import connect
from connectors.base.model import EPOCH, Change, Connector, Page, Stream, Window
from errors import QuotaError
from glossary import load
from pipeline.sync import sync_stream
from sandbox.salesforce.gate import Calls
from sandbox.serve import running_sandbox
from tests.support.nights import credentials
from tests.support.truth import link_disagreements, record_disagreements, settle
from warehouse import quota
from warehouse.engine import transaction

pytestmark = pytest.mark.slow

PEOPLE = 80
MOST_DAYS = 12
PAGE = 100
"""Records of a HubSpot list's page: one is read again where the day ends after the list."""


def app_of(box: Any, vendor: str) -> Any:
    return box._servers[vendor].config.app.app


def hubspot_calls(box: Any, calls: int) -> None:
    limits = app_of(box, "hubspot").limits
    limits.burst = limits.searches = 10**9
    limits.daily = limits.used_today(box.world.now()) + calls


def salesforce_calls(box: Any, calls: int) -> None:
    counted = app_of(box, "salesforce").calls
    counted.left(box.world.now())  # forgets what is a day old
    counted.most = counted.used + calls


def salesforce_calls_of_others(box: Any, calls: int) -> None:
    """After so many calls another tool takes what is left of the day, and no answer has told of it."""
    salesforce_calls(box, 10**9)
    counted: Any = app_of(box, "salesforce").calls
    ends = counted.used + calls

    def left(now: datetime) -> int:
        if counted.used >= ends and counted.most != counted.used:
            del counted.left
            counted.most = counted.used
        return Calls.left(counted, now)

    counted.left = left


def marketo_calls(box: Any, calls: int) -> None:
    limits = app_of(box, "marketo").limits
    used = limits.usage(box.world.now(), 1)[0]["total"]
    limits.burst, limits.latency, limits.daily = 10**9, 0, used + calls


def marketo_bytes(box: Any, size: int) -> None:
    limits = app_of(box, "marketo").limits
    limits.burst, limits.latency, limits.export_bytes = 10**9, 0, size


def midnight(zone: str) -> Callable[[datetime], datetime]:
    def after(at: datetime) -> datetime:
        day = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))

    return after


class Way(NamedTuple):
    """How a day can end.

    first, later: from and to which allowance it has that ends in such a night.
    allow: gives the vendor's day so much, beyond what is used.
    renewed_at: when to look again, by the vendor's clock.
    costs: the ends of paths that count against the allowance; "" for all.
    looks: how often is looked until it is renewed.
    """

    vendor: str
    first: tuple[int, int]
    later: tuple[int, int]
    allow: Callable[[Any, int], None]
    renewed_at: Callable[[datetime], datetime]
    costs: tuple[str, ...] = ("",)
    looks: int = 1


def in_an_hour(at: datetime) -> datetime:
    return at + timedelta(hours=1)


in_chicago = midnight("America/Chicago")
EXPORTS = ("/enqueue.json", "/file.json")
FREE = ("/oauth2/token", "/oauth/token", "/services/data/")

WAYS = {
    "hubspot": Way("hubspot", (40, 70), (40, 70), hubspot_calls, midnight("UTC")),
    "salesforce": Way("salesforce", (28, 44), (28, 44), salesforce_calls, in_an_hour, looks=24),
    "salesforce by others": Way("salesforce", (28, 44), (28, 44), salesforce_calls_of_others, in_an_hour, looks=24),
    "marketo": Way("marketo", (80, 250), (50, 110), marketo_calls, in_chicago),
    "marketo exports": Way("marketo", (3_000, 20_000), (1_000, 4_000), marketo_bytes, in_chicago, EXPORTS),
}


@dataclass
class Round:
    """What one run of the tasks did.

    deferred: until when. seen: the changes that were read, by stream. moved: streams whose cursor moved. unfinished: streams of
    which the place is known where they go on. cost: requests that count against the allowance.
    """

    done: list[str] = field(default_factory=list)
    deferred: dict[str, datetime] = field(default_factory=dict)
    seen: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    moved: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    cost: int = 0

    @property
    def cut(self) -> set[str]:
        """Streams of whose window something came before they were deferred."""
        return {name for name in self.deferred if self.seen[name]} - self.moved

    @property
    def begun(self) -> set[str]:
        """Streams whose window may be half read: the next run ends it, moves the cursor, and reads what has come since."""
        return self.cut | self.unfinished | set(list(self.deferred)[:1])


class Nights:
    """Tasks of one vendor that read a sandbox into a warehouse."""

    def __init__(self, box: Any, engine: sa.Engine, way: Way, patch: pytest.MonkeyPatch) -> None:
        self.box, self.engine, self.way = box, engine, way
        self.words = load()
        self.keys = {**credentials(box)[way.vendor], "api_reserve": "0", "bulk_threshold": "20"}
        connector = self.connector()
        self.streams = dict(sorted(connector.streams.items(), key=lambda item: item[1].order))
        self.now = Round()
        read = type(connector).read

        def watched(this: Connector, stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
            for page in read(this, stream, window, ids):
                self.now.seen[stream.name] += page.changes
                yield page

        patch.setattr(type(connector), "read", watched)

    def connector(self) -> Connector:
        return connect(self.way.vendor, self.keys)

    def run(self, names: Iterable[str]) -> Round:
        """Each task by itself; once one was deferred, none costs the vendor anything any more."""
        self.now = now = Round()
        before, cursors = self.cost(), self.cursors()
        for name in names:
            try:
                sync_stream(self.engine, self.connector(), name, self.words, progress=lambda *_: None)
            except QuotaError as error:
                now.deferred[name] = error.until or EPOCH
                now.cost = now.cost or self.cost() - before
            else:
                now.done.append(name)
            if now.deferred:
                assert self.cost() - before == now.cost, f"{name} after {next(iter(now.deferred))}"
        now.moved = {name for name, at in self.cursors().items() if at != cursors.get(name)}
        now.unfinished = set(self.column("SELECT stream FROM ops.unfinished"))
        return now

    def cost(self) -> int:
        """Requests until now that count against the allowance."""
        lines = self.box.context.log.lines(self.way.vendor)
        return sum(line.path.endswith(self.way.costs) and not line.path.endswith(FREE) for line in lines)

    def pass_until(self, at: datetime) -> None:
        """Let time pass, for the vendor and for what is known of it."""
        # The vendor's clock is known to the second, and as old as its last answer: on a slow machine, some seconds.
        passed = at - datetime.now(UTC) + timedelta(seconds=15)
        self.box.advance(passed / timedelta(days=1))
        times = ("next_at", "urgent_at", "relaxed_at", "closed_until", "renews_at")
        with self.engine.begin() as connection:
            moved = ", ".join(f"{name} = {name} - :passed" for name in times)
            connection.execute(sa.text(f"UPDATE ops.quota SET {moved}"), {"passed": passed})

    def cursors(self) -> dict[str, datetime]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT stream, position_at FROM ops.cursor"))
            return {row.stream: row.position_at for row in rows}

    def column(self, statement: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.text(statement)))

    def assert_kept(self, rounds: Iterable[Round]) -> None:
        for name in self.streams:
            ids = {change.record_id for each in rounds for change in each.seen[name]}
            assert not ids or ids <= set(self.column(f"SELECT record_id FROM raw.{self.way.vendor}__{name}")), name


def read_twice(rounds: list[Round], before: datetime) -> dict[str, int]:
    """By stream, how many versions from before a moment came in more than one round."""
    rounds_of = Counter(
        (name, version)
        for each in rounds
        for name, changes in each.seen.items()
        for version in {(c.record_id, c.version_at) for c in changes if c.op == "upsert"}
        if version[1] is not None and version[1] < before
    )
    return dict(Counter(name for (name, _), count in rounds_of.items() if count > 1))


@pytest.mark.parametrize("name", WAYS)
def test_a_night_whose_day_ends_goes_on_where_it_was(
    warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch, seed: int, name: str
) -> None:
    """The first night reads all there is; the later one what ten weeks brought. The seed says which it is."""
    way = WAYS[name]
    night = random.Random(f"{name} {seed}").choice(("first", "later"))
    with running_sandbox(seed=seed, people=PEOPLE) as box:
        nights = Nights(box, warehouse, way, monkeypatch)
        way.allow(box, 10**9)
        box.context.limits = True
        if night == "later":
            settle(box)
            assert nights.run(nights.streams).deferred == {}
            box.advance(70)
        settle(box)
        allowance = random.Random(seed).randrange(*(way.first if night == "first" else way.later))
        way.allow(box, allowance)
        began = box.world.now()
        rounds = [nights.run(nights.streams)]
        assert rounds[0].deferred
        while pending := rounds[-1].deferred:
            assert len(rounds) <= MOST_DAYS * way.looks
            assert_deferred(nights, rounds)
            nights.assert_kept(rounds)
            again = nights.run(pending)
            assert (list(again.deferred), again.cost) == (list(pending), 0), "what all know need not be asked again"
            nights.pass_until(max(pending.values()))
            if way.looks == 1:
                # What proves deletes by absence is read in one day or not at all.
                allowance *= 2
                way.allow(box, allowance)
            rounds.append(nights.run(pending))
        assert_nothing_twice(way, rounds, read_twice(rounds, began - timedelta(hours=4)))
        for place, each in enumerate(rounds):
            if place % way.looks == 0:
                assert each.moved or each.cut, "each day brings something"
            else:
                assert (each.moved, each.cut, each.cost) == (set(), set(), 1), "one look for all"
        settle(box)
        WAYS[way.vendor].allow(box, 10**9)
        with transaction(warehouse) as connection:
            quota.forget(connection, way.vendor)
        assert nights.run(nights.streams).deferred == {}
        with warehouse.connect() as connection:
            assert record_disagreements(box.world, connection, vendors=[way.vendor]) == []
            if way.vendor == "hubspot":
                assert link_disagreements(box.world, connection) == []


def assert_deferred(nights: Nights, rounds: list[Round]) -> None:
    """Until the vendor's day is renewed, with the cursors of what was not read where they were."""
    world, now = nights.box.world.now(), rounds[-1]
    due = datetime.now(UTC) + (nights.way.renewed_at(world) - world)
    assert all(abs(at - due) < timedelta(minutes=2) for at in now.deferred.values()), f"{due}, {now.deferred}"
    assert set(now.done) <= now.moved <= set(now.done) | {name for each in rounds[:-1] for name in each.begun}


def assert_nothing_twice(way: Way, rounds: list[Round], twice: dict[str, int]) -> None:
    """But for the stream that was under way: whole where no place in it is known, else at most its last page, or no export."""
    assert all(len(each.cut) <= 1 for each in rounds) or way.costs == EXPORTS
    whole = {name for each in rounds for name in each.cut - each.unfinished}
    paged = {name for each in rounds for name in each.cut & each.unfinished}
    assert twice.keys() <= whole | paged
    if way.vendor == "marketo":
        assert whole.isdisjoint(("leads", "activities"))
        assert twice.keys().isdisjoint(paged)
    assert all(twice.get(name, 0) <= PAGE * len(rounds) for name in paged)
