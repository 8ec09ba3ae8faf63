"""Marketo's programs and their assets: engagement programs that always run, and one for each campaign of certain types."""

from typing import Any

from sandbox.world.catalog import Campaign
from sandbox.world.marketo_side import Marketing, Program, second
from sandbox.world.marketo_words import CHANNEL_OF, NURTURES, PROGRAM_TYPES
from sandbox.world.state import State

_SUBJECTS = (
    "Three questions before you buy",
    "O que marketing e vendas veem de forma diferente?",
    'Your "funnel", in one picture 😀',
    "Küste & Meer: we are there, too",
)


def start_nurtures(state: State, ms: int) -> None:
    """The engagement programs, and what they need."""
    for name in NURTURES:
        program = _create(state.nurture, ms, name, "Nurture", None)
        state.nurture.nurtures.append(program)


def launch_program(state: State, ms: int, campaign: Campaign) -> Program | None:
    """The program that runs a campaign; None where the campaign's type has none. Most name the Salesforce campaign."""
    channel = CHANNEL_OF.get(campaign.channel.type)
    if channel is None:
        return None
    program = _create(state.nurture, ms, campaign.name, channel, campaign)
    campaign.marketo = program.id
    return program


def _create(m: Marketing, ms: int, name: str, channel: str, campaign: Campaign | None) -> Program:
    at = second(ms)
    id_ = m.new_id("programs")
    program = Program(id_, name, channel, campaign.number if campaign else 0)
    m.programs.append(program)
    tells = campaign is not None and campaign.number % 7 != 3
    fields: dict[str, Any] = {
        "name": name,
        "description": "" if int(id_) % 3 else f"Who it is for: {name}",
        "type": PROGRAM_TYPES[channel],
        "channel": channel,
        "status": {"Nurture": "on", "Email Send": "unlocked"}.get(channel, ""),
        "sfdcId": campaign.salesforce if campaign and tells else None,
        "sfdcName": name if tells else None,
    }
    m.desk.create("programs", id_, at, fields)
    _assets(m, at, program)
    return program


def _assets(m: Marketing, ms: int, program: Program) -> None:
    """One mail, form, landing page, static list and smart campaign each."""
    belongs = {"programId": int(program.id), "programName": program.name}
    program.email = m.new_id("emails")
    subject = _SUBJECTS[int(program.email) % len(_SUBJECTS)]
    m.desk.create("emails", program.email, ms, {"name": f"{program.name} mail", "subject": subject, **belongs})
    program.form = m.new_id("forms")
    m.desk.create("forms", program.form, ms, {"name": f"{program.name} form", **belongs})
    program.page = m.new_id("landing_pages")
    page = {"name": f"{program.name} page", "path": f"/lp/{program.page}", "formId": int(program.form), **belongs}
    m.desk.create("landing_pages", program.page, ms, page)
    program.list_id = m.new_id("lists")
    m.desk.create("lists", program.list_id, ms, {"name": f"{program.name} list", **belongs})
    program.smart_campaign = m.new_id("campaigns")
    runs = {"name": f"{program.name} flow", "type": "trigger" if int(program.id) % 2 else "batch", "isActive": True}
    m.desk.create("campaigns", program.smart_campaign, ms, {**runs, **belongs})
