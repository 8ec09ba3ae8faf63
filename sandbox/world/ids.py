"""Ids as the vendors give them: numbers at HubSpot, 18 characters with a checksum at Salesforce, GUIDs for forms and campaigns."""

import uuid
from collections import defaultdict

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

PREFIXES = {
    "Account": "001",
    "Campaign": "701",
    "CampaignMember": "00v",
    "Contact": "003",
    "Event": "00U",
    "Lead": "00Q",
    "LeadHistory": "017",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityHistory": "008",
    "Task": "00T",
    "User": "005",
}
"""Salesforce's key prefixes (object reference, "Object key prefixes")."""

_HUBSPOT_FIRST = {
    "contacts": 101,
    "companies": 5_000_001,
    "deals": 9_000_001,
    "owners": 60_001,
    "email_campaigns": 700_001,
}
_ENGAGEMENT_FIRST = 30_000_000_001
_NAMESPACE = uuid.UUID("5a0d8c52-7f0b-4a52-9d53-2f1f6f0f2a11")


def _checksum(chunk: str) -> str:
    """One of the three last characters: which of five are capital letters. Source: Salesforce, 15 and 18 digit Ids."""
    return _CHECK[sum(1 << i for i, c in enumerate(chunk) if c.isupper())]


class Numbers:
    """HubSpot's ids, counted per kind."""

    def __init__(self) -> None:
        self._next: dict[str, int] = defaultdict(lambda: _ENGAGEMENT_FIRST, _HUBSPOT_FIRST)
        self._events = 0

    def new(self, kind: str) -> str:
        """The next id of a kind."""
        id_ = self._next[kind]
        self._next[kind] = id_ + 1
        return str(id_)

    def guid(self, kind: str, number: int) -> str:
        """A GUID that depends on nothing but its arguments."""
        return str(uuid.uuid5(_NAMESPACE, f"{kind}:{number}"))

    def event(self) -> str:
        """An id for a mail event or a submission: unique, in the form of a GUID."""
        self._events += 1
        mixed = (self._events * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        text = f"{mixed:016x}{self._events:016x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


class Keys:
    """Salesforce's ids, counted per object."""

    def __init__(self) -> None:
        self._next: dict[str, int] = defaultdict(lambda: 1)

    def new(self, kind: str) -> str:
        """The next id of an object, 18 characters."""
        number = self._next[kind]
        self._next[kind] = number + 1
        text = ""
        while number:
            number, digit = divmod(number, 62)
            text = _DIGITS[digit] + text
        text = f"{PREFIXES[kind]}Hp00000{text:0>5}"
        return text + _checksum(text[:5]) + _checksum(text[5:10]) + _checksum(text[10:])
