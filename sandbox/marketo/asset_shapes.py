"""How assets are answered: the fields that their kind has, most of them the same for all.

Source: developer guide of Marketo Engage, "Programs", "Smart Campaigns", "Static Lists", "Emails", "Forms", "Landing Pages".
"""

from typing import Any

from sandbox.marketo.answers import asset_stamp, stamp
from sandbox.marketo.channels import OUTSIDE, Channel
from sandbox.store import Record

APP = "https://app-sandbox.example"
_SITE = "https://www.smart-demo.example"
_MADE = "2020-01-01T00:00:00Z+0000"


def channel(of: Channel) -> dict[str, Any]:
    """A channel with the statuses that members of its programs may have."""
    statuses = [
        {
            "name": status.name,
            "description": "",
            "hidden": status is OUTSIDE,
            "type": "",
            "step": status.step,
            "success": status.success,
        }
        for status in (OUTSIDE, *of.statuses.values())
    ]
    about = {"id": of.id, "name": of.name, "description": "", "applicableProgramType": of.program_type}
    return about | {"createdAt": _MADE, "updatedAt": _MADE, "progressionStatuses": statuses}


def _dated(record: Record) -> dict[str, Any]:
    return {
        "id": int(record.id),
        "name": record.fields["name"],
        "description": record.fields.get("description") or "",
        "createdAt": asset_stamp(record.created_at),
        "updatedAt": asset_stamp(record.modified_at),
    }


def _folder(record: Record) -> dict[str, Any]:
    fields = record.fields
    if "programId" in fields:
        return {"type": "Program", "value": fields["programId"], "folderName": fields["programName"]}
    return {"type": "Folder", "value": 28, "folderName": "Programs"}


def program(record: Record) -> dict[str, Any]:
    """A program; sfdcId and sfdcName stand where it is synchronised with a Salesforce campaign."""
    fields = record.fields
    mark = {"Engagement": "NP", "Email": "EBP"}.get(fields.get("type") or "", "PG")
    shown = _dated(record) | {
        "url": f"{APP}/#{mark}{record.id}A1",
        "type": fields.get("type", "Default"),
        "channel": fields.get("channel", ""),
        "folder": _folder(record),
        "status": fields.get("status", ""),
        "workspace": "Default",
        "headStart": False,
    }
    crm = {name: fields.get(name) for name in ("sfdcId", "sfdcName")}
    return shown | {name: value for name, value in crm.items() if value is not None}


def tagged_program(record: Record) -> dict[str, Any]:
    """A program as it is answered alone: with tags and costs."""
    return program(record) | {"tags": [], "costs": None}


def smart_campaign(record: Record) -> dict[str, Any]:
    """A smart campaign of the asset API."""
    is_active = bool(record.fields.get("isActive"))
    return _dated(record) | {
        "folder": {"id": record.fields.get("programId"), "type": "Program"},
        "parentProgramId": record.fields.get("programId"),
        "status": "Active" if is_active else "Inactive",
        "type": record.fields.get("type", "batch"),
        "isSystem": False,
        "isActive": is_active,
        "isRequestable": False,
        "isCommunicationLimitEnabled": False,
        "recurrence": {"weekdayOnly": False},
        "qualificationRuleType": "once",
        "workspace": "Default",
        "smartListId": int(record.id) + 1_000,
        "flowId": int(record.id),
        "computedUrl": f"{APP}/#SC{record.id}A1",
    }


def static_list(record: Record) -> dict[str, Any]:
    """A static list of the asset API."""
    folder = {"id": record.fields.get("programId"), "type": "Program"}
    return _dated(record) | {"folder": folder, "computedUrl": f"{APP}/#ST{record.id}A1"}


def email(record: Record) -> dict[str, Any]:
    """An e-mail."""

    def text(value: str) -> dict[str, str]:
        return {"type": "Text", "value": value}

    return _dated(record) | {
        "url": f"{APP}/#EM{record.id}A1",
        "subject": text(record.fields.get("subject") or ""),
        "fromName": text("Smart Demo"),
        "fromEmail": text("hello@smart-demo.example"),
        "replyEmail": text("hello@smart-demo.example"),
        "folder": _folder(record),
        "operational": False,
        "textOnly": False,
        "publishToMSI": False,
        "webView": True,
        "status": "approved",
        "template": 1,
        "workspace": "Default",
        "isOpenTrackingDisabled": False,
        "version": 2,
        "autoCopyToText": True,
        "ccFields": None,
        "preHeader": None,
    }


def form(record: Record) -> dict[str, Any]:
    """A form."""
    return _dated(record) | {
        "url": f"{APP}/#FO{record.id}B2",
        "status": "approved",
        "theme": "simple",
        "language": "English",
        "locale": "en_US",
        "progressiveProfiling": False,
        "labelPosition": "left",
        "fontFamily": "Helvetica",
        "fontSize": "13px",
        "folder": _folder(record),
        "knownVisitor": {"type": "form", "template": None},
        "thankYouList": [{"followupType": "none", "followupValue": None, "default": True}],
        "buttonLocation": 120,
        "buttonLabel": "Submit",
        "waitingLabel": "Please Wait",
    }


def landing_page(record: Record) -> dict[str, Any]:
    """A landing page."""
    return _dated(record) | {
        "folder": _folder(record),
        "workspace": "Default",
        "status": "approved",
        "template": 1,
        "title": record.fields["name"],
        "keywords": "",
        "robots": "index, nofollow",
        "formPrefill": False,
        "mobileEnabled": True,
        "URL": f"{_SITE}{record.fields.get('path') or ''}",
        "computedUrl": f"{APP}/#LP{record.id}B2",
    }


def database_list(record: Record) -> dict[str, Any]:
    """A static list of the lead database."""
    return {
        "id": int(record.id),
        "name": record.fields["name"],
        "programName": record.fields.get("programName"),
        "workspaceName": "Default",
        "createdAt": stamp(record.created_at),
        "updatedAt": stamp(record.modified_at),
    }


def database_campaign(record: Record) -> dict[str, Any]:
    """A smart campaign of the lead database."""
    fields = record.fields
    about = {
        "type": fields.get("type", "batch"),
        "programId": fields.get("programId"),
        "active": bool(fields.get("isActive")),
    }
    return database_list(record) | about
