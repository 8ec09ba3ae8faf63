"""Random little worlds in staging, made to collide: few ids, addresses and moments, so that records link, split and repeat."""

from collections.abc import Mapping
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
    "eva@br.acme.test",
    None,
)
NAMES = ("Ana Souza", "ANA  Souzá", "Bob Lee", "Bob Lee", "Cy", "鈴木 直樹", "", None)
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
CAMPAIGNS = ("salesforce:campaign:1", "hubspot:campaigns:1")
OWNERS = ("hubspot:owners:1", "salesforce:user:1", None)


class RandomHistory:
    """Draws changes of staging rows from one random generator.

    size: how many times as many ids there are; in a large world a record is mostly alone, and only its own change rebuilds it.
    """

    def __init__(self, seed: int, size: int = 1) -> None:
        self.random = Random(seed)
        self.emails = EMAILS + tuple(f"person{n}@{domain}" for n in range(8 * (size - 1)) for domain in DOMAINS[:2])
        self.people = tuple(
            f"{s}:{n}" for s in ("hubspot:contacts", "salesforce:lead", "salesforce:contact") for n in range(4 * size)
        )
        self.accounts = tuple(f"{s}:{n}" for s in ("hubspot:companies", "salesforce:account") for n in range(3 * size))
        self.deals = tuple(f"{s}:{n}" for s in ("hubspot:deals", "salesforce:opportunity") for n in range(3 * size))
        self.engagements = tuple(f"{s}:{n}" for s in ("hubspot:meetings", "salesforce:event") for n in range(3 * size))
        self.kinds = {
            "person": (self.people, self._person, 8),
            "account": (self.accounts, self._account, 4),
            "opportunity": (self.deals, self._deal, 5),
            "opportunity_person": (_ids("hubspot:deal_to_contact", 5 * size, parts=2), self._deal_person, 4),
            "person_account": (_ids("hubspot:contact_to_company", 3 * size), self._person_account, 2),
            "opportunity_account": (_ids("hubspot:deal_to_company", 3 * size), self._deal_account, 2),
            "campaign": (CAMPAIGNS, self._campaign, 2),
            "engagement": (self.engagements, self._engagement, 5),
            "engagement_link": (_ids("hubspot:meeting_to_contact", 6 * size, parts=2), self._engagement_link, 5),
            "touch": (_ids("hubspot:email_events", 10 * size, parts=2), self._touch, 10),
            "stage_change": (_ids("hubspot:contact_history", 6 * size, parts=4), self._stage_change, 8),
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
                decisions.split(connection, self.random.choice(self.people + self.accounts), "random")
            elif what == "join":
                one, other = self.random.sample(self.random.choice((self.people, self.accounts, self.deals)), 2)
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
        after = self._common() | make()
        rows.put(entity, source_id, **self._some_of(rows.get(entity, source_id), after))

    def _common(self) -> dict[str, Any]:
        return {
            "is_deleted": self.random.random() < 0.15,
            "created_at": self.random.choice((None, *(self._moment() for _ in range(4)))),
            "version_at": self._moment(),
            "load_id": self.random.randrange(100),
        }

    def nudge(self, rows: StagingRows) -> None:
        """Change a single column of about every other row that is there."""
        for entity, (ids, make, _) in self.kinds.items():
            for source_id in ids:
                before = rows.get(entity, source_id)
                if before is not None and self.random.random() < 0.5:
                    after = self._common() | make()
                    column = self.random.choice(sorted(after))
                    rows.put(entity, source_id, **{**before, column: after[column]})

    def _some_of(self, before: Mapping[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
        """Mostly a change of one or two columns, as vendors' records change; what reads other columns must not need it."""
        if before is None or self.random.random() < 0.3:
            return after
        changed = {*self.random.sample(sorted(after), self.random.choice((1, 1, 2))), "load_id"}
        return {**before, **{name: after[name] for name in changed}}

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
            "email": r.choice(self.emails),
            "other_emails": r.choice((None, [], [r.choice(self.emails[:7])])),
            "full_name": r.choice(NAMES),
            "phone": r.choice(PHONES),
            "mobile_phone": r.choice(PHONES),
            "funnel_stage": r.choice(STAGES),
            "funnel_stage_raw": r.choice(("prospecto", "x")),
            "lead_source": r.choice(SOURCES),
            "lead_source_raw": r.choice(("Feira local", "Webinars")),
            "disqualified_reason": r.choice(("no_budget", None)),
            "account_source_id": self._some(self.accounts),
            "same_as": r.choice(
                (None, None, [], [r.choice(self.people)], [r.choice(self.people), r.choice(self.people)])
            ),
            "merged_into_source_id": r.choice((None, None, None, r.choice(self.people))),
            "is_opted_out": r.choice((None, True, False)),
            "first_seen_at": r.choice((None, self._moment())),
            "is_company": r.random() < 0.1,
            "company_name": r.choice(("Acme", "acme!", "n/a", None)),
            "owner_source_id": r.choice(OWNERS),
            "job_title": r.choice(("Buyer", "Head of Buying", None)),
            "country": r.choice(("BR", "US", None)),
            "source_url": r.choice(("https://a.test/1", "https://a.test/2", None)),
        }

    def _account(self) -> dict[str, Any]:
        r = self.random
        return {
            "name": r.choice(("Acme", "Beta Ltd", None, "N/A")),
            "country": r.choice(("BR", "US", None)),
            "domain": r.choice(DOMAINS),
            "owner_source_id": r.choice(OWNERS),
            "industry": r.choice(("Software", None)),
            "employee_count": r.choice((10, 200, None)),
            "same_as": r.choice((None, None, [r.choice(self.accounts)])),
            "merged_into_source_id": r.choice((None, None, None, r.choice(self.accounts))),
        }

    def _deal(self) -> dict[str, Any]:
        r = self.random
        return {
            "name": r.choice(("Big", None)),
            "account_source_id": self._some(self.accounts),
            "primary_person_source_id": self._some(self.people),
            "campaign_source_id": self._some(CAMPAIGNS),
            "status": r.choice(("open", "won", "lost")),
            "stage": r.choice(("qualified", "won", None)),
            "probability": r.choice((Decimal("0.2"), None)),
            "owner_source_id": r.choice(OWNERS),
            "source_url": r.choice(("https://a.test/3", None)),
            "amount": r.choice((None, Decimal("100.01"), Decimal(-7), Decimal("12345.67"))),
            "currency": r.choice(("USD", "BRL", "XXX", None)),
            "closed_at": r.choice((None, self._moment(), self._moment())),
            "lead_source": r.choice(SOURCES),
            "lead_source_raw": "Feira local",
            "same_as": r.choice((None, None, [r.choice(self.deals)])),
        }

    def _deal_person(self) -> dict[str, Any]:
        r = self.random
        return {
            "opportunity_source_id": r.choice(self.deals),
            "person_source_id": r.choice(self.people),
            "role": r.choice(("Buyer", "User", None)),
            "is_primary": r.random() < 0.4,
        }

    def _person_account(self) -> dict[str, Any]:
        return {
            "person_source_id": self.random.choice(self.people),
            "account_source_id": self.random.choice(self.accounts),
        }

    def _deal_account(self) -> dict[str, Any]:
        return {
            "opportunity_source_id": self.random.choice(self.deals),
            "account_source_id": self.random.choice(self.accounts),
        }

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
            "owner_source_id": r.choice(OWNERS),
            "source_url": r.choice(("https://a.test/4", None)),
            "is_completed": r.choice((True, True, False, None)),
        }

    def _engagement_link(self) -> dict[str, Any]:
        return {
            "engagement_source_id": self.random.choice(self.engagements),
            "person_source_id": self._some(self.people),
            "opportunity_source_id": self._some(self.deals),
        }

    def _touch(self) -> dict[str, Any]:
        r = self.random
        return {
            "type": r.choice(TOUCHES),
            "occurred_at": self._moment(),
            "person_source_id": r.choice((None, None, r.choice(self.people))),
            "person_email": r.choice(self.emails),
            "campaign_source_id": self._some(CAMPAIGNS),
            "content_asset_source_id": r.choice((None, "hubspot:forms:1", "hubspot:forms:2")),
            "lead_source": r.choice((None, None, *SOURCES)),
            "url": "https://www.acme.test/page",
            "referrer": r.choice((None, "https://www.google.com.br/", "https://acme.test/other", "https://blog.test/")),
            "utm_medium": r.choice((None, "cpc ", "mystery")),
            "is_machine": r.random() < 0.1,
            "source_url": r.choice(("https://a.test/5", None)),
        }

    def _stage_change(self) -> dict[str, Any]:
        r = self.random
        of_person = r.random() < 0.8
        return {
            "subject_type": "person" if of_person else "opportunity",
            "subject_source_id": r.choice(self.people if of_person else self.deals),
            "occurred_at": self._moment(),
            "from_stage": r.choice(STAGES),
            "to_stage": r.choice(STAGES),
            "to_stage_raw": r.choice(("prospecto", "lead")),
            "changed_by_source_id": r.choice(OWNERS),
        }

    def _asset(self) -> dict[str, Any]:
        return {"type": "form", "name": self.random.choice(("Contact us", "Download"))}


def _ids(stream: str, records: int, parts: int = 1) -> tuple[str, ...]:
    whole = [f"{stream}:{n}" for n in range(records)]
    return tuple(f"{key}#{p}" if p else key for key in whole for p in range(parts))
