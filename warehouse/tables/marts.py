"""Schema `marts`: the contract with analysts. Columns may be added, never renamed or dropped without a major version."""

import sqlalchemy as sa

from warehouse.tables.base import Json, Money, Text, Timestamp, Uuid, column, table
from warehouse.tables.core import event_columns

Bool = sa.Boolean()
Big = sa.BigInteger()
TextList = sa.ARRAY(Text)

customer_journey = table(
    "marts",
    "customer_journey",
    "One event of one person: the whole journey over all systems and both teams",
    *event_columns(key="event_id"),
    column("sequence_number", sa.Integer(), "Place in the person's journey, from 1", null=False),
    column("account_id", Uuid, "The person's account (core.account)"),
    column("opportunity_id", Uuid, "Deal it leads to (core.opportunity)"),
    column("event_type", Text, "What happened", null=False),
    column("team", Text, "Who acted", null=False, values=("marketing", "sales", "customer", "system")),
    column("channel", Text, "GA4 default channel group"),
    column("lead_source", Text, "Canonical source of the event"),
    column("campaign_id", Text, "Campaign (staging.campaign source_id)"),
    column("campaign_name", Text, "Name of the campaign"),
    column("content_asset_id", Text, "Content (staging.content_asset source_id)"),
    column("owner_id", Text, "Team member who acted or owns (staging.team_member source_id)"),
    column("funnel_stage", Text, "The person's funnel stage after the event"),
    column("from_stage", Text, "For stage changes: before"),
    column("to_stage", Text, "For stage changes: after"),
    column("cycle_number", sa.Integer(), "Pass through the funnel", null=False),
    column("is_touchpoint", Bool, "Counts in attribution", null=False),
    column("amount", Money, "Amount of the deal, for deal events"),
    column("currency", Text, "ISO 4217"),
    column("amount_reporting", Money, "Amount in the reporting currency"),
    column("title", Text, "Short description for people"),
    column("source_system", Text, "Vendor that tells of it", null=False),
    column("source_stream", Text, "Stream of the vendor", null=False),
    column("source_record_id", Text, "The vendor's id", null=False),
    column("source_id", Text, "Staging row it comes from", null=False),
    column("source_url", Text, "The vendor's own page for the record"),
    column("also_source_ids", TextList, "Staging rows of other systems that tell of the same event"),
    column("load_id", Big, "Load that brought it", null=False),
    column("session_id", Uuid, "For page visits: the event that began the session"),
    distribution="person_id",
)
# Most events have neither deal nor campaign: leaving those out makes the indexes a tenth as large.
for name in ("opportunity_id", "campaign_id"):
    sa.Index(
        f"ix_customer_journey_{name}",
        customer_journey.c[name],
        postgresql_where=customer_journey.c[name].is_not(None),
    )
# The build asks whose journey a raw record is in, and a record may give several rows (source_id = source_key#part). Who asks for
# one of them finds it among these.
sa.Index(
    "ix_customer_journey_source_key",
    sa.func.split_part(customer_journey.c.source_id, sa.literal_column("'#'"), sa.literal_column("1")),
)

