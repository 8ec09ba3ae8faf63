"""Marketo's mails and what people do with them: opens, clicks, visits, forms, unsubscribes; each also in the truth."""

from typing import Any

from sandbox.world.channels import SITE, draw_visit
from sandbox.world.marketo_members import set_status
from sandbox.world.marketo_side import Program, change_lead, change_score, second
from sandbox.world.marketo_words import AGENT, BOT_PATTERN, MAIL_TYPES
from sandbox.world.moments import DAY, HOUR, MINUTE, SECOND
from sandbox.world.people import Person
from sandbox.world.state import State


def send(state: State, ms: int, person: Person, lead: str, program: Program) -> None:
    """A mail goes out: delivered or not, opened or not, by machines too, clicked or not."""
    m = state.nurture
    _mail(state, ms, person, lead, program, "SENT")
    chance = m.rng.random()
    plan = state.agenda.plan
    if chance < 0.03:
        plan(ms + m.between(1, 90) * SECOND, _later, state, person, program, "BOUNCE", False)  # noqa: FBT003
        return
    plan(ms + m.between(1, 20) * SECOND, _later, state, person, program, "DELIVERED", False)  # noqa: FBT003
    if chance < 0.11:
        plan(ms + m.between(21, 40) * SECOND, _later, state, person, program, "OPEN", True)  # noqa: FBT003
    if chance > 0.7:
        opened = ms + MINUTE + int(m.rng.random() ** 3 * 2 * DAY)
        plan(opened, _later, state, person, program, "OPEN", False)  # noqa: FBT003
        if chance > 0.9:
            plan(opened + 40 * SECOND, _click, state, person, program)
    elif chance > 0.685:
        plan(ms + HOUR, _unsubscribe, state, person, program)


def _later(ms: int, state: State, person: Person, program: Program, type_: str, machine: bool) -> None:  # noqa: FBT001 # an action
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    _mail(state, ms, person, lead, program, type_, machine=machine)
    if type_ == "BOUNCE" and m.chance(0.5):
        change_lead(m, ms, lead, {"emailInvalid": True, "emailInvalidCause": "550 no such user"}, "Email bounced")
    if type_ == "OPEN" and not machine:
        change_score(m, ms, lead, 1, "Opened mail")
        if program.channel == "Email Send":
            set_status(m, ms, lead, program, "Opened", "Opened mail")


def _click(ms: int, state: State, person: Person, program: Program) -> None:
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    _mail(state, ms, person, lead, program, "CLICK")
    change_score(m, ms, lead, 5, "Clicked link in mail")
    engaged = {"Nurture": "Engaged", "Email Send": "Clicked", "Webinar": "Registered", "Roadshow": "Registered"}
    set_status(m, ms, lead, program, engaged[program.channel], "Clicked link in mail")
    state.agenda.plan(ms + 2 * SECOND, _arrive, state, person, program)
    if m.chance(0.4):
        state.agenda.plan(ms + 3 * MINUTE, _answer, state, person, program)


def _arrive(ms: int, state: State, person: Person, program: Program) -> None:
    if person.marketo is not None and state.nurture.desk.is_live("leads", person.marketo):
        _visit(state, ms, person, person.marketo, program, "email")
        if state.nurture.chance(0.3):
            state.agenda.plan(ms + state.nurture.between(20, 300) * SECOND, _look_on, state, person, program)


def _look_on(ms: int, state: State, person: Person, program: Program) -> None:
    """Another view in the same session: it comes from the site itself."""
    if person.marketo is not None and state.nurture.desk.is_live("leads", person.marketo):
        attributes = {**_browser(state.nurture.between(1, 250), f"{SITE}/"), "Webpage URL": f"/lp/{program.page}"}
        _view(state, ms, person, person.marketo, program, attributes)


def _answer(ms: int, state: State, person: Person, program: Program) -> None:
    """Somebody sends a program's form."""
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    fill_form(state, ms, person, lead, program)
    change_score(m, ms, lead, 10, "Filled out form")
    if program.channel == "Nurture":
        set_status(m, ms, lead, program, "Influenced", "Filled out form")


