"""What the org says of itself: API versions, objects, fields, limits (REST API guide, limits cheat sheet)."""

from typing import Any

from sandbox.salesforce.gate import Calls
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SOBJECTS, Field, Kind, SObject

NEWEST = 68
"""Winter '27, the release of November 2026."""

OLDEST = 31
_RELEASE_OF_65 = 26
_SOAP = {
    Kind.TEXT: "xsd:string",
    Kind.ID: "tns:ID",
    Kind.NUMBER: "xsd:double",
    Kind.INTEGER: "xsd:int",
    Kind.BOOLEAN: "xsd:boolean",
    Kind.DATE: "xsd:date",
    Kind.DATETIME: "xsd:dateTime",
    Kind.COMPOUND: "urn:address",
}
_LENGTHS = {"string": 255, "picklist": 255, "email": 80, "phone": 40, "url": 255, "id": 18, "reference": 18}
_ALWAYS_SET = {"Id", "CreatedDate", "SystemModstamp", "IsDeleted", "OwnerId", "CreatedById"}
BULK_JOBS = 10_000


def versions() -> list[dict[str, str]]:
    """All API versions, oldest first; three a year: Winter of the next year, Spring, Summer."""
    listed = []
    for number in range(OLDEST, NEWEST + 1):
        years, season = divmod(number - 65, 3)
        label = f"{('Winter', 'Spring', 'Summer')[season]} '{_RELEASE_OF_65 + years:02d}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return listed


def resources(base: str) -> dict[str, str]:
    """GET /services/data/vNN.0."""
    return {name: f"{base}/{name}" for name in ("jobs", "limits", "query", "queryAll", "sobjects")}


def global_describe(org: Org, base: str) -> dict[str, Any]:
    """GET /sobjects."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_flags(SOBJECTS[name], base) for name in org.names()],
    }


def describe(org: Org, sobject: SObject, base: str) -> dict[str, Any]:
    """GET /sobjects/X/describe: the fields that the user may see."""
    fields = [
        _field(f)
        | {"calculated": org.is_calculated(sobject, f)}
        | ({"type": "textarea"} if org.is_retyped(sobject, f) else {})
        for f in org.fields(sobject)
    ]
    return {
        **_flags(sobject, base),
        "childRelationships": [],
        "fields": fields,
        "recordTypeInfos": [],
        "supportedScopes": [],
    }


def basic(sobject: SObject, base: str) -> dict[str, Any]:
    """GET /sobjects/X."""
    return {"objectDescribe": _flags(sobject, base), "recentItems": []}


def limits(org: Org, calls: Calls, bulk_jobs: int) -> dict[str, dict[str, int]]:
    """GET /limits.

    Args:
        org: whose clock.
        calls: API calls of the last day.
        bulk_jobs: query jobs of the last day.
    """
    most = {
        "ConcurrentAsyncGetReportInstances": (200, 0),
        "DailyApiRequests": (calls.most, calls.most - calls.left(org.now())),
        "DailyAsyncApexExecutions": (250_000, 0),
        "DailyBulkApiBatches": (15_000, 0),
        "DailyBulkV2QueryFileStorageMB": (976_562, 0),
        "DailyBulkV2QueryJobs": (BULK_JOBS, bulk_jobs),
        "DataStorageMB": (10_240, 0),
    }
    return {name: {"Max": of, "Remaining": max(0, of - used)} for name, (of, used) in most.items()}


def _flags(sobject: SObject, base: str) -> dict[str, Any]:
    own = f"{base}/sobjects/{sobject.name}"
    is_history = sobject.name.endswith("History")
    return {
        "activateable": False,
        "createable": not is_history,
        "custom": False,
        "deletable": not is_history and sobject.name != "User",
        "deprecatedAndHidden": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.name,
        "labelPlural": f"{sobject.name}s",
        "mergeable": sobject.mergeable,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": not is_history,
        "undeletable": sobject.undeletable,
        "updateable": not is_history,
        "urls": {"sobject": own, "describe": f"{own}/describe", "rowTemplate": f"{own}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    length = _LENGTHS.get(field.type, 0)
    is_number = field.kind is Kind.NUMBER
    is_compound = field.kind is Kind.COMPOUND
    is_any = field.type == "anyType"
    return {
        "aggregatable": not is_compound,
        "byteLength": length * 3,
        "compoundFieldName": None,
        "custom": field.name.endswith("__c"),
        "defaultedOnCreate": field.name in _ALWAYS_SET,
        "digits": 8 if field.kind is Kind.INTEGER else 0,
        "filterable": not is_compound and not is_any,
        "groupable": field.kind in {Kind.ID, Kind.BOOLEAN, Kind.DATE},
        "label": field.name.removesuffix("__c").replace("_", " "),
        "length": length,
        "name": field.name,
        "nillable": field.name not in _ALWAYS_SET and field.kind is not Kind.BOOLEAN,
        "picklistValues": [],
        "precision": 18 if is_number else 0,
        "queryByDistance": is_compound,
        "referenceTo": list(field.refers),
        "relationshipName": field.relation,
        "scale": 2 if is_number else 0,
        "soapType": "xsd:anyType" if is_any else _SOAP[field.kind],
        "sortable": not is_compound and not is_any,
        "type": field.type,
        "unique": False,
        "updateable": field.name not in _ALWAYS_SET and not is_compound,
    }
