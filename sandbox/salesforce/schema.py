"""The org's objects and fields: what describe tells, what SOQL may name, how values are written.

Types and flags follow Salesforce's object reference. The org is a multi-currency one, so CurrencyIsoCode exists.
"""

from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """How values of a field compare and are written."""

    TEXT = "text"
    ID = "id"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    COMPOUND = "compound"


_KINDS = {
    "id": Kind.ID,
    "reference": Kind.ID,
    "currency": Kind.NUMBER,
    "double": Kind.NUMBER,
    "percent": Kind.NUMBER,
    "int": Kind.INTEGER,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "address": Kind.COMPOUND,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    type: Salesforce's field type, as describe says it.
    refers: objects that a reference points to; the first is the one whose fields a query may name through `relation`.
    parts: for a compound address, its component fields: key in the JSON object -> field.
    is_calculated: a formula: no record stores it, and it changes without a new SystemModstamp.
    """

    name: str
    type: str
    refers: tuple[str, ...] = ()
    relation: str | None = None
    parts: tuple[tuple[str, str], ...] = ()
    is_calculated: bool = False

    @property
    def kind(self) -> Kind:
        """How its values compare and are written."""
        return _KINDS.get(self.type, Kind.TEXT)


@dataclass(frozen=True, slots=True)
class SObject:
    """One object.

    prefix: first three characters of its Ids.
    undeletable: whether deleted records go to the recycle bin; false means that they vanish.
    """

    name: str
    prefix: str
    fields: dict[str, Field]
    undeletable: bool = True
    mergeable: bool = False
    by_word: dict[str, Field] = field(default_factory=dict)
    by_relation: dict[str, Field] = field(default_factory=dict)


_REFERENCES = {
    "OwnerId": (("User",), "Owner"),
    "CreatedById": (("User",), "CreatedBy"),
    "AccountId": (("Account",), "Account"),
    "ConvertedContactId": (("Contact",), "ConvertedContact"),
    "ConvertedAccountId": (("Account",), "ConvertedAccount"),
    "ConvertedOpportunityId": (("Opportunity",), "ConvertedOpportunity"),
    "OpportunityId": (("Opportunity",), "Opportunity"),
    "CampaignId": (("Campaign",), "Campaign"),
    "LeadId": (("Lead",), "Lead"),
    "ContactId": (("Contact",), "Contact"),
    "WhoId": (("Contact", "Lead"), None),
    "WhatId": (("Account", "Opportunity", "Campaign"), None),
}

_ADDRESSES = {
    "Address": ("City", "CountryCode"),
    "MailingAddress": ("MailingCity", "MailingCountryCode"),
    "BillingAddress": ("BillingCity", "BillingCountryCode"),
}

_PREFIXES = {
    "Lead": "00Q",
    "Contact": "003",
    "Account": "001",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityHistory": "008",
    "Campaign": "701",
    "CampaignMember": "00v",
    "Task": "00T",
    "Event": "00U",
    "User": "005",
    "LeadHistory": "017",
    "CurrencyType": "01L",
}

_COMMON = "CreatedDate:datetime SystemModstamp:datetime IsDeleted:boolean"

_FIELDS = {
    "Lead": f"""Email:email FirstName LastName Name Title Company Phone:phone MobilePhone:phone Address:address
        CountryCode:picklist City Status:picklist LeadSource:picklist Rating:picklist OwnerId:reference
        IsConverted:boolean ConvertedDate:date ConvertedContactId:reference ConvertedAccountId:reference
        ConvertedOpportunityId:reference HasOptedOutOfEmail:boolean Disqualified_Reason__c:picklist Age_Days__c:double
        {_COMMON} MasterRecordId:reference""",
    "Contact": f"""AccountId:reference Email:email FirstName LastName Name Title Phone:phone MobilePhone:phone
        MailingAddress:address MailingCountryCode:picklist MailingCity LeadSource:picklist OwnerId:reference
        HasOptedOutOfEmail:boolean {_COMMON} MasterRecordId:reference""",
    "Account": f"""Name Website:url Phone:phone Industry:picklist NumberOfEmployees:int AnnualRevenue:currency
        CurrencyIsoCode:picklist BillingAddress:address BillingCountryCode:picklist BillingCity ParentId:reference
        OwnerId:reference {_COMMON} MasterRecordId:reference""",
    "Opportunity": f"""Name AccountId:reference Amount:currency CurrencyIsoCode:picklist StageName:picklist
        ForecastCategoryName:picklist Probability:percent IsClosed:boolean IsWon:boolean CloseDate:date
        LeadSource:picklist CampaignId:reference NextStep Loss_Reason__c:picklist OwnerId:reference {_COMMON}""",
    "OpportunityContactRole": f"""OpportunityId:reference ContactId:reference Role:picklist IsPrimary:boolean
        {_COMMON}""",
    "OpportunityHistory": f"""OpportunityId:reference StageName:picklist Amount:currency CurrencyIsoCode:picklist
        Probability:percent CloseDate:date ForecastCategory:picklist CreatedById:reference {_COMMON}""",
    "Campaign": f"""Name Type:picklist Status:picklist StartDate:date EndDate:date BudgetedCost:currency
        ActualCost:currency CurrencyIsoCode:picklist ParentId:reference OwnerId:reference IsActive:boolean {_COMMON}""",
    "CampaignMember": f"""CampaignId:reference LeadId:reference ContactId:reference Status:picklist
        HasResponded:boolean FirstRespondedDate:date {_COMMON}""",
    "Task": f"""WhoId:reference WhatId:reference Subject Status:picklist Type:picklist TaskSubtype:picklist
        CallType:picklist CallDisposition CallDurationInSeconds:int ActivityDate:date CompletedDateTime:datetime
        IsClosed:boolean OwnerId:reference {_COMMON}""",
    "Event": f"""WhoId:reference WhatId:reference Subject Type:picklist StartDateTime:datetime EndDateTime:datetime
        OwnerId:reference {_COMMON}""",
    "User": """Name Email:email Department TimeZoneSidKey:picklist IsActive:boolean CreatedDate:datetime
        SystemModstamp:datetime""",
    "LeadHistory": """LeadId:reference Field:picklist OldValue:anyType NewValue:anyType CreatedById:reference
        CreatedDate:datetime IsDeleted:boolean""",
    "CurrencyType": """IsoCode:picklist ConversionRate:double DecimalPlaces:int IsActive:boolean IsCorporate:boolean
        CreatedDate:datetime SystemModstamp:datetime""",
}
"""Object -> its fields but Id, as name:type; without a type it is a string."""

AGE = "Age_Days__c"
"""The one formula: whole days since the record was made. The org has it while the fault `salesforce.formula_field` is on."""

_VANISHING = {"OpportunityContactRole", "CampaignMember", "OpportunityHistory", "LeadHistory", "User", "CurrencyType"}
_MERGEABLE = {"Lead", "Contact", "Account"}


def _field(sobject: str, word: str) -> Field:
    name, _, type_ = word.partition(":")
    type_ = type_ or "string"
    if type_ == "address":
        city, country = _ADDRESSES[name]
        return Field(name, type_, parts=(("city", city), ("countryCode", country)))
    if type_ != "reference":
        return Field(name, type_, is_calculated=name == AGE)
    if name in {"ParentId", "MasterRecordId"}:
        return Field(name, type_, (sobject,), name.removesuffix("Id"))
    refers, relation = _REFERENCES[name]
    return Field(name, type_, refers, relation)


def _sobject(name: str, words: str) -> SObject:
    fields = {"Id": Field("Id", "id")} | {f.name: f for f in (_field(name, word) for word in words.split())}
    return SObject(
        name,
        _PREFIXES[name],
        fields,
        undeletable=name not in _VANISHING,
        mergeable=name in _MERGEABLE,
        by_word={f.name.lower(): f for f in fields.values()},
        by_relation={f.relation.lower(): f for f in fields.values() if f.relation},
    )


SOBJECTS: dict[str, SObject] = {name: _sobject(name, words) for name, words in _FIELDS.items()}

BY_WORD: dict[str, SObject] = {name.lower(): sobject for name, sobject in SOBJECTS.items()}
"""Lower-case name -> object: SOQL does not mind the case."""
