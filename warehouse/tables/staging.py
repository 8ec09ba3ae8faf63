"""Schema `staging`: typed records in glossary words, one row per source record (or per part of one), all vendors in one table."""

from typing import Any

import sqlalchemy as sa

from warehouse.tables.base import Json, Money, Text, Timestamp, column, table

Bool = sa.Boolean()
TextList = sa.ARRAY(Text)

ENGAGEMENT_TYPES = ("call", "meeting", "email", "task", "note")
TOUCH_TYPES = (
    "first_visit",
    "page_visit",
    "form_submission",
    "email_sent",
    "email_delivered",
    "email_bounce",
    "email_open",
    "email_click",
    "email_unsubscribe",
    "ad_click",
    "campaign_response",
    "content_download",
    "automation_step",
)
OPPORTUNITY_STATUSES = ("open", "won", "lost")


def _source(*columns: sa.Column[Any], deep: bool = True) -> tuple[sa.Column[Any], ...]:
    """Put the columns that every staging row has around `columns`."""
    return (
        column("source_id", Text, "system:stream:record, with #part where one record gives several rows", key=True),
        column("source_key", Text, "system:stream:record of the raw record", null=False),
        column("source_system", Text, "Vendor", null=False),
        column("source_stream", Text, "Stream of the vendor", null=False),
        column("source_record_id", Text, "The vendor's id of the record", null=False),
        column("source_url", Text, "The vendor's own page for the record"),
        *columns,
        *((column("created_at", Timestamp, "When the vendor created the record"),) if deep else ()),
        column("version_at", Timestamp, "When the vendor says the record got this state", null=False),
        column("is_deleted", Bool, "Deleted, archived or merged away at the vendor", null=False, default="false"),
        column("deleted_at", Timestamp, "When it was deleted, archived or merged away"),
        column("merged_into_source_id", Text, "The surviving record, where this one was merged away"),
        column("load_id", sa.BigInteger(), "The load that wrote this row (ops.load)", null=False),
    )


def _staging(name: str, comment: str, *columns: sa.Column[Any], indexes: tuple[str, ...] = ()) -> sa.Table:
    return table(
        "staging",
        name,
        comment,
        *_source(*columns),
        distribution="source_id",
        indexes=("source_key", "load_id", *indexes),
    )


def _word(name: str, what: str) -> tuple[sa.Column[Any], sa.Column[Any]]:
    """A glossary word and, beside it, the vendor's own."""
    return (
        column(
            name, Text, f"{what}, as a glossary term; `unmapped` where the glossary does not know the vendor's word"
        ),
        column(f"{name}_raw", Text, f"{what}, in the vendor's own word"),
    )


