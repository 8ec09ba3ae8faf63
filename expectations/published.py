"""The gate: what a build made is checked inside its transaction; a blocking failure publishes nothing.

Business checks are SQL that selects violating rows; each has its reason. Structure (keys, closed lists of values) is derived
from the table metadata.
"""

import re
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from errors import GateError
from expectations.model import Expectation, Outcome
from expectations.runner import checker
from warehouse.tables import metadata

Suites = Mapping[str, Sequence[Outcome]]


def _rows(rule: str, why: str, query: str, severity: str = "block") -> Expectation:
    # GX puts a subquery in place of {batch}, and names it unless the query joins; before 16, PostgreSQL wants a name.
    name = " AS batch" if re.search(r"\bJOIN\b", query) else ""
    query = f"WITH checked AS (SELECT * FROM {{batch}}{name}) {query}"
    return Expectation(rule, severity, why, "UnexpectedRowsExpectation", {"unexpected_rows_query": query})  # type: ignore[arg-type]


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
            "SELECT p.source_id FROM staging.person p LEFT JOIN checked USING (source_id) "
            "WHERE NOT coalesce(p.is_company, false) AND checked.source_id IS NULL",
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
            "SELECT p.person_id FROM core.person p LEFT JOIN checked USING (person_id) WHERE checked.person_id IS NULL",
        ),
        _rows(
            "counts_agree_with_events",
            "the summary may not tell another story than the events",
            "SELECT person_id FROM checked LEFT JOIN (SELECT person_id, count(*) AS n FROM marts.customer_journey GROUP BY person_id) e "
            "USING (person_id) WHERE event_count <> coalesce(n, 0)",
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
    "marts.funnel_conversion": (
        _rows(
            "nobody_converts_who_did_not_enter",
            "conversions are a part of entries",
            "SELECT stage FROM checked WHERE converted_count > entered_count",
        ),
    ),
}

NOT_EMPTY = {"marts.customer_journey": "core.person", "marts.person_journey": "core.person"}
"""An empty result passes every check above: where the second table has rows, the first must have some."""


def check_published(connection: sa.Connection) -> Suites:
    """The outcomes of all suites on core and marts, by table."""
    outcomes: dict[str, Sequence[Outcome]] = {}
    with checker(connection) as check:
        for name, business in BUSINESS.items():
            schema, table = name.split(".")
            suite = [*_derived(metadata.tables[name]), *business]
            if other := NOT_EMPTY.get(name):
                suite.append(
                    _rows(
                        "not_empty",
                        "checks on nothing prove nothing",
                        f"SELECT 1 AS one WHERE EXISTS (SELECT FROM {other}) AND NOT EXISTS (SELECT FROM checked)",
                    )
                )
            outcomes[name] = check.run(table, suite, schema=schema)
    return outcomes


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
