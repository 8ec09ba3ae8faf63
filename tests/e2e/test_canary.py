"""House rule: a canary secret and a canary address go through every path, and no log, error, ledger or printed line holds them."""

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from connectors import connect
from errors import SmarketingError, WarehouseError
from pipeline.build import build
from pipeline.sync import sync_stream
from pipeline.validate import validate
from pipeline.words import words
from sandbox.serve import running_sandbox
from tests.support.nights import credentials

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CANARY = "zqcanaryqz"
EMAIL = f"{CANARY}@{CANARY}.example"
PEOPLE = 30
CONTACT = "990000001"
NOT_OURS = ("uvicorn", "asyncio", "sandbox")
"""Loggers of the stand-in for the vendors, which runs in this process too."""

Leaks = Callable[[], list[str]]


@pytest.fixture(scope="module")
def module_box(module_seed: int) -> Iterator[Any]:
    """A sandbox whose secrets are canaries, and in it people and deals that are."""
    with running_sandbox(seed=module_seed, people=PEOPLE) as box:
        for name in ("hubspot_access_token", "salesforce_client_secret", "marketo_client_secret"):
            box.credentials[name] = box.context.credentials[name] = f"pat-{CANARY}-{name.replace('_', '-')}"
        person = {
            "email": EMAIL,
            "phone": f"{CANARY} 12",
            "country": CANARY,
            "createdate": CANARY,
            "lifecyclestage": "lead",
        }
        act = box.world.act
        act("hubspot", "create", "contacts", CONTACT, {**person, "firstname": CANARY, "lastname": CANARY})
        nurtured = {
            "email": f"lead.{EMAIL}",
            "firstName": CANARY,
            "lastName": CANARY,
            "phone": f"{CANARY} 12",
            "country": CANARY,
        }
        act("marketo", "create", "leads", None, nurtured)
        deal = {
            "dealname": CANARY,
            "amount": CANARY,
            "dealstage": "contractsent",
            "pipeline": "default",
            "hs_next_step": EMAIL,
        }
        act("hubspot", "create", "deals", None, deal)
        act(
            "hubspot",
            "create",
            "calls",
            None,
            {"hs_call_title": EMAIL, "hs_timestamp": CANARY, "hs_call_direction": CANARY},
        )
        event = {"type": CANARY, "recipient": EMAIL, "created": int(box.world.now().timestamp() * 1000)}
        act("hubspot", "create", "email_events", None, event)
        lead = {
            "Email": EMAIL,
            "LastName": CANARY,
            "Company": CANARY,
            "Status": "Open - Not Contacted",
            "IsConverted": False,
        }
        act("salesforce", "create", "Lead", None, {**lead, "Phone": CANARY, "CountryCode": CANARY})
        box.advance(0.1)
        yield box


@pytest.fixture(scope="module", autouse=True)
def _loggers_speak() -> None:
    """Tests that ran before in this process may have silenced loggers: Airflow's set-up does, and HubSpot's own client."""
    logging.disable(logging.NOTSET)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
    logging.getLogger("urllib3").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _fresh_quota(loaded: sa.Engine) -> None:
    """What an earlier test's refusals used up is remembered in the warehouse, and would let no request out."""
    with loaded.begin() as connection:
        connection.execute(sa.text("DELETE FROM ops.quota"))


@pytest.fixture
def leaks(caplog: pytest.LogCaptureFixture) -> Leaks:
    """Captures all that is logged at any level; gives the lines with a canary."""
    caplog.set_level(logging.DEBUG)
    return lambda: leaking(caplog.records)


class Night(NamedTuple):
    """A warehouse after a night, what it said to its callers, and what it logged."""

    engine: sa.Engine
    said: list[str]
    records: list[logging.LogRecord]


