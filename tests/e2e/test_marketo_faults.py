"""Marketo's faults one by one and all together: what is read is the same as without them."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors import connect
from connectors.base.model import EPOCH, Change, Connector, Kind, Window
from errors import QuotaError, SmarketingError
from sandbox.serve import running_sandbox
from tests.support.nights import credentials
from tests.support.waits import skip_waits

pytestmark = pytest.mark.slow

PEOPLE = 300
OFTEN = ("604", "606", "608", "615", "502", "5xx")
OF_WIRES = ("unreachable", "malformed_json", "reset_mid_body", "truncated_gzip")
ONCE = ("601", "602", "failed_job", "checksum_mismatch", "truncated_file")

THRICE = ("1029", "empty_page", "completed_but_404")

Read = dict[str, dict[str, Change]]


@pytest.fixture(scope="module")
def module_box(module_seed: int) -> Iterator[Any]:
    with running_sandbox(seed=module_seed, people=PEOPLE) as box:
        yield box


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    skip_waits(monkeypatch)


def connector_to(box: Any) -> Connector:
    return connect("marketo", credentials(box)["marketo"])


def read_all(box: Any) -> Read:
    """Every stream, in full by exports and of the last days by REST: its changes by record."""
    marketo, end = connector_to(box), box.world.now().replace(microsecond=0)
    found: Read = {}
    for kind, start in (("full", EPOCH), ("incremental", end - timedelta(days=2))):
        for stream in sorted(marketo.streams.values(), key=lambda one: one.order):
            window = Window(stream.name, start, end, cast("Kind", kind))
            ids = list(found.get(f"full {stream.parent}", ()))
            changes = [change for page in marketo.read(stream, window, ids) for change in page.changes]
            found[f"{kind} {stream.name}"] = {change.record_id: change for change in changes}
    return found


@pytest.fixture(scope="module")
def whole(module_box: Any) -> Read:
    """Without a fault."""
    found = read_all(module_box)
    assert len(found["full leads"]) > 20
    assert len(found["full activities"]) > 500
    assert all(changes for name, changes in found.items() if name.startswith("full"))
    return found


@pytest.mark.parametrize("fault", [*OFTEN, *OF_WIRES])
def test_a_fault_that_passes_changes_nothing(module_box: Any, whole: Read, module_seed: int, fault: str) -> None:
    # A wire that damages more would now and then damage one answer as often as it is asked for.
    rate = 0.05 if fault in OF_WIRES else 0.08
    module_box.context.faults.switch(f"marketo.{fault}", rate=rate, seed=module_seed)
    try:
        assert read_all(module_box) == whole
        assert module_box.context.faults.switched()[f"marketo.{fault}"].struck > 0
    finally:
        module_box.context.faults.off()


@pytest.mark.parametrize(("fault", "count"), [*((one, 1) for one in ONCE), *((one, 3) for one in THRICE)])
def test_what_fails_a_few_times_changes_nothing(module_box: Any, whole: Read, fault: str, count: int) -> None:
    module_box.context.faults.switch(f"marketo.{fault}", count=count)
    try:
        assert read_all(module_box) == whole
        assert module_box.context.faults.switched()[f"marketo.{fault}"].struck == count
    finally:
        module_box.context.faults.off()


def test_all_at_once_change_nothing(module_box: Any, whole: Read, module_seed: int) -> None:
    for number, fault in enumerate((*OFTEN, *THRICE, *OF_WIRES)):
        module_box.context.faults.switch(f"marketo.{fault}", rate=0.02, seed=module_seed + number)
    try:
        assert read_all(module_box) == whole
    finally:
        module_box.context.faults.off()


@pytest.mark.parametrize(
    ("fault", "kind"), [("607", QuotaError), ("1029_quota", QuotaError), ("failed_job", SmarketingError)]
)
def test_a_fault_that_stays_is_an_error(module_box: Any, fault: str, kind: type[Exception]) -> None:
    marketo = connector_to(module_box)
    module_box.context.faults.switch(f"marketo.{fault}")
    try:
        with pytest.raises(kind):
            list(marketo.read(marketo.streams["leads"], Window("leads", EPOCH, marketo.now(), "full")))
    finally:
        module_box.context.faults.off()


def test_an_instance_without_the_filter_by_last_change_gives_the_same_leads(module_box: Any) -> None:
    marketo = connector_to(module_box)
    leads = marketo.streams["leads"]
    # By export, since REST would not end before now.
    window = Window("leads", marketo.now() - timedelta(days=200), marketo.now() - timedelta(days=2), "backfill")

    def read() -> dict[str, str]:
        pages = connector_to(module_box).read(leads, window)
        return {c.record_id: c.op for page in pages for c in page.changes}

    usual = read()
    module_box.context.marketo_updated_at = False
    try:
        old = read()
    finally:
        module_box.context.marketo_updated_at = True
    assert usual
    # By activities more are found: who changed then and has changed again since.
    assert usual.items() <= old.items()
