"""What `smarketing doctor` says about a Tryton connection."""

from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.base.model import Check
from connectors.tryton.rest import Rest
from connectors.tryton.streams import READINGS
from errors import SmarketingError

LARGEST_SKEW_SECONDS = 60


def checks(rest: Rest) -> list[Check]:
    """Address and key first; the rest only when those hold."""
    try:
        installed = rest.known([reading.model for reading in READINGS.values()])
    except SmarketingError as error:
        return [Check("key", is_ok=False, message=error.message, remedy=error.remedy)]
    found = [Check("key", is_ok=True, message=f"Tryton accepts the key for the database {rest.database}.")]
    try:
        found += [_clock(rest), *_modules(installed), *_rights(rest, installed), _companies(rest)]
    except SmarketingError as error:
        found.append(Check("rights", is_ok=False, message=error.message, remedy=error.remedy))
    return found


def _clock(rest: Rest) -> Check:
    skew = abs((rest.session.now() - datetime.now(UTC)).total_seconds())
    if skew <= LARGEST_SKEW_SECONDS:
        return Check("clock", is_ok=True, message="Tryton's clock agrees with ours.")
    return Check(
        "clock",
        is_ok=False,
        message=f"Tryton's clock and ours differ by {skew:.0f} s.",
        remedy="Set both by NTP; windows go by Tryton's clock, so nothing is lost meanwhile.",
    )


def _modules(installed: set[str]) -> Iterator[Check]:
    missing: dict[str, list[str]] = {}
    for name, reading in READINGS.items():
        if reading.model not in installed:
            missing.setdefault(reading.module, []).append(name)
    for module, streams in missing.items():
        yield Check(
            "module",
            is_ok=True,
            message=f"Tryton's module {module} is not installed: {', '.join(streams)} stay empty.",
            remedy=f"Activate {module} in Tryton if you work with it.",
        )


def _rights(rest: Rest, installed: set[str]) -> Iterator[Check]:
    needed = sorted({reading.model for reading in READINGS.values()} | {m for r in READINGS.values() for m in r.needs})
    models = rest.known(needed) & set(needed) if installed else set()
    granted = rest.call("ir.model.access", "get_access", {"models": sorted(models)})
    refused = [model for model in sorted(models) if not granted[model]["read"]]
    if not refused:
        yield Check("rights", is_ok=True, message="The key's user may read all models that the streams need.")
        return
    yield Check(
        "rights",
        is_ok=False,
        message=f"The key's user may not read {', '.join(refused)}.",
        remedy="Grant read access to them, as connectors/tryton/README.md shows.",
    )


def _companies(rest: Rest) -> Check:
    """Opportunities and employees of companies that the user does not belong to are left out in silence."""
    total = rest.count("company.company", [])
    user = rest.call("res.user", "get_preferences", {})
    mine = user.get("companies") if user.get("company_filter") == "all" else [user.get("company")]
    seen = len([company for company in mine or [] if company])
    if seen >= total > 0:
        return Check("companies", is_ok=True, message=f"The key's user sees all companies ({seen}).")
    return Check(
        "companies",
        is_ok=False,
        message=f"The key's user sees {seen} of {total} companies; opportunities of the others are not read.",
        remedy="Add the companies to the user in Tryton, and set its company filter to All.",
    )
