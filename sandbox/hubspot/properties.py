"""Properties of a type: what records hold, with HubSpot's types for its own names. Source: HubSpot, Properties API."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import answer, flag_of, not_found
from sandbox.hubspot.catalog import ObjectType, resolve
from sandbox.hubspot.scopes import unknown
from sandbox.hubspot.shelf import Shelf

_DATETIMES = """createdate lastmodifieddate hs_lastmodifieddate hs_createdate closedate hs_timestamp
    hs_analytics_first_timestamp hs_meeting_start_time hs_meeting_end_time"""
_NUMBERS = """hs_object_id amount hubspotscore annualrevenue hs_call_duration hs_deal_stage_probability associatedcompanyid
    hs_parent_company_id"""  # not numberofemployees: this world holds texts in it
_ENUMERATIONS = """lifecyclestage hs_lead_status hs_analytics_source dealstage pipeline industry hubspot_owner_id
    deal_currency_code hs_call_direction hs_call_status hs_call_disposition hs_email_direction hs_email_status
    hs_meeting_outcome hs_task_status hs_task_type hs_merged_object_ids hs_additional_emails closed_lost_reason"""
_BOOLEANS = "hs_email_optout hs_is_closed hs_is_closed_won"

TYPE_OF: dict[str, tuple[str, str]] = {
    **dict.fromkeys(_DATETIMES.split(), ("datetime", "date")),
    **dict.fromkeys(_NUMBERS.split(), ("number", "number")),
    **dict.fromkeys(_ENUMERATIONS.split(), ("enumeration", "select")),
    **dict.fromkeys(_BOOLEANS.split(), ("bool", "booleancheckbox")),
    "phone": ("string", "phonenumber"),
    "mobilephone": ("string", "phonenumber"),
    "hs_merged_object_ids": ("enumeration", "checkbox"),
    "hs_additional_emails": ("enumeration", "checkbox"),
    "hs_calculated_merged_vids": ("enumeration", "checkbox"),
    "hubspotscore": ("number", "calculation_score"),
}
"""name -> HubSpot's (type, fieldType); all other names are plain text."""

_CALCULATED = """hs_analytics_source hs_analytics_source_data_1 hs_analytics_source_data_2 hubspotscore
    hs_analytics_first_timestamp hs_analytics_first_url hs_analytics_first_referrer hs_calculated_merged_vids
    hs_is_closed hs_is_closed_won hs_deal_stage_probability"""
CALCULATED = frozenset(_CALCULATED.split())
"""Names whose value HubSpot works out: they may change without a change of the record's date."""

_COMMON = """hubspot_owner_id hs_object_id hs_merged_object_ids"""
_BASE: dict[str, frozenset[str]] = {
    kind: frozenset(f"{_COMMON} {names}".split())
    for kind, names in {
        "contacts": """email hs_additional_emails firstname lastname jobtitle company phone mobilephone country city
            lifecyclestage hs_lead_status hubspotscore associatedcompanyid createdate lastmodifieddate hs_createdate
            hs_lastmodifieddate hs_analytics_source hs_analytics_source_data_1 hs_analytics_source_data_2
            hs_analytics_first_timestamp hs_analytics_first_url hs_analytics_first_referrer hs_email_optout
            hs_calculated_merged_vids""",
        "companies": """name domain website phone industry numberofemployees annualrevenue country city lifecyclestage
            hs_parent_company_id createdate hs_createdate hs_lastmodifieddate""",
        "deals": """dealname amount deal_currency_code dealstage pipeline closedate createdate hs_createdate
            hs_lastmodifieddate hs_is_closed_won hs_is_closed hs_deal_stage_probability hs_analytics_source
            closed_lost_reason hs_next_step""",
        "calls": """hs_timestamp hs_createdate hs_lastmodifieddate hs_call_title hs_call_direction hs_call_status
            hs_call_disposition hs_call_duration""",
        "emails": """hs_timestamp hs_createdate hs_lastmodifieddate hs_email_subject hs_email_direction
            hs_email_status""",
        "meetings": """hs_timestamp hs_createdate hs_lastmodifieddate hs_meeting_title hs_meeting_start_time
            hs_meeting_end_time hs_meeting_outcome""",
        "tasks": "hs_timestamp hs_createdate hs_lastmodifieddate hs_task_subject hs_task_status hs_task_type",
        "notes": "hs_timestamp hs_createdate hs_lastmodifieddate hs_note_body",
    }.items()
}
"""kind -> names that HubSpot itself defines; on contacts hs_lastmodifieddate exists too, and is always empty."""

