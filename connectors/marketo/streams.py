"""Marketo's streams as declarations. `connector` has the reader of each; field names are Marketo's REST names."""

from datetime import timedelta
from typing import Literal

from connectors.base.model import Stream

LOOKBACK = timedelta(hours=3)
"""Activities are logged late, by mail servers above all; a window starts that much before the cursor."""

HOLD_BACK = timedelta(minutes=5)
"""What happened just now may not be visible yet."""

LEAD = (
    "id email firstName lastName title company phone mobilePhone mainPhone country city leadStatus leadSource leadScore "
    "unsubscribed sfdcLeadId sfdcContactId sfdcAccountId originalSourceType originalSourceInfo originalReferrer "
    "originalSearchEngine originalSearchPhrase createdAt updatedAt"
)
MEMBER = (
    "leadId statusName statusReason membershipDate reachedSuccess reachedSuccessDate acquiredBy isExhausted "
    "nurtureCadence trackName createdAt updatedAt"
)

_STANDARD = (
    "address annualRevenue anonymousIP billingCity billingCountry billingPostalCode billingState billingStreet cookies "
    "dateOfBirth department doNotCall doNotCallReason emailInvalid emailInvalidCause emailSuspended emailSuspendedAt "
    "emailSuspendedCause facebookDisplayName facebookId facebookPhotoURL facebookProfileURL facebookReach "
    "facebookReferredEnrollments facebookReferredVisits fax gender industry inferredCity inferredCompany inferredCountry "
    "inferredMetropolitanArea inferredPhoneAreaCode inferredPostalCode inferredStateRegion isAnonymous isLead "
    "lastReferredEnrollment lastReferredVisit leadPartitionId leadPerson leadRevenueCycleModelId leadRevenueStageId "
    "leadRole marketingSuspended marketingSuspendedCause middleName numberOfEmployees personType postalCode "
    "priority rating registrationSourceInfo registrationSourceType relativeScore relativeUrgency salutation sicCode site "
    "state syndicationId totalReferredEnrollments totalReferredVisits twitterDisplayName twitterId twitterPhotoURL "
    "twitterProfileURL twitterReach twitterReferredEnrollments twitterReferredVisits unsubscribedReason urgency website "
    # of program members
    "attendanceLikelihood program programId registrationCode registrationLikelihood waitlistPriority webinarUrl"
)
STANDARD = frozenset(_STANDARD.split())
"""Marketo's own fields that no field map uses: not read, being personal data above all. All else is the customer's own.

After "Standard Fields" of Adobe's developer guide, and the fields that describe calls show beside them.
"""

LEAD_DESCRIBE, MEMBER_DESCRIBE = "/rest/v1/leads/describe2.json", "/rest/v1/programs/members/describe.json"


def _small(name: str, path: str, paging: Literal["assets", "pages"]) -> Stream:
    """A list that is short enough to be read whole each time; what it no longer shows is gone."""
    return Stream(
        name, windowed=False, finds_deletes="absence", path=path, options={"reader": "small", "paging": paging}
    )


def _members(name: str, parent: str, path: str, **options: object) -> Stream:
    return Stream(
        name,
        lookback=LOOKBACK,
        hold_back=HOLD_BACK,
        parent=parent,
        finds_deletes="absence",
        gone_with="leads",
        compared=True,  # only activities tell of changes, and not of each
        order=1,
        path=path,
        options={"reader": name, **options},
    )


_ALL = (
    Stream(
        "leads",
        lookback=LOOKBACK,
        hold_back=HOLD_BACK,
        path="/rest/v1/leads.json",
        options={"reader": "leads", "fields": tuple(LEAD.split()), "describe": LEAD_DESCRIBE},
    ),
    Stream(
        "activities",
        lookback=LOOKBACK,
        hold_back=HOLD_BACK,
        finds_deletes="never",
        path="/rest/v1/activities.json",
        options={"reader": "activities"},
    ),
    Stream(
        "programs",
        lookback=LOOKBACK,
        finds_deletes="keys",
        path="/rest/asset/v1/programs.json",
        options={"reader": "programs"},
    ),
    _small("activity_types", "/rest/v1/activities/types.json", "pages"),
    _small("lists", "/rest/v1/lists.json", "pages"),
    _small("campaigns", "/rest/v1/campaigns.json", "pages"),
    _small("emails", "/rest/asset/v1/emails.json", "assets"),
    _small("landing_pages", "/rest/asset/v1/landingPages.json", "assets"),
    _small("forms", "/rest/asset/v1/forms.json", "assets"),
    _members(
        "program_members",
        "programs",
        "/rest/v1/programs/{id}/members.json",
        fields=tuple(MEMBER.split()),
        describe=MEMBER_DESCRIBE,
    ),
    _members("list_members", "lists", "/rest/v1/lists/{id}/leads.json"),
)

STREAMS = {stream.name: stream for stream in _ALL}
