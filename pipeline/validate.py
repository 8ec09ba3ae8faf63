"""Checking what syncs brought to staging, in a transaction of its own."""

import sqlalchemy as sa

from expectations.runner import imported_meanwhile
from expectations.staging import Validated, validate_loads
from glossary import Glossary
from warehouse.engine import transaction

__all__ = ["imported_meanwhile", "validate"]


def validate(engine: sa.Engine, glossary: Glossary, vendor: str | None = None) -> Validated:
    """Check all loads (of one vendor) that no suite has seen; failing rows go to quarantine.

    Raises:
        GateError: a blocking expectation failed; nothing was set aside.
    """
    with transaction(engine) as connection:
        return validate_loads(connection, glossary, vendor)