WIDE = frozenset(f"sandbox_property_{number:04d}" for number in range(1_200))
"""What deals have besides while the fault `hubspot.wide_schema` is on: their names fill more than a URL."""

_CUSTOM = frozenset({"disqualification_reason", "hs_channel"})
_UNIQUE = {"contacts": frozenset({"email", "hs_object_id"})}


def known(shelf: Shelf, type_: ObjectType) -> frozenset[str]:
    """All names that the type has: HubSpot's own, and what any record holds."""
    names = _BASE[type_.name] | shelf.names(type_.name)
    return names | WIDE if type_.name == "deals" and shelf.context.faults.active("hubspot.wide_schema") else names


def unique(type_: ObjectType) -> frozenset[str]:
    """Names that can stand for an id (`idProperty`)."""
    return _UNIQUE.get(type_.name, frozenset({"hs_object_id"}))


def _shown(shelf: Shelf, type_: ObjectType, name: str) -> dict[str, Any]:
    kind, field = TYPE_OF.get(name, ("string", "text"))
    calculated = name in CALCULATED
    is_custom = name not in _BASE[type_.name] and (name in _CUSTOM or not name.startswith("hs_"))
    values = _values(shelf, type_.name, name) if kind == "enumeration" and field == "select" else []
    if kind == "bool":
        values = ["true", "false"]
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "description": "",
        "groupName": f"{type_.singular}information",
        "type": kind,
        "fieldType": field,
        "options": [
            {"label": v, "value": v, "displayOrder": i, "hidden": False, "description": ""}
            for i, v in enumerate(values)
        ],
        "displayOrder": -1,
        "calculated": calculated,
        "externalOptions": name == "hubspot_owner_id",
        "hasUniqueValue": name in unique(type_),
        "hidden": False,
        "hubspotDefined": not is_custom,
        "formField": False,
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": is_custom,
            "readOnlyDefinition": not is_custom,
            "readOnlyValue": calculated or name in type_.always,
        },
        **({"createdAt": _SINCE, "updatedAt": _SINCE} if is_custom else {}),
    }


_SINCE = "2019-08-06T02:41:08.029Z"
_MOST_OPTIONS = 200


def _values(shelf: Shelf, kind: str, name: str) -> list[str]:
    if name == "hubspot_owner_id":
        return []
    values = {v for r in shelf.store.live(kind) if isinstance(v := r.fields.get(name), str) and v}
    return sorted(values)[:_MOST_OPTIONS]


class Properties:
    """GET /crm/v3/properties/{type} and /{type}/{name}."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    async def page(self, request: Request) -> Response:
        """All properties of a type; there are no archived ones here."""
        type_ = _type(request)
        if flag_of(request, "archived"):
            return answer({"results": []})
        names = sorted(known(self.shelf, type_))
        shown = self.shelf.derived(
            type_.name, f"{len(names)} properties", lambda: [_shown(self.shelf, type_, n) for n in names]
        )
        return answer({"results": shown})

    async def bare(self, request: Request) -> Response:
        """All properties of a type as a bare list, as the older /properties/v2 has them."""
        type_ = _type(request)
        return answer([_shown(self.shelf, type_, name) for name in sorted(known(self.shelf, type_))])

    async def one(self, request: Request) -> Response:
        """One property."""
        type_ = _type(request)
        name = request.path_params["name"]
        if name not in known(self.shelf, type_):
            raise not_found(f"There is no property {name} of {type_.name}")
        return answer(_shown(self.shelf, type_, name))


def _type(request: Request) -> ObjectType:
    type_ = resolve(request.path_params["type"])
    if type_ is None:
        raise unknown(request.path_params["type"])
    return type_
