"""The gate: what a build made is checked inside its transaction; a blocking failure publishes nothing.

Business checks are SQL that selects violating rows; each has its reason. Structure (keys, closed lists of values) is derived
from the table metadata. After an incremental build, what it may have written is checked (`REACH`): the rest passed the gate
when it was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from errors import GateError
from expectations.model import QUERY, Expectation, Outcome
from expectations.runner import checker
from warehouse.tables import metadata

Suites = Mapping[str, Sequence[Outcome]]


_PERSONS = "person_id IN (SELECT person_id FROM pg_temp.affected_person)"
_SUMMARIES = "person_id IN (SELECT person_id FROM pg_temp.affected_summary)"
_CREDITS = "opportunity_id IN (SELECT opportunity_id FROM pg_temp.affected_credit)"
REACH: Mapping[str, str] = {
    "core.identity_link": f"source_id IN (SELECT source_id FROM core.identity_link WHERE {_PERSONS})",
    "core.person": _PERSONS,
    "core.opportunity": "opportunity_id IN (SELECT opportunity_id FROM pg_temp.affected_opportunity)",
    "core.opportunity_touch": _CREDITS,
    "core.attribution": _CREDITS,
    "marts.opportunity_influence": _CREDITS,
    "marts.customer_journey": _SUMMARIES,
    "marts.person_journey": _SUMMARIES,
    "core.account": "account_id IN (SELECT account_id FROM pg_temp.affected_account)",
    "marts.account_journey": "account_id IN (SELECT account_id FROM pg_temp.affected_journey)",
}
"""table -> which of its rows an incremental build can have written, by the sets of transforms/changes.py; of others, any."""


def _rows(rule: str, why: str, query: str, severity: str = "block") -> Expectation:
    return Expectation(rule, severity, why, QUERY, {"unexpected_rows_query": query})  # type: ignore[arg-type]


# Of tables in braces, the rows within reach of the one that is checked.
BUSINESS: Mapping[str, Sequence[Expectation]] = {
    "core.identity_link": (
        _rows(
            "record_is_one_person",
            "a source record that is two persons would count every touch twice",
            "SELECT source_id FROM checked GROUP BY source_id HAVING count(*) > 1",
        ),
        _rows(
            "no_person_record_is_lost",
            "each person record in staging is somebody",
            "SELECT p.source_id FROM staging.person p LEFT JOIN core.identity_link l USING (source_id) "
            "WHERE NOT coalesce(p.is_company, false) AND l.source_id IS NULL",
        ),
    ),
    "core.person_alias": (
        _rows(
            "alias_leads_to_a_person",
            "an old link must open the person",
            "SELECT alias_id FROM checked LEFT JOIN core.person p USING (person_id) WHERE p.person_id IS NULL",
        ),
    ),
    "core.opportunity": (
        _rows(
            "revenue_is_that_of_the_crm",
            "a deal carries the amount of the record it is taken from: joins may not multiply or lose it",
            "SELECT opportunity_id FROM checked JOIN staging.opportunity o USING (source_id) "
            "WHERE checked.amount IS DISTINCT FROM o.amount",
        ),
    ),
    "core.opportunity_touch": (
        _rows(
            "touch_is_known",
            "a touch on a path is one of the journey",
            "SELECT event_id FROM checked LEFT JOIN core.touchpoint t USING (person_id, event_id) WHERE t.event_id IS NULL",
        ),
    ),
    "core.attribution": (
        _rows(
            "credit_is_conserved",
            "the credit of each deal under each model adds up to the deal to the cent",
            "SELECT opportunity_id FROM checked JOIN core.opportunity o USING (opportunity_id) "
            "GROUP BY opportunity_id, model, o.amount_reporting "
            "HAVING sum(checked.amount_reporting) IS DISTINCT FROM round(o.amount_reporting, 2) AND o.amount_reporting IS NOT NULL",
        ),
        _rows(
            "weights_add_up",
            "the weights of each deal under each model add up to one",
            "SELECT opportunity_id FROM checked GROUP BY opportunity_id, model HAVING abs(sum(weight) - 1) > 0.000001",
        ),
    ),
    "marts.customer_journey": (
        _rows(
            "event_has_a_person",
            "an event of nobody is lost to both teams",
            "SELECT event_id FROM checked LEFT JOIN core.person p USING (person_id) WHERE p.person_id IS NULL",
        ),
        _rows(
            "sequence_is_gapless",
            "the events of a person are numbered 1 to n",
            "SELECT person_id FROM checked GROUP BY person_id HAVING max(sequence_number) <> count(*) OR min(sequence_number) <> 1",
        ),
    ),
    "marts.person_journey": (
        _rows(
            "every_person_has_a_journey",
            "one row per person, no more and no less",
            "SELECT p.person_id FROM {core.person} p LEFT JOIN checked USING (person_id) WHERE checked.person_id IS NULL",
        ),
        _rows(
            "counts_agree_with_events",
            "the summary may not tell another story than the events",
            "SELECT person_id FROM checked LEFT JOIN (SELECT person_id, count(*) AS n FROM {marts.customer_journey} j "
            "GROUP BY person_id) e USING (person_id) WHERE event_count <> coalesce(n, 0)",
        ),
    ),
    "marts.account_journey": (
        _rows(
            "every_account_has_a_journey",
            "one row per account, no more and no less",
            "SELECT a.account_id FROM {core.account} a LEFT JOIN checked USING (account_id) WHERE checked.account_id IS NULL",
        ),
        _rows(
            "account_journey_is_of_an_account",
            "the journey of an account that was merged away goes with it",
            "SELECT account_id FROM checked LEFT JOIN core.account a USING (account_id) WHERE a.account_id IS NULL",
        ),
        _rows(
            "account_counts_agree_with_people",
            "whoever was reached or takes part in a deal is one of its people",
            "SELECT account_id FROM checked JOIN LATERAL (SELECT count(*) AS n FROM core.person p "
            "WHERE p.account_id = checked.account_id) own ON true "
            "WHERE person_count < n OR engaged_person_count > person_count OR buying_group_count > person_count",
        ),
        _rows(
            "account_counts_agree_with_touches",
            "the summary may not tell another story than the touches of its people",
            "SELECT account_id FROM checked JOIN LATERAL (SELECT count(DISTINCT t.event_id) AS n FROM core.touchpoint t "
            "WHERE t.person_id IN (SELECT p.person_id FROM core.person p WHERE p.account_id = checked.account_id "
            "UNION ALL SELECT op.person_id FROM core.opportunity_person op JOIN core.opportunity o USING (opportunity_id) "
            "WHERE o.account_id = checked.account_id AND NOT o.is_deleted)) touched ON true "
            "WHERE touch_count <> n OR marketing_touch_count + sales_touch_count > touch_count OR touch_count > event_count",
        ),
        _rows(
            "account_money_is_that_of_its_deals",
            "deals and revenue of an account are those of its deals: none lost, none counted twice",
            "SELECT account_id FROM checked JOIN LATERAL (SELECT count(*) AS n, "
            "count(*) FILTER (WHERE status = 'won') AS won, "
            "coalesce(sum(amount_reporting) FILTER (WHERE status = 'won'), 0) AS revenue, "
            "coalesce(sum(amount_reporting) FILTER (WHERE status = 'open'), 0) AS pipeline FROM core.opportunity o "
            "WHERE o.account_id = checked.account_id AND NOT o.is_deleted) d ON true "
            "WHERE (deal_count, won_deal_count, revenue_amount, pipeline_amount) IS DISTINCT FROM (n, won, revenue, pipeline)",
        ),
    ),
    "marts.customers_by_source": (
        _rows(
            "won_revenue_is_all_there",
            "the revenue over all sources is that of all won deals: none lost, none counted twice",
            "SELECT 1 AS one FROM (SELECT coalesce(sum(revenue_amount), 0) AS shown FROM checked) s, "
            "(SELECT coalesce(sum(round(amount_reporting, 2)), 0) AS earned FROM core.opportunity "
            "WHERE status = 'won' AND NOT is_deleted AND closed_at IS NOT NULL) d WHERE abs(shown - earned) > 0.01",
        ),
        _rows(
            "rates_are_rates",
            "a win rate is between 0 and 1",
            "SELECT lead_source FROM checked WHERE win_rate NOT BETWEEN 0 AND 1",
        ),
    ),
    "marts.opportunity_influence": (
        _rows(
            "every_deal_can_be_claimed",
            "one row per deal that is not deleted, no more and no less",
            "SELECT opportunity_id FROM checked LEFT JOIN core.opportunity o USING (opportunity_id) "
            "WHERE coalesce(o.is_deleted, true) UNION ALL SELECT opportunity_id FROM {core.opportunity} o "
            "LEFT JOIN checked USING (opportunity_id) WHERE NOT o.is_deleted AND checked.person_count IS NULL",
        ),
    ),
    "marts.markov_attribution": (
        _rows(
            "shares_add_up",
            "the shares of each dimension add up to one, unless nothing was won",
            "SELECT dimension FROM checked GROUP BY dimension HAVING abs(sum(share) - 1) > 0.000001 AND sum(share) <> 0",
        ),
        _rows(
            "won_revenue_is_shared",
            "what is shared is the revenue of all won deals",
            "SELECT dimension FROM checked, (SELECT coalesce(sum(round(amount_reporting, 2)), 0) AS won FROM core.opportunity "
            "WHERE status = 'won' AND NOT is_deleted) w GROUP BY dimension, won HAVING abs(sum(revenue_amount) - won) > 0.01 "
            "AND sum(conversion_share) <> 0",
        ),
    ),
    "ops.vendor_total": (
        _rows(
            "staging_counts_as_the_vendor",
            "the CRM counts other records than staging holds: `smarketing windows --totals` shows how many, `smarketing reconcile` "
            "finds which",
            "SELECT stream FROM checked WHERE vendor_rows - staged_rows NOT BETWEEN -unsettled_rows AND set_aside_rows + unsettled_rows",
            "warn",
        ),
        _rows(
            "staging_sums_as_the_vendor",
            "the CRM's own sum of its deals is another than that of staging: amounts are wrong or lost",
            "SELECT stream FROM checked WHERE set_aside_rows = 0 AND vendor_rows = staged_rows "
            "AND abs(vendor_amount - staged_amount) > 0.01 + amount_precision",
            "warn",
        ),
    ),
    "marts.funnel_conversion": (
        _rows(
            "nobody_converts_who_did_not_enter",
            "conversions are a part of entries",
            "SELECT stage FROM checked WHERE converted_count > entered_count",
        ),
    ),
}

NOT_EMPTY = {
    "marts.customer_journey": "core.person",
    "marts.person_journey": "core.person",
    "marts.account_journey": "core.account",
}
"""An empty result passes every check above: where the second table has rows, the first must have some."""


def check_published(connection: sa.Connection, *, full: bool = True) -> Suites:
    """The outcomes of all suites on core and marts, by table.

    full: all rows are checked; otherwise those within reach of the incremental build that this transaction has just done.
    """
    outcomes: dict[str, Sequence[Outcome]] = {}
    with checker(connection) as check:
        for name, business in BUSINESS.items():
            schema, table = name.split(".")
            suite = [*_derived(metadata.tables[name]), *business]
            if full and (other := NOT_EMPTY.get(name)):
                suite.append(
                    _rows(
                        "not_empty",
                        "checks on nothing prove nothing",
                        f"SELECT 1 AS one WHERE EXISTS (SELECT FROM {other}) AND NOT EXISTS (SELECT FROM checked)",
                    )
                )
            reach = None if full else REACH.get(name)
            suite = [_reaching(each, reach) for each in suite]
            if reach is None:
                outcomes[name] = check.run(table, suite, schema=schema)
                continue
            view = f"checked_{table}"  # a suite knows tables only
            connection.execute(sa.text(f"CREATE TEMP VIEW {view} AS SELECT * FROM {name} WHERE {reach}"))
            outcomes[name] = check.run(view, suite)
            connection.execute(sa.text(f"DROP VIEW {view}"))
    return outcomes


def _reaching(expectation: Expectation, reach: str | None) -> Expectation:
    """A business check with its table names filled in. reach: which rows of these tables; None: all."""
    query = expectation.arguments.get("unexpected_rows_query")
    if query is None:
        return expectation
    for name in REACH:
        query = query.replace(f"{{{name}}}", f"(SELECT * FROM {name} WHERE {reach})" if reach else name)
    return replace(expectation, arguments={**expectation.arguments, "unexpected_rows_query": query})


def _derived(table: sa.Table) -> list[Expectation]:
    return [
        Expectation(
            f"{column.name}_known",
            "block",
            f"it is one of {', '.join(values)}",
            "ExpectColumnValuesToBeInSet",
            {"column": column.name, "value_set": list(values)},
        )
        for column in table.columns
        if (values := column.info.get("values"))
    ]


def gate(outcomes: Suites) -> None:
    """Let a build pass, or not.

    Raises:
        GateError: a blocking expectation failed, or one could not be computed; names them all.
    """
    blocked = [
        f"{suite}.{o.expectation.rule} ({o.error or f'{o.failed} rows'})"
        for suite, results in outcomes.items()
        for o in results
        if not o.is_success and (o.expectation.severity == "block" or o.error)
    ]
    if blocked:
        raise GateError(
            f"The gate is shut: {', '.join(blocked)}.",
            remedy="What was published before stays as it is; ops.validation_result has the reasons. Try `smarketing build --full`.",
        )
