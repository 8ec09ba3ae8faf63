"""Which scopes a path needs. Source: HubSpot, Scopes."""

import re

from sandbox.hubspot.answers import ApiError, invalid
from sandbox.hubspot.catalog import resolve

_FIXED = (
    (re.compile(r"/crm/v3/owners"), "crm.objects.owners.read"),
    (re.compile(r"/marketing/v3/forms|/form-integrations/"), "forms"),
    (re.compile(r"/email/public/"), "content"),
    (re.compile(r"/marketing/v3/campaigns"), "marketing.campaigns.read"),
)
_OTHERS = "communications feedback_submissions goal_targets leads line_items postal_mail products quotes tickets"
NOT_GRANTED = {name: f"crm.objects.{name}.read" for name in _OTHERS.split()}
"""Types that every account has, and that are not played -> scope. Readers of everything ask for them, and are refused as they
would be by an account that granted few scopes; nothing is linked to them."""

_PAIR = re.compile(r"/crm/v4/associations/([^/]+)/([^/]+)")
_ONE_TO = re.compile(r"/crm/v4/objects/([^/]+)/[^/]+/associations/([^/]+)")
_TYPED = re.compile(r"/(?:crm/v[34]/(?:objects|properties|pipelines)|properties/v2)/([^/]+)")


def required(path: str) -> list[str]:
    """The scopes that reading `path` needs, all of them."""
    for pattern, scope in _FIXED:
        if pattern.match(path):
            return [scope]
    for pattern in (_PAIR, _ONE_TO, _TYPED):
        if match := pattern.match(path):
            return sorted({type_.scope for word in match.groups() if (type_ := resolve(word))})
    return []


def missing(scopes: list[str]) -> ApiError:
    """403 MISSING_SCOPES."""
    return ApiError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        {
            "errors": [
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": scopes},
                }
            ],
            "links": {"scopes": "https://developers.hubspot.com/scopes"},
        },
    )


def unknown(word: str) -> ApiError:
    """What a URL that names a type which is not played is answered with."""
    if word in NOT_GRANTED:
        return missing([NOT_GRANTED[word]])
    return invalid(f"Unable to infer object type from: {word}")