@pytest.fixture(scope="module")
def whole_night(module_box: Any, module_warehouse: sa.Engine) -> Night:
    """Every stream of all vendors, the checks, and the build."""
    said: list[str] = []
    night = Night(module_warehouse, said, [])

    def progress(step: str, rows: int) -> None:
        said.append(f"{step} {rows}")

    with _listening(night.records):
        keys = credentials(module_box)
        for vendor in keys:
            connector = connect(vendor, keys[vendor])
            streams = sorted(connector.streams.values(), key=lambda stream: stream.order)
            said += [repr(sync_stream(night.engine, connector, s.name, words(), progress=progress)) for s in streams]
            said += [repr(connector), *(str(check) for check in connector.check())]
        said.append(repr(validate(night.engine, words())))
        said.append(repr(build(night.engine, words(), progress=progress)))
    return night


@contextmanager
def _listening(records: list[logging.LogRecord]) -> Iterator[None]:
    handler, root = _Keep(records), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class _Keep(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.DEBUG)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def leaking(records: Iterable[logging.LogRecord]) -> list[str]:
    """The log lines with a canary."""
    shown = logging.Formatter()
    ours = [r for r in records if not r.name.startswith(NOT_OURS)]
    assert ours, "nothing was logged: the test would prove nothing"
    return [line for record in ours if CANARY in (line := f"{record.name}: {shown.format(record)} {record.args}")]


@pytest.fixture
def loaded(whole_night: Night) -> sa.Engine:
    """The warehouse after the night."""
    return whole_night.engine


def ledger(engine: sa.Engine) -> list[str]:
    """Every row of `ops` as text."""
    with engine.connect() as connection:
        tables = sa.inspect(engine).get_table_names(schema="ops")
        return [
            f"{table}: {row}"
            for table in tables
            for row in connection.scalars(sa.text(f'SELECT CAST(t AS text) FROM ops."{table}" t'))
        ]


def told(error: BaseException) -> str:
    """All that a log of an error shows, its causes included."""
    detail = getattr(error, "detail", "")
    return "".join(traceback.format_exception(error)) + f"{error!r} {error} {detail}"


def test_a_night_keeps_secrets_and_addresses(whole_night: Night) -> None:
    with whole_night.engine.connect() as connection:
        assert (
            connection.scalar(sa.text("SELECT count(*) FROM core.person WHERE email = :email"), {"email": EMAIL}) >= 1
        )
        query = f"SELECT count(*) FROM raw.hubspot__contacts WHERE CAST(record AS text) LIKE '%{CANARY}%'"
        assert connection.scalar(sa.text(query)) == 1
        assert connection.scalar(sa.text("SELECT count(*) FROM ops.quarantine")) >= 6
    assert leaking(whole_night.records) == []
    assert [line for line in whole_night.said if CANARY in line] == []
    assert [line for line in ledger(whole_night.engine) if CANARY in line] == []


FAULTS = ("unreachable", "5xx", "malformed_json", "truncated_gzip", "429_daily", "401", "missing_scope")


