"""The lines of `smarketing doctor` about Salesforce."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from connectors.base.model import Check, Stream
from connectors.salesforce.client import Client
from connectors.salesforce.streams import axis_of, fields_of
from errors import SmarketingError

_SKEW = timedelta(minutes=2)
_LOW = 0.1


def checks(client: Client, streams: Iterable[Stream]) -> list[Check]:
    """Login, API version, objects and fields, daily calls, clock; what depends on a failed login is left out."""
    login = _tried("login", lambda: f"logged in at {client.auth.instance_url}")
    if not login.is_ok:
        return [login]
    lines = [login, _tried_check("API version", lambda: _version(client))]
    lines += [_tried_check(stream.name, lambda stream=stream: _object(client, stream)) for stream in streams]  # type: ignore[misc]
    lines += [_tried_check("daily calls", lambda: _calls(client)), _clock(client)]
    return lines


def _tried(name: str, act: Callable[[], str]) -> Check:
    return _tried_check(name, lambda: Check(name, is_ok=True, message=act()))


def _tried_check(name: str, act: Callable[[], Check]) -> Check:
    try:
        return act()
    except SmarketingError as error:
        return Check(name, is_ok=False, message=error.message, remedy=error.remedy)


def _version(client: Client) -> Check:
    versions = client.versions()
    if client.api_version in versions:
        return Check("API version", is_ok=True, message=f"v{client.api_version}")
    newest = max(versions, key=float, default="none")
    return Check(
        "API version",
        is_ok=False,
        message=f"the org does not speak v{client.api_version}; its newest is v{newest}",
        remedy=f"Set api_version to {newest} or older.",
    )


def _object(client: Client, stream: Stream) -> Check:
    known = client.fields(stream.path)
    wanted = fields_of(stream)
    missing = [name for name in wanted if name not in known]
    needed = {"Id", axis_of(stream)} | ({"IsDeleted"} if "IsDeleted" in wanted else set())
    message = f"{len(wanted) - len(missing)} of {len(wanted)} fields of {stream.path}"
    if missing:
        message += f"; without {', '.join(missing)}"
    lacking = sorted(needed.intersection(missing))
    remedy = f"Grant the integration user {', '.join(lacking)} of {stream.path}." if lacking else ""
    return Check(stream.name, is_ok=not lacking, message=message, remedy=remedy)


def _calls(client: Client) -> Check:
    limit = client.limits().get("DailyApiRequests")
    if limit is None:
        return Check("daily calls", is_ok=True, message="the org does not say how many are left")
    is_ok = limit.Remaining > limit.Max * _LOW
    remedy = "" if is_ok else "Run later, or find the tool that uses them (Setup, API Usage)."
    return Check("daily calls", is_ok=is_ok, message=f"{limit.Remaining} of {limit.Max} are left", remedy=remedy)


def _clock(client: Client) -> Check:
    skew = abs(client.session.now() - datetime.now(UTC))
    return Check(
        "clock",
        is_ok=skew <= _SKEW,
        message=f"{skew.total_seconds():.0f} s between Salesforce's clock and ours",
        remedy="" if skew <= _SKEW else "Set this machine's clock (NTP); tokens may be refused.",
    )
