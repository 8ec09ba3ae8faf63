"""HubSpot's streams as declarations. `connector` has the reader of each; field names are HubSpot's own."""

from datetime import timedelta

from connectors.base.model import Stream

SEARCH_LAG = timedelta(minutes=75)
"""Search shows a row seconds to an hour after its timestamp; a window starts that much before the cursor."""

RECYCLE_BIN = timedelta(days=90)
"""How long HubSpot lets a user restore what was archived; a restored record shows in no window of changes."""

CONTACT = (
    "email hs_additional_emails firstname lastname jobtitle company phone mobilephone country city lifecyclestage "
    "hs_lead_status hubspotscore hubspot_owner_id associatedcompanyid createdate lastmodifieddate hs_analytics_source "
    "hs_analytics_source_data_1 hs_analytics_source_data_2 hs_analytics_first_timestamp hs_analytics_first_url "
    "hs_analytics_first_referrer hs_email_optout hs_merged_object_ids hs_calculated_merged_vids salesforceleadid "
    "salesforcecontactid hs_object_id disqualification_reason"
)
COMPANY = (
    "name domain website phone industry numberofemployees annualrevenue country city lifecyclestage "
    "hs_parent_company_id hubspot_owner_id createdate hs_lastmodifieddate salesforceaccountid "
    "hs_merged_object_ids hs_object_id"
)
DEAL = (
    "dealname amount deal_currency_code dealstage pipeline closedate createdate hs_lastmodifieddate hs_is_closed_won "
    "hs_is_closed hs_deal_stage_probability hubspot_owner_id hs_analytics_source closed_lost_reason hs_next_step "
    "hs_salesforceopportunityid hs_campaign hs_merged_object_ids hs_object_id"
)
ENGAGEMENT = "hs_timestamp hs_createdate hs_lastmodifieddate hubspot_owner_id hs_object_id"
CALL = f"{ENGAGEMENT} hs_call_title hs_call_direction hs_call_status hs_call_disposition hs_call_duration"
EMAIL = f"{ENGAGEMENT} hs_email_subject hs_email_direction hs_email_status"
MEETING = f"{ENGAGEMENT} hs_meeting_title hs_meeting_start_time hs_meeting_end_time hs_meeting_outcome"
TASK = f"{ENGAGEMENT} hs_task_subject hs_task_status hs_task_type"
NOTE = ENGAGEMENT  # the text of a note is not read: it is not needed, and it is where the most personal data stands


def _object(name: str, properties: str, cursor: str = "hs_lastmodifieddate") -> Stream:
    return Stream(
        name,
        lookback=SEARCH_LAG,
        compared=True,
        finds_deletes="count",  # GDPR deletes and emptied recycle bins leave no trace
        restorable_for=RECYCLE_BIN,
        path=f"/crm/v3/objects/{name}",
        options={"reader": "objects", "type": name, "cursor": cursor, "properties": tuple(properties.split())},
    )


def _small(name: str, path: str, **options: object) -> Stream:
    """A list that is short enough to be read whole each time; what it no longer shows is gone."""
    return Stream(name, windowed=False, finds_deletes="absence", path=path, options={"reader": "small", **options})


def _history(name: str, parent: str, properties: str) -> Stream:
    return Stream(
        name,
        windowed=False,
        parent=parent,
        parent_ids="changed",
        finds_deletes="never",
        order=1,
        path=f"/crm/v3/objects/{parent}",
        options={"reader": "history", "properties": tuple(properties.split())},
    )


def _links(one: str, parent: str, other: str, others: str, *, changed: bool) -> Stream:
    return Stream(
        f"{one}_to_{other}",
        windowed=False,
        parent=parent,
        parent_ids="changed" if changed else "all",
        compared=changed,  # adding or taking away a link dates neither end
        finds_deletes="never",
        order=1,
        back=_back(one, parent, other, others) if changed else None,
        path=f"/crm/v4/associations/{parent}/{others}/batch/read",
        options={"reader": "links"},
    )


def _back(one: str, parent: str, other: str, others: str) -> Stream:
    """From the other end: which records are linked with these."""
    return Stream(
        f"{other}_to_{one}",
        windowed=False,
        parent=others,
        finds_deletes="never",
        path=f"/crm/v4/associations/{others}/{parent}/batch/read",
        options={"reader": "linked"},
    )


_ACTIVITIES = {"call": "calls", "email": "emails", "meeting": "meetings", "task": "tasks", "note": "notes"}

_ALL = (
    _small("owners", "/crm/v3/owners", has_archived=True),
    _small("pipelines", "/crm/v3/pipelines/deals"),
    _small("forms", "/marketing/v3/forms", has_archived=True, params={"formTypes": "all"}),
    _small(
        "campaigns",
        "/marketing/v3/campaigns",
        properties=(
            "hs_name",
            "hs_start_date",
            "hs_end_date",
            "hs_campaign_status",
            "hs_budget_items_sum_amount",
            "hs_spend_items_sum_amount",
            "hs_currency_code",
            "hs_utm",
        ),
        custom_properties=("hs_channel",),
    ),
    _object("contacts", CONTACT, cursor="lastmodifieddate"),
    _object("companies", COMPANY),
    _object("deals", DEAL),
    _object("calls", CALL),
    _object("emails", EMAIL),
    _object("meetings", MEETING),
    _object("tasks", TASK),
    _object("notes", NOTE),
    Stream(
        "email_events",
        lookback=timedelta(hours=3),  # mail servers report late
        finds_deletes="never",
        path="/email/public/v1/events",
        options={"reader": "email_events"},
    ),
    Stream(
        "form_submissions",
        lookback=timedelta(days=1),
        parent="forms",
        parent_ids="ever",
        finds_deletes="never",
        order=1,
        path="/form-integrations/v1/submissions/forms",
        options={"reader": "submissions"},
    ),
    _history("contact_history", "contacts", "lifecyclestage hs_lead_status"),
    _history("deal_history", "deals", "dealstage amount pipeline"),
    _links("contact", "contacts", "company", "companies", changed=False),
    _links("deal", "deals", "contact", "contacts", changed=False),
    _links("deal", "deals", "company", "companies", changed=False),
    *(_links(one, many, "contact", "contacts", changed=True) for one, many in _ACTIVITIES.items()),
    *(_links(one, many, "deal", "deals", changed=True) for one, many in _ACTIVITIES.items()),
)

STREAMS = {stream.name: stream for stream in _ALL}
