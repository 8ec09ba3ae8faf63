"""A real Tryton server on SQLite, made from nothing: for the demo and for the tests that the connector must pass."""

from sandbox.tryton.records import Business
from sandbox.tryton.server import TrytonServer, running_tryton

__all__ = ["Business", "TrytonServer", "running_tryton"]
