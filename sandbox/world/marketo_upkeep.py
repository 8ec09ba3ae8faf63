"""What happens to Marketo's records besides nurturing: corrections, merges, deletes, people taken from programs and lists."""

from collections.abc import Callable

from sandbox.world.marketo_members import join_list, leave_list, leave_program, set_status
from sandbox.world.marketo_removal import delete_lead, merge_leads
from sandbox.world.marketo_side import change_lead, second
from sandbox.world.moments import DAY
from sandbox.world.people import TITLES
from sandbox.world.state import State

TRIES = 12
PAST_SHARE, SHARE = 0.0006, 0.02
"""Of all leads, so many are edited on a day of the past, and on one that is advanced."""

ALL_RARE_FROM = 500
"""In worlds of so many people or more, every rare change happens on every day that is advanced."""

WAVE_MOST = 10_000


def start_day(ms: int, state: State, *, is_past: bool) -> None:
    """Plan a day's changes at its first millisecond."""
    m = state.nurture
    if not m.leads:
        return
    plan, draw = state.agenda.plan, m.rng.random
    for _ in range(int(len(m.leads) * (PAST_SHARE if is_past else SHARE) + draw())):
        plan(ms + int(draw() * DAY), _correct, state)
    size = len(state.people)
    often = size / 40_000
    if not is_past and size >= ALL_RARE_FROM:
        often = max(1.0, often)
    for change in _RARE:
        for _ in range(int(often + draw())):
            plan(ms + int(draw() * DAY), change, state)


def _some_lead(state: State) -> str | None:
    m = state.nurture
    for _ in range(TRIES):
        lead = m.leads[m.between(0, len(m.leads))]
        if m.desk.is_live("leads", lead):
            return lead
    return None


def _correct(ms: int, state: State) -> None:
    m, lead = state.nurture, _some_lead(state)
    if lead is None:
        return
    number = m.between(0, 1_000)
    forms = (
        {"title": TITLES[number % len(TITLES)]},
        {"productInterest": ("CRM", "Automation", 'Both, "really"', "")[number % 4]},
        {"city": (None, "", " ", "São Paulo")[number % 4]},
        {"phone": f"+1 555 01{number % 100:02}"},
        {"lastName": str(m.value_of(lead, "lastName") or "X").upper()},
    )
    change_lead(m, ms, lead, forms[m.between(0, len(forms))], "Changed by user")


def _merge(ms: int, state: State) -> None:
    """The oldest pair of leads of one person that still live is merged."""
    m = state.nurture
    while m.doubles:
        winner, loser = m.doubles.pop(0)
        if m.desk.is_live("leads", winner) and m.desk.is_live("leads", loser):
            merge_leads(m, ms, winner, loser)
            return


def _delete(ms: int, state: State) -> None:
    """A lead is deleted; one in eight because the person asked for it."""
    m, lead = state.nurture, _some_lead(state)
    if lead is None:
        return
    delete_lead(m, ms, lead)
    number = m.persons.get(lead)
    if number is None:
        return
    person = state.people[number - 1]
    if person.marketo == lead:
        person.marketo = None
    if m.chance(0.125):
        state.truth.erased(person.person_id, "marketo", "leads", lead, second(ms))


def _hanging(state: State, kind: str) -> str | None:
    m = state.nurture
    for _ in range(TRIES):
        found = [id_ for k, id_ in m.hanging.get(m.leads[m.between(0, len(m.leads))], ()) if k == kind]
        if found:
            return found[m.between(0, len(found))]
    return None


def _leave_program(ms: int, state: State) -> None:
    member = _hanging(state, "program_members")
    if member is not None:
        leave_program(state.nurture, ms, member)


def _leave_list(ms: int, state: State) -> None:
    member = _hanging(state, "list_members")
    if member is not None:
        leave_list(state.nurture, ms, member)


def _join(ms: int, state: State) -> None:
    """Somebody is put on a list and into its program by hand."""
    m, lead = state.nurture, _some_lead(state)
    if lead is not None:
        program = m.programs[m.between(0, len(m.programs))]
        join_list(m, ms, lead, program)
        first = {"Nurture": "Member", "Email Send": "Sent"}.get(program.channel, "Invited")
        set_status(m, ms, lead, program, first, "Added by hand")


def _describe_program(ms: int, state: State) -> None:
    m = state.nurture
    program = m.programs[m.between(0, len(m.programs))]
    m.desk.update("programs", program.id, second(ms), {"description": f"Seen by {m.between(1, 99)} of us"})


def send_wave(ms: int, state: State) -> None:
    """A smart campaign sets one field of half of all leads, at most 10,000, in the same second."""
    m = state.nurture
    for lead in m.leads[: min(WAVE_MOST, len(m.leads) // 2)]:
        change_lead(m, ms, lead, {"nurtureWave": "Q2"}, "Changed by smart campaign")


_RARE: tuple[Callable[[int, State], None], ...] = (
    _merge,
    _delete,
    _leave_program,
    _leave_list,
    _join,
    _describe_program,
)
"""Each at least once a day in a world of 500 or more."""
