"""Which faults there are: name, whom it concerns, what it does, and how often it strikes on a hostile day.

A hostile day (`all`) is one on which work still gets done: most requests succeed, and what ends a run strikes seldom, so
that the run after it goes on. A vendor that joins adds its rows to `FAULTS`, and its name to `ON_THE_WIRE`.
"""

import zlib
from collections.abc import Mapping
from typing import NamedTuple

from sandbox.context import Faults

ALL = "all"
ON_THE_WIRE = ("hubspot", "salesforce", "marketo")
"""Vendors whose app stands behind `sandbox.transport`."""


class Known(NamedTuple):
    """One fault.

    about: what happens when it strikes, in one line.
    rate: share of its occasions at which it strikes under `all`.
    """

    about: str
    rate: float


_WIRE: Mapping[str, Known] = {
    "unreachable": Known("the connection closes without an answer", 0.01),
    "5xx": Known("the vendor's server error instead of an answer", 0.01),
    "malformed_json": Known("a JSON body that stops in the middle, though the lengths agree", 0.01),
    "reset_mid_body": Known("the connection breaks after half of the body", 0.01),
    "truncated_gzip": Known("a compressed body without its end", 0.01),
    "slow_drip": Known("the body in small pieces with pauses", 0.005),
}

_HUBSPOT: Mapping[str, Known] = {
    "429": Known("429 TEN_SECONDLY_ROLLING with Retry-After", 0.01),
    "429_no_retry_after": Known("429 TEN_SECONDLY_ROLLING without Retry-After", 0.01),
    "429_secondly": Known("429 SECONDLY, to searches alone", 0.02),
    "429_daily": Known("429 DAILY: the day's calls are used up", 0.0005),
    "401": Known("the key is refused", 0.0005),
    "missing_scope": Known("403: the key lacks the scope of the path", 0.0005),
    "search_lag": Known(
        "searches see a change up to 60 minutes late; of writes, this share is late by chance as well", 0.5
    ),
    "unsorted_search": Known("a page of a search is cut from rows that are out of order", 0.1),
    "updated_while_paged": Known("rows change between two pages, and move", 0.05),
    "partial_batch": Known("207: a batch answer lacks some inputs, which could not be served for the moment", 0.02),
    "small_link_pages": Known("two links of a record at a time, so that all others are on further pages", 0.1),
    "double_links": Known("a link stands twice in an answer, and so do its types", 0.1),
    "hub": Known("on a day, a deal gets up to 1,300 contacts", 0.2),
    "gdpr_delete": Known("on a day, contacts are deleted for good, and no list shows them any more", 0.3),
    "short_lists": Known("on a day, a form, an owner or a campaign is archived, or taken out of the archive", 0.5),
    "wide_schema": Known("deals have 1,200 properties more while it is on: their names do not fit into a URL", 1.0),
    "field_added": Known("the records of a page have a property that nobody asked for", 0.02),
    "field_removed": Known("the records of a page lack a property", 0.02),
    "field_retyped": Known("the records of a page have numbers where text was", 0.02),
}

_SALESFORCE: Mapping[str, Known] = {
    "session_expired": Known("the session of the request ends: 401 until the next login", 0.01),
    "request_limit": Known("403 REQUEST_LIMIT_EXCEEDED: the day's calls are used up", 0.0005),
    "concurrent_limit": Known("403 REQUEST_LIMIT_EXCEEDED: too many long requests at once", 0.01),
    "query_timeout": Known("500 QUERY_TIMEOUT to a query", 0.01),
    "late_commit": Known("this share of writes is visible 1 to 8 minutes after its SystemModstamp", 0.5),
    "short_page": Known("1,350 rows and a nextRecordsUrl where 2,000 rows were asked for", 0.1),
    "locator_expired": Known("400 INVALID_QUERY_LOCATOR to a further page", 0.02),
    "bulk_failed": Known("a Bulk job ends as Failed", 0.05),
    "bulk_aborted": Known("a Bulk job ends as Aborted", 0.05),
    "bulk_short_page": Known("a Bulk page lacks its last rows, though its header and locator count them", 0.05),
    "bulk_stuck": Known("a look at a Bulk job does not find it further on", 0.1),
    "bulk_vanished": Known("somebody has removed a Bulk job: 404", 0.01),
    "bulk_locator_expired": Known("400 INVALID_QUERY_LOCATOR to a Bulk result page", 0.02),
    "bulk_lost_page": Known("a list of Bulk result pages lacks its last one", 0.05),
    "no_result_pages": Known("404: Bulk result pages are not listed", 0.1),
    "missing_field": Known("field-level security hides a field of each object while it is on", 0.0),
    "field_lost": Known("400 INVALID_FIELD to a query whose fields were described a moment ago", 0.01),
    "field_added": Known("the records of a page have a field that nobody asked for", 0.02),
    "field_removed": Known("the records of a page lack a field", 0.02),
    "field_retyped": Known("the records of a page have text where numbers were", 0.02),
    "hard_delete": Known("on a day, leads, contacts and tasks are deleted for good, with no IsDeleted row", 0.3),
    "formula_change": Known("on a day, formula fields change without a new SystemModstamp", 0.2),
    "formula_field": Known("leads have a formula that follows the calendar while it is on", 1.0),
    "retyped_field": Known("describe says another type of a field of each object while it is on", 1.0),
}