def _unsubscribe(ms: int, state: State, person: Person, program: Program) -> None:
    m, lead = state.nurture, person.marketo
    if lead is None or not m.desk.is_live("leads", lead):
        return
    _mail(state, ms, person, lead, program, "UNSUBSCRIBE")
    change_lead(m, ms, lead, {"unsubscribed": True, "unsubscribedReason": "Unsubscribe page"}, "Unsubscribe page")
    if program.channel == "Email Send":
        set_status(m, ms, lead, program, "Unsubscribed", "Unsubscribe page")


def _mail(
    state: State, ms: int, person: Person, lead: str, program: Program, type_: str, *, machine: bool = False
) -> None:
    m = state.nurture
    number, name = MAIL_TYPES[type_]
    attributes: dict[str, Any] = {"Campaign Run ID": int(program.smart_campaign) * 10, "Choice Number": 0, "Step ID": 1}
    match type_:
        case "OPEN" | "CLICK":
            attributes |= {
                "Is Bot Activity": machine,
                "Is Mobile Device": False,
                "Device": "unknown",
                "User Agent": AGENT,
            }
            attributes["Bot Activity Pattern"] = BOT_PATTERN if machine else "N/A"
            if type_ == "CLICK":
                attributes |= {
                    "Link": f"{SITE}/lp/{program.page}?utm_source=marketo&utm_medium=email",
                    "Link ID": "101",
                }
        case "BOUNCE":
            attributes |= {"Category": "2", "Email": person.email, "Details": '550 5.1.1 "no such user",\nsorry'}
        case "UNSUBSCRIBE":
            attributes = {"Campaign Run ID": attributes["Campaign Run ID"], **_browser(m.between(1, 250))}
    key = m.log(ms, lead, number, (program.email, f"{program.name}.mail"), attributes, campaign=program.smart_campaign)
    by = "customer" if type_ in {"OPEN", "CLICK"} and not machine else "marketing"
    name += "_by_machine" if machine else ""
    state.truth.event(person.person_id, name, second(ms), [key], by=by, campaign=_campaign_id(program))


def _campaign_id(program: Program) -> str | None:
    return f"C{program.campaign}" if program.campaign else None


def _browser(host: int, referrer: str = "", query: str = "") -> dict[str, Any]:
    return {
        "Client IP Address": f"203.0.113.{host}",
        "Query Parameters": query,
        "Referrer URL": referrer,
        "User Agent": AGENT,
    }


def _visit(state: State, ms: int, person: Person, lead: str, program: Program, channel: str) -> None:
    m = state.nurture
    url, referrer = draw_visit(m.rng, channel, program.name)
    path, _, query = url.removeprefix(SITE).partition("?")
    attributes = {**_browser(m.between(1, 250), referrer or "", query), "Webpage URL": path}
    _view(state, ms, person, lead, program, attributes)


def _view(state: State, ms: int, person: Person, lead: str, program: Program, attributes: dict[str, Any]) -> None:
    page = (program.page, f"www.smart-demo.example{attributes['Webpage URL']}")
    key = state.nurture.log(ms, lead, 1, page, attributes)
    campaign = _campaign_id(program)
    state.truth.event(person.person_id, "page_visit", second(ms), [key], by="customer", campaign=campaign)


def fill_form(state: State, ms: int, person: Person, lead: str, program: Program) -> None:
    """A program's form is sent, from a page that was visited."""
    m = state.nurture
    _visit(state, ms, person, lead, program, person.channel)
    sent = _php({"FirstName": person.name.given, "LastName": person.name.family, "Email": person.email})
    _, referrer = draw_visit(m.rng, person.channel, program.name)
    attributes = {**_browser(m.between(1, 250), referrer or ""), "Form Fields": sent, "Webpage ID": int(program.page)}
    key = m.log(ms, lead, 2, (program.form, f"{program.name}.form"), attributes)
    campaign = _campaign_id(program)
    state.truth.event(person.person_id, "form_submission", second(ms), [key], by="customer", campaign=campaign)


def _php(values: dict[str, str]) -> str:
    """As PHP serialises an array, which is how Marketo hands over what a form sent."""

    def text(value: str) -> str:
        return f's:{len(value.encode())}:"{value}";'

    return f"a:{len(values)}:{{{''.join(text(k) + text(v) for k, v in values.items())}}}"