person = _staging(
    "person",
    "A lead, contact or party: one row per source record",
    column("email", Text, "Main address, normalised (lower case, IDNA); null where it is not an address"),
    column("other_emails", TextList, "Further addresses, normalised"),
    column("phone", Text, "E.164"),
    column("mobile_phone", Text, "E.164"),
    column("full_name", Text, "Name as shown"),
    column("first_name", Text, "Given name"),
    column("last_name", Text, "Family name"),
    column("job_title", Text, "Job title"),
    column("company_name", Text, "Company as written on the person's record"),
    column("country", Text, "ISO 3166-1 alpha-2"),
    column("city", Text, "City"),
    *_word("funnel_stage", "Funnel stage now"),
    *_word("lead_source", "Lead source by the vendor's field"),
    column("lead_source_detail", Text, "Drill-down of the source, as the vendor gives it"),
    *_word("disqualified_reason", "Why sales rejected or disqualified the person"),
    column("score", sa.Numeric(12, 2), "Lead score"),
    column("account_source_id", Text, "The person's main account (staging.account)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("same_as", TextList, "source_ids of records that the vendor says are this person (cross ids, conversions)"),
    column("is_opted_out", Bool, "Withdrew consent to be mailed"),
    column("first_seen_at", Timestamp, "First visit or contact, as the vendor knows it"),
    column("became_lead_at", Timestamp, "Became a lead"),
    column("is_company", Bool, "True where a party is really a company; such rows feed accounts only", default="false"),
    column("custom", Json, "Fields that a user's own field map adds"),
    indexes=("account_source_id",),
)

account = _staging(
    "account",
    "A company: one row per source record",
    column("name", Text, "Name"),
    column("domain", Text, "Registered web domain, lower case, without www"),
    column("website", Text, "Web address"),
    column("phone", Text, "E.164"),
    column("industry", Text, "Industry, as the vendor gives it"),
    column("employee_count", sa.BigInteger(), "Employees"),
    column("revenue_amount", Money, "Yearly revenue"),
    column("currency", Text, "ISO 4217 of the revenue"),
    column("country", Text, "ISO 3166-1 alpha-2"),
    column("city", Text, "City"),
    *_word("funnel_stage", "Funnel stage now"),
    column("parent_source_id", Text, "Parent company (staging.account)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("same_as", TextList, "source_ids of records that the vendor says are this company"),
    column("custom", Json, "Fields that a user's own field map adds"),
)

opportunity = _staging(
    "opportunity",
    "A deal: one row per source record",
    column("name", Text, "Name"),
    column("account_source_id", Text, "Account (staging.account)"),
    column("primary_person_source_id", Text, "Main contact where the vendor names one (staging.person)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
    column("campaign_source_id", Text, "Primary campaign source (staging.campaign)"),
    column("pipeline", Text, "The vendor's id of the pipeline"),
    column("stage", Text, "The vendor's id of the stage"),
    column("status", Text, "open, won or lost", values=OPPORTUNITY_STATUSES),
    column("probability", sa.Numeric(6, 5), "Chance to win, 0 to 1"),
    column("amount", Money, "Amount in `currency`"),
    column("currency", Text, "ISO 4217"),
    column("closed_at", Timestamp, "Close: actual for won and lost, expected for open"),
    *_word("lead_source", "Lead source by the vendor's field"),
    *_word("loss_reason", "Why the deal was lost"),
    column("next_step", Text, "Next step, as the owner wrote it"),
    column("same_as", TextList, "source_ids of records that the vendor says are this deal"),
    column("custom", Json, "Fields that a user's own field map adds"),
    indexes=("account_source_id", "primary_person_source_id"),
)

opportunity_person = _staging(
    "opportunity_person",
    "A person's part in a deal, with the role",
    column("opportunity_source_id", Text, "Deal (staging.opportunity)", null=False),
    column("person_source_id", Text, "Person (staging.person)", null=False),
    column("role", Text, "Role in the buying group, as the vendor gives it"),
    column("is_primary", Bool, "Main contact of the deal", null=False, default="false"),
    indexes=("opportunity_source_id", "person_source_id"),
)

person_account = _staging(
    "person_account",
    "A person's link to a company, where the vendor keeps links as records of their own",
    column("person_source_id", Text, "Person (staging.person)", null=False),
    column("account_source_id", Text, "Company (staging.account)", null=False),
    column("role", Text, "Label of the link"),
    column("is_primary", Bool, "The person's main company", null=False, default="false"),
    indexes=("person_source_id", "account_source_id"),
)

opportunity_account = _staging(
    "opportunity_account",
    "A deal's link to a company, where the vendor keeps links as records of their own",
    column("opportunity_source_id", Text, "Deal (staging.opportunity)", null=False),
    column("account_source_id", Text, "Company (staging.account)", null=False),
    column("role", Text, "Label of the link"),
    column("is_primary", Bool, "The deal's main company", null=False, default="false"),
    indexes=("opportunity_source_id", "account_source_id"),
)

campaign = _staging(
    "campaign",
    "A marketing campaign, scenario or program",
    column("name", Text, "Name"),
    *_word("channel", "Channel"),
    column("status", Text, "Status, as the vendor gives it"),
    column("started_on", sa.Date(), "Start"),
    column("ended_on", sa.Date(), "End"),
    column("budget_amount", Money, "Planned cost in `currency`"),
    column("cost_amount", Money, "Actual cost in `currency`"),
    column("currency", Text, "ISO 4217"),
    column("parent_source_id", Text, "Parent campaign (staging.campaign)"),
    column("owner_source_id", Text, "Owner (staging.team_member)"),
)

campaign_member = _staging(
    "campaign_member",
    "A person's membership of a campaign",
    column("campaign_source_id", Text, "Campaign (staging.campaign)", null=False),
    column("person_source_id", Text, "Person (staging.person)", null=False),
    column("status", Text, "Member status, as the vendor gives it"),
    column("has_responded", Bool, "Counted as a response by the vendor", null=False, default="false"),
    column("responded_at", Timestamp, "First response"),
    indexes=("campaign_source_id", "person_source_id"),
)

engagement = _staging(
    "engagement",
    "A call, meeting, sales mail, task or note",
    column("type", Text, "Kind", null=False, values=ENGAGEMENT_TYPES),
    column("direction", Text, "Who began it", values=("inbound", "outbound")),
    column("occurred_at", Timestamp, "When it happened or is planned"),
    column("ended_at", Timestamp, "End"),
    column("subject", Text, "Subject line"),
    column("status", Text, "Status, as the vendor gives it"),
    column("outcome", Text, "Outcome, as the vendor gives it"),
    column("is_completed", Bool, "It took place (a task: it is done)"),
    column("owner_source_id", Text, "Who did it (staging.team_member)"),
    column("account_source_id", Text, "Company (staging.account)"),
)

engagement_link = _staging(
    "engagement_link",
    "Who an engagement was with, and which deal it was about",
    column("engagement_source_id", Text, "Engagement (staging.engagement)", null=False),
    column("person_source_id", Text, "Person (staging.person)"),
    column("opportunity_source_id", Text, "Deal (staging.opportunity)"),
    indexes=("engagement_source_id", "person_source_id", "opportunity_source_id"),
)

touch = _staging(
    "touch",
    "An interaction of a person with marketing",
    column("type", Text, "Kind", null=False, values=TOUCH_TYPES),
    column("occurred_at", Timestamp, "When it happened", null=False),
    column("person_source_id", Text, "Person by the vendor's id (staging.person)"),
    column("person_email", Text, "Person by address, where the vendor gives no id; normalised"),
    column("campaign_source_id", Text, "Campaign (staging.campaign)"),
    column("content_asset_source_id", Text, "Form, mail or page (staging.content_asset)"),
    *_word("lead_source", "Source by the vendor's field"),
    column("url", Text, "Page"),
    column("referrer", Text, "Page it came from"),
    column("utm_source", Text, "utm_source as sent"),
    column("utm_medium", Text, "utm_medium as sent"),
    column("utm_campaign", Text, "utm_campaign as sent"),
    column("utm_term", Text, "utm_term as sent"),
    column("utm_content", Text, "utm_content as sent"),
    column("click_id", Text, "Ad click id with its parameter name, as gclid=..."),
    column("is_machine", Bool, "Done by software (mail scanners, bots), not by a person", null=False, default="false"),
    indexes=("person_source_id",),
)
# Asked for only where a touch names no person by id; most do, and every index costs each load.
sa.Index("ix_touch_person_email", touch.c.person_email, postgresql_where=touch.c.person_source_id.is_(None))

stage_change = _staging(
    "stage_change",
    "A change of stage of a person or deal, from the vendor's own history",
    column("subject_type", Text, "What changed", null=False, values=("person", "opportunity")),
    column("subject_source_id", Text, "staging.person or staging.opportunity", null=False),
    column("occurred_at", Timestamp, "When it changed", null=False),
    column("pipeline", Text, "The vendor's id of the pipeline, for deals"),
    *_word("from_stage", "Stage before"),
    *_word("to_stage", "Stage after"),
    column("amount", Money, "Deal amount then, where the vendor's history has it"),
    column("currency", Text, "ISO 4217"),
    column("changed_by_source_id", Text, "Who changed it (staging.team_member)"),
    indexes=("subject_source_id",),
)

pipeline_stage = _staging(
    "pipeline_stage",
    "A stage of a deal pipeline",
    column("pipeline", Text, "The vendor's id of the pipeline", null=False),
    column("pipeline_label", Text, "Name of the pipeline"),
    column("stage", Text, "The vendor's id of the stage", null=False),
    column("stage_label", Text, "Name of the stage"),
    column("position", sa.Integer(), "Order in the pipeline"),
    column("probability", sa.Numeric(6, 5), "Chance to win, 0 to 1"),
    column("status", Text, "What a deal in this stage is", values=OPPORTUNITY_STATUSES),
)

team_member = _staging(
    "team_member",
    "A user or owner in a vendor's system",
    column("full_name", Text, "Name"),
    column("email", Text, "Address, normalised"),
    *_word("team", "Team"),
    column("time_zone", Text, "IANA time zone"),
    column("is_active", Bool, "Can work now"),
)

content_asset = _staging(
    "content_asset",
    "A form, mail, page or file that marketing made",
    column("type", Text, "Kind: form, email, landing_page, file", null=False),
    column("name", Text, "Name"),
    column("url", Text, "Address"),
    column("campaign_source_id", Text, "Campaign it belongs to (staging.campaign)"),
    column("published_at", Timestamp, "First published"),
)

ENTITIES = {
    t.name: t
    for t in (
        person,
        account,
        opportunity,
        opportunity_person,
        person_account,
        opportunity_account,
        campaign,
        campaign_member,
        engagement,
        engagement_link,
        touch,
        stage_change,
        pipeline_stage,
        team_member,
        content_asset,
    )
}
"""Every staging entity by name: what a field map may fill."""

for _entity in ENTITIES.values():
    for _word_column in [c for c in _entity.columns if f"{c.name}_raw" in _entity.columns]:
        # Few rows carry an unknown word: marts.glossary_gap reads these instead of every row.
        sa.Index(
            f"ix_{_entity.name}_{_word_column.name}_unmapped",
            _entity.c[f"{_word_column.name}_raw"],
            postgresql_where=_word_column == sa.literal_column("'unmapped'"),
        )
