"""The build: from staging to core and marts, in the caller's transaction, only where something changed.

Order: what is read first is built first. Identity (accounts, persons, deals) comes before the journey, the journey before
attribution, and the aggregates last. Each step works on the affected sets of transforms/changes.py, and an incremental
build ends in exactly the state that a full build would reach. Nothing depends on the time of the build, on load numbers or
on the order in which rows lie on disk.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from glossary.loader import Glossary
from transforms import changes
from transforms.attribution.conversions import build_conversions
from transforms.attribution.credit import build_credit
from transforms.attribution.paths import find_paths
from transforms.identity.accounts import build_accounts
from transforms.identity.components import ACCOUNT, OPPORTUNITY, PERSON, resolve
from transforms.identity.conflicts import build_conflicts
from transforms.identity.evidence import refresh_evidence
from transforms.identity.opportunities import build_opportunities
from transforms.identity.persons import build_persons
from transforms.journey.deals import add_deals
from transforms.journey.events import begin_events
from transforms.journey.stages import build_stages
from transforms.marts.account_journey import build_account_journey
from transforms.marts.attribution import build_attribution
from transforms.marts.campaigns import build_campaigns
from transforms.marts.conversion_assists import build_conversion_assists
from transforms.marts.customer_journey import build_customer_journey
from transforms.marts.customers_by_source import build_customers_by_source
from transforms.marts.funnel_conversion import build_funnel_conversion
from transforms.marts.glossary_gap import build_glossary_gap
from transforms.marts.markov_attribution import build_markov_attribution
from transforms.marts.opportunity_influence import build_opportunity_influence
from transforms.marts.person_journey import build_person_journey
from transforms.settings import Settings
from transforms.work import FEW_STATISTICS, Step, Work


@dataclass(frozen=True, slots=True)
class BuildCounts:
    """What a build did.

    changed_records: records taken from the queue.
    persons, accounts, opportunities: how many were looked at again (groups before and after included).
    steps: every step with rows written and seconds, in order.
    """

    changed_records: int
    persons: int
    accounts: int
    opportunities: int
    steps: tuple[Step, ...]


def build(connection: sa.Connection, glossary: Glossary | Settings, *, full: bool) -> BuildCounts:
    """Bring schemas core and marts up to date with staging.

    Args:
        connection: open connection; everything happens in its present transaction, which the caller ends. Two builds must
            not run at once: the caller holds the lock.
        glossary: the glossary in force, or settings made from one. After a change of the glossary a full build is due.
        full: rebuild everything and ignore the queue; otherwise only what the queued changes reach.

    Returns:
        Counts, with one entry per step.
    """
    settings = glossary if isinstance(glossary, Settings) else Settings.of(glossary)
    # The statements are many and short: compiling them costs more than it saves. Sorts and hashes are kept in memory. Of
    # temporary tables, a tenth of the usual statistics is enough to plan by, and takes a tenth of the time.
    few = str(FEW_STATISTICS)
    values = {"jit": "off", "work_mem": "64MB", "default_statistics_target": few}
    if full:
        # By a fast disk's 1.1, whole tables would be read in the order of an index: larger than memory, that is slow.
        values["random_page_cost"] = "4"
    for name, value in values.items():
        connection.execute(sa.text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
    settings.publish(connection)
    work = Work(connection, settings, full)
    taken = changes.take(work)
    work.step("changes", taken)
    work.step("campaigns", build_campaigns(work))
    _build_identity(work)
    _build_journeys(work)
    _build_attribution(work)
    for mart in (build_customers_by_source, build_funnel_conversion, build_glossary_gap):
        work.step(mart.__name__.removeprefix("build_"), mart(work))
    return BuildCounts(
        changed_records=taken,
        persons=work.count("affected_person"),
        accounts=work.count("affected_account"),
        opportunities=work.count("affected_opportunity"),
        steps=tuple(work.steps),
    )


def _build_identity(work: Work) -> None:
    work.step("identity_evidence", refresh_evidence(work))
    changes.read_links(work)
    work.step("account_link", resolve(work, ACCOUNT))
    conflicts = build_conflicts(work, ACCOUNT)
    changes.spread_to_accounts(work)
    work.step("account", build_accounts(work))
    work.step("identity_link", resolve(work, PERSON))
    work.step("identity_conflict", conflicts + build_conflicts(work, PERSON))
    changes.spread_to_persons(work)
    work.step("person", build_persons(work))
    work.step("opportunity_link", resolve(work, OPPORTUNITY))
    changes.spread_to_opportunities(work)
    work.step("opportunity", build_opportunities(work))


def _build_journeys(work: Work) -> None:
    changes.spread_to_journeys(work)
    work.step("touchpoint", begin_events(work))
    work.step("stage_change", build_stages(work))
    add_deals(work)
    work.step("customer_journey", build_customer_journey(work))
    changes.spread_to_person_journeys(work)
    work.step("person_journey", build_person_journey(work))
    changes.spread_to_account_journeys(work)
    work.step("account_journey", build_account_journey(work))


def _build_attribution(work: Work) -> None:
    changes.spread_to_credit(work)
    work.step("opportunity_touch", find_paths(work))
    work.step("credit", build_credit(work))
    work.step("conversion_touch", build_conversions(work))
    work.step("attribution", build_attribution(work))
    work.step("conversion_assists", build_conversion_assists(work))
    work.step("markov_attribution", build_markov_attribution(work))
    work.step("opportunity_influence", build_opportunity_influence(work))
