"""Runs a suite of expectations on one table or view, through Great Expectations, inside the caller's transaction.

GX makes an engine of its own. It is handed the transaction's connection with commit, rollback and close put out of action, so
that it sees what is not yet committed and cannot end it. A first expectation asks which of the suite's rules are broken (see
`at_once`); those that are, and only they, are run one by one.
"""

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from expectations.at_once import broken_rows, broken_rules, of_batch
from expectations.lazy import on_first_use
from expectations.model import QUERY, Expectation, Outcome
from warehouse.copy import driver

_REFUSED = re.compile(r"psycopg\.errors\.(\w+)")


@lru_cache(maxsize=1)
def import_great_expectations() -> ModuleType:
    """Great Expectations, imported late and told to be quiet: no usage statistics, no progress bars."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations are not ours to mend
        with on_first_use("altair", "scipy.stats"):
            import_module("great_expectations.expectations")
        return import_module("great_expectations")


@contextmanager
def imported_meanwhile() -> Iterator[None]:
    """Import Great Expectations in a thread of its own while the block waits for a vendor or the database.

    It takes one or two seconds. That it fails is told by whoever needs it.
    """
    with ThreadPoolExecutor(1, "import") as importer:
        importer.submit(import_great_expectations)
        yield


@lru_cache(maxsize=1)
def _no_rows() -> type[Any]:
    """UnexpectedRowsExpectation that runs its query once, for the rows, instead of once more to count them."""

    class ExpectNoRows(import_great_expectations().expectations.UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = ("unexpected_rows_query.table",)

        def _validate(self, metrics: dict[str, Any], *_args: Any, **_kwargs: Any) -> dict[str, Any]:
            rows = metrics["unexpected_rows_query.table"]
            return {"success": not rows, "result": {"details": {"unexpected_rows": rows}}}

    return ExpectNoRows


class _Borrowed(psycopg.Connection[Any]):
    """The transaction's connection as GX may have it: it can ask, but neither end the transaction nor close.

    An object of its own on the same libpq connection: GX closes what it has at some later time, when it is collected.
    """

    def commit(self) -> None:
        """Do nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __del__(self, _warn: Any = None, /) -> None:
        """Do nothing: the owner closes it."""


@contextmanager
def checker(connection: sa.Connection) -> Iterator["Checker"]:
    """A checker that works inside `connection`'s transaction."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield Checker(connection)


class Checker:
    """An ephemeral GX context on one database connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        borrowed = _Borrowed(driver(connection).pgconn)
        # Each object numbers its prepared statements by itself; on one connection the names would clash.
        borrowed.prepare_threshold = None
        gx = import_great_expectations()
        from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        # It would write its configuration out as YAML with every table that it learns of, for nobody: it lives as long as this.
        context._save_project_config = lambda *_args: None  # noqa: SLF001 - a sixth of a night's checks (profiled 2026-11)
        self._source = context.data_sources.add_sql(
            "warehouse",
            connection_string="postgresql+psycopg://",
            kwargs={"creator": lambda: borrowed, "poolclass": StaticPool},
            create_temp_table=False,
        )

    def run(self, table: str, expectations: Sequence[Expectation], *, schema: str | None = None) -> list[Outcome]:
        """The outcome of each expectation on a table or view.

        Args:
            table: its name.
            expectations: what must hold.
            schema: its schema; None: a temporary view.
        """
        asset = self._source.add_table_asset(f"{schema}.{table}", table_name=table, schema_name=schema)
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        broken = self._broken(batch, expectations)
        made = [_made(e) for e in expectations if e.rule in broken]
        results = self._validate(batch, made, "BASIC") if made else {}
        return [_outcome(e, results.get(e.rule)) for e in expectations]

    def _broken(self, batch: Any, expectations: Sequence[Expectation]) -> set[str]:
        """The rules that some rows break; all where that could not be computed, so that each says whether it can be."""
        if not expectations:
            return set()
        whole = _no_rows()(unexpected_rows_query=of_batch(broken_rules(expectations)), meta={"rule": "suite"})
        answer = self._validate(batch, [whole], "COMPLETE")["suite"]
        if answer.success:
            return set()
        rows = answer.result.get("details", {}).get("unexpected_rows")
        return {row["rule"] for row in rows} if rows else {e.rule for e in expectations}

    def _validate(self, batch: Any, expectations: Sequence[Any], result_format: str) -> dict[str, Any]:
        """What GX says of each of its expectations, by their rule."""
        suite = import_great_expectations().ExpectationSuite(name="suite", expectations=expectations)
        # A statement that fails ends PostgreSQL's transaction; the savepoint keeps that from the caller's.
        savepoint = self._connection.begin_nested()
        try:
            found = batch.validate(suite, result_format=result_format).results
        finally:
            savepoint.rollback()
        return {one.expectation_config.meta["rule"]: one for one in found}


def _made(expectation: Expectation) -> Any:
    """The expectation as GX knows it."""
    arguments = dict(expectation.arguments)
    if expectation.kind == QUERY:
        arguments["unexpected_rows_query"] = of_batch(broken_rows(expectation))
    kind = getattr(import_great_expectations().expectations, expectation.kind)
    return kind(**arguments, meta={"rule": expectation.rule})


def _first_line(info: Any) -> str:
    """What GX says of an exception, without statement and values."""
    messages = [info] if "exception_message" in info else list((info or {}).values())
    texts = sorted({str(m.get("exception_message") or "").partition("\n")[0] for m in messages if isinstance(m, dict)})
    # Once a statement has failed, PostgreSQL refuses all others: the first failure is the one to tell.
    first = next((t for t in texts if t and "InFailedSqlTransaction" not in t), "an earlier statement failed")
    # What PostgreSQL says may quote a row; the name of its error does not.
    refused = _REFUSED.search(first)
    return refused[1] if refused else first


def _outcome(expectation: Expectation, result: Any | None) -> Outcome:
    if result is None or result.success:
        return Outcome(expectation, is_success=True, checked=None, failed=0)
    detail = result.result or {}
    failed = detail.get("unexpected_count", detail.get("observed_value"))
    error = None
    if not detail:
        # GX reports an expectation that could not be computed as failed, with the exception beside it.
        error = f"it could not be computed: {_first_line(result.exception_info)}"
    return Outcome(
        expectation,
        is_success=False,
        checked=detail.get("element_count"),
        failed=failed if isinstance(failed, int) else 0,
        error=error,
    )
