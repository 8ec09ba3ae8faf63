"""What goes wrong ends in one clear sentence with the remedy and the right exit code; nothing is half-loaded, nobody else is affected.

Most cases call the jobs in this process; some run the real command in a process of its own. `tenacity` sleeps through its
pauses between tries here, except under the command, where one case waits for real.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from connectors import connect
from connectors.base.model import Page, Stream, Window
from errors import (
    AnswerError,
    ConfigurationError,
    CredentialsError,
    QuotaError,
    ScopeError,
    SmarketingError,
    UnreachableError,
    WarehouseError,
)
from pipeline.sync import sync_stream
from pipeline.words import words
from sandbox.serve import running_sandbox
from tests.support.nights import credentials
from tests.support.waits import skip_waits
from warehouse import quota
from warehouse.engine import connect as open_engine
from warehouse.engine import transaction

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PEOPLE = 60

DISK_FULL = """
CREATE FUNCTION raw.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION raw.full_disk()
"""
"""A disk cannot be filled in a test: a trigger raises what PostgreSQL raises then (SQLSTATE 53100), in the middle of the load."""


@pytest.fixture(scope="module")
def module_box(module_seed: int) -> Iterator[Any]:
    with running_sandbox(seed=module_seed, people=PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(module_box: Any, module_warehouse: sa.Engine) -> sa.Engine:
    """A warehouse with last night's contacts and companies, and all of Salesforce."""
    sync(module_warehouse, module_box, "hubspot", "contacts", "companies", "contact_history")
    salesforce = connect("salesforce", credentials(module_box)["salesforce"])
    sync(module_warehouse, module_box, "salesforce", *salesforce.streams)
    return module_warehouse


@pytest.fixture(autouse=True)
def no_faults(module_box: Any, module_warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins and ends with a sound vendor; pauses between tries are not waited for in this process."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    skip_waits(monkeypatch)
    before = dict(module_box.context.credentials)
    module_box.context.faults.off()
    with transaction(module_warehouse) as connection:
        quota.forget(connection)  # what one test uses up is there again for the next
    yield
    module_box.context.faults.off()
    module_box.context.credentials.clear()
    module_box.context.credentials.update(before)


def sync(engine: sa.Engine, box: Any, vendor: str, *streams: str, **given: str) -> None:
    connector = connect(vendor, {**credentials(box)[vendor], **given})
    for stream in streams:
        sync_stream(engine, connector, stream, words(), progress=lambda *_: None)


class Stand(NamedTuple):
    """All that a failed sync may not move."""

    cursors: list[Any]
    windows: int
    loads: int
    raw: int
    staged: int
    queue: int
    aside: int


def stand(engine: sa.Engine, stream: str = "hubspot__contacts") -> Stand:
    with engine.connect() as connection:

        def count(table: str) -> int:
            return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)

        return Stand(
            [tuple(r) for r in connection.execute(sa.text("SELECT * FROM ops.cursor ORDER BY vendor, stream"))],
            count('ops."window"'),
            count("ops.load"),
            count(f"raw.{stream}"),
            count("staging.person"),
            count("ops.staging_change"),
            count("ops.quarantine"),
        )


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


Break = Callable[[Any], dict[str, str]]
"""Breaks a vendor of a running sandbox; returns other credentials, where these are what is wrong."""


def fault(name: str, **how: Any) -> Break:
    def switch(box: Any) -> dict[str, str]:
        box.context.faults.switch(name, **how)
        return {}

    return switch


def lacking(scope: str) -> Break:
    def revoke(box: Any) -> dict[str, str]:
        box.context.credentials["hubspot_missing_scopes"] = scope
        return {}

    return revoke


