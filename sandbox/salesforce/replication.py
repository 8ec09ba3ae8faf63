"""/sobjects/X/deleted/ and /updated/: ids by time (REST API guide, sObject Get Deleted, sObject Get Updated).

Both cut `start` and `end` to the minute. `latestDateCovered` is where the oldest transaction began that is not visible
yet, and so the start that a next call needs in order to miss nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.rows import moment_of, view
from sandbox.salesforce.schema import SObject

DELETED_DAYS = timedelta(days=15)
UPDATED_DAYS = timedelta(days=30)
_MINUTE = timedelta(minutes=1)


def deleted(org: Org, sobject: SObject, start: str, end: str) -> dict[str, Any]:
    """Deleted, merged and hard-deleted records of the last 15 days.

    Raises:
        ApiError: INVALID_REPLICATION_DATE, MALFORMED_QUERY.
    """
    first, last = _span(org, start, end, UPDATED_DAYS)
    earliest = org.now() - DELETED_DAYS
    low = max(first, earliest)
    with org.store.lock:
        stamps = {r.id: r.archived_at for r in org.store.records[sobject.name].values()}
        stamps |= org.store.gone[sobject.name]
        hidden = {r.id for r in org.store.lagging(sobject.name, org.now())}
    found = sorted((at, id_) for id_, at in stamps.items() if at and low <= at < last and id_ not in hidden)
    return {
        "deletedRecords": [{"deletedDate": _text(at), "id": id_} for at, id_ in found],
        "earliestDateAvailable": _text(earliest),
        "latestDateCovered": _text(_covered(org, sobject, last)),
    }


def updated(org: Org, sobject: SObject, start: str, end: str) -> dict[str, Any]:
    """Live records that were created or changed.

    Raises:
        ApiError: INVALID_REPLICATION_DATE, MALFORMED_QUERY.
    """
    first, last = _span(org, start, end, UPDATED_DAYS)
    views = org.views(sobject, lambda v: not v.deleted and first <= v.modified_at < last, start=first, end=last)
    return {"ids": [v.id for v in views], "latestDateCovered": _text(_covered(org, sobject, last))}


def _span(org: Org, start: str, end: str, longest: timedelta) -> tuple[datetime, datetime]:
    # A plus sign that was not encoded arrives as a blank.
    first, last = (moment_of(text.replace(" ", "+")) for text in (start, end))
    if first is None or last is None:
        raise ApiError(400, "MALFORMED_QUERY", "start and end need a date and time such as 2026-11-01T00:00:00+00:00")
    first, last = (moment.replace(second=0, microsecond=0) for moment in (first, last))
    if last - first < _MINUTE:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if first < org.now() - longest:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return first, last


def _covered(org: Org, sobject: SObject, last: datetime) -> datetime:
    now = org.now()
    pending = [r.modified_at for r in org.store.lagging(sobject.name, now) if view(r, now) is None or r.before]
    return min([last, now, *pending]).replace(second=0, microsecond=0)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[:-6] + "+0000"