@pytest.mark.parametrize(
    "fault",
    [f"hubspot.{name}" for name in FAULTS]
    + [
        "salesforce.malformed_json",
        "salesforce.request_limit",
        "marketo.607",
        "marketo.failed_job",
        "marketo.malformed_json",
    ],
)
def test_a_failing_vendor_keeps_secrets_and_addresses(
    loaded: sa.Engine, module_box: Any, leaks: Leaks, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    vendor = fault.partition(".")[0]
    connector = connect(vendor, credentials(module_box)[vendor])
    stream = {"hubspot": "contacts", "salesforce": "lead", "marketo": "leads"}[vendor]
    module_box.context.faults.switch(fault)
    try:
        with pytest.raises(SmarketingError) as caught:
            sync_stream(loaded, connector, stream, words(), full=True)
    finally:
        module_box.context.faults.off()
    assert CANARY not in told(caught.value)
    assert leaks() == []


@pytest.mark.parametrize("vendor", ["hubspot", "salesforce", "marketo"])
def test_a_refused_key_is_not_shown(loaded: sa.Engine, module_box: Any, leaks: Leaks, vendor: str) -> None:
    secret, stream = {
        "hubspot": ("access_token", "owners"),
        "salesforce": ("client_secret", "user"),
        "marketo": ("client_secret", "activity_types"),
    }[vendor]

    def sync_with(key: str) -> None:
        connector = connect(vendor, {**credentials(module_box)[vendor], secret: key})
        sync_stream(loaded, connector, stream, words())

    for wrong in (f"wrong-{CANARY}", f"{CANARY}\nbroken"):
        with pytest.raises(SmarketingError) as caught:
            sync_with(wrong)
        assert CANARY not in told(caught.value)
    assert leaks() == []


REFUSALS = {
    "a constraint that quotes the row": (
        f"ALTER TABLE staging.person ADD CONSTRAINT refused CHECK (last_name <> '{CANARY}') NOT VALID",
        "ALTER TABLE staging.person DROP CONSTRAINT refused",
    ),
    "a message that quotes the row": (
        """
        CREATE FUNCTION raw.refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no: %', NEW; END $$;
        CREATE TRIGGER refused BEFORE INSERT ON raw.hubspot__contacts FOR EACH ROW EXECUTE FUNCTION raw.refused()
        """,
        "DROP FUNCTION raw.refused CASCADE",
    ),
    "a constraint in the build": (
        f"ALTER TABLE core.person ADD CONSTRAINT refused CHECK (email <> '{EMAIL}' OR job_title IS NULL) NOT VALID",
        "ALTER TABLE core.person DROP CONSTRAINT refused",
    ),
}
"""What PostgreSQL may say with a row in it: how it is provoked, and taken back."""


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusing_warehouse_keeps_addresses(loaded: sa.Engine, module_box: Any, leaks: Leaks, refusal: str) -> None:
    provoke, take_back = REFUSALS[refusal]
    with loaded.begin() as connection:
        _run(connection, provoke)
    module_box.world.act("hubspot", "update", "contacts", CONTACT, {"jobtitle": f"{CANARY} {refusal}"})
    module_box.advance(0.01)
    connector = connect("hubspot", credentials(module_box)["hubspot"])
    try:
        with pytest.raises(WarehouseError) as caught:
            _sync_and_build(loaded, connector)
    finally:
        with loaded.begin() as connection:
            _run(connection, take_back)
    assert CANARY not in told(caught.value)
    assert leaks() == []
    assert [line for line in ledger(loaded) if CANARY in line] == []


def _run(connection: sa.Connection, statement: str) -> None:
    connection.execute(sa.text(statement.replace(":", r"\:")))


def _sync_and_build(engine: sa.Engine, connector: Any) -> None:
    sync_stream(engine, connector, "contacts", words(), progress=lambda *_: None)
    build(engine, words(), progress=lambda *_: None)


@pytest.mark.parametrize("arguments", [("sync", "hubspot:contacts", "--full"), ("quarantine",)])
def test_the_command_prints_neither(loaded: sa.Engine, module_box: Any, arguments: tuple[str, ...]) -> None:
    with loaded.begin() as connection:  # what earlier tests loaded need not be checked again
        connection.execute(sa.text("UPDATE ops.load SET validated_at = now()"))
    keys = credentials(module_box)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SMARKETING", "AIRFLOW"))}
    environment |= {
        "SMARKETING_WAREHOUSE_URL": loaded.url.render_as_string(hide_password=False),
        "SMARKETING_HUBSPOT_ACCESS_TOKEN": keys["hubspot"]["access_token"],
        "SMARKETING_HUBSPOT_BASE_URL": keys["hubspot"]["base_url"],
        "SMARKETING_SALESFORCE_CLIENT_ID": keys["salesforce"]["client_id"],
        "SMARKETING_SALESFORCE_CLIENT_SECRET": keys["salesforce"]["client_secret"],
        "SMARKETING_SALESFORCE_LOGIN_URL": keys["salesforce"]["login_url"],
        "PYTHONPATH": str(ROOT),
    }
    program = [sys.executable, "-c", "from cli import main; main()", *arguments]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 100
    assert CANARY not in done.stdout + done.stderr
