"""Every record comes exactly once, and each page is proved by Tryton's own count."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base.model import EPOCH, Window
from connectors.tryton import TrytonConnector
from connectors.tryton import connector as module
from errors import CountMismatchError
from tests.unit.connectors_tryton.conftest import T0, Read, a_party
from tests.unit.connectors_tryton.fake import FakeTryton

MODEL = "party.party"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    monkeypatch.setattr(module, "KEYS_PAGE", 3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_all_records_are_read_once_whatever_the_last_page_holds(
    tryton: FakeTryton, connector: TrytonConnector, read: Read, count: int
) -> None:
    ids = [str(5 * number + 2) for number in range(count)]  # gaps, as deletes leave them
    for id_ in ids:
        tryton.put(MODEL, **a_party(int(id_)))
    stream = connector.streams["party"]
    assert [change.record_id for change in read("party")] == ids
    assert [change.record_id for change in read("party", "incremental", T0, T0 + timedelta(seconds=1))] == ids
    assert [id_ for batch in connector.read_keys(stream) for id_ in batch] == ids
    assert connector.count(stream) == len(ids)
    assert [c.record_id for page in connector.read_ids(stream, iter([*ids, "9999"])) for c in page.changes] == ids


def test_each_page_carries_the_vendors_count(tryton: FakeTryton, connector: TrytonConnector) -> None:
    for id_ in range(1, 8):
        tryton.put(MODEL, **a_party(id_))
    window = Window("party", EPOCH, T0, "full")
    pages = list(connector.read(connector.streams["party"], window))
    assert [(page.expected, page.counted, len(page.changes)) for page in pages] == [(3, 3, 3), (3, 3, 3), (1, 1, 1)]


def _once(doing: Callable[[], object]) -> Callable[[str, str], None]:
    todo = [doing]

    def after(model: str, action: str) -> None:
        if (model, action) == (MODEL, "search_read") and todo:
            todo.pop()()

    return after


def test_a_record_deleted_while_paging_loses_no_other(tryton: FakeTryton, read: Read) -> None:
    for id_ in range(1, 8):
        tryton.put(MODEL, **a_party(id_))
    tryton.after = _once(lambda: tryton.models[MODEL].pop(2))
    assert [change.record_id for change in read("party")] == ["1", "3", "4", "5", "6", "7"]


def test_a_record_created_while_paging_is_read_or_left_to_the_next_window(tryton: FakeTryton, read: Read) -> None:
    tryton.put(MODEL, **a_party(1))
    tryton.after = _once(lambda: tryton.put(MODEL, **a_party(2)))
    assert [change.record_id for change in read("party")] == ["1", "2"]


@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_count_that_never_matches_fails_the_window(tryton: FakeTryton, read: Read, wrong: int) -> None:
    tryton.put(MODEL, **a_party(1))
    tryton.miscounted = wrong
    with pytest.raises(CountMismatchError, match="party"):
        read("party")
    assert tryton.counted[MODEL, "search_count"] == module.TRIES
