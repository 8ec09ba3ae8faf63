"""What `smarketing doctor` asks of Marketo: the key, one probe for each permission, the clock, what is left of the day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from connectors.base.model import Check
from connectors.marketo.answers import CENTRAL
from connectors.marketo.api import Api, Params, Results
from connectors.marketo.records import moment
from errors import CredentialsError, ScopeError, SmarketingError

TOLERANCE = timedelta(minutes=5)
CALLS, BYTES = 50_000, 500 * 10**6
"""What most subscriptions may call and export in a day; no answer says what this one may."""

SHARE = 0.9
"""From here on a night may not find enough left."""

EXPORTS = ("leads", "activities", "program/members")
ROLE = "(Admin, Users & Roles, Roles, Access API)"


class Probe(NamedTuple):
    """A request that succeeds only with its permission."""

    permission: str
    path: str
    params: Params
    needed_for: str


PROBES = (
    Probe("Read-Only Lead", "/rest/v1/leads/describe2.json", {}, "leads, lists and members"),
    Probe("Read-Only Activity", "/rest/v1/activities/types.json", {}, "activities, deletes and merges"),
    Probe("Read-Only Assets", "/rest/asset/v1/programs.json", {"maxReturn": 1}, "programs, e-mails, pages and forms"),
    Probe("Read-Only Campaign", "/rest/v1/campaigns.json", {"batchSize": 1}, "smart campaigns"),
)


class _Usage(msgspec.Struct):
    total: int = 0


class _Used(msgspec.Struct):
    result: list[_Usage] = []


class _Job(msgspec.Struct):
    finished_at: str | None = msgspec.field(default=None, name="finishedAt")
    size: int | None = msgspec.field(default=None, name="fileSize")


class _Jobs(msgspec.Struct):
    result: list[_Job] = []


def check(api: Api) -> list[Check]:
    """One line each; stops at the key if that is refused, or if Marketo does not answer."""
    lines: list[Check] = []
    for probe in PROBES:
        name = f"permission {probe.permission}"
        try:
            api.ask_optional(probe.path, Results, params=probe.params)
        except ScopeError:
            remedy = f"Give the role of the API-only user the permission {probe.permission} {ROLE}."
            lines.append(Check(name, is_ok=False, message=f"The user may not read {probe.needed_for}.", remedy=remedy))
        except CredentialsError as error:
            return [Check("key", is_ok=False, message=error.message, remedy=error.remedy)]
        except SmarketingError as error:
            lines.append(Check(name, is_ok=False, message=error.message, remedy=error.remedy))
            if not api.session.has_clock:
                return lines
        else:
            lines.append(Check(name, is_ok=True, message=f"May read {probe.needed_for}."))
    key = Check("key", is_ok=True, message="Marketo accepts the key.")
    return [key, *lines, _guarded("calls", _calls, api), _guarded("exports", _exports, api), _clock(api)]


def _guarded(name: str, ask: Callable[[Api], Check], api: Api) -> Check:
    try:
        return ask(api)
    except SmarketingError as error:
        return Check(name, is_ok=False, message=error.message, remedy=error.remedy)


def _calls(api: Api) -> Check:
    used = sum(one.total for one in api.ask("/rest/v1/stats/usage.json", _Used).result)
    return Check(
        "calls",
        is_ok=used < CALLS * SHARE,
        message=f"{used:,} API calls today, of {CALLS:,} in most subscriptions.",
        remedy="" if used < CALLS * SHARE else "See Admin, Web Services for who calls; more calls can be bought.",
    )


def _exports(api: Api) -> Check:
    today = api.now().astimezone(CENTRAL).date()
    size = 0
    for kind in EXPORTS:
        jobs = api.ask(f"/bulk/v1/{kind}/export.json", _Jobs, params={"status": "Completed"}).result
        done = ((moment(job.finished_at), job.size or 0) for job in jobs)
        size += sum(bytes_ for at, bytes_ in done if at and at.astimezone(CENTRAL).date() == today)
    return Check(
        "exports",
        is_ok=size < BYTES * SHARE,
        message=f"Exports can be made; {size / 10**6:,.1f} MB today, of {BYTES / 10**6:,.0f} in most subscriptions.",
        remedy="" if size < BYTES * SHARE else "The rest waits until midnight US Central; more can be bought.",
    )


def _clock(api: Api) -> Check:
    """A difference is told but is no failure: windows and versions follow Marketo's clock, not ours."""
    apart = abs(api.now() - datetime.now(UTC))
    if apart > TOLERANCE:
        return Check(
            "clock",
            is_ok=True,
            message=f"Marketo's clock is {apart.total_seconds() / 60:.0f} minutes from ours; windows follow Marketo's.",
            remedy="Set this machine's clock, so that schedules and windows speak of the same time.",
        )
    return Check("clock", is_ok=True, message=f"Marketo's clock is {apart.total_seconds():.0f} s from ours.")