_MARKETO: Mapping[str, Known] = {
    "502": Known("502 Bad Gateway, a page instead of JSON", 0.01),
    "601": Known("the token is refused: 601 in a 200", 0.01),
    "602": Known("the token has expired: 602 in a 200", 0.01),
    "604": Known("the request timed out: 604 in a 200", 0.01),
    "606": Known("100 calls in 20 seconds: 606 in a 200, without Retry-After", 0.01),
    "607": Known("the day's calls are used up: 607 in a 200", 0.0005),
    "608": Known("temporarily unavailable: 608 in a 200", 0.01),
    "615": Known("ten calls at the same time: 615 in a 200", 0.01),
    "1029": Known("the queue of exports is full", 0.02),
    "1029_quota": Known("the day's exports are used up", 0.001),
    "completed_but_404": Known("an export is completed, and its file is not there yet", 0.05),
    "truncated_file": Known("a file ends early", 0.05),
    "checksum_mismatch": Known("the checksum told of a file is not that of its bytes", 0.02),
    "short_file": Known("a file has half of the rows that are counted", 0.02),
    "failed_job": Known("an export ends as Failed", 0.05),
    "missing_field": Known("leads lose a field while it is on", 0.0),
    "empty_page": Known("a page of activities is empty, and says that there are more", 0.05),
    "field_added": Known("the records of a page have a field that nobody asked for", 0.02),
    "field_removed": Known("the records of a page lack a field", 0.02),
    "field_retyped": Known("the records of a page have text where numbers were", 0.02),
}

_WORLD: Mapping[str, Known] = {
    "rare_changes": Known("each day has archives, restores, merges and hard deletes, however small the world", 1.0),
    "bulk_edit": Known("on a day, up to 12,000 records change in one millisecond", 0.1),
    "nasty_text": Known("on a day, records get quotes, line ends, NUL, CJK and half a kilobyte of emoji", 0.5),
}

FAULTS: Mapping[str, Known] = {
    **{f"{vendor}.{name}": known for vendor in ON_THE_WIRE for name, known in _WIRE.items()},
    **{f"hubspot.{name}": known for name, known in _HUBSPOT.items()},
    **{f"salesforce.{name}": known for name, known in _SALESFORCE.items()},
    **{f"marketo.{name}": known for name, known in _MARKETO.items()},
    **{f"world.{name}": known for name, known in _WORLD.items()},
}
"""Name -> fault; the part before the dot is the vendor, `world` where more than one is concerned."""


def rates_of(wanted: str) -> dict[str, float]:
    """What a list such as `all,hubspot.429=0.2,salesforce.5xx=0` switches on: name -> rate.

    A name without a rate strikes each time; `all` stands for every fault at its rate of a hostile day, `all=0.5` for half
    of these rates. Later parts change earlier ones.

    Raises:
        ValueError: a name is not known, or a rate is no number from 0 to 1.
    """
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in wanted.split(","))):
        name, _, text = part.partition("=")
        try:
            rate = float(text or 1)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise ValueError(f"fault {name}: rate {text} is not within 0 to 1")
        if name == ALL:
            rates.update({each: known.rate * rate for each, known in FAULTS.items()})
        elif name in FAULTS:
            rates[name] = rate
        else:
            raise ValueError(f"there is no fault {name}: all, {', '.join(FAULTS)}")
    return rates


def switch(faults: Faults, wanted: str, *, seed: int = 0, count: int | None = None) -> None:
    """Switch on what a list names (see `rates_of`), and off what it gives a rate of 0.

    Where there are several, each has a seed of its own, so that they do not strike together.

    Args:
        faults: where they are switched.
        wanted: the list.
        seed: of the choice of occasions.
        count: after how many strikes each is over; None: never.

    Raises:
        ValueError: as `rates_of`; then nothing was switched.
    """
    rates = rates_of(wanted)
    for name, rate in rates.items():
        own = seed if len(rates) == 1 else seed ^ zlib.crc32(name.encode())
        faults.switch(name, rate=rate, seed=own, count=count)
