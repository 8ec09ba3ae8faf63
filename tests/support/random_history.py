"""Random little worlds in staging, made to collide: few ids, addresses and moments, so that records link, split and repeat."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import sqlalchemy as sa

from errors import SmarketingError
from tests.support.staging_rows import StagingRows, at
from warehouse import decisions

EMAILS = (
    "ana@acme.test",
    "a.souza@acme.test",
    "ana+news@acme.test",
    "bob@beta.test",
    "info@acme.test",
    "cy@gmail.com",
    "dee@gamma.test",
    None,
)
NAMES = ("Ana Souza", "ANA  Souzá", "Bob Lee", "Bob Lee", "Cy", "", None)
PHONES = ("+5511999998888", "+14155550100", None, None)
DOMAINS = ("acme.test", "beta.test", "gamma.test", "gmail.com", None)
STAGES = (
    "subscriber",
    "lead",
    "mql",
    "sal",
    "sql",
    "opportunity",
    "customer",
    "recycled",
    "disqualified",
    "unmapped",
    None,
)
SOURCES = ("paid_search", "webinar", "offline", "other", "direct", "unmapped", None)
TOUCHES = ("page_visit", "form_submission", "email_open", "email_sent", "campaign_response", "first_visit")
PEOPLE = tuple(f"{s}:{n}" for s in ("hubspot:contacts", "salesforce:lead", "salesforce:contact") for n in range(4))
ACCOUNTS = tuple(f"{s}:{n}" for s in ("hubspot:companies", "salesforce:account") for n in range(3))
DEALS = tuple(f"{s}:{n}" for s in ("hubspot:deals", "salesforce:opportunity") for n in range(3))
CAMPAIGNS = ("salesforce:campaign:1", "hubspot:campaigns:1")
ENGAGEMENTS = tuple(f"{s}:{n}" for s in ("hubspot:meetings", "salesforce:event") for n in range(3))


class RandomHistory:
    """Draws changes of staging rows from one random generator."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.kinds = {
            "person": (PEOPLE, self._person, 8),
            "account": (ACCOUNTS, self._account, 4),
            "opportunity": (DEALS, self._deal, 5),
            "opportunity_person": (_ids("hubspot:deal_to_contact", 5, parts=2), self._deal_person, 4),
            "person_account": (_ids("hubspot:contact_to_company", 3), self._person_account, 2),
            "opportunity_account": (_ids("hubspot:deal_to_company", 3), self._deal_account, 2),
            "campaign": (CAMPAIGNS, self._campaign, 2),
            "engagement": (ENGAGEMENTS, self._engagement, 5),
            "engagement_link": (_ids("hubspot:meeting_to_contact", 6, parts=2), self._engagement_link, 5),
            "touch": (_ids("hubspot:email_events", 10, parts=2), self._touch, 10),
            "stage_change": (_ids("hubspot:contact_history", 6, parts=4), self._stage_change, 8),
            "content_asset": (("hubspot:forms:1", "hubspot:forms:2"), self._asset, 1),
        }

    def decide(self, connection: sa.Connection) -> None:
        """Split a record off, join two, or take a decision back; what cannot be done is left."""
        in_force = connection.scalars(
            sa.text("SELECT decision_id FROM ops.identity_decision WHERE withdrawn_at IS NULL ORDER BY 1")
        ).all()
        with suppress(SmarketingError):
            what = self.random.choice(("split", "join", "withdraw"))
            if what == "split":
                decisions.split(connection, self.random.choice(PEOPLE + ACCOUNTS), "random")
            elif what == "join":
                one, other = self.random.sample(self.random.choice((PEOPLE, ACCOUNTS, DEALS)), 2)
                decisions.join(connection, one, other, "random")
            elif in_force:
                decisions.withdraw(connection, self.random.choice(in_force))

    def change(self, rows: StagingRows) -> None:
        """Make one change: write a row, or remove one for good."""
        entity = self.random.choices(list(self.kinds), [weight for _, _, weight in self.kinds.values()])[0]
        ids, make, _ = self.kinds[entity]
        source_id = self.random.choice(ids)
        if self.random.random() < 0.15:
            rows.drop(entity, source_id)
            return
        common = {
            "is_deleted": self.random.random() < 0.15,
            "created_at": self.random.choice((None, *(self._moment() for _ in range(4)))),
            "version_at": self._moment(),
            "load_id": self.random.randrange(100),
        }
        rows.put(entity, source_id, **(common | make()))

    def _moment(self) -> datetime:
        r = self.random
        return at(
            r.choice((0, 0, 1, 2, 3, 30, 33, 61)),
            minutes=r.choice((0, 0, 5, 12, 20, 600)),
            milliseconds=r.choice((0, 0, 7)),
        )

    def _some(self, values: tuple[Any, ...]) -> Any:
        return self.random.choice((*values, None))

    def _person(self) -> dict[str, Any]:
        r = self.random
        return {
            "email": r.choice(EMAILS),
            "other_emails": r.choice((None, [], [r.choice(EMAILS[:-1])])),
            "full_name": r.choice(NAMES),
            "phone": r.choice(PHONES),
            "mobile_phone": r.choice(PHONES),
            "funnel_stage": r.choice(STAGES),
            "funnel_stage_raw": r.choice(("prospecto", "x")),
            "lead_source": r.choice(SOURCES),
            "lead_source_raw": r.choice(("Feira local", "Webinars")),
            "disqualified_reason": r.choice(("no_budget", None)),
            "account_source_id": self._some(ACCOUNTS),
            "same_as": r.choice((None, None, [], [r.choice(PEOPLE)], [r.choice(PEOPLE), r.choice(PEOPLE)])),
            "merged_into_source_id": r.choice((None, None, None, r.choice(PEOPLE))),
            "is_opted_out": r.choice((None, True, False)),
            "first_seen_at": r.choice((None, self._moment())),
            "is_company": r.random() < 0.1,
        }

    def _account(self) -> dict[str, Any]:
        r = self.random
        return {
            "name": r.choice(("Acme", "Beta Ltd", None)),
            "domain": r.choice(DOMAINS),
            "same_as": r.choice((None, None, [r.choice(ACCOUNTS)])),
            "merged_into_source_id": r.choice((None, None, None, r.choice(ACCOUNTS))),
        }

    def _deal(self) -> dict[str, Any]:
        r = self.random
        return {
            "name": r.choice(("Big", None)),
            "account_source_id": self._some(ACCOUNTS),
            "primary_person_source_id": self._some(PEOPLE),
            "campaign_source_id": self._some(CAMPAIGNS),
            "status": r.choice(("open", "won", "lost")),
            "amount": r.choice((None, Decimal("100.01"), Decimal(-7), Decimal("12345.67"))),
            "currency": r.choice(("USD", "BRL", "XXX", None)),
            "closed_at": r.choice((None, self._moment(), self._moment())),
            "lead_source": r.choice(SOURCES),
            "lead_source_raw": "Feira local",
            "same_as": r.choice((None, None, [r.choice(DEALS)])),
        }

    def _deal_person(self) -> dict[str, Any]:
        r = self.random
        return {
            "opportunity_source_id": r.choice(DEALS),
            "person_source_id": r.choice(PEOPLE),
            "role": r.choice(("Buyer", "User", None)),
            "is_primary": r.random() < 0.4,
        }

    def _person_account(self) -> dict[str, Any]:
        return {"person_source_id": self.random.choice(PEOPLE), "account_source_id": self.random.choice(ACCOUNTS)}

    def _deal_account(self) -> dict[str, Any]:
        return {"opportunity_source_id": self.random.choice(DEALS), "account_source_id": self.random.choice(ACCOUNTS)}

    def _campaign(self) -> dict[str, Any]:
        r = self.random
        return {
            "name": r.choice(("Spring", "Autumn")),
            "channel": r.choice(("webinar", "unmapped", None)),
            "channel_raw": "Carnival",
            "started_on": r.choice((None, self._moment().date())),
            "cost_amount": r.choice((None, Decimal(500))),
            "currency": r.choice(("USD", "BRL")),
        }

    def _engagement(self) -> dict[str, Any]:
        r = self.random
        return {
            "type": r.choice(("meeting", "meeting", "call", "email", "task")),
            "direction": r.choice(("inbound", "outbound", None)),
            "occurred_at": r.choice((None, self._moment(), self._moment())),
            "subject": r.choice(("Demo", None)),
            "is_completed": r.choice((True, True, False, None)),
        }

    def _engagement_link(self) -> dict[str, Any]:
        return {
            "engagement_source_id": self.random.choice(ENGAGEMENTS),
            "person_source_id": self._some(PEOPLE),
            "opportunity_source_id": self._some(DEALS),
        }

    def _touch(self) -> dict[str, Any]:
        r = self.random
        return {
            "type": r.choice(TOUCHES),
            "occurred_at": self._moment(),
            "person_source_id": r.choice((None, None, r.choice(PEOPLE))),
            "person_email": r.choice(EMAILS),
            "campaign_source_id": self._some(CAMPAIGNS),
            "content_asset_source_id": r.choice((None, "hubspot:forms:1", "hubspot:forms:2")),
            "lead_source": r.choice((None, None, *SOURCES)),
            "url": "https://www.acme.test/page",
            "referrer": r.choice((None, "https://www.google.com.br/", "https://acme.test/other", "https://blog.test/")),
            "utm_medium": r.choice((None, "cpc ", "mystery")),
            "is_machine": r.random() < 0.1,
        }

    def _stage_change(self) -> dict[str, Any]:
        r = self.random
        of_person = r.random() < 0.8
        return {
            "subject_type": "person" if of_person else "opportunity",
            "subject_source_id": r.choice(PEOPLE if of_person else DEALS),
            "occurred_at": self._moment(),
            "from_stage": r.choice(STAGES),
            "to_stage": r.choice(STAGES),
            "to_stage_raw": "prospecto",
        }

    def _asset(self) -> dict[str, Any]:
        return {"type": "form", "name": self.random.choice(("Contact us", "Download"))}


def _ids(stream: str, records: int, parts: int = 1) -> tuple[str, ...]:
    whole = [f"{stream}:{n}" for n in range(records)]
    return tuple(f"{key}#{p}" if p else key for key in whole for p in range(parts))