FAILURES: dict[str, tuple[str, str, Break, type[SmarketingError], int, str]] = {
    "unreachable": ("hubspot", "contacts", fault("hubspot.unreachable"), UnreachableError, 1, "Check the address and the network"),
    "closed port": (
        "hubspot", "contacts", lambda _: {"base_url": f"http://127.0.0.1:{closed_port()}"}, UnreachableError, 1, "6 attempts",
    ),
    "server errors": ("hubspot", "contacts", fault("hubspot.5xx"), UnreachableError, 1, "status page"),
    "resets": ("hubspot", "contacts", fault("hubspot.reset_mid_body"), UnreachableError, 1, "status page"),
    "wrong key": ("hubspot", "contacts", lambda _: {"access_token": "pat-wrong"}, CredentialsError, 3, "Put a valid key"),
    "malformed key": ("hubspot", "contacts", lambda _: {"access_token": "pat wrong\n"}, CredentialsError, 3, "Copy the private app"),
    "revoked scope": ("hubspot", "contacts", lacking("crm.objects.contacts.read"), ScopeError, 3, "Grant the scopes"),
    "quota": ("hubspot", "contacts", fault("hubspot.429_daily"), QuotaError, 1, "goes on after"),
    "malformed JSON": ("hubspot", "contacts", fault("hubspot.malformed_json"), AnswerError, 1, "Check proxies"),
    "salesforce unreachable": ("salesforce", "lead", fault("salesforce.unreachable"), UnreachableError, 1, "network"),
    "salesforce wrong secret": (
        "salesforce", "lead", lambda _: {"client_secret": "wrong"}, CredentialsError, 3, "consumer secret",
    ),
    "salesforce no secret": ("salesforce", "lead", lambda _: {"client_secret": ""}, ConfigurationError, 3, "Set them as in"),
    "salesforce quota": ("salesforce", "lead", fault("salesforce.request_limit"), QuotaError, 1, "goes on after"),
    "salesforce malformed JSON": ("salesforce", "lead", fault("salesforce.malformed_json"), SmarketingError, 1, ""),
}  # fmt: skip
"""Name -> vendor, stream, how it breaks, error, exit code, part of the remedy."""


@pytest.mark.parametrize("name", FAILURES)
def test_a_vendor_that_fails_ends_in_one_sentence_and_moves_nothing(
    loaded: sa.Engine, module_box: Any, name: str
) -> None:
    vendor, stream, break_it, error, code, remedy = FAILURES[name]
    module_box.advance(0.5)
    before = stand(loaded)
    given = break_it(module_box)
    with pytest.raises(error) as caught:
        sync(loaded, module_box, vendor, stream, **given)
    assert caught.value.exit_code == code
    assert remedy in caught.value.remedy or remedy in caught.value.message
    assert_one_sentence(caught.value)
    assert stand(loaded) == before
    other, another = ("salesforce", "lead") if vendor == "hubspot" else ("hubspot", "contacts")
    sync(loaded, module_box, other, another)
    assert stand(loaded).loads == before.loads + 1


def assert_one_sentence(error: SmarketingError) -> None:
    """One sentence of what failed and one of what to do; nothing that only a programmer reads."""
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)
    assert len(error.message) < 200