person_journey = table(
    "marts",
    "person_journey",
    "One person's journey in one row",
    column("person_id", Uuid, "Person (core.person)", key=True),
    column("account_id", Uuid, "Account (core.account)"),
    column("full_name", Text, "Name"),
    column("email", Text, "Main address"),
    column("lead_source", Text, "Canonical lead source by the vendors' field; first touch where the field is empty"),
    column("first_touch_source", Text, "Source of the first touch"),
    column("first_touch_at", Timestamp, "First touch"),
    column("last_touch_at", Timestamp, "Last touch"),
    column("first_campaign_id", Text, "Campaign of the first touch that has one"),
    column("funnel_stage", Text, "Furthest funnel stage"),
    column("subscriber_at", Timestamp, "First became subscriber"),
    column("lead_at", Timestamp, "First became lead"),
    column("mql_at", Timestamp, "First became MQL"),
    column("sal_at", Timestamp, "First became SAL"),
    column("sql_at", Timestamp, "First became SQL"),
    column("opportunity_at", Timestamp, "First became opportunity"),
    column("customer_at", Timestamp, "First became customer"),
    column("inferred_stages", TextList, "Stages above whose date is inferred, not told by a vendor", null=False),
    column("handed_over_at", Timestamp, "First MQL: the hand-over to sales"),
    column("first_sales_touch_at", Timestamp, "First touch by sales at or after the hand-over"),
    column("outcome", Text, "customer, open, lost, disqualified, recycled or none", null=False),
    column("disqualified_reason", Text, "Why sales rejected the person"),
    column("event_count", sa.Integer(), "Journey events", null=False),
    column("touch_count", sa.Integer(), "Touchpoints", null=False),
    column("marketing_touch_count", sa.Integer(), "Touchpoints by marketing", null=False),
    column("sales_touch_count", sa.Integer(), "Touchpoints by sales", null=False),
    column("deal_count", sa.Integer(), "Deals the person is part of", null=False),
    column("won_deal_count", sa.Integer(), "Won deals", null=False),
    column(
        "revenue_amount", Money, "Won revenue of deals the person is primary on, in the reporting currency", null=False
    ),
    column("system_count", sa.Integer(), "Systems the person is seen in", null=False),
    distribution="person_id",
    indexes=("account_id",),
)

account_journey = table(
    "marts",
    "account_journey",
    "One account's journey in one row: what both teams did with its people, and what became of its deals",
    column("account_id", Uuid, "Account (core.account)", key=True),
    column("name", Text, "Name"),
    column("domain", Text, "Web domain"),
    column("country", Text, "ISO 3166-1 alpha-2"),
    column("industry", Text, "Industry"),
    column("owner_id", Text, "Owner (staging.team_member source_id)"),
    column("owner_ids", TextList, "Owners of the account, its people and its deals, each once", null=False),
    column("systems", TextList, "Systems that tell of the account, its people or its deals", null=False),
    column(
        "person_count", sa.Integer(), "People: whose account it is, or who take part in one of its deals", null=False
    ),
    column("engaged_person_count", sa.Integer(), "Of them, with a touchpoint", null=False),
    column("buying_group_count", sa.Integer(), "Of them, who take part in one of its deals", null=False),
    column("people_by_role", Json, "Role in the buying group -> people; with two roles, in both", null=False),
    column("first_touch_at", Timestamp, "First touch of any of its people"),
    column("first_touch_source", Text, "Source of the first touch"),
    column("first_touch_channel", Text, "Channel of the first touch"),
    column("first_campaign_id", Text, "Campaign of the first touch that has one"),
    column("event_count", sa.Integer(), "Journey events; one that several people share counts once", null=False),
    column("touch_count", sa.Integer(), "Touchpoints; one that several people share counts once", null=False),
    column("marketing_touch_count", sa.Integer(), "Of them, by marketing", null=False),
    column("sales_touch_count", sa.Integer(), "Of them, by sales", null=False),
    column("last_marketing_touch_at", Timestamp, "Last touch by marketing"),
    column("last_sales_touch_at", Timestamp, "Last touch by sales"),
    column("last_activity_at", Timestamp, "Last journey event of any of its people that is not the system alone"),
    column("funnel_stage", Text, "Furthest funnel stage of any of its people, or by its deals"),
    column("funnel_stage_at", Timestamp, "When it was first reached; null where nobody tells"),
    column("handed_over_at", Timestamp, "First hand-over of any of its people to sales"),
    column("first_sales_touch_at", Timestamp, "First touch by sales at or after the hand-over"),
    column("outcome", Text, "By its deals: customer (one won), open, lost, none", null=False,
           values=("customer", "open", "lost", "none")),
    column("deal_count", sa.Integer(), "Deals", null=False),
    column("open_deal_count", sa.Integer(), "Open deals", null=False),
    column("won_deal_count", sa.Integer(), "Won deals", null=False),
    column("lost_deal_count", sa.Integer(), "Lost deals", null=False),
    column("pipeline_amount", Money, "Amount of the open deals, in the reporting currency", null=False),
    column("revenue_amount", Money, "Amount of the won deals, in the reporting currency", null=False),
    column("first_deal_at", Timestamp, "First deal created"),
    column("first_won_at", Timestamp, "First deal won"),
    column("last_won_at", Timestamp, "Last deal won"),
    column("is_deleted", Bool, "The account is deleted in every system", null=False),
    distribution="account_id",
)  # fmt: skip

