"""`sync`, `build`, `replay`: the jobs, run here and now."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.console import done as finish
from cli.console import out, table
from connectors import VENDORS, connect
from connectors.base.model import Connector
from errors import SmarketingError
from pipeline import credentials
from pipeline.build import build as run_build
from pipeline.replay import quarantined, replay_stream, streams_in_raw
from pipeline.sync import SyncCounts, sync_stream
from pipeline.validate import imported_meanwhile, validate
from pipeline.warehouse import open_warehouse
from pipeline.windows import Interval
from pipeline.words import words

DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def sync(
    what: Annotated[
        str,
        typer.Argument(metavar="VENDOR[:STREAM]", help=f"One of {', '.join(VENDORS)}, or `all` that are configured"),
    ] = "all",
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=DAY,
            metavar="DAY",
            help="Read again from here, as 2026-03-01 or 2026-03-01T06:00:00 (UTC, included); the cursor stays",
        ),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", formats=DAY, metavar="DAY", help="up to here (UTC, not included)"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, whatever the cursor says")] = False,
) -> None:
    """Bring vendors' records into staging, and check them. A vendor that fails does not keep the others from being read."""
    if (from_ is None) != (to is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    interval = Interval(from_.replace(tzinfo=UTC), to.replace(tzinfo=UTC)) if from_ and to else None
    vendor, _, stream = what.partition(":")
    vendors = credentials.configured_vendors() if vendor == "all" else [vendor]
    engine, glossary = open_warehouse(), words()
    rows: list[SyncCounts] = []
    failures: list[SmarketingError] = []
    if not vendors:
        credentials.from_environment(VENDORS[0])
    with imported_meanwhile():
        for name in vendors:
            try:
                connector = connect(name, credentials.from_environment(name)) if name in VENDORS else connect(name, {})
                for one in _streams(connector, stream):
                    counts = sync_stream(
                        engine, connector, one, glossary, backfill=interval, full=full, run_id="cli", progress=_progress
                    )
                    rows.append(counts)
            except SmarketingError as error:
                failures.append(error)
                out.print(f"[red]✗[/] {name}: {error}")
    checked = validate(engine, glossary)
    table(
        "Read",
        [
            {
                "stream": f"{r.vendor} {r.stream}",
                "window": _window(r),
                "read": r.read,
                "new": r.new,
                "deleted": r.deleted,
                "staged rows": r.staged,
                "set aside": r.set_aside,
            }
            for r in rows
        ],
        empty="nothing",
    )
    if failures:
        raise (
            failures[0]
            if len(failures) == 1
            else SmarketingError(
                f"{len(failures)} vendors failed; see above.", remedy="The others are loaded; run again."
            )
        )
    finish(
        f"{sum(r.new for r in rows):,} new versions, {checked.quarantined} rows set aside, {checked.warnings} warnings.",
        "`smarketing build`",
    )


def reconcile(
    what: Annotated[
        str,
        typer.Argument(metavar="VENDOR[:STREAM]", help=f"One of {', '.join(VENDORS)}, or `all` that are configured"),
    ] = "all",
) -> None:
    """Hold the warehouse against the vendors, record by record, and repair what differs. Airflow does it on Sundays."""
    vendor, _, stream = what.partition(":")
    engine, glossary = open_warehouse(), words()
    rows: list[SyncCounts] = []
    with imported_meanwhile():
        for name in credentials.configured_vendors() if vendor == "all" else [vendor]:
            connector = connect(name, credentials.from_environment(name)) if name in VENDORS else connect(name, {})
            rows += [
                sync_stream(engine, connector, one, glossary, compare=True, run_id="cli", progress=_progress)
                for one in _streams(connector, stream)
                if stream or connector.streams[one].compared
            ]
    validate(engine, glossary)
    found = [
        {"stream": f"{r.vendor} {r.stream}", "missing here": r.missing, "gone there": r.deleted, "new versions": r.new}
        for r in rows
    ]
    table("Compared", found, empty="no configured vendor has a stream that needs it")
    finish(
        f"{sum(r.missing for r in rows):,} records were missing, {sum(r.deleted for r in rows):,} were gone; repaired.",
        "`smarketing build`",
    )


def _streams(connector: Connector, stream: str) -> list[str]:
    if stream:
        if stream not in connector.streams:
            raise typer.BadParameter(
                f"{connector.vendor} has no stream {stream!r}; it has: {', '.join(connector.streams)}"
            )
        return [stream]
    return sorted(connector.streams, key=lambda name: (connector.streams[name].order, name))


def _window(counts: SyncCounts) -> str:
    if counts.window is None:
        return "up to date"
    if counts.window.kind == "full":
        return "everything"
    return f"{counts.window.start:%Y-%m-%d %H:%M} – {counts.window.end:%Y-%m-%d %H:%M}"


def _progress(step: str, rows: int) -> None:
    out.print(f"  {step}: {rows:,} rows")


def build(full: Annotated[bool, typer.Option("--full", help="Redo everything, not only what changed")] = False) -> None:
    """Make identity, journey, attribution and marts of what changed, and publish them when the gate lets them pass."""
    counts = run_build(open_warehouse(), words(), full=full, run_id="cli", progress=lambda _s, _r: None)
    table("Built", [{"step": s.name, "rows": s.rows, "seconds": s.seconds} for s in counts.steps])
    finish(
        f"Published; {counts.quarantined} rows set aside, {counts.warnings} warnings.",
        "`smarketing explain marts.customers_by_source`",
    )


def replay(
    what: Annotated[
        str, typer.Argument(metavar="VENDOR[:STREAM]", help="What to normalise again; nothing: what is in quarantine")
    ] = "",
) -> None:
    """Normalise again from raw, without calling any API: after mending a field map, or for what quarantine holds."""
    engine, glossary = open_warehouse(), words()
    if what:
        vendor, _, stream = what.partition(":")
        work: dict[tuple[str, str], list[str] | None] = {
            s: None for s in streams_in_raw(engine) if s[0] == vendor and stream in ("", s[1])
        }
        if not work:
            raise typer.BadParameter(f"raw holds nothing of {what}")
    else:
        work = dict(quarantined(engine))
    with imported_meanwhile():
        rows = [
            replay_stream(engine, glossary, v, s, ids, run_id="cli", progress=_progress)._asdict()
            for (v, s), ids in work.items()
        ]
    checked = validate(engine, glossary)
    table("Replayed", rows, empty="quarantine is empty")
    finish(f"{checked.quarantined} rows set aside by the suites.", "`smarketing build`")
