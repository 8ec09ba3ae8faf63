"""The object types: names, ids, dates, properties, scopes. Source: HubSpot, Understanding the CRM, Search the CRM."""

from typing import NamedTuple


class ObjectType(NamedTuple):
    """One CRM object type.

    name: the plural in URLs, and the store's kind.
    type_id: HubSpot's objectTypeId.
    created, modified: names of the two date properties; they are always part of an answer.
    default: further properties that an answer carries when none are asked for.
    scope: what the key needs in order to read it.
    """

    name: str
    singular: str
    type_id: str
    created: str
    modified: str
    default: tuple[str, ...]
    scope: str

    @property
    def always(self) -> tuple[str, str, str]:
        """Properties that every answer carries."""
        return (self.created, self.modified, "hs_object_id")


def _engagement(name: str, singular: str, type_id: str, scope: str = "crm.objects.contacts.read") -> ObjectType:
    return ObjectType(name, singular, type_id, "hs_createdate", "hs_lastmodifieddate", (), scope)


TYPES: dict[str, ObjectType] = {
    t.name: t
    for t in (
        ObjectType(
            "contacts",
            "contact",
            "0-1",
            "createdate",
            "lastmodifieddate",
            ("email", "firstname", "lastname"),
            "crm.objects.contacts.read",
        ),
        ObjectType(
            "companies",
            "company",
            "0-2",
            "createdate",
            "hs_lastmodifieddate",
            ("name", "domain"),
            "crm.objects.companies.read",
        ),
        ObjectType(
            "deals",
            "deal",
            "0-3",
            "createdate",
            "hs_lastmodifieddate",
            ("amount", "closedate", "dealname", "dealstage", "pipeline"),
            "crm.objects.deals.read",
        ),
        _engagement("calls", "call", "0-48"),
        _engagement("emails", "email", "0-49", "sales-email-read"),
        _engagement("meetings", "meeting_event", "0-47"),
        _engagement("tasks", "task", "0-27"),
        _engagement("notes", "note", "0-46"),
    )
}

_WORDS = {word.lower(): t for t in TYPES.values() for word in (t.name, t.singular, t.type_id)} | {
    "meeting": TYPES["meetings"]
}


def resolve(word: str) -> ObjectType | None:
    """The type that a URL names by plural, singular or objectTypeId."""
    return _WORDS.get(word.lower())
