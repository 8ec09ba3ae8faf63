"""The schema drifts while records are paged: on some pages a field is new, gone, or of another type.

Faults: `<vendor>.field_added`, `<vendor>.field_removed`, `<vendor>.field_retyped`. Each strikes a whole page, as a change of
the schema between two requests would. Fields by which the truth is compared keep their values.
"""

from collections.abc import Iterable
from typing import Any

from sandbox.context import Faults

ADDED = "added_meanwhile"

REMOVED: dict[str, frozenset[str]] = {
    "hubspot": frozenset(["jobtitle", "city", "industry", "hs_next_step", "hs_call_disposition", "hs_task_type"]),
    "salesforce": frozenset(
        ["Rating", "Title", "Industry", "NextStep", "Department", "CallDisposition", "TaskSubtype"]
    ),
    "marketo": frozenset(["city", "statusReason", "workspaceName"]),
}
"""Vendor -> fields that `field_removed` takes."""

RETYPED: dict[str, frozenset[str]] = {
    "hubspot": frozenset(["hubspotscore", "numberofemployees", "hs_call_duration", "hs_deal_stage_probability"]),
    "salesforce": frozenset(["NumberOfEmployees", "AnnualRevenue", "Probability", "CallDurationInSeconds"]),
    "marketo": frozenset(["leadScore", "annualRevenue", "version", "template", "buttonLocation"]),
}
"""Vendor -> numbers whose type `field_retyped` changes: at HubSpot from text, at the others to text."""


def drift(faults: Faults, vendor: str, records: Iterable[dict[str, Any]]) -> None:
    """Let one page's records drift where a fault strikes.

    Args:
        faults: which are on.
        vendor: hubspot, salesforce or marketo.
        records: the fields of each record, changed in place.
    """
    held = list(records)
    if not held:
        return
    if faults.strikes(f"{vendor}.field_added"):
        for fields in held:
            fields[ADDED] = "1"
    if faults.strikes(f"{vendor}.field_removed"):
        for fields in held:
            for name in REMOVED[vendor] & fields.keys():
                del fields[name]
    if faults.strikes(f"{vendor}.field_retyped"):
        for fields in held:
            for name in RETYPED[vendor] & fields.keys():
                fields[name] = _other_type(fields[name])


def _other_type(value: Any) -> Any:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return str(value) if isinstance(value, int | float) else value
