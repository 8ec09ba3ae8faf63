"""A step that fails ends the load, whichever batch it works on: no batch is left out in silence."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from connectors.base.model import Change, Page
from pipeline import loading, reading
from pipeline.normalize import normalize_states
from pipeline.words import words
from warehouse.engine import transaction

T0 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("failing", range(5))
def test_an_error_while_normalising_any_batch_ends_the_load(
    monkeypatch: pytest.MonkeyPatch, warehouse: sa.Engine, failing: int
) -> None:
    for module, name, value in ((reading, "FIRST_ROWS", 1), (reading, "ROWS", 1), (loading, "FEW", 0)):
        monkeypatch.setattr(module, name, value)
    normalize = normalize_states
    done: list[int] = []

    def once_failing(*args: object, **kwargs: object) -> object:
        done.append(1)
        if len(done) == failing + 1:
            raise RuntimeError("this batch")
        return normalize(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "normalize_states", once_failing)
    pages = [Page([Change(str(n), T0, "upsert", b'{"id": "%d", "properties": {}}' % n)]) for n in range(5)]

    def load() -> None:
        with transaction(warehouse) as connection:
            loader = loading.Loader(
                connection,
                "hubspot",
                "calls",
                words(),
                1,
                observed_at=T0,
                touch_all=False,
                reads_all=False,
                progress=lambda *_: None,
            )
            loader.load(pages)

    with pytest.raises(RuntimeError, match="this batch"):
        load()
