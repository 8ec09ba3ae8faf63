"""Fields of leads and program members: names of the REST and SOAP APIs, types, lengths (list of standard fields)."""

from dataclasses import dataclass
from typing import Any

SEARCHABLE_TYPES = {"string", "email", "integer"}
"""Of a custom field that may be a `filterType`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    id: Marketo's number of it, as in the primary attribute of "Change Data Value".
    name, display, soap: in the REST API, in the user interface, in the SOAP API.
    type: Marketo's data type.
    length: of text; None where it has none.
    writable: whether API users may set it.
    custom: whether this account made it.
    crm: whether Salesforce manages it.
    """

    id: int
    name: str
    display: str
    soap: str
    type: str = "string"
    length: int | None = 255
    writable: bool = True
    custom: bool = False
    crm: bool = False

    def described(self) -> dict[str, Any]:
        """As an element of describe.json."""
        shown: dict[str, Any] = {"id": self.id, "displayName": self.display, "dataType": self.type}
        if self.length is not None:
            shown["length"] = self.length
        usable = {"readOnly": not self.writable}
        return shown | {"rest": {"name": self.name, **usable}, "soap": {"name": self.soap, **usable}}

    def described_again(self) -> dict[str, Any]:
        """As an element of describe2.json and of the program members' describe.json."""
        shown: dict[str, Any] = {"name": self.name, "displayName": self.display, "dataType": self.type}
        if self.length is not None:
            shown["length"] = self.length
        return shown | {"updateable": self.writable, "crmManaged": self.crm}

    def schema(self) -> dict[str, Any]:
        """As an element of schema/fields.json."""
        shown: dict[str, Any] = {
            "displayName": self.display,
            "name": self.name,
            "description": None,
            "dataType": self.type,
        }
        if self.length is not None:
            shown["length"] = self.length
        text = self.type in {"string", "email", "phone", "url", "text"}
        return shown | {
            "isHidden": False,
            "isHtmlEncodingInEmail": text,
            "isSensitive": False,
            "isCustom": self.custom,
            "isApiCreated": False,
        }


def _plain(id_: int, name: str, display: str, soap: str, type_: str, **more: Any) -> Field:
    """A field without a length."""
    return Field(id_, name, display, soap, type_, None, **more)


