"""What the warehouse says, as rows for people: the closed loop, a journey, what a load brought. Reads only."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from errors import SmarketingError

Rows = list[Mapping[str, Any]]


def _rows(connection: sa.Connection, statement: str, **values: Any) -> Rows:
    return [dict(r) for r in connection.execute(sa.text(statement), values).mappings()]


def totals(connection: sa.Connection) -> Mapping[str, int]:
    """People, accounts, deals, won deals, journey events, touchpoints."""
    return _rows(
        connection,
        """
        SELECT (SELECT count(*) FROM core.person WHERE NOT is_deleted) AS people,
               (SELECT count(*) FROM core.account WHERE NOT is_deleted) AS accounts,
               (SELECT count(*) FROM core.opportunity WHERE NOT is_deleted) AS deals,
               (SELECT count(*) FROM core.opportunity WHERE status = 'won' AND NOT is_deleted) AS won_deals,
               (SELECT count(*) FROM marts.customer_journey) AS journey_events,
               (SELECT count(*) FROM core.touchpoint) AS touchpoints
        """,
    )[0]


def customers_by_source(connection: sa.Connection) -> Rows:
    """Customers, deals and revenue by lead source, over all months and campaigns."""
    return _rows(
        connection,
        """
        SELECT lead_source, sum(customer_count) AS customers, sum(deal_count) AS deals_won, sum(lost_deal_count) AS deals_lost,
               sum(revenue_amount) AS revenue, round(sum(revenue_amount) / nullif(sum(deal_count), 0), 2) AS average_deal,
               round(100.0 * sum(deal_count) / nullif(sum(deal_count) + sum(lost_deal_count), 0), 1) AS win_rate_percent
        FROM marts.customers_by_source GROUP BY lead_source ORDER BY revenue DESC NULLS LAST, lead_source
        """,
    )


def conversion_assists(connection: sa.Connection, limit: int = 10) -> Rows:
    """Channels and campaigns that most often were on the path to a new customer without being its last touch."""
    return _rows(
        connection,
        """
        SELECT dimension, coalesce(max(label), value) AS value, sum(assist_count) AS assists, sum(last_touch_count) AS last_touches,
               sum(assisted_amount) AS assisted_revenue
        FROM marts.conversion_assists WHERE conversion = 'customer' AND dimension IN ('channel', 'campaign')
        GROUP BY dimension, value ORDER BY sum(assist_count) DESC, value LIMIT :limit
        """,
        limit=limit,
    )


def quarantine_reasons(connection: sa.Connection) -> Rows:
    """What was set aside, by entity and rule."""
    return _rows(
        connection,
        """
        SELECT entity, rule, CASE WHEN is_loaded THEN 'loaded without the value' ELSE 'record set aside' END AS effect,
               count(*) AS records, min(reason) AS reason
        FROM ops.quarantine GROUP BY entity, rule, is_loaded ORDER BY count(*) DESC, entity, rule
        """,
    )


def loads_after(connection: sa.Connection, load_id: int) -> Rows:
    """Finished loads and builds after `load_id`, in order."""
    return _rows(
        connection,
        """
        SELECT load_id, coalesce(vendor || ' ' || replace(stream, '_', ' '), 'build') AS what, kind, read_rows, new_rows, staged_rows,
               round(extract(epoch FROM finished_at - started_at)::numeric, 1) AS seconds
        FROM ops.load WHERE load_id > :load_id AND finished_at IS NOT NULL ORDER BY load_id
        """,
        load_id=load_id,
    )


def find_person(connection: sa.Connection, text: str) -> Any:
    """The person_id for a person id (old ones too), an e-mail address, or a source id such as hubspot:contacts:101.

    Raises:
        SmarketingError: nobody is found.
    """
    found = connection.scalar(
        sa.text(
            """
            SELECT person_id FROM (
                SELECT person_id, 1 AS preference FROM core.person_alias WHERE CAST(alias_id AS text) = :text
                UNION ALL SELECT person_id, 2 FROM core.identity_link WHERE source_id = :text
                UNION ALL SELECT person_id, 3 FROM core.person WHERE email = lower(:text)
                UNION ALL SELECT l.person_id, 4 FROM staging.person s JOIN core.identity_link l USING (source_id)
                          WHERE s.email = lower(:text) OR lower(:text) = ANY(s.other_emails)
            ) AS found ORDER BY preference, person_id LIMIT 1
            """
        ),
        {"text": text.strip()},
    )
    if found is None:
        raise SmarketingError(
            "Nobody is known by that.",
            remedy="Give a person id, an e-mail address, or a source id such as hubspot:contacts:101.",
        )
    return found


def telling_person(connection: sa.Connection) -> Any:
    """Somebody whose journey shows both teams at work up to a won deal, in more than one system; None in an empty warehouse."""
    return connection.scalar(
        sa.text(
            """
            SELECT person_id FROM marts.person_journey
            WHERE marketing_touch_count >= 2 AND sales_touch_count >= 2 AND event_count BETWEEN 10 AND 24
            ORDER BY won_deal_count > 0 DESC, system_count DESC, won_deal_count DESC, abs(event_count - 16), person_id LIMIT 1
            """
        )
    ) or connection.scalar(
        sa.text("SELECT person_id FROM marts.person_journey ORDER BY event_count DESC, person_id LIMIT 1")
    )


def timeline(connection: sa.Connection, person_id: Any) -> Rows:
    """One person's events in order."""
    return _rows(
        connection,
        """
        SELECT sequence_number AS no, occurred_at, team, event_type, coalesce(title, '') AS title, coalesce(channel, '') AS channel,
               coalesce(campaign_name, '') AS campaign, coalesce(funnel_stage, '') AS funnel_stage, amount_reporting AS amount,
               source_system AS system, source_url
        FROM marts.customer_journey WHERE person_id = :person_id ORDER BY sequence_number
        """,
        person_id=person_id,
    )


def person(connection: sa.Connection, person_id: Any) -> Mapping[str, Any]:
    """One person's summary."""
    return _rows(connection, "SELECT * FROM marts.person_journey WHERE person_id = :person_id", person_id=person_id)[0]


def why_one_person(connection: sa.Connection, person_id: Any) -> Rows:
    """The source records that are this person, and by what evidence."""
    return _rows(
        connection,
        "SELECT source_id, rule, value FROM core.identity_link WHERE person_id = :person_id ORDER BY rule = 'anchor' DESC, source_id",
        person_id=person_id,
    )
