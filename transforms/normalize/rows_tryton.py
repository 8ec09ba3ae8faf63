"""Row functions for Tryton: its records nest what belongs to them, and a party may be a person or a company.

A reference arrives as an id, as `{"id": 7, "rec_name": "..."}`, or as `model,7`; decimals and dates as plain JSON or in
Tryton's own wrapping (`{"__class__": "Decimal", "decimal": "1.50"}`). All of these are read.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

_COMPANY: Final = re.compile(
    r"\b(ltda|s\.?a\.?|eireli|gmbh|ag|inc|llc|ltd|limited|corp|plc|kk|pvt|b\.?v|s\.?l|s\.?r\.?l|sas|lda)\.?$",
    re.IGNORECASE,
)
_PHONES: Final = ("phone",)
_MOBILES: Final = ("mobile", "sms", "whatsapp")


def reference(value: Any) -> Any:
    """The id in a reference."""
    if isinstance(value, Mapping):
        return value.get("id")
    if isinstance(value, str) and "," in value:
        return value.rpartition(",")[2]
    return value


def word(value: Any) -> Any:
    """The name in a reference, or a plain text; None for a bare id."""
    if isinstance(value, Mapping):
        return value.get("code") or value.get("name") or value.get("rec_name")
    return value if isinstance(value, str) else None


def scalar(value: Any) -> Any:
    """A decimal, date or time out of Tryton's wrapping; other values as they are."""
    if not isinstance(value, Mapping) or "__class__" not in value:
        return value
    if value["__class__"] == "Decimal":
        return value.get("decimal")
    if value["__class__"] in {"date", "datetime"}:
        day = f"{int(value['year']):04}-{int(value['month']):02}-{int(value['day']):02}"
        if value["__class__"] == "date":
            return day
        clock = (int(value.get(k) or 0) for k in ("hour", "minute", "second", "microsecond"))
        hour, minute, second, micro = clock
        return f"{day}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z"
    return None


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def party(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A party with its first address, its mechanisms by kind, and whether it is a company."""
    mechanisms = [m for m in _maps(record.get("contact_mechanisms")) if m.get("active", True) and m.get("value")]
    addresses = [a for a in _maps(record.get("addresses")) if a.get("active", True)]
    address = addresses[0] if addresses else {}
    own = [record.get("email")]
    given = [*own, *(m["value"] for m in mechanisms if m.get("type") == "email")]
    emails = list(dict.fromkeys(e for e in given if isinstance(e, str) and e))
    name = str(record.get("name") or "")
    yield {
        **record,
        "email": emails[0] if emails else None,
        "other_emails": ";".join(emails[1:]) or None,
        "phone": record.get("phone") or _first(mechanisms, _PHONES),
        "mobile": record.get("mobile") or _first(mechanisms, _MOBILES),
        "website": record.get("website") or _first(mechanisms, ("website",)),
        "country": word(address.get("country")),
        "city": address.get("city"),
        "is_company": _is_company(record, name),
        "create_date": scalar(record.get("create_date")),
    }


def companies(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The party again, if it is a company."""
    return (p for p in party(record) if p["is_company"])


def _first(mechanisms: list[Mapping[str, Any]], kinds: tuple[str, ...]) -> Any:
    return next((m["value"] for m in mechanisms if m.get("type") in kinds), None)


def _is_company(record: Mapping[str, Any], name: str) -> bool:
    """What the connector found, else the legal form in the name: Tryton has no field for it."""
    said = record.get("is_company")
    return said if isinstance(said, bool) else bool(_COMPANY.search(name.strip()))


_CLOSED: Final = {"won": True, "lost": True, "cancelled": True}
"""States that end an opportunity. `converted` does not: a sale was drafted, and may still be refused."""


def sale_opportunity(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A sale opportunity with plain references and words."""
    state = str(record.get("state"))
    yield {
        **record,
        "name": record.get("description") or record.get("reference") or record.get("number"),
        "party_id": reference(record.get("party")),
        "contact_id": _contact(record),
        "employee_id": reference(record.get("employee")),
        "source": word(record.get("marketing_source")) or word(record.get("lead_source")),
        "currency_code": word(record.get("currency")),
        "amount": scalar(record.get("amount")),
        "probability": scalar(record.get("conversion_probability")),
        "closed": _CLOSED.get(state, False),
        "won": state == "won",
        "closed_on": _closed_at(record, state),
        # Tryton keeps the reason when a lost opportunity is opened again.
        "loss_reason": record.get("lost_reason") if state in ("lost", "cancelled") else None,
        "create_date": scalar(record.get("create_date")),
    }


def _closed_at(record: Mapping[str, Any], state: str) -> Any:
    """When it ended: the moment that it came into its state where that is the end date or next to it, else the end date.

    The end date is a day, in the company's time zone, and would lie before the moment of creation for what is won on its
    first day. A moment on another day is that of an import, or of a later correction.
    """
    end = scalar(record.get("end_date"))
    changes = _maps(record.get("state_changes"))
    if state not in _CLOSED or not changes or changes[-1].get("state") != state:
        return end
    at = scalar(changes[-1].get("at"))
    return at if end is None or _days_between(at, end) <= 1 else end


def _days_between(one: Any, other: Any) -> float:
    """Days between two dates or times in ISO 8601; infinite where one is neither."""
    try:
        return abs((date.fromisoformat(str(one)[:10]) - date.fromisoformat(str(other)[:10])).days)
    except ValueError:
        return math.inf


def mailing_list_email(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An address on a mailing list."""
    active = record.get("active", True)
    yield {
        **record,
        "party_id": reference(record.get("party")),
        "list_name": word(record.get("list_")),
        "is_opted_out": not active,
        "create_date": scalar(record.get("create_date")),
    }


def opportunity_states(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The states that an opportunity went through (id, at, from, to), oldest first."""
    before: Any = None
    contact = _contact(record)
    seen: dict[str, int] = {}
    for change in _maps(record.get("state_changes")):
        at, state = scalar(change.get("at")), change.get("state")
        seen[str(at)] = seen.get(str(at), 0) + 1
        part = f"state:{at}" if seen[str(at)] == 1 else f"state:{at}:{seen[str(at)]}"
        yield {"part": part, "id": record.get("id"), "contact_id": contact, "at": at, "from": before, "to": state}
        before = state


def contact_states(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same changes as they concern the opportunity's contact."""
    return ({**change, "part": f"contact_{change['part']}"} for change in opportunity_states(record))


def _contact(record: Mapping[str, Any]) -> Any:
    """The party of the contact mechanism that the opportunity names, else the party itself."""
    contact = record.get("contact")
    named = reference(contact.get("party")) if isinstance(contact, Mapping) else None
    return named if named is not None else reference(record.get("party"))


def employee(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An employee with the name and address of the party that it is."""
    its_party = record.get("party")
    who = its_party if isinstance(its_party, Mapping) else {}
    yield {
        **record,
        "name": who.get("name") or record.get("rec_name"),
        "email": who.get("email"),
        "is_active": who.get("active", True) is not False and not scalar(record.get("end_date")),
        "create_date": scalar(record.get("create_date")),
    }


def automation_record(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A party's way through a scenario; records of other models than parties are left out."""
    party_id = _party_of(record)
    if party_id is not None:
        yield {
            **record,
            "party_id": party_id,
            "scenario_id": reference(record.get("scenario")),
            "create_date": scalar(record.get("create_date")),
        }


def _party_of(record: Mapping[str, Any]) -> Any:
    if record.get("party") is not None:
        return reference(record["party"])
    target = record.get("record")
    is_party = isinstance(target, str) and target.startswith("party.party,")
    return reference(target) if is_party else None


def automation_activity(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What was done with a party in a step of a scenario: the step or the mail, and the mail opened or clicked.

    Tryton keeps that a mail was opened or clicked, not when: the record's last change stands for it. A step that waits or
    was left out is no touch.
    """
    way = record.get("record")
    outer = way if isinstance(way, Mapping) else {}
    party_id = reference(record["party"]) if record.get("party") is not None else _party_of(outer)
    at, changed = scalar(record.get("at")), scalar(record.get("write_date"))
    if party_id is None or record.get("state") not in (None, "done"):
        return
    activity = record.get("activity")
    is_mail = isinstance(activity, Mapping) and activity.get("action") == "send_email"
    base = {"party_id": party_id, "scenario_id": reference(outer.get("scenario") or record.get("scenario"))}
    created = scalar(record.get("create_date"))
    yield {**base, "part": None, "kind": "sent" if is_mail else "step", "at": at or changed or created}
    for kind in ("opened", "clicked"):
        if record.get(f"email_{kind}") is True:
            yield {**base, "part": kind, "kind": kind, "at": changed or at or created}


TRYTON_ROWS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]]] = {
    "automation_activity": automation_activity,
    "automation_record": automation_record,
    "companies": companies,
    "contact_states": contact_states,
    "employee": employee,
    "mailing_list_email": mailing_list_email,
    "opportunity_states": opportunity_states,
    "party": party,
    "sale_opportunity": sale_opportunity,
}
