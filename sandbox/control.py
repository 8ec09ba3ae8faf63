"""The control endpoint: advance days, switch faults, act on single records, export the truth, read the log of requests.

POST /advance {"days": 1} or {"until": "2026-06-03T00:00:00Z"}     POST /freeze {"frozen": true}
GET /faults, POST /faults {"name", "rate", "seed", "count"}, DELETE /faults[?name=], GET /faults/known
POST /act {"vendor", "verb", "kind", "id", "fields"}               POST /limits {"enforced": true}
POST /settings {"multi_currency": true, "marketo_updated_at": true}
GET /truth, GET /truth/{table} (JSON lines), POST /truth/export {"directory"}
GET /log[?vendor=], DELETE /log                                    GET /health
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from sandbox.faults import FAULTS
from sandbox.faults import switch as switch_on
from sandbox.world import TABLES, World

_CHUNK = 1 << 18


class Advance(BaseModel):
    """How far: by days (parts of days too), or to a moment."""

    days: float | None = Field(default=None, ge=0)
    until: AwareDatetime | None = None


class Freeze(BaseModel):
    """Whether the world's clock stands still."""

    frozen: bool = True


class Switch(BaseModel):
    """A fault to switch on; a rate of 0 switches it off.

    name: of one fault, or `all`: then `rate` is the share of each fault's own rate, and `count` holds for each.
    """

    name: str
    rate: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0
    count: int | None = Field(default=None, ge=0)


class Limits(BaseModel):
    """Whether the vendors' rate limits are enforced."""

    enforced: bool = True


class Settings(BaseModel):
    """What the vendors' accounts have; see `sandbox.context.Context`. What is not given stays as it is."""

    multi_currency: bool | None = None
    marketo_updated_at: bool | None = None


class Export(BaseModel):
    """Where the truth is written to, on the sandbox's machine."""

    directory: str


class OneAct(BaseModel):
    """One targeted act; see `sandbox.world.acts`."""

    vendor: str
    verb: str
    kind: str
    id: str | None = None
    fields: dict[str, Any] = {}


def create_control(world: World, addresses: Callable[[], dict[str, str]]) -> FastAPI:
    """The control app over one world.

    Args:
        world: what is controlled.
        addresses: name of each app -> its address, for /health.
    """
    app = FastAPI(title="Sandbox control", openapi_url=None)
    _time(app, world)
    _truth(app, world)
    _faults(app, world)

    @app.post("/act")
    def act(body: OneAct) -> dict[str, str]:
        try:
            return {"id": world.act(body.vendor, body.verb, body.kind, body.id, body.fields)}
        except (ValueError, KeyError) as error:
            raise HTTPException(409, str(error)) from None

    @app.get("/log")
    def log(vendor: str | None = None) -> dict[str, Any]:
        return {"total": world.context.log.total, "requests": world.context.log.export(vendor)}

    @app.delete("/log")
    def forget() -> dict[str, int]:
        world.context.log.clear()
        return {"total": 0}

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "seed": world.seed,
            "people": world.people,
            "today": world.now().isoformat(),
            "frozen": world.is_frozen,
            "addresses": addresses(),
            "counts": world.counts(),
        }

    return app


def _time(app: FastAPI, world: World) -> None:
    def now(at: datetime) -> dict[str, str]:
        return {"today": at.isoformat()}

    @app.post("/advance")
    def advance(body: Advance) -> dict[str, str]:
        if (body.days is None) == (body.until is None):
            raise HTTPException(422, "give either days or until")
        try:
            return now(world.advance_to(body.until) if body.until else world.advance(body.days or 0))
        except ValueError as error:
            raise HTTPException(409, str(error)) from None

    @app.post("/freeze")
    def freeze(body: Freeze) -> dict[str, str]:
        world.freeze(frozen=body.frozen)
        return now(world.now())


def _truth(app: FastAPI, world: World) -> None:
    @app.get("/truth")
    def tables() -> list[str]:
        return list(TABLES)

    @app.get("/truth/{table}")
    def rows(table: str) -> StreamingResponse:
        if table not in TABLES:
            raise HTTPException(404, f"there is no truth table {table}: {', '.join(TABLES)}")
        return StreamingResponse(_chunks(world.truth.lines(table)), media_type="application/x-ndjson")

    @app.post("/truth/export")
    def export(body: Export) -> dict[str, int]:
        with world.lock:
            return world.truth.export(Path(body.directory))


def _chunks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines in pieces that are worth sending."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _faults(app: FastAPI, world: World) -> None:
    faults = world.context.faults

    @app.get("/faults")
    def switched() -> dict[str, dict[str, Any]]:
        shown = {name: asdict(fault) for name, fault in faults.switched().items()}
        return {name: {k: v for k, v in fault.items() if k not in {"chance", "skip"}} for name, fault in shown.items()}

    @app.post("/faults")
    def switch(body: Switch) -> dict[str, dict[str, Any]]:
        try:
            switch_on(faults, f"{body.name}={body.rate}", seed=body.seed, count=body.count)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return switched()

    @app.get("/faults/known")
    def known() -> dict[str, dict[str, Any]]:
        return {name: {"vendor": name.partition(".")[0], **each._asdict()} for name, each in FAULTS.items()}

    @app.delete("/faults")
    def off(name: str | None = None) -> dict[str, dict[str, Any]]:
        faults.off(name)
        return switched()

    @app.post("/limits")
    def limits(body: Limits) -> dict[str, bool]:
        world.context.limits = body.enforced
        return {"enforced": body.enforced}

    @app.post("/settings")
    def settings(body: Settings) -> dict[str, bool]:
        for name, value in body.model_dump(exclude_none=True).items():
            setattr(world.context, name, value)
        return {name: getattr(world.context, name) for name in Settings.model_fields}
