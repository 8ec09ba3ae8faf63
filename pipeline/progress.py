"""The one seam through which jobs tell how far they are: a function that takes a step's name, rows and state."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

Progress = Callable[[str, int], None]
"""Called with the name of a step (`hubspot contacts: read`) and the rows so far."""


def to_log(step: str, rows: int) -> None:
    """Progress as log lines: what runs under Airflow."""
    log.info("%s: %d rows", step, rows)
