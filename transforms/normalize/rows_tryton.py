"""Row functions for Tryton: its records nest what belongs to them, and a party may be a person or a company.

A reference arrives as an id, as `{"id": 7, "rec_name": "..."}`, or as `model,7`; decimals and dates as plain JSON or in
Tryton's own wrapping (`{"__class__": "Decimal", "decimal": "1.50"}`). All of these are read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_COMPANY: Final = re.compile(
    r"\b(ltda|s\.?a\.?|eireli|gmbh|ag|inc|llc|ltd|limited|corp|plc|kk|pvt|b\.?v|s\.?l|s\.?r\.?l|sas|lda)\.?$",
    re.IGNORECASE,
)
_COMPANY_WORDS: Final = {"company", "empresa", "organization", "organisation", "pessoa jurídica"}
_PERSON_WORDS: Final = {"person", "pessoa", "individual", "pessoa física"}
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
    emails = [m["value"] for m in mechanisms if m.get("type") == "email"]
    name = str(record.get("name") or "")
    yield {
        **record,
        "email": emails[0] if emails else None,
        "other_emails": ";".join(map(str, emails[1:])) or None,
        "phone": _first(mechanisms, _PHONES),
        "mobile": _first(mechanisms, _MOBILES),
        "website": _first(mechanisms, ("website",)),
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
    """By what the party says of itself, else its categories, tax numbers, legal form; people have none of these."""
    said = record.get("is_company")
    if isinstance(said, bool):
        return said
    categories = {str(word(c)).casefold() for c in record.get("categories") or () if word(c)}
    leaves = {c.rpartition("/")[2].strip() for c in categories}
    if leaves & _COMPANY_WORDS:
        return True
    if leaves & _PERSON_WORDS:
        return False
    return bool(record.get("identifiers")) or bool(_COMPANY.search(name.strip()))


def sale_opportunity(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A sale opportunity with plain references and words."""
    state = record.get("state")
    closed = {"converted": True, "lost": True, "cancelled": True}.get(str(state), False)
    yield {
        **record,
        "party_id": reference(record.get("party")),
        "employee_id": reference(record.get("employee")),
        "campaign": reference(record.get("marketing_campaign")),
        "source": word(record.get("marketing_source")) or word(record.get("lead_source")),
        "medium": word(record.get("marketing_medium")),
        "currency_code": word(record.get("currency")),
        "amount": scalar(record.get("amount")),
        "probability": scalar(record.get("conversion_probability")),
        "closed": closed,
        "won": state == "converted",
        "closed_on": scalar(record.get("end_date")),
        "create_date": scalar(record.get("create_date")),
    }


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


def automation_record(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A party's way through a scenario; records of other models than parties are left out."""
    target = record.get("record")
    model = target.partition(",")[0] if isinstance(target, str) and "," in target else "party.party"
    party_id = reference(record.get("party")) or (reference(target) if model == "party.party" else None)
    if party_id is not None:
        yield {
            **record,
            "party_id": party_id,
            "scenario_id": reference(record.get("scenario")),
            "create_date": scalar(record.get("create_date")),
        }


def automation_activity(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One step of a scenario that was taken with a party."""
    for way in automation_record(record):
        yield {**way, "at": scalar(record.get("at")) or scalar(record.get("write_date")) or way["create_date"]}


TRYTON_ROWS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]]] = {
    "automation_activity": automation_activity,
    "automation_record": automation_record,
    "companies": companies,
    "mailing_list_email": mailing_list_email,
    "party": party,
    "sale_opportunity": sale_opportunity,
}
