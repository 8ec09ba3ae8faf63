"""Where the world writes: each act goes to the vendor's store and, independently of it, into the truth."""

from collections.abc import Callable
from typing import Any

from sandbox.store import Link, Store
from sandbox.world.moments import to_datetime
from sandbox.world.truth import Entry, Truth

KEY_FIELDS: dict[str, dict[str, str]] = {
    "hubspot": {
        "contacts": "email firstname lastname phone lifecyclestage hs_lead_status hubspot_owner_id salesforceleadid"
        " salesforcecontactid hs_email_optout",
        "companies": "name domain salesforceaccountid",
        "deals": "dealname amount deal_currency_code dealstage pipeline closedate hs_salesforceopportunityid",
        "calls": "hs_timestamp hs_call_title",
        "emails": "hs_timestamp hs_email_subject hs_email_direction",
        "meetings": "hs_timestamp hs_meeting_title hs_meeting_start_time",
        "tasks": "hs_timestamp hs_task_subject hs_task_status",
        "notes": "hs_timestamp",
        "owners": "email",
        "pipelines": "label",
        "forms": "name",
        "campaigns": "hs_name hs_spend_items_sum_amount hs_currency_code",
        "form_submissions": "formGuid",
        "email_events": "type recipient",
    },
    "salesforce": {
        "Lead": "Email FirstName LastName Company Status LeadSource IsConverted ConvertedContactId",
        "Contact": "Email FirstName LastName AccountId",
        "Account": "Name Website CurrencyIsoCode",
        "Opportunity": "Name AccountId Amount CurrencyIsoCode StageName CloseDate IsWon IsClosed",
        "OpportunityContactRole": "OpportunityId ContactId Role IsPrimary",
        "OpportunityHistory": "OpportunityId StageName Amount CurrencyIsoCode",
        "Campaign": "Name BudgetedCost ActualCost CurrencyIsoCode",
        "CampaignMember": "CampaignId LeadId ContactId Status HasResponded",
        "Task": "WhoId WhatId Subject Status",
        "Event": "WhoId WhatId Subject StartDateTime",
        "User": "Name Email",
        "LeadHistory": "LeadId Field OldValue NewValue",
    },
    "marketo": {
        "leads": "email firstName lastName company phone title leadStatus leadSource leadScore unsubscribed sfdcLeadId"
        " sfdcContactId",
        "programs": "name type channel status",
        "program_members": "programId leadId statusName reachedSuccess",
        "activities": "leadId activityTypeId campaignId primaryAttributeValueId primaryAttributeValue",
        "deleted_leads": "leadId",
        "lists": "name programName",
        "list_members": "listId leadId",
        "campaigns": "name type isActive programId",
        "emails": "name subject",
        "forms": "name",
        "landing_pages": "name",
    },
}
"""vendor -> kind -> fields whose present values the truth keeps."""


def key_fields() -> dict[tuple[str, str], tuple[str, ...]]:
    """`KEY_FIELDS` as the truth takes them."""
    return {(v, kind): tuple(names.split()) for v, kinds in KEY_FIELDS.items() for kind, names in kinds.items()}


class Desk:
    """Writes for one vendor.

    Args:
        store: what the vendor's app shows.
        truth: what the world remembers.
        late: moment of a write -> from when searches see it, or None for at once.
    """

    def __init__(self, store: Store, truth: Truth, late: Callable[[int], int | None]) -> None:
        self.store = store
        self.truth = truth
        self.vendor = store.vendor
        self._late = late
        self._entries = {kind: truth.records[store.vendor, kind] for kind in KEY_FIELDS[store.vendor]}
        self._names = {kind: tuple(names.split()) for kind, names in KEY_FIELDS[store.vendor].items()}

    def key(self, kind: str, id_: str) -> str:
        """How the truth names a record."""
        return f"{self.vendor}:{kind}:{id_}"

    def is_live(self, kind: str, id_: str | None) -> bool:
        """Whether a record exists and is neither archived nor merged away."""
        entry = self._entries[kind].get(id_ or "")
        return entry is not None and entry.state == "live"

    def now_of(self, kind: str, id_: str, name: str) -> Any:
        """Present value of a key field, as the world wrote it."""
        return self._entries[kind][id_].values[self._names[kind].index(name)]

    def count(self, kind: str) -> int:
        """How many records there ever were."""
        return len(self._entries[kind])

    def create(self, kind: str, id_: str, ms: int, fields: dict[str, Any], by: str = "") -> None:
        """Add a record."""
        late = self._late(ms)
        self.store.create(kind, id_, to_datetime(ms), fields, by=by, lag=None if late is None else to_datetime(late))
        get = fields.get
        self._entries[kind][id_] = Entry("live", None, ms, [get(name) for name in self._names[kind]])

    def update(self, kind: str, id_: str | None, ms: int, fields: dict[str, Any], by: str = "") -> bool:
        """Change a record; False, and nothing happens, where it is not live."""
        entry = self._entries[kind].get(id_ or "")
        if entry is None or entry.state != "live" or id_ is None:
            return False
        late = self._late(ms)
        self.store.update(kind, id_, to_datetime(ms), fields, by=by, lag=None if late is None else to_datetime(late))
        entry.modified_at = max(ms, entry.modified_at)
        for i, name in enumerate(self._names[kind]):
            if name in fields:
                entry.values[i] = fields[name]
        return True

    def archive(self, kind: str, id_: str, ms: int) -> None:
        """Delete softly."""
        self.store.archive(kind, id_, to_datetime(ms))
        self._state(kind, id_, ms, "archived")

    def restore(self, kind: str, id_: str, ms: int) -> None:
        """Take back a soft delete."""
        self.store.restore(kind, id_, to_datetime(ms))
        self._state(kind, id_, ms, "live")

    def delete(self, kind: str, id_: str, ms: int) -> None:
        """Delete for good."""
        self.store.delete(kind, id_, to_datetime(ms))
        entry = self._entries[kind][id_]
        entry.state, entry.modified_at = "deleted", ms

    def merge(self, kind: str, loser: str, winner: str, ms: int) -> None:
        """Merge one record into another that lives."""
        self.store.merge(kind, loser, winner, to_datetime(ms))
        self._state(kind, loser, ms, "merged")
        self._entries[kind][loser].merged_into = winner

    def link(self, from_kind: str, from_id: str, to_kind: str, to_id: str, there: Link, back: Link) -> None:  # two ends
        """Associate two records both ways."""
        self.store.link(from_kind, from_id, to_kind, to_id, there, back)

    def unlink(self, from_kind: str, from_id: str, to_kind: str, to_id: str) -> None:
        """Take all associations of two records away."""
        self.store.unlink(from_kind, from_id, to_kind, to_id)

    def _state(self, kind: str, id_: str, ms: int, state: str) -> None:
        entry = self._entries[kind][id_]
        entry.state = state
        if self.store.archiving_modifies:
            entry.modified_at = ms