customers_by_source = table(
    "marts",
    "customers_by_source",
    "Customers by marketing source: what each source and campaign brought, by month of the first won deal",
    column("month_on", sa.Date(), "First day of the month of close, in the reporting time zone", key=True),
    column("lead_source", Text, "Canonical lead source", key=True),
    column("campaign_id", Text, "Campaign (staging.campaign source_id); empty: none", key=True),
    column("campaign_name", Text, "Name of the campaign"),
    column(
        "customer_count", sa.Integer(), "Customers (accounts, else persons) whose first won deal falls here", null=False
    ),
    column("deal_count", sa.Integer(), "Deals won", null=False),
    column("lost_deal_count", sa.Integer(), "Deals lost", null=False),
    column("revenue_amount", Money, "Revenue of the deals won, in the reporting currency", null=False),
    column("average_deal_amount", Money, "revenue_amount / deal_count"),
    column("cycle_days", sa.Numeric(12, 2), "Mean days from creation to close of the deals won"),
    column("win_rate", sa.Numeric(6, 5), "Won / (won + lost), by count, cohort by close"),
    column("cost_amount", Money, "Actual cost of the campaign in its month of start, in the reporting currency"),
    column("roi", sa.Numeric(14, 4), "(revenue - cost) / cost"),
    distribution=None,
)

conversion_assists = table(
    "marts",
    "conversion_assists",
    "How often an asset, campaign or channel was on the path to a conversion without being its last touch",
    column(
        "dimension", Text, "What is counted", key=True, values=("content_asset", "campaign", "channel", "lead_source")
    ),
    column("value", Text, "Which one", key=True),
    column("conversion", Text, "What was converted to", key=True, values=("lead", "mql", "opportunity", "customer")),
    column("month_on", sa.Date(), "First day of the month of the conversion", key=True),
    column("label", Text, "Name of the asset or campaign"),
    column("assist_count", sa.Integer(), "Conversions it assisted, each once", null=False),
    column("last_touch_count", sa.Integer(), "Conversions it was the last touch of", null=False),
    column("assisted_amount", Money, "Revenue of the won deals it assisted, in the reporting currency; not additive"),
    distribution=None,
)

attribution = table(
    "marts",
    "attribution",
    "Attributed pipeline and revenue by model, month, source and campaign",
    column("model", Text, "Attribution model", key=True),
    column("month_on", sa.Date(), "Month of close (won) or creation (pipeline)", key=True),
    column("lead_source", Text, "Source of the touch; `unattributed` where no touch can claim it", key=True),
    column("campaign_id", Text, "Campaign of the touch; empty: none", key=True),
    column("campaign_name", Text, "Name of the campaign"),
    column("pipeline_amount", Money, "Credit on open deals, in the reporting currency", null=False),
    column("revenue_amount", Money, "Credit on won deals, in the reporting currency", null=False),
    column("conversion_share", sa.Numeric(20, 10), "Sum of weights over won deals", null=False),
    column("credit_count", Big, "Credits (core.attribution) behind the row", null=False),
    distribution=None,
)