def test_a_vendor_that_breaks_half_way_leaves_nothing(
    loaded: sa.Engine, module_box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are cut in the middle from the second page on: the first, which was received already, is not kept."""
    module_box.world.act("hubspot", "create", "contacts", None, {"email": "half@way.example", "lastname": "Half"})
    module_box.advance(0.01)
    connector = connect("hubspot", credentials(module_box)["hubspot"])
    read, received = connector.read, []

    def breaking(stream: Stream, window: Window, ids: Iterable[str] = ()) -> Iterator[Page]:
        for page in read(stream, window, ids):
            received.extend(page.changes)
            yield page
            module_box.context.faults.switch("hubspot.malformed_json")

    monkeypatch.setattr(connector, "read", breaking)
    before = stand(loaded)
    with pytest.raises(AnswerError):
        sync_stream(loaded, connector, "contacts", words(), full=True, progress=lambda *_: None)
    assert len(received) > PEOPLE / 2
    assert stand(loaded) == before


def test_a_quota_says_until_when(loaded: sa.Engine, module_box: Any) -> None:
    module_box.context.faults.switch("hubspot.429_daily")
    with pytest.raises(QuotaError) as caught:
        sync(loaded, module_box, "hubspot", "contacts")
    there = datetime.fromisoformat(module_box.today)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert caught.value.until is not None
    # Told by our clock, which is not the world's.
    assert abs((caught.value.until - datetime.now(UTC)) - (midnight - there)) < timedelta(minutes=5)


@contextmanager
def full_disk(engine: sa.Engine, table: str) -> Iterator[None]:
    with engine.begin() as connection:
        connection.execute(sa.text(DISK_FULL.format(table=table)))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP FUNCTION raw.full_disk CASCADE"))


@pytest.mark.parametrize("table", ["raw.hubspot__contacts", "staging.person", 'ops."window"'])
def test_a_full_disk_leaves_nothing_and_is_named(loaded: sa.Engine, module_box: Any, table: str) -> None:
    fields = {"email": f"disk{len(table)}@full.example", "lastname": "Disk"}
    module_box.world.act("hubspot", "create", "contacts", None, fields)
    module_box.advance(0.01)
    before = stand(loaded)
    with full_disk(loaded, table), pytest.raises(WarehouseError, match="disk is full") as caught:
        sync(loaded, module_box, "hubspot", "contacts")
    assert_one_sentence(caught.value)
    assert "Free or add disk space" in caught.value.remedy
    assert stand(loaded) == before
    sync(loaded, module_box, "hubspot", "contacts")
    assert stand(loaded).raw > before.raw


def test_a_warehouse_that_is_down_is_named(module_box: Any) -> None:
    engine = open_engine(f"postgresql://nobody@127.0.0.1:{closed_port()}/none")
    with pytest.raises(WarehouseError, match="cannot be reached") as caught:
        sync(engine, module_box, "hubspot", "contacts")
    engine.dispose()
    assert_one_sentence(caught.value)
    assert caught.value.exit_code == 1


class Ran(NamedTuple):
    """What a command left: exit code, and what it printed with each line break as a blank."""

    code: int
    out: str
    err: str


def command(engine: sa.Engine, box: Any, *arguments: str, **settings: str) -> Ran:
    """Run `smarketing` in a process of its own, with the sandbox's credentials and these settings over them."""
    with engine.begin() as connection:  # what earlier tests loaded need not be checked again
        connection.execute(sa.text("UPDATE ops.load SET validated_at = now()"))
    keys = credentials(box)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SMARKETING", "AIRFLOW"))}
    environment |= {
        "SMARKETING_WAREHOUSE_URL": engine.url.render_as_string(hide_password=False),
        "SMARKETING_HUBSPOT_ACCESS_TOKEN": keys["hubspot"]["access_token"],
        "SMARKETING_HUBSPOT_BASE_URL": keys["hubspot"]["base_url"],
        "SMARKETING_HUBSPOT_SEARCH_PER_SECOND": "0",
        "SMARKETING_SALESFORCE_LOGIN_URL": keys["salesforce"]["login_url"],
        "SMARKETING_SALESFORCE_CLIENT_ID": keys["salesforce"]["client_id"],
        "SMARKETING_SALESFORCE_CLIENT_SECRET": keys["salesforce"]["client_secret"],
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    program = [sys.executable, "-c", "from cli import main; main()", *arguments]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return Ran(done.returncode, " ".join(done.stdout.split()), " ".join(done.stderr.split()))


COMMANDS: dict[str, tuple[tuple[str, ...], dict[str, str], int, str, str]] = {
    "wrong key": (("sync", "hubspot:owners"), {"SMARKETING_HUBSPOT_ACCESS_TOKEN": "pat-wrong"}, 3, "refuses the key", "→ Put a valid key"),
    "no key": (("sync", "hubspot:owners"), {"SMARKETING_HUBSPOT_ACCESS_TOKEN": ""}, 3, "is not configured", "→ Set this"),
    "warehouse down": (
        ("build",), {"SMARKETING_WAREHOUSE_URL": "postgresql://nobody:canary-password@127.0.0.1:1/none"}, 1,
        "cannot be reached", "→ Check that PostgreSQL runs",
    ),
    "no warehouse": (("sync", "hubspot:owners"), {"SMARKETING_WAREHOUSE_URL": "mysql://x@y/z"}, 3, "not PostgreSQL", "→ The warehouse is"),
}  # fmt: skip
"""Name -> arguments, settings, exit code, sentence, remedy."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_ends_with_the_exit_code_of_the_failure(loaded: sa.Engine, module_box: Any, name: str) -> None:
    arguments, settings, code, sentence, remedy = COMMANDS[name]
    ran = command(loaded, module_box, *arguments, **settings)
    assert ran.code == code, ran
    assert sentence in ran.err
    assert remedy in ran.err
    assert "Traceback" not in ran.err
    assert "canary" not in ran.out + ran.err


def test_the_command_reads_the_other_vendors_when_one_cannot_be_reached(loaded: sa.Engine, module_box: Any) -> None:
    module_box.advance(0.01)
    before = stand(loaded)
    ran = command(loaded, module_box, "sync", SMARKETING_HUBSPOT_BASE_URL=f"http://127.0.0.1:{closed_port()}")
    assert ran.code == 1, ran
    assert "hubspot gave no usable answer" in ran.err
    assert "→ Check the address and the network" in ran.err
    after = stand(loaded)
    moved = {tuple(row[:2]) for row in set(after.cursors) - set(before.cursors)}
    assert {vendor for vendor, _ in moved} == {"salesforce"}
    assert len(moved) == len(connect("salesforce", credentials(module_box)["salesforce"]).streams)


def test_the_command_names_a_full_disk(loaded: sa.Engine, module_box: Any) -> None:
    with full_disk(loaded, "staging.team_member"):
        ran = command(loaded, module_box, "sync", "hubspot:owners")
    assert (ran.code, "disk is full" in ran.err, "→ Free or add disk space" in ran.err) == (1, True, True), ran
    with loaded.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM ops.cursor WHERE stream = 'owners'")) == 0
