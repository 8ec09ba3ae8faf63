"""What is read from Salesforce: one declaration per stream, with object, fields and how deletes are noticed.

Fields are asked for only where the org has them (`describe`): CurrencyIsoCode exists in multi-currency orgs, the
country codes with state and country picklists, and names ending in __c are this project's suggested custom fields.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from connectors.base.model import Stream

LOOKBACK = timedelta(minutes=10)
"""SystemModstamp is set before the row can be seen: long transactions show it minutes later (airbyte issue 27146)."""

HOLD_BACK = timedelta(minutes=5)
"""Together with the lookback, rows that show up to 15 minutes after their stamp are found; 8 minutes have been seen."""

RECALCULATED = timedelta(days=1)
"""Formulas and roll-ups change without a new SystemModstamp (they follow other records, or the calendar)."""


def _stream(
    name: str,
    thing: str,
    fields: str,
    *,
    axis: str = "SystemModstamp",
    finds_deletes: Literal["read", "count", "keys", "never"] = "count",
) -> Stream:
    return Stream(
        name,
        lookback=LOOKBACK,
        hold_back=HOLD_BACK,
        finds_deletes=finds_deletes,
        compared=finds_deletes == "count",
        recalculated_every=RECALCULATED if axis == "SystemModstamp" else timedelta(0),
        path=thing,
        options={"axis": axis, "fields": tuple(fields.split())},
    )


_ALL = (
    # Users cannot be deleted.
    _stream(
        "user",
        "User",
        "Id Name Email Department TimeZoneSidKey IsActive CreatedDate SystemModstamp",
        finds_deletes="read",
    ),
    _stream(
        "campaign",
        "Campaign",
        "Id Name Type Status StartDate EndDate BudgetedCost ActualCost CurrencyIsoCode ParentId OwnerId IsActive"
        " CreatedDate SystemModstamp IsDeleted",
    ),
    _stream(
        "account",
        "Account",
        "Id Name Website Phone Industry NumberOfEmployees AnnualRevenue CurrencyIsoCode BillingCountryCode BillingCity"
        " ParentId OwnerId CreatedDate SystemModstamp IsDeleted MasterRecordId",
    ),
    _stream(
        "contact",
        "Contact",
        "Id AccountId Email FirstName LastName Name Title Phone MobilePhone MailingCountryCode MailingCity LeadSource"
        " OwnerId HasOptedOutOfEmail CreatedDate SystemModstamp IsDeleted MasterRecordId",
    ),
    _stream(
        "lead",
        "Lead",
        "Id Email FirstName LastName Name Title Company Phone MobilePhone CountryCode City Status LeadSource Rating"
        " OwnerId IsConverted ConvertedDate ConvertedContactId ConvertedAccountId ConvertedOpportunityId"
        " HasOptedOutOfEmail Disqualified_Reason__c CreatedDate SystemModstamp IsDeleted MasterRecordId",
    ),
    _stream(
        "opportunity",
        "Opportunity",
        "Id Name AccountId Amount CurrencyIsoCode StageName ForecastCategoryName Probability IsClosed IsWon CloseDate"
        " LeadSource CampaignId NextStep Loss_Reason__c OwnerId CreatedDate SystemModstamp IsDeleted",
    ),
    # Roles and members can be deleted for good, with no IsDeleted row (airbyte issue 44845): so keys are compared.
    _stream(
        "opportunity_contact_role",
        "OpportunityContactRole",
        "Id OpportunityId ContactId Role IsPrimary CreatedDate SystemModstamp IsDeleted",
        finds_deletes="keys",
    ),
    _stream(
        "campaign_member",
        "CampaignMember",
        "Id CampaignId LeadId ContactId Status HasResponded FirstRespondedDate CreatedDate SystemModstamp IsDeleted",
        finds_deletes="keys",
    ),
    _stream(
        "task",
        "Task",
        "Id WhoId WhatId Subject Status Type TaskSubtype CallType CallDisposition CallDurationInSeconds ActivityDate"
        " CompletedDateTime IsClosed OwnerId CreatedDate SystemModstamp IsDeleted",
    ),
    _stream(
        "event",
        "Event",
        "Id WhoId WhatId Subject Type StartDateTime EndDateTime OwnerId CreatedDate SystemModstamp IsDeleted",
    ),
    # History rows never change: their cursor is CreatedDate.
    _stream(
        "opportunity_history",
        "OpportunityHistory",
        "Id OpportunityId StageName Amount CurrencyIsoCode Probability CloseDate ForecastCategory CreatedById"
        " CreatedDate SystemModstamp IsDeleted",
        axis="CreatedDate",
        finds_deletes="never",
    ),
    _stream(
        "lead_history",
        "LeadHistory",
        "Id LeadId Field OldValue NewValue CreatedById CreatedDate IsDeleted",
        axis="CreatedDate",
        finds_deletes="never",
    ),
)

STREAMS: Mapping[str, Stream] = {stream.name: stream for stream in _ALL}


def axis_of(stream: Stream) -> str:
    """The field that windows of this stream are cut by."""
    return str(stream.options["axis"])


def fields_of(stream: Stream) -> tuple[str, ...]:
    """The fields that are asked for where the org has them."""
    fields = stream.options["fields"]
    return tuple(fields) if isinstance(fields, tuple) else ()
