"""Schema `core`: who is who, and what each person did, over all systems."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from warehouse.tables.base import Money, Text, Timestamp, Uuid, column, table

Bool = sa.Boolean()


def _link(name: str, id_: str, what: str) -> sa.Table:
    return table(
        "core",
        name,
        f"Which source records are which {what}, and by what evidence",
        column(id_, Uuid, f"The {what}", key=True),
        column("source_id", Text, "The source record in staging", key=True),
        column(
            "rule",
            Text,
            "Evidence that tied the record in: anchor, decision, merge, cross_id, email, phone, name_domain, domain, deal",
            null=False,
        ),
        column("value", Text, "The shared value", null=False),
        distribution=id_,
        indexes=("source_id",),
    )


person = table(
    "core",
    "person",
    "A human being, once, over all systems",
    column("person_id", Uuid, "Stable id, derived from the earliest source record", key=True),
    column("anchor_source_id", Text, "The earliest source record", null=False),
    column("full_name", Text, "Name"),
    column("email", Text, "Main address"),
    column("phone", Text, "E.164"),
    column("job_title", Text, "Job title"),
    column("country", Text, "ISO 3166-1 alpha-2"),
    column("account_id", Uuid, "Main account (core.account)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("funnel_stage", Text, "Furthest funnel stage"),
    column("lead_source", Text, "Canonical lead source by the vendors' field"),
    column("is_opted_out", Bool, "Withdrew consent in any system", null=False),
    column("is_deleted", Bool, "Deleted in every system", null=False),
    column("first_seen_at", Timestamp, "Earliest trace in any system"),
    column("record_count", sa.Integer(), "Source records", null=False),
    column("system_count", sa.Integer(), "Systems the person is seen in", null=False),
    distribution="person_id",
    indexes=("email", "account_id"),
)

identity_link = _link("identity_link", "person_id", "person")

identity_evidence = table(
    "core",
    "identity_evidence",
    "What each source record brings to tell who it is, as the last build read it",
    column("source_id", Text, "Source record", key=True),
    column("kind", Text, "What the record is one of", key=True, values=("person", "account", "opportunity")),
    column(
        "rule",
        Text,
        "self, decision, merge, cross_id, email, phone, name_domain, domain, deal; mail_domain and name_place only link to accounts",
        key=True,
    ),
    column(
        "value",
        Text,
        "The value that may be shared: an address, a number, domain or country with a name, a domain, a deal's name and amount, a record",
        key=True,
    ),
    column("is_usable", Bool, "May tie records; role mailboxes, placeholders and closed evidence may not", null=False),
    column("is_live", Bool, "The record is not deleted or merged away", null=False),
    column("source_key", Text, "system:stream:record of the raw record", null=False),
    column("found_at", Timestamp, "When a build first found it so", null=False, default="now()"),
    distribution="source_id",
    indexes=("kind,rule,value", "source_key"),
)

identity_conflict = table(
    "core",
    "identity_conflict",
    "Evidence that should tie records and was not trusted to: duplicates, shared mailboxes and wrong cross ids to look at",
    column("kind", Text, "What the records are", key=True, values=("person", "account")),
    column("rule", Text, "Rule of the evidence (core.identity_evidence); group for all of a large one", key=True),
    column("value", Text, "Its value; of a large group the earliest record", key=True),
    column(
        "conflict",
        Text,
        "shared_by_many: above the cap; several_mailboxes: one name, two mailboxes at one company; several_accounts: two live "
        "accounts of one system on a domain; names_disagree: a cross id between records of other names and addresses; large_group: tied, "
        "but of more records than anybody should have",
        null=False,
        values=("shared_by_many", "several_mailboxes", "several_accounts", "names_disagree", "large_group"),
    ),
    column("source_ids", pg.ARRAY(Text), "The records, up to one more than the cap", null=False),
    distribution="value",
)

identity_review = table(
    "core",
    "identity_review",
    "Pairs of people that are probably one, for somebody to accept or reject; made by `smarketing identity review`",
    column("source_id", Text, "A record of the one", key=True),
    column("other_source_id", Text, "A record of the other", key=True),
    column("probability", sa.Float(), "That they are one, 0 to 1, of the most alike of their records", null=False),
    column("found_at", Timestamp, "When", null=False, default="now()"),
    distribution="source_id",
)

build_input = table(
    "core",
    "build_input",
    "What each link or history record named when it was last built, so that a link that vanishes is followed",
    column("source_key", Text, "system:stream:record of the link or history record", key=True),
    column("kind", Text, "What it named", key=True, values=("person", "account", "opportunity", "engagement")),
    column("subject_source_id", Text, "The record that it named", key=True),
    distribution="source_key",
)

campaign = table(
    "core",
    "campaign",
    "A marketing campaign, with its cost in the reporting currency",
    column("campaign_id", Text, "staging.campaign source_id", key=True),
    column("name", Text, "Name"),
    column("channel", Text, "Channel, as a glossary term"),
    column("lead_source", Text, "Canonical lead source that its channel means"),
    column("started_on", sa.Date(), "Start"),
    column("cost_reporting", Money, "Actual cost in the reporting currency, at the rate of the start"),
    column("is_deleted", Bool, "Deleted at the vendor", null=False),
    distribution=None,
)

person_alias = table(
    "core",
    "person_alias",
    "Any id a person could have had (one per source record) to the id now: old links keep working",
    column("alias_id", Uuid, "An id derived from some source record", key=True),
    column("person_id", Uuid, "The person now (core.person)", null=False),
    column("found_at", Timestamp, "When a build first found it so", null=False, default="now()"),
    distribution="alias_id",
    indexes=("person_id",),
)

account = table(
    "core",
    "account",
    "A company, once, over all systems",
    column("account_id", Uuid, "Stable id, derived from the earliest source record", key=True),
    column("anchor_source_id", Text, "The earliest source record", null=False),
    column("name", Text, "Name"),
    column("domain", Text, "Web domain"),
    column("country", Text, "ISO 3166-1 alpha-2"),
    column("industry", Text, "Industry"),
    column("employee_count", sa.BigInteger(), "Employees"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("is_deleted", Bool, "Deleted in every system", null=False),
    column("record_count", sa.Integer(), "Source records", null=False),
    distribution="account_id",
    indexes=("domain",),
)

account_link = _link("account_link", "account_id", "account")

opportunity = table(
    "core",
    "opportunity",
    "A deal, once, over all systems",
    column("opportunity_id", Uuid, "Stable id, derived from the earliest source record", key=True),
    column("anchor_source_id", Text, "The earliest source record", null=False),
    column("source_id", Text, "The record that the figures are taken from (CRM before marketing copy)", null=False),
    column("name", Text, "Name"),
    column("account_id", Uuid, "Account (core.account)"),
    column("primary_person_id", Uuid, "Main contact (core.person)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("campaign_id", Text, "Primary campaign source (staging.campaign source_id)"),
    column("lead_source", Text, "Canonical lead source by the field"),
    column("pipeline", Text, "Pipeline"),
    column("stage", Text, "Stage"),
    column("status", Text, "open, won or lost", values=("open", "won", "lost")),
    column("probability", sa.Numeric(6, 5), "Chance to win, 0 to 1"),
    column("amount", Money, "Amount in `currency`"),
    column("currency", Text, "ISO 4217"),
    column("amount_reporting", Money, "Amount in the reporting currency, at the rate of the close date"),
    column("created_at", Timestamp, "Created"),
    column("closed_at", Timestamp, "Closed (won, lost) or expected to close (open)"),
    column("is_deleted", Bool, "Deleted in every system", null=False),
    column("record_count", sa.Integer(), "Source records", null=False),
    distribution="opportunity_id",
    indexes=("account_id",),
)

opportunity_link = _link("opportunity_link", "opportunity_id", "deal")

opportunity_person = table(
    "core",
    "opportunity_person",
    "People of a deal, with their part in it",
    column("opportunity_id", Uuid, "Deal (core.opportunity)", key=True),
    column("person_id", Uuid, "Person (core.person)", key=True),
    column("role", Text, "Role in the buying group"),
    column("is_primary", Bool, "Main contact", null=False),
    distribution="opportunity_id",
    indexes=("person_id",),
)


def event_columns(*, key: str) -> tuple[sa.Column[Any], ...]:
    """What a touchpoint and a journey event have in common."""
    return (
        column("person_id", Uuid, "Person (core.person)", key=True),
        column(key, Uuid, "Stable id, derived from source record, kind and person", key=True),
        column("occurred_at", Timestamp, "When it happened", null=False),
    )


touchpoint = table(
    "core",
    "touchpoint",
    "An interaction of a person with marketing or sales that counts in attribution",
    *event_columns(key="event_id"),
    column("touch_type", Text, "Kind of touch", null=False),
    column("team", Text, "Whose touch it is", null=False, values=("marketing", "sales", "customer", "system")),
    column("channel", Text, "GA4 default channel group"),
    column("channel_rule", sa.Integer(), "Number of the channel rule that fired"),
    column("original_source", Text, "HubSpot's original source, by its rules"),
    column("original_source_rule", sa.Integer(), "Number of HubSpot's rule that fired"),
    column("lead_source", Text, "Canonical source"),
    column("campaign_id", Text, "Campaign (staging.campaign source_id)"),
    column("content_asset_id", Text, "Content (staging.content_asset source_id)"),
    column("account_id", Uuid, "The person's account (core.account)"),
    column("opportunity_id", Uuid, "Deal it was about, where the vendor says so"),
    column("page_views", sa.Integer(), "Views in the session that a page visit began; null for other touches"),
    column("source_id", Text, "Staging row it comes from", null=False),
    distribution="person_id",
    indexes=("account_id",),
)

stage_change = table(
    "core",
    "stage_change",
    "Every passing of a funnel stage by a person, in order",
    *event_columns(key="event_id"),
    column("from_stage", Text, "Stage before, as a glossary term"),
    column("to_stage", Text, "Stage after, as a glossary term", null=False),
    column("cycle_number", sa.Integer(), "Which pass through the funnel", null=False),
    column("is_inferred", Bool, "Skipped by the vendor's history and filled in", null=False),
    column("opportunity_id", Uuid, "Deal, where the stage comes from one"),
    column("source_id", Text, "Staging row it comes from", null=False),
    distribution="person_id",
)

opportunity_touch = table(
    "core",
    "opportunity_touch",
    "The path to each deal: every eligible touch up to its close",
    column("opportunity_id", Uuid, "Deal (core.opportunity)", key=True),
    column("event_id", Uuid, "Touch (core.touchpoint)", key=True),
    column("person_id", Uuid, "Who was touched", null=False),
    column("occurred_at", Timestamp, "When", null=False),
    column("team", Text, "Who acted", null=False),
    column("channel", Text, "GA4 default channel group"),
    column("lead_source", Text, "Canonical source"),
    column("campaign_id", Text, "Campaign (staging.campaign source_id)"),
    column("content_asset_id", Text, "Content (staging.content_asset source_id)"),
    column("lead_at", Timestamp, "When the person became a lead"),
    distribution="opportunity_id",
)

attribution = table(
    "core",
    "attribution",
    "Credit of one touch for one deal under one model; each deal's credit adds up to the deal to the cent",
    column("opportunity_id", Uuid, "Deal (core.opportunity)", key=True),
    column("model", Text, "Attribution model (glossary.attribution)", key=True),
    column("event_id", Uuid, "Touch (core.touchpoint); the deal's own id for credit that no touch can claim", key=True),
    column("person_id", Uuid, "Who was touched; null for unattributed credit"),
    column("account_id", Uuid, "Account of the deal (core.account)"),
    column("position", sa.Integer(), "Place on the path, from 1; 0 for unattributed"),
    column("path_length", sa.Integer(), "Touches on the path", null=False),
    column("weight", sa.Numeric(12, 10), "Share of the credit, 0 to 1", null=False),
    column("amount_reporting", Money, "Credit in the reporting currency"),
    column("is_won", Bool, "Revenue (true) or pipeline (false)", null=False),
    column("month_on", sa.Date(), "Month of close (won) or creation (open), in the reporting time zone", null=False),
    column("lead_source", Text, "Source of the touch; unattributed where no touch can claim it", null=False),
    column("channel", Text, "Channel of the touch (GA4 default channel group)"),
    column("campaign_id", Text, "Campaign of the touch; empty: none", null=False),
    column("content_asset_id", Text, "Content of the touch (staging.content_asset source_id)"),
    distribution="opportunity_id",
    indexes=("event_id",),
)

conversion_touch = table(
    "core",
    "conversion_touch",
    "What was on the path to each conversion: one row per conversion and asset, campaign, channel or source",
    column("conversion_id", Uuid, "Person (lead, mql) or deal (opportunity, customer) that converted", key=True),
    column("conversion", Text, "What was converted to", key=True, values=("lead", "mql", "opportunity", "customer")),
    column("dimension", Text, "Kind", key=True, values=("content_asset", "campaign", "channel", "lead_source")),
    column("value", Text, "Which asset, campaign, channel or source", key=True),
    column("month_on", sa.Date(), "Month of the conversion, in the reporting time zone", null=False),
    column("is_assist", Bool, "On the path before its last touch", null=False),
    column("is_last", Bool, "The path's last touch", null=False),
    column("amount_reporting", Money, "Deal won, in the reporting currency"),
    distribution="conversion_id",
)

funnel_entry = table(
    "core",
    "funnel_entry",
    "A person's first entry into a funnel stage, with what became of it: what marts.funnel_conversion counts",
    column("person_id", Uuid, "Person (core.person)", key=True),
    column("stage", Text, "Funnel stage", key=True),
    column(
        "reading", Text, "all_stages: passed each earlier one; any_stage", key=True, values=("all_stages", "any_stage")
    ),
    column("cohort_on", sa.Date(), "Month of entry, in the reporting time zone", null=False),
    column("lead_source", Text, "Canonical lead source; unknown where no system gives one", null=False),
    column("is_converted", Bool, "Entered the next stage (all_stages) or any later one", null=False),
    column("became_customer", Bool, "Reached customer", null=False),
    column("days", sa.Numeric(14, 4), "Days to the next stage"),
    distribution="person_id",
    indexes=("cohort_on,stage,lead_source,reading",),
)