markov_attribution = table(
    "marts",
    "markov_attribution",
    "What would be lost without a channel or source: removal effects on the Markov chain of all closed deals' paths",
    column("dimension", Text, "What is removed", key=True, values=("channel", "lead_source")),
    column("value", Text, "Which one; `unattributed`: won deals without a touch", key=True),
    column("deal_count", sa.Integer(), "Closed deals that it touched", null=False),
    column("removal_effect", sa.Numeric(12, 10), "Part of all wins that would be lost without it, 0 to 1"),
    column("share", sa.Numeric(12, 10), "Its part of all removal effects; they add up to 1"),
    column("conversion_share", sa.Numeric(20, 10), "Share of the won deals that have touches", null=False),
    column("revenue_amount", Money, "Share of their revenue, in the reporting currency", null=False),
    distribution=None,
)

opportunity_influence = table(
    "marts",
    "opportunity_influence",
    "Who can claim each deal: sourced, in three readings, and influenced, before creation and before close",
    column("opportunity_id", Uuid, "Deal (core.opportunity)", key=True),
    column("account_id", Uuid, "Account (core.account)"),
    column("status", Text, "open, won or lost", values=("open", "won", "lost")),
    column("amount_reporting", Money, "Amount in the reporting currency"),
    column("created_at", Timestamp, "Created"),
    column("closed_at", Timestamp, "Closed, or expected to close"),
    column("field_source", Text, "Sourced by the lead-source field; unknown where it is empty", null=False),
    column("first_touch_source", Text, "Sourced by the path's first touch; unattributed where it has none", null=False),
    column("is_marketing_sourced", Bool, "A marketing touch came before the first sales activity", null=False),
    column("is_influenced_before_creation", Bool, "A marketing touch came before the deal was created", null=False),
    column("is_influenced_before_close", Bool, "A marketing touch came before the deal closed", null=False),
    column("first_marketing_at", Timestamp, "First marketing touch on the path"),
    column("first_sales_at", Timestamp, "First sales activity on the path"),
    column("marketing_touch_count", sa.Integer(), "Touches by marketing on the path", null=False),
    column("sales_touch_count", sa.Integer(), "Touches by sales on the path", null=False),
    column("person_count", sa.Integer(), "People with touches on the path", null=False),
    distribution="opportunity_id",
    indexes=("account_id",),
)

funnel_conversion = table(
    "marts",
    "funnel_conversion",
    "Conversion from stage to stage by entry month and source, in both readings",
    column("cohort_on", sa.Date(), "Month of entry into the stage", key=True),
    column("stage", Text, "Funnel stage", key=True),
    column("lead_source", Text, "Canonical lead source", key=True),
    column(
        "reading", Text, "all_stages: passed each earlier one; any_stage", key=True, values=("all_stages", "any_stage")
    ),
    column("entered_count", sa.Integer(), "Persons who entered the stage", null=False),
    column(
        "converted_count",
        sa.Integer(),
        "Of them, entered the next stage later (all_stages) or any later stage",
        null=False,
    ),
    column("conversion_rate", sa.Numeric(6, 5), "converted / entered"),
    column("cumulative_rate", sa.Numeric(6, 5), "Of them, reached customer"),
    column("median_days", sa.Numeric(12, 2), "Median days to the next stage"),
    column("p90_days", sa.Numeric(12, 2), "90th percentile of days to the next stage"),
    distribution=None,
)

glossary_gap = table(
    "marts",
    "glossary_gap",
    "Vendor words that the glossary does not know",
    column("vocabulary", Text, "Vocabulary it was looked up in", key=True),
    column("vendor_value", Text, "The vendor's word", key=True),
    column("entity", Text, "Staging entity", key=True),
    column("column_name", Text, "Staging column", key=True),
    column("row_count", Big, "Rows that carry it", null=False),
    column("first_seen_at", Timestamp, "Earliest version that carries it"),
    column("last_seen_at", Timestamp, "Latest version that carries it"),
    column("nearest_term", Text, "The known word most like it"),
    column("example_source_ids", Json, "Up to three records to look at"),
    distribution=None,
)
