"""Looking for garbage seldom while records stream through: they make no cycles, and there are very many of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 20, 100)
"""Objects before a look at the young ones, and looks before one at the older. Profiled in 2026-11 on 100,000 contacts: a
tenth of the processor time with Python's own (700, 10, 10)."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within the block, Python looks for garbage seldom."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
