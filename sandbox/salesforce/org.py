"""The org behind the API: its objects as the integration user may see them, and its records as they are visible now."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from sandbox.context import Context
from sandbox.salesforce.currencies import currency_types
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.rows import View, plain_view, view
from sandbox.salesforce.schema import AGE, BY_WORD, SOBJECTS, Field, SObject
from sandbox.store import Record, Store

ORG_ID = "00D5g00000SANDBEAY"
USER_ID = "0055g00000SANDUAAQ"
MULTI_CURRENCY_FIELD = "CurrencyIsoCode"

CURRENCY_TYPE = SOBJECTS["CurrencyType"]
"""Multi-currency orgs alone have it; its records are the org's setup, not the world's."""

ROLLED_UP = ("Account", "AnnualRevenue")
"""The field that an administrator made a roll-up of, while the fault `salesforce.formula_change` is on."""

CHANGING = {
    "Lead": "Rating",
    "Contact": "Title",
    "Account": "Website",
    "Opportunity": "NextStep",
    "OpportunityContactRole": "Role",
    "Campaign": "ActualCost",
    "CampaignMember": "FirstRespondedDate",
    "Task": "CallDisposition",
    "Event": "Type",
    "User": "Department",
}
"""Object -> the field that field-level security hides while the fault `salesforce.missing_field` is on, and whose type is
another while `salesforce.retyped_field` is."""


class Org:
    """One org.

    Args:
        store: its records.
        context: clock, faults and flags of the org.
    """

    def __init__(self, store: Store, context: Context) -> None:
        self.store = store
        self.context = context
        self._seen: dict[str, tuple[int, list[View]]] = {}

    def now(self) -> datetime:
        """The vendor's clock, UTC."""
        return self.context.clock()

    def sobject(self, name: str) -> SObject | None:
        """The object of that name, in any case of letters."""
        found = BY_WORD.get(name.lower())
        return None if found is CURRENCY_TYPE and not self.context.multi_currency else found

    def named(self, name: str) -> SObject:
        """The object that a URL names.

        Raises:
            ApiError: there is none.
        """
        sobject = self.sobject(name)
        if sobject is None:
            raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        return sobject

    def names(self) -> list[str]:
        """All objects that the org has, in alphabetical order."""
        return sorted(name for name in SOBJECTS if self.sobject(name))

    def fields(self, sobject: SObject) -> list[Field]:
        """The fields that the user may see."""
        return [f for f in sobject.fields.values() if self.may_see(sobject, f)]

    def may_see(self, sobject: SObject, field: Field) -> bool:
        """Whether the org has the field and shows it to the user."""
        if field.name == MULTI_CURRENCY_FIELD and not self.context.multi_currency:
            return False
        if field.is_calculated:
            return self.context.faults.active("salesforce.formula_field")
        lost = CHANGING.get(sobject.name) == field.name
        return not (lost and self.context.faults.active("salesforce.missing_field"))

    def is_calculated(self, sobject: SObject, field: Field) -> bool:
        """Whether the field may change without a new SystemModstamp: see `sandbox.world.mischief` for the roll-up."""
        is_rolled_up = (sobject.name, field.name) == ROLLED_UP
        return field.is_calculated or (is_rolled_up and self.context.faults.active("salesforce.formula_change"))

    def is_retyped(self, sobject: SObject, field: Field) -> bool:
        """Whether an administrator has given the field another type."""
        return CHANGING.get(sobject.name) == field.name and self.context.faults.active("salesforce.retyped_field")

    def _calculated(self, views: list[View]) -> list[View]:
        """The same with the formula as of now."""
        if not self.context.faults.active("salesforce.formula_field"):
            return views
        now = self.now()
        return [msgspec.structs.replace(v, fields={**v.fields, AGE: (now - v.created_at).days}) for v in views]

    def find(self, kind: str, id_: str) -> View | None:
        """The visible version of one record, deleted ones too; Ids of 15 characters are understood."""
        record = self.store.get(kind, id_)
        if record is None and len(id_) == 15:  # the short form of an Id
            record = next((r for r in self.store.records[kind].values() if r.id[:15] == id_), None)
        found = None if record is None else view(record, self.now())
        return None if found is None else self._calculated([found])[0]

    def views(
        self,
        sobject: SObject,
        keep: Callable[[View], bool],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        ids: list[str] | None = None,
    ) -> list[View]:
        """Visible versions that `keep` lets through, deleted ones too.

        Args:
            sobject: whose records.
            keep: what to let through; called with each candidate.
            start: with `end`: candidates are those with start <= SystemModstamp < end, found by the store's index.
            end: see start.
            ids: candidates are these only.
        """
        if sobject is CURRENCY_TYPE:
            return [one for one in currency_types(sobject.prefix) if keep(one)]
        now = self.now()
        with self.store.lock:
            # A date that only says until when leaves nearly all: to look each up by the index takes longer than to ask it.
            views = (
                self._all(sobject.name, now)
                if ids is None and start is None
                else _visible(self._candidates(sobject.name, now, start, end, ids), now)
            )
        return [v for v in self._calculated(views) if keep(v)]

    def _all(self, kind: str, now: datetime) -> list[View]:
        """The visible versions of all records, kept until one is written to or comes to be seen."""
        version = self.store.version[kind]
        if (kept := self._seen.get(kind)) is not None and kept[0] == version:
            return kept[1]
        views = _visible(self.store.records[kind].values(), now)
        if not self.store.lagging(kind, now):
            self._seen[kind] = version, views
        return views

    def _candidates(
        self, kind: str, now: datetime, start: datetime | None, end: datetime | None, ids: list[str] | None
    ) -> list[Record]:
        if ids is not None:
            return self.store.many(kind, dict.fromkeys(ids))
        if start is None and end is None:
            return list(self.store.records[kind].values())
        low = start or datetime.min.replace(tzinfo=now.tzinfo)
        high = end or datetime.max.replace(tzinfo=now.tzinfo)
        found = self.store.modified(kind, low, high)
        # A record whose newest version is not visible yet stands in the index under that version's time.
        late = self.store.lagging(kind, now)
        known = {r.id for r in found} if late else set()
        return found + [r for r in late if r.id not in known]


def _visible(records: Iterable[Record], now: datetime) -> list[View]:
    return [v for r in records if (v := plain_view(r) if r.visible_from is None else view(r, now))]
