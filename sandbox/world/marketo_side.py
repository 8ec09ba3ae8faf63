"""What Marketo knows of people: leads, their changes and their activities.

Marketo shows whole seconds, so all of it is dated in whole seconds. Whatever is written here draws nothing.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.marketo.activity_types import CHANGE_DATA_VALUE, NEW_LEAD
from sandbox.marketo.schema import LEAD_FIELDS
from sandbox.world.desk import Desk
from sandbox.world.moments import SECOND, date_text

_FIRST_ID = {
    "leads": 318_001,
    "programs": 1_001,
    "emails": 2_001,
    "forms": 3_001,
    "landing_pages": 4_001,
    "lists": 5_001,
    "campaigns": 6_001,
    "members": 70_001,
}
"""Ranges that do not meet in a small world: a mix-up of kinds shows."""

_FIRST_ACTIVITY = 783_950_001


@dataclass(slots=True, eq=False)
class Program:
    """One Marketo program with its assets; ids as text. campaign: number of the true campaign, 0 for none."""

    id: str
    name: str
    channel: str
    campaign: int
    email: str = ""
    form: str = ""
    page: str = ""
    smart_campaign: str = ""
    list_id: str = ""


@dataclass
class Marketing:
    """Marketo's part of the world's state.

    rng: its own source of chance: the other vendors' records stay as they are, whatever Marketo draws.
    hanging: lead -> (kind, id) of its program memberships and list memberships.
    doubles: (lead, second lead of the same person) that may be merged.
    """

    rng: Random
    desk: Desk
    programs: list[Program] = field(default_factory=list)
    nurtures: list[Program] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    persons: dict[str, int] = field(default_factory=dict)
    hanging: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    doubles: list[tuple[str, str]] = field(default_factory=list)
    _next: dict[str, int] = field(default_factory=_FIRST_ID.copy)
    _activities: int = _FIRST_ACTIVITY

    def new_id(self, kind: str) -> str:
        """The next id of a kind."""
        id_ = self._next[kind]
        self._next[kind] = id_ + 1
        return str(id_)

    def chance(self, share: float) -> bool:
        """Whether something that happens with this share happens."""
        return self.rng.random() < share

    def between(self, low: float, high: float) -> int:
        """A whole number from low to high, even."""
        return int(low + (high - low) * self.rng.random())

    def value_of(self, lead: str, name: str) -> Any:
        """The present value of a lead's field."""
        record = self.desk.store.get("leads", lead)
        return None if record is None else record.fields.get(name)

    def program(self, id_: str) -> Program | None:
        """A program, one made by an act too; None where it is gone."""
        record = self.desk.store.get("programs", id_)
        if record is None:
            return None
        made = next((program for program in self.programs if program.id == id_), None)
        return made or Program(id_, record.fields["name"], record.fields.get("channel", ""), 0)

    def log(
        self,
        ms: int,
        lead: str,
        type_: int,
        primary: tuple[int | str, str] | None,
        attributes: Mapping[str, Any],
        *,
        campaign: str | None = None,
        kind: str = "activities",
    ) -> str:
        """Add an activity; returns its name in the truth. Pairs of activities share the integer id, as it is not unique."""
        number = self._activities
        self._activities = number + 1
        fields = {
            "id": number - number % 2,
            "leadId": int(lead),
            "activityTypeId": type_,
            "campaignId": None if campaign is None else int(campaign),
            "primaryAttributeValueId": None if primary is None else int(primary[0]),
            "primaryAttributeValue": None if primary is None else primary[1],
            "attributes": {k: v for k, v in attributes.items() if v is not None},
        }
        self.desk.create(kind, str(number), second(ms), fields)
        return self.desk.key(kind, str(number))


def second(ms: int) -> int:
    """Cut to the second."""
    return ms - ms % SECOND


def create_lead(m: Marketing, ms: int, fields: dict[str, Any], source: str, lead: str | None = None) -> str:
    """Add a lead, with its "New Lead". source: Marketo's source type, e.g. "Web form fill-out"."""
    id_ = lead or m.new_id("leads")
    m.desk.create("leads", id_, second(ms), {"unsubscribed": False, "leadScore": 0, **fields})
    m.leads.append(id_)
    attributes = {"Created Date": date_text(ms), "Lead Source": fields.get("leadSource"), "Source Type": source}
    m.log(ms, id_, NEW_LEAD, None, attributes)
    return id_


def change_lead(m: Marketing, ms: int, lead: str | None, fields: Mapping[str, Any], reason: str) -> list[str]:
    """Set fields of a lead; each that differs gives a "Change Data Value". Returns their names in the truth.

    Nothing happens where the lead is not live or nothing differs.
    """
    if lead is None or not m.desk.is_live("leads", lead):
        return []
    changed = {k: v for k, v in fields.items() if m.value_of(lead, k) != v}
    if not changed:
        return []
    before = {k: m.value_of(lead, k) for k in changed}
    m.desk.update("leads", lead, second(ms), changed)
    return [
        m.log(ms, lead, CHANGE_DATA_VALUE, _attribute(name), {
            "New Value": _text(value), "Old Value": _text(before[name]), "Reason": reason, "Source": "Marketo Flow Action"
        })
        for name, value in changed.items()
        if name in LEAD_FIELDS
    ]  # fmt: skip


def _attribute(name: str) -> tuple[int, str]:
    return LEAD_FIELDS[name].id, LEAD_FIELDS[name].display


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def change_score(m: Marketing, ms: int, lead: str, by: int, reason: str) -> None:
    """Raise or lower the score."""
    old = int(m.value_of(lead, "leadScore") or 0)
    m.desk.update("leads", lead, second(ms), {"leadScore": old + by})
    attributes = {"Change Value": f"{by:+}", "New Value": old + by, "Old Value": old, "Reason": reason}
    m.log(ms, lead, 22, _attribute("leadScore"), attributes)
