"""What holds for every stream of every vendor: all ids at each number of pages, again the same, and so through every fault."""

from collections.abc import Callable
from typing import Any

import pytest

from errors import QuotaError, SmarketingError
from sandbox.faults import FAULTS
from tests.contract.standard.conftest import MOST_REQUESTS, WAYS, Reading, Row, Way, title
from tests.contract.standard.vendors import PAGE, VENDORS

Fill = Callable[[Way, int], Reading]

SEVERAL = 2 * PAGE + 1
TWO_PAGES = PAGE + 1
WIRE = ("unreachable", "5xx", "malformed_json", "reset_mid_body", "truncated_gzip")

every_way = pytest.mark.parametrize("way", WAYS, ids=title)


def ids_of(rows: list[Row]) -> list[str]:
    return [id_ for id_, op, *_ in rows if op == "upsert"]


@every_way
def test_every_id_once_at_each_number_of_pages(filled: Fill, way: Way) -> None:
    for n in (0, 1, PAGE, PAGE + 1, SEVERAL):
        reading = filled(way, n)
        assert ids_of(reading.read()) == sorted(reading.ids), f"{n} records"
        assert len(reading.ids) == n


@every_way
def test_read_again_it_is_the_same(filled: Fill, way: Way) -> None:
    reading = filled(way, SEVERAL)
    connector = reading.connector()
    assert reading.read(connector) == reading.read(connector) == reading.read()


def through(reading: Reading, fault: str, whole: list[Row], **switch: Any) -> int:
    """Let a fault strike at its occasions in turn; returns at how many it did."""
    for number, occasion in enumerate(reading.occasions):
        reading.faults.switch(fault, count=1, skip=occasion, **switch)
        assert reading.read() == whole, f"{fault} at its occasion {occasion}"
        struck = reading.faults.switched()[fault].struck
        reading.faults.off()
        if not struck:
            return number
    raise AssertionError(f"{fault} strikes at more than {MOST_REQUESTS} requests")


@every_way
@pytest.mark.parametrize("fault", WIRE)
def test_a_broken_wire_at_any_request_costs_nothing(filled: Fill, way: Way, fault: str) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    assert through(reading, f"{way.vendor.name}.{fault}", whole) > 0


@every_way
def test_answers_that_drip_are_waited_for(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    fault = f"{way.vendor.name}.slow_drip"
    reading.faults.switch(fault)
    assert reading.read() == whole
    assert reading.faults.switched()[fault].struck > 0


@every_way
def test_patience_at_any_request(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    assert all(through(reading, fault, whole) for fault in way.vendor.patience)


@pytest.mark.parametrize("way", [way for way in WAYS if way.vendor.expiry], ids=title)
def test_a_token_that_ends_at_any_request_is_renewed(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    least = 2 if way.vendor.stride == 1 else 1
    assert all(through(reading, fault, whole) >= least for fault in way.vendor.expiry)


@pytest.mark.parametrize("way", [way for way in WAYS if way.stream in way.vendor.troubles], ids=title)
def test_the_vendors_own_troubles_at_any_occasion_cost_nothing(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    assert all(through(reading, fault, whole) > 0 for fault in way.vendor.troubles[way.stream])


@every_way
def test_a_reading_that_was_interrupted_at_any_request_is_whole_when_it_is_read_again(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    fault = f"{way.vendor.name}.unreachable"
    for request in reading.occasions:
        connector = reading.connector()
        reading.faults.switch(fault, skip=request)
        try:
            rows = reading.read(connector)
        except SmarketingError:
            reading.faults.off()
            rows = reading.read(connector)
        assert rows == whole, f"interrupted at request {request}"
        if fault in (on := reading.faults.switched()) and not on[fault].struck:
            assert request > 0
            return
    raise AssertionError("the reading never ended")


@every_way
def test_fields_that_come_go_and_change_type_cost_no_row(filled: Fill, way: Way) -> None:
    reading = filled(way, TWO_PAGES)
    whole = reading.read()
    drifts = [f"{way.vendor.name}.field_{what}" for what in ("added", "removed", "retyped")]
    for fault in drifts:
        seen = []
        for occasion in range(6):
            reading.faults.switch(fault, count=1, skip=occasion)
            rows = reading.read()
            assert [row[:4] for row in rows] == [row[:4] for row in whole], f"{fault} at its occasion {occasion}"
            if not reading.faults.switched()[fault].struck:
                break
            seen.append(rows != whole)
        # What drifts may be the page of a parent, or one that only names who is to be asked for.
        is_sure = fault.endswith("added") and not reading.stream.parent
        assert any(seen) or not seen or not is_sure, "what was added is kept"
        reading.faults.off()


@pytest.mark.parametrize("vendor", {vendor.name: vendor for vendor in VENDORS}.values(), ids=lambda v: v.name)
def test_a_hostile_day_is_read_or_ends_in_an_error_of_ours(filled: Fill, seed: int, vendor: Any) -> None:
    """All the vendor's faults together, often: never other rows than on a quiet day, but for fields that drift."""
    names = [name for name in FAULTS if name.startswith(f"{vendor.name}.") and FAULTS[name].rate]
    whole_days, failed = 0, list[SmarketingError]()
    for day, way in enumerate(way for way in WAYS if way.vendor.name == vendor.name):
        reading = filled(way, TWO_PAGES)
        whole = [row[:4] for row in reading.read()]
        for number, name in enumerate(names):
            if not name.endswith(("wide_schema", "updated_while_paged", "search_lag")):
                reading.faults.switch(
                    name, rate=min(0.05, FAULTS[name].rate * 4), seed=seed + day * len(names) + number
                )
        try:
            assert [row[:4] for row in reading.read()] == whole
            whole_days += 1
        except SmarketingError as error:
            failed.append(error)
        finally:
            reading.faults.off()
    assert whole_days > 0
    assert [error for error in failed if isinstance(error, QuotaError) and error.until is None] == []
