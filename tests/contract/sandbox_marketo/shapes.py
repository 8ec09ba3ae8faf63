"""Shapes of Marketo's answers as JSON schemas, written after its published Swagger files (marketo-apis: mapi, asset, identity).

A shape names all members that the specification has; those in brackets may be missing (`shape`). The specification asks for
`errors` and `warnings` in all answers of the lead database, which leaves them out in fact; here they are optional.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
ASSET_DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\+0000$"}
ANY: Schema = {}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": schema, "minItems": least}


def shape(**members: Schema) -> Schema:
    """An object with these members and no others; a name that ends with "_" may be missing."""
    return {
        "type": "object",
        "properties": {name.rstrip("_"): schema for name, schema in members.items()},
        "required": [name for name in members if not name.endswith("_")],
        "additionalProperties": False,
    }


def answer(row: Schema, more: dict[str, Schema] | None = None, *, least: int = 1) -> Schema:
    """An answer of the lead database. more: further members."""
    return shape(
        requestId=TEXT,
        success={"const": True},
        result=many(row, least),
        errors_=many(ANY),
        warnings_=many(ANY),
        **(more or {}),
    )


def asset(row: Schema) -> Schema:
    """An answer of the asset API."""
    return shape(requestId=TEXT, success={"const": True}, errors=many(ANY), warnings=many(TEXT), result=many(row, 1))


IDENTITY = shape(access_token=TEXT, token_type=TEXT, expires_in=INTEGER, scope=TEXT)
ERROR = shape(requestId=TEXT, success={"const": False}, errors=many(shape(code=TEXT, message=TEXT), 1))
PAGED: dict[str, Schema] = {"nextPageToken_": TEXT}
FEED: dict[str, Schema] = {"nextPageToken": TEXT, "moreResult": FLAG}
MORE: dict[str, Schema] = {"moreResult": FLAG, **PAGED}

ATTRIBUTE = shape(name=TEXT, value={"type": ["string", "integer", "boolean"]})
ACTIVITY = shape(
    id=INTEGER, marketoGUID=TEXT, leadId=INTEGER, activityDate=DATE, activityTypeId=INTEGER, attributes=many(ATTRIBUTE),
    primaryAttributeValueId_=INTEGER, primaryAttributeValue_=TEXT, campaignId_=INTEGER,
)  # fmt: skip
CHANGE = shape(
    id=INTEGER, marketoGUID=TEXT, leadId=INTEGER, activityDate=DATE, activityTypeId=INTEGER, attributes=many(ATTRIBUTE),
    campaignId_=INTEGER,
    fields=many(shape(id=INTEGER, name=TEXT, newValue=or_null(TEXT), oldValue=or_null(TEXT))),
)  # fmt: skip
ACTIVITY_TYPE_ATTRIBUTE = shape(name=TEXT, dataType=TEXT, apiName_=TEXT)
ACTIVITY_TYPE = shape(
    id=INTEGER, name=TEXT, description_=TEXT, apiName_=TEXT, attributes=many(ACTIVITY_TYPE_ATTRIBUTE),
    primaryAttribute_=ACTIVITY_TYPE_ATTRIBUTE,
)  # fmt: skip

LEAD: Schema = {
    "type": "object",
    "properties": {
        "id": INTEGER,
        "createdAt": DATE,
        "updatedAt": DATE,
        "email": or_null(TEXT),
        "firstName": or_null(TEXT),
    },
    "required": ["id"],
}
MEMBERSHIP = shape(
    id=INTEGER, progressionStatus=TEXT, acquiredBy_=FLAG, isExhausted_=FLAG, membershipDate=DATE,
    nurtureCadence_=or_null(TEXT), reachedSuccess_=FLAG, stream_=TEXT, updatedAt_=DATE,
)  # fmt: skip
MEMBER_LEAD: Schema = {
    **LEAD,
    "properties": {**LEAD["properties"], "membership": MEMBERSHIP},
    "required": ["id", "membership"],
}
API = shape(name=TEXT, readOnly=FLAG)
LEAD_ATTRIBUTE = shape(id=INTEGER, displayName=TEXT, dataType=TEXT, length_=INTEGER, rest_=API, soap_=API)
OBJECT_FIELD = shape(name=TEXT, displayName=TEXT, dataType=TEXT, length_=INTEGER, updateable=FLAG, crmManaged=FLAG)
LEAD_ATTRIBUTE_2 = shape(name=TEXT, searchableFields=many(many(TEXT)), fields=many(OBJECT_FIELD))
LEAD_FIELD = shape(
    displayName=TEXT, name=TEXT, description=or_null(TEXT), dataType=TEXT, length_=INTEGER, isHidden=FLAG,
    isHtmlEncodingInEmail=FLAG, isSensitive=FLAG, isCustom=FLAG, isApiCreated=FLAG,
)  # fmt: skip
MEMBER = shape(
    seq=INTEGER, leadId=INTEGER, programId=INTEGER, acquiredBy_=FLAG, membershipDate_=DATE, reachedSuccess_=FLAG,
)  # fmt: skip
MEMBER_ATTRIBUTES = shape(
    name=TEXT, description=TEXT, createdAt=DATE, updatedAt=DATE, dedupeFields=many(TEXT), searchableFields=many(many(TEXT)),
    fields=many(OBJECT_FIELD),
)  # fmt: skip
LIST = shape(
    id=INTEGER,
    name=TEXT,
    description_=TEXT,
    programName_=or_null(TEXT),
    workspaceName_=TEXT,
    createdAt=DATE,
    updatedAt=DATE,
)
CAMPAIGN = shape(
    id=INTEGER, name=TEXT, description_=TEXT, type=TEXT, programName_=or_null(TEXT), programId_=or_null(INTEGER),
    workspaceName_=TEXT, createdAt=DATE, updatedAt=DATE, active=FLAG,
)  # fmt: skip
USAGE = shape(date=TEXT, total=INTEGER, users=many(shape(userId=TEXT, count=INTEGER)))
ERRORS = shape(date=TEXT, total=INTEGER, errors=many(shape(errorCode=TEXT, count=INTEGER)))
EXPORT = shape(
    exportId=TEXT, format=TEXT, status={"enum": ["Created", "Queued", "Processing", "Cancelled", "Completed", "Failed"]},
    createdAt=DATE, queuedAt_=DATE, startedAt_=DATE, finishedAt_=DATE, numberOfRecords_=INTEGER, fileSize_=INTEGER,
    fileChecksum_={"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}, errorMsg_=TEXT,
)  # fmt: skip

FOLDER = shape(type={"enum": ["Folder", "Program"]}, value=INTEGER, folderName=TEXT)
FOLDER_ID = shape(id=or_null(INTEGER), type={"enum": ["Folder", "Program"]})
DATED: dict[str, Schema] = {
    "id": INTEGER,
    "name": TEXT,
    "description": TEXT,
    "createdAt": ASSET_DATE,
    "updatedAt": ASSET_DATE,
}
TYPED = shape(type={"enum": ["Text", "DynamicContent"]}, value=TEXT)
PROGRAM_MEMBERS: dict[str, Schema] = {
    **DATED, "url": TEXT, "channel": TEXT, "folder": FOLDER, "status": TEXT, "workspace": TEXT, "headStart": FLAG,
    "type": {"enum": ["Default", "Event", "Event with Webinar", "Engagement", "Email"]}, "sfdcId_": TEXT, "sfdcName_": TEXT,
}  # fmt: skip
PROGRAM = shape(**PROGRAM_MEMBERS)
ONE_PROGRAM = shape(**PROGRAM_MEMBERS, tags=or_null(many(ANY)), costs=or_null(many(ANY)))
CHANNEL = shape(
    **DATED, applicableProgramType=TEXT,
    progressionStatuses=many(shape(name=TEXT, description=TEXT, hidden=FLAG, type=TEXT, step=INTEGER, success=FLAG), 2),
)  # fmt: skip
SMART_CAMPAIGN = shape(
    **DATED, folder=FOLDER_ID, parentProgramId_=or_null(INTEGER), status=TEXT, type={"enum": ["batch", "trigger", "default"]},
    isSystem=FLAG, isActive=FLAG, isRequestable=FLAG, isCommunicationLimitEnabled=FLAG, recurrence=shape(weekdayOnly=FLAG),
    qualificationRuleType=TEXT, workspace=TEXT, smartListId=INTEGER, flowId=INTEGER, computedUrl=TEXT,
)  # fmt: skip
STATIC_LIST = shape(**DATED, folder=FOLDER_ID, computedUrl=TEXT)
EMAIL = shape(
    **DATED, url=TEXT, subject=TYPED, fromName=TYPED, fromEmail=TYPED, replyEmail=TYPED, folder=FOLDER, operational=FLAG,
    textOnly=FLAG, publishToMSI=FLAG, webView=FLAG, status=TEXT, template=INTEGER, workspace=TEXT, isOpenTrackingDisabled=FLAG,
    version=INTEGER, autoCopyToText=FLAG, ccFields=or_null(many(ANY)), preHeader=or_null(TEXT),
)  # fmt: skip
FORM = shape(
    **DATED, url=TEXT, status=TEXT, theme=TEXT, language=TEXT, locale=TEXT, progressiveProfiling=FLAG, labelPosition=TEXT,
    fontFamily=TEXT, fontSize=TEXT, folder=FOLDER, knownVisitor=shape(type=TEXT, template=or_null(TEXT)),
    thankYouList=many(shape(followupType=TEXT, followupValue=or_null(TEXT), default=FLAG)), buttonLocation=INTEGER,
    buttonLabel=TEXT, waitingLabel=TEXT,
)  # fmt: skip
LANDING_PAGE = shape(
    **DATED, folder=FOLDER, workspace=TEXT, status=TEXT, template=INTEGER, title=TEXT, keywords=TEXT, robots=TEXT,
    formPrefill=FLAG, mobileEnabled=FLAG, URL=TEXT, computedUrl=TEXT,
)  # fmt: skip
