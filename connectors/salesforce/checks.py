"""The lines of `smarketing doctor` about Salesforce."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from connectors.base.model import Check, Stream
from connectors.salesforce.client import Client
from connectors.salesforce.streams import axis_of, fields_of
from errors import SmarketingError

_LOW = 0.1


def checks(client: Client, streams: Iterable[Stream]) -> list[Check]:
    """Login, API version, objects and fields, daily calls, clock; what depends on a failed login is left out."""
    login = _tried("login", partial(_login, client))
    if not login.is_ok:
        return [login]
    return [
        login,
        _tried("API version", partial(_version, client)),
        *(_tried(stream.name, partial(_object, client, stream)) for stream in streams),
        _tried("daily calls", partial(_calls, client)),
        _clock(client),
    ]


def _tried(name: str, act: Callable[[], Check]) -> Check:
    try:
        return act()
    except SmarketingError as error:
        return Check(name, is_ok=False, message=error.message, remedy=error.remedy)


def _login(client: Client) -> Check:
    return Check("login", is_ok=True, message=f"logged in at {client.auth.instance_url}")


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
    """Windows, versions and assertions follow Salesforce's clock, so that ours may differ: told, not failed."""
    skew = abs(client.session.now() - datetime.now(UTC)).total_seconds()
    return Check("clock", is_ok=True, message=f"{skew:.0f} s between Salesforce's clock, which is followed, and ours")