_LEAD = (
    _plain(1, "id", "Id", "Id", "integer", writable=False),
    Field(2, "company", "Company Name", "Company"),
    Field(4, "website", "Website", "Website", "url"),
    Field(9, "country", "Country", "Country"),
    Field(11, "industry", "Industry", "Industry"),
    _plain(12, "annualRevenue", "Annual Revenue", "AnnualRevenue", "currency"),
    _plain(13, "numberOfEmployees", "Num Employees", "NumberOfEmployees", "integer"),
    Field(29, "firstName", "First Name", "FirstName"),
    Field(31, "lastName", "Last Name", "LastName"),
    Field(38, "title", "Job Title", "Title"),
    Field(48, "email", "Email Address", "Email", "email"),
    Field(50, "phone", "Phone Number", "Phone", "phone"),
    Field(51, "mobilePhone", "Mobile Phone Number", "MobilePhone", "phone"),
    Field(53, "city", "City", "City"),
    Field(62, "leadSource", "Lead Source", "LeadSource"),
    Field(64, "leadStatus", "Lead Status", "LeadStatus"),
    _plain(66, "leadScore", "Lead Score", "LeadScore", "score"),
    _plain(70, "unsubscribed", "Unsubscribed", "Unsubscribed", "boolean"),
    Field(71, "unsubscribedReason", "Unsubscribed Reason", "UnsubscribedReason", "text", 32_000),
    _plain(72, "emailInvalid", "Email Invalid", "EmailInvalid", "boolean"),
    Field(73, "emailInvalidCause", "Email Invalid Cause", "EmailInvalidCause"),
    _plain(80, "createdAt", "Created At", "CreatedAt", "datetime", writable=False),
    _plain(81, "updatedAt", "Updated At", "UpdatedAt", "datetime", writable=False),
    Field(90, "sfdcType", "SFDC Type", "SFDCType", length=40, writable=False, crm=True),
    Field(91, "sfdcLeadId", "SFDC Lead Id", "SFDCLeadId", length=18, writable=False, crm=True),
    Field(92, "sfdcContactId", "SFDC Contact Id", "SFDCContactId", length=18, writable=False, crm=True),
    Field(93, "sfdcAccountId", "SFDC Account Id", "SFDCAccountId", length=18, writable=False, crm=True),
    Field(100, "originalSourceType", "Original Source Type", "OriginalSourceType", writable=False),
    Field(101, "originalSourceInfo", "Original Source Info", "OriginalSourceInfo", length=2_000, writable=False),
    Field(102, "originalReferrer", "Original Referrer", "OriginalReferrer", length=2_000, writable=False),
    Field(103, "registrationSourceType", "Registration Source Type", "RegistrationSourceType", writable=False),
    _plain(104, "acquisitionProgramId", "Acquisition Program", "AcquisitionProgramId", "integer"),
    _plain(105, "acquisitionDate", "Acquisition Date", "AcquisitionDate", "datetime", writable=False),
    _plain(110, "leadRevenueCycleModelId", "Revenue Cycle Model", "LeadRevenueCycleModelId", "integer", writable=False),
    _plain(111, "leadRevenueStageId", "Revenue Stage", "LeadRevenueStageId", "integer", writable=False),
    Field(1_001, "productInterest", "Product Interest", "productInterest", custom=True),
    Field(1_002, "nurtureWave", "Nurture Wave", "nurtureWave", custom=True),
)  # fmt: skip
LEAD_FIELDS: dict[str, Field] = {field.name: field for field in _LEAD}
"""REST name -> field of a lead. An account has some five hundred; these are the ones that carry something here."""

SEARCHABLE = (
    "id", "email", "sfdcLeadId", "sfdcContactId", "sfdcAccountId", "leadStatus", "leadSource", "company", "phone",
    "acquisitionProgramId", "productInterest", "nurtureWave",
)  # fmt: skip
"""Fields that describe2 names as searchable; dates are none."""

DEFAULT_LEAD_FIELDS = ("id", "updatedAt", "lastName", "email", "createdAt", "firstName")

_MEMBER = (
    _plain(1, "acquiredBy", "acquiredBy", "", "boolean", writable=False),
    _plain(2, "createdAt", "createdAt", "", "datetime", writable=False),
    _plain(3, "isExhausted", "isExhausted", "", "boolean", writable=False),
    _plain(4, "leadId", "leadId", "", "integer", writable=False),
    _plain(5, "membershipDate", "membershipDate", "", "datetime", writable=False),
    Field(6, "nurtureCadence", "nurtureCadence", "", length=4, writable=False),
    Field(7, "program", "program", "", writable=False),
    _plain(8, "programId", "programId", "", "integer", writable=False),
    _plain(9, "reachedSuccess", "reachedSuccess", "", "boolean", writable=False),
    _plain(10, "reachedSuccessDate", "reachedSuccessDate", "", "datetime", writable=False),
    Field(11, "statusName", "statusName", "", writable=False),
    Field(12, "statusReason", "statusReason", "", writable=False),
    Field(13, "trackName", "trackName", "", writable=False),
    _plain(14, "updatedAt", "updatedAt", "", "datetime", writable=False),
    Field(15, "webinarUrl", "webinarUrl", "", length=2_000),
)
MEMBER_FIELDS: dict[str, Field] = {field.name: field for field in _MEMBER}
"""REST name -> field of a program member."""

MEMBER_FILTERS = ("leadId", "reachedSuccess", "statusName", "updatedAt")
DEFAULT_MEMBER_FIELDS = ("acquiredBy", "leadId", "membershipDate", "programId", "reachedSuccess")
