"""The truth tables that are the world's own objects: opportunities, campaign costs, accounts."""

from collections.abc import Iterator
from typing import Any

from sandbox.world.moments import to_datetime
from sandbox.world.state import State


def attach(state: State) -> None:
    """Let the truth show them."""
    state.truth.objects |= {
        "opportunity": lambda: opportunities(state),
        "campaign_cost": lambda: campaign_costs(state),
        "account": lambda: accounts(state),
    }


def _keys(*records: tuple[str, str, str | None]) -> list[str]:
    return [f"{vendor}:{kind}:{id_}" for vendor, kind, id_ in records if id_]


def opportunities(state: State) -> Iterator[dict[str, Any]]:
    """Each true deal once."""
    for deal in list(state.deals):
        account = deal.company.account_id if deal.company is not None else f"AP{deal.person.number}"
        group = [{"person_id": p.person_id, "role": role, "is_primary": primary} for p, role, primary in deal.group]
        yield {
            "opportunity_id": deal.opportunity_id,
            "account_id": account,
            "amount": deal.amount,
            "currency": deal.currency,
            "status": deal.status,
            "stage": deal.hubspot_stage,
            "created_at": to_datetime(deal.created),
            "closed_at": None if deal.closed is None else to_datetime(deal.closed),
            "lead_source": deal.channel,
            "campaign_id": deal.campaign.campaign_id if deal.campaign is not None else None,
            "buying_group": group,
            "records": _keys(("salesforce", "Opportunity", deal.salesforce), ("hubspot", "deals", deal.hubspot)),
        }


def campaign_costs(state: State) -> Iterator[dict[str, Any]]:
    """Each campaign with what was planned and what it has cost up to now."""
    for campaign in list(state.campaigns):
        yield {
            "campaign_id": campaign.campaign_id,
            "name": campaign.name,
            "lead_source": campaign.channel.name,
            "budget": f"{campaign.budget / 100:.2f}",
            "actual": f"{campaign.actual / 100:.2f}",
            "currency": campaign.currency,
            "start_at": to_datetime(campaign.start),
            "end_at": to_datetime(campaign.end),
            "records": _keys(
                ("salesforce", "Campaign", campaign.salesforce),
                ("hubspot", "campaigns", campaign.hubspot),
                ("marketo", "programs", campaign.marketo),
            ),
        }


def accounts(state: State) -> Iterator[dict[str, Any]]:
    """Each company, and each sole trader who has an account in an own name."""
    for company in list(state.companies):
        yield {
            "account_id": company.account_id,
            "name": company.name,
            "domain": company.domain,
            "country": company.country.code,
            "parent_account_id": company.parent.account_id if company.parent is not None else None,
            "is_customer": company.is_customer,
            "records": [
                *_keys(("salesforce", "Account", company.salesforce), ("hubspot", "companies", company.hubspot)),
                *company.others,
            ],
        }
    for number, account in list(state.own_accounts.items()):
        person = state.people[number - 1]
        yield {
            "account_id": f"AP{number}",
            "name": f"{person.name.given} {person.name.family}".strip(),
            "domain": None,
            "country": person.country.code,
            "parent_account_id": None,
            "is_customer": person.stage in {"customer", "advocate"},
            "records": _keys(("salesforce", "Account", account)),
        }
