"""Imports that wait until they are needed: Great Expectations loads libraries for statistics and drawing that no suite uses.

Without them, and without looking for garbage that an import does not make, it is there in 2.7 instead of 4.6 s of processor time
(profiled 2026-11). They are loaded as ever by whoever asks them for something.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _Finder(MetaPathFinder):
    """Finds some modules as Python does, and puts their loading off."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def on_first_use(*names: str) -> Iterator[None]:
    """Within the block, importing one of these modules only notes it; its first use loads it.

    No garbage is collected, then or later, among what the block has made: hundreds of thousands of objects that stay.
    """
    finder = _Finder(names)
    collects = gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        gc.freeze()
        if collects:
            gc.enable()
