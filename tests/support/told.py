"""Whether a value that was told in one form is the one that is meant: payloads, texts of CSV files, typed columns."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


def field(payload: Mapping[str, Any], name: str) -> Any:
    for place in (payload.get("properties"), payload.get("submission"), payload):
        if isinstance(place, Mapping) and name in place:
            value = place[name]
            return value["value"] if isinstance(value, Mapping) and set(value) == {"type", "value"} else value
    return payload.get("active") if name == "isActive" else None  # smart campaigns name it so in the lead database


def as_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def is_told(text: Any, field: Any) -> bool:
    """Whether raw has a field of Salesforce as it is, or as the text that a CSV has for it."""
    if text == field:
        return True
    if isinstance(field, bool):
        return bool(text == str(field).lower())
    if isinstance(field, int | float) and isinstance(text, str):
        return is_same(Decimal(str(field)), text)
    if isinstance(field, str) and isinstance(text, str):
        return text == re.sub(r"(?<=\.000)\+0000$", "Z", field)
    return text is None and field == ""


def is_same(staged: Any, field: Any) -> bool:
    if isinstance(staged, Decimal):
        try:
            return abs(staged - Decimal(str(field))) < Decimal("0.01")
        except InvalidOperation:
            return False
    text = None if field is None else str(field).replace("\0", "").strip() or None
    return bool(staged == text)
