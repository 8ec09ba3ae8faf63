"""A day of the world: who comes, what is corrected, the bulk edit; and how an account is set up on the first one."""

from sandbox.world import marketing, marketo_upkeep, upkeep
from sandbox.world.catalog import FORMS, PIPELINES, draw_staff, pipeline_fields
from sandbox.world.mischief import plan_mischief
from sandbox.world.moments import DAY, HOUR, hubspot_text, is_weekend
from sandbox.world.programs import start_nurtures
from sandbox.world.state import State

PAST_SHARE, SHARE = 0.0006, 0.02
"""Of all records that people edit, so many are edited on a day of the past, and on one that is advanced."""

ALL_RARE_FROM = 500
"""In worlds of so many people or more, every rare change happens on every day that is advanced."""

BULK_DAYS_BEFORE = 40
BULK_MOST = 10_000


def set_up(state: State, ms: int, people: int) -> None:
    """Staff, pipelines, forms; the one left out of a system keeps no id there."""
    for number in range(max(6, min(60, 6 + people // 2_000))):
        staff = draw_staff(state.rng, number)
        state.staff.append(staff)
        if number != 4:
            staff.hubspot, staff.user = state.numbers.new("owners"), str(40_000 + number)
            owner = {
                "email": staff.email,
                "firstName": staff.given,
                "lastName": staff.family,
                "userId": int(staff.user),
                "teams": [{"id": "1" if staff.team == "sales" else "2", "name": staff.team.title(), "primary": True}],
            }
            state.hubspot.create("owners", staff.hubspot, ms, owner)
        staff.salesforce = state.keys.new("User")
        user = {
            "Name": f"{staff.given} {staff.family}",
            "Email": staff.email,
            "Department": staff.team.title(),
            "TimeZoneSidKey": staff.zone,
            "IsActive": number != 5,
        }
        state.salesforce.create("User", staff.salesforce, ms, user)
    for pipeline in PIPELINES:
        state.hubspot.create("pipelines", pipeline, ms, pipeline_fields(pipeline))
    for number, name in enumerate(FORMS):
        guid = state.numbers.guid("form", number)
        state.forms.append(guid)
        state.hubspot.create("forms", guid, ms, {"name": name, "formType": "hubspot"})
    start_nurtures(state, ms)


class Calendar:
    """How many people come on which day.

    Args:
        people: how many come in the past, exactly.
        first, days: first day (since 1970) of the past and its length.
    """

    def __init__(self, people: int, first: int, days: int) -> None:
        weights = [self._weight(first + i) for i in range(days)]
        total = sum(weights)
        self.rate = people / max(total, 1)
        self._counts: dict[int, int] = {}
        done, seen = 0.0, 0
        for i, weight in enumerate(weights):
            done += weight
            upto = round(people * done / total)
            self._counts[first + i] = upto - seen
            seen = upto

    def is_past(self, day: int) -> bool:
        """Whether a day belongs to the past that was made at the start."""
        return day in self._counts

    def arrivals(self, state: State, day: int) -> int:
        """How many people come on a day; after the past, as many as before on average."""
        if day in self._counts:
            return self._counts[day]
        return int(self.rate * self._weight(day) + state.rng.random())

    @staticmethod
    def _weight(day: int) -> float:
        return 0.35 if is_weekend(day) else 1.0


def start_day(ms: int, state: State, calendar: Calendar) -> None:
    """Plan a day at its first millisecond."""
    plan, draw = state.agenda.plan, state.rng.random
    day = ms // DAY
    for _ in range(calendar.arrivals(state, day)):
        plan(ms + int((draw() + draw()) * 12 * HOUR), marketing.arrive, state)
    is_new = not calendar.is_past(day)
    if state.people:
        desks = ((state.hubspot, ("contacts", "companies", "deals")),
                 (state.salesforce, ("Lead", "Contact", "Account", "Opportunity")))  # fmt: skip
        records = sum(desk.count(kind) for desk, kinds in desks for kind in kinds)
        share = PAST_SHARE if calendar.is_past(day) else SHARE
        for _ in range(int(records * share + draw())):
            plan(ms + int(draw() * DAY), upkeep.ORDINARY[int(draw() * len(upkeep.ORDINARY))], state)
        size = len(state.people)
        for change in upkeep.RARE:
            often = size / 40_000
            if is_new and (size >= ALL_RARE_FROM or state.context.faults.active("world.rare_changes")):
                often = max(1.0, often)
            for _ in range(int(often + draw())):
                plan(ms + int(draw() * DAY), change, state)
    if is_new:
        plan_mischief(ms, state)
    marketo_upkeep.start_day(ms, state, is_past=calendar.is_past(day))
    plan(ms + DAY, start_day, state, calendar)


def edit_in_bulk(ms: int, state: State) -> None:
    """A tenth of all people, at most 10,000, get the same edit in the same millisecond, in all systems."""
    for person in state.people[: max(1, min(BULK_MOST, len(state.people) // 10))]:
        state.hubspot.update(
            "contacts", person.hubspot, ms, {"hubspotscore": "1", "notes_bulk": hubspot_text(ms)[:10]}, "BULK_EDIT"
        )
        state.salesforce.update("Lead", person.lead, ms, {"Rating": "Cold"})
    marketo_upkeep.send_wave(ms, state)
