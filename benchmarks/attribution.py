"""Attribution of random paths: every model's credit adds up to each deal to the cent, and linear is held against plain SQL.

    python -m benchmarks.attribution --deals 100000 --seed 1

Makes deals of accounts with three people each and touches at random, attributes them under all models of the glossary, and counts
the deals and models whose credit is not the deal's amount. Then linear alone and a straight SQL statement for it alternate.
Prints and writes benchmarks/results.md.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import sqlalchemy as sa

from benchmarks import report
from benchmarks.warehouses import HOME, server
from errors import RunError
from glossary import load
from glossary.model import AttributionModel
from transforms.attribution.credit import build_credit
from transforms.attribution.paths import find_paths
from transforms.settings import Settings
from transforms.work import FEW_STATISTICS, Work
from warehouse.engine import connect

TITLE = report.SECTIONS[5]
REPEAT = 3
HOW = (
    "Both ways of linear attribution find the paths (touches of all people of the deal's account up to its close) and write one "
    "row per deal and touch into a table with the same columns and indexes, from the same rows. The straight statement divides "
    "the amount by the number of touches, so its credit does not add up; ours writes the paths as a table of their own as well, "
    "leaves out touches of more than 90 days before the lead, and rounds by largest remainder."
)
_WORLD = """
SELECT setseed({seed});
INSERT INTO core.account (account_id, anchor_source_id, name, is_deleted, record_count)
SELECT md5('account:' || n)::uuid, 'a:' || n, 'Account ' || n, false, 1 FROM generate_series(1, {deals}) AS n;
INSERT INTO core.person (person_id, anchor_source_id, account_id, is_opted_out, is_deleted, record_count, system_count)
SELECT md5('person:' || n || ':' || k)::uuid, 'p:' || n || ':' || k, md5('account:' || n)::uuid, false, false, 1, 1
FROM generate_series(1, {deals}) AS n, generate_series(1, 3) AS k;
INSERT INTO core.opportunity (opportunity_id, anchor_source_id, source_id, account_id, primary_person_id, status, amount, currency,
  amount_reporting, created_at, closed_at, is_deleted, record_count)
SELECT md5('deal:' || n)::uuid, 'o:' || n, 'o:' || n, md5('account:' || n)::uuid, md5('person:' || n || ':1')::uuid,
  CASE WHEN random() < 0.7 THEN 'won' ELSE 'open' END, m.amount, 'USD', m.amount, c.at, c.at + random() * interval '90 days',
  false, 1
FROM generate_series(1, {deals}) AS n, LATERAL (SELECT round((random() * 100000 + n * 0)::numeric, 2) AS amount) AS m,
  LATERAL (SELECT timestamptz '2025-01-01' + (random() * 300 + n * 0) * interval '1 day' AS at) AS c;
INSERT INTO core.opportunity_person (opportunity_id, person_id, is_primary)
SELECT md5('deal:' || n)::uuid, md5('person:' || n || ':1')::uuid, true FROM generate_series(1, {deals}) AS n;
INSERT INTO core.stage_change (person_id, event_id, occurred_at, to_stage, cycle_number, is_inferred, source_id)
SELECT person_id, md5('lead:' || person_id)::uuid, timestamptz '2025-01-01' + random() * interval '200 days', 'lead', 1, false, 's'
FROM core.person;
INSERT INTO core.touchpoint (person_id, event_id, occurred_at, touch_type, team, channel, lead_source, account_id, source_id)
SELECT p.person_id, md5('touch:' || p.person_id || k)::uuid, timestamptz '2025-01-01' + random() * interval '390 days',
  'page_visit', CASE WHEN random() < 0.8 THEN 'marketing' ELSE 'sales' END,
  ('{{email,direct,paid_search,organic_search,referral,organic_social}}'::text[])[1 + floor(random() * 6)::int],
  ('{{email,direct,paid_search,organic_search,referral,organic_social}}'::text[])[1 + floor(random() * 6)::int],
  p.account_id, 't:' || k
FROM core.person AS p, generate_series(1, 4) AS k WHERE random() < 0.5;
ANALYZE
"""
_WRONG = """
SELECT count(*) FROM (
  SELECT o.opportunity_id, m.model FROM core.opportunity AS o CROSS JOIN (SELECT DISTINCT model FROM core.attribution) AS m
  LEFT JOIN core.attribution AS a ON a.opportunity_id = o.opportunity_id AND a.model = m.model
  GROUP BY o.opportunity_id, m.model, o.amount_reporting
  HAVING sum(a.amount_reporting) IS DISTINCT FROM o.amount_reporting OR sum(a.weight) IS DISTINCT FROM 1
) AS w
"""
_STRAIGHT = """
CREATE TABLE public.straight (LIKE core.attribution INCLUDING INDEXES);
INSERT INTO public.straight (opportunity_id, model, event_id, person_id, account_id, position, path_length, weight,
  amount_reporting, is_won, month_on, lead_source, channel, campaign_id, content_asset_id)
SELECT o.opportunity_id, 'linear', t.event_id, t.person_id, p.account_id, NULL, count(*) OVER deal, 1.0 / count(*) OVER deal,
  o.amount_reporting / count(*) OVER deal, o.status = 'won',
  date_trunc('month', CASE WHEN o.status = 'won' THEN o.closed_at ELSE o.created_at END)::date, t.lead_source, t.channel,
  coalesce(t.campaign_id, ''), t.content_asset_id
FROM core.opportunity AS o JOIN core.person AS p ON p.account_id = o.account_id
JOIN core.touchpoint AS t ON t.person_id = p.person_id AND t.occurred_at <= CASE WHEN o.status = 'won' THEN o.closed_at ELSE 'infinity' END
WHERE NOT o.is_deleted
WINDOW deal AS (PARTITION BY o.opportunity_id);
ANALYZE public.straight
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=100_000, help="deals (default 100000)")
    parser.add_argument("--seed", type=int, help="of the paths (default: at random)")
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed  # noqa: S311 - no secret
    HOME.mkdir(parents=True, exist_ok=True)
    settings = Settings.of(load())
    linear = replace(settings.attribution, models={"linear": AttributionModel("linear", is_even=True)})
    with server() as postgres:
        postgres.fresh("attribution", migrated=True)
        engine = connect(postgres.url("attribution"))
        with engine.begin() as connection:
            connection.exec_driver_sql(_WORLD.format(deals=args.deals, seed=seed / 10**6))
        everything = _timed(engine, lambda connection: _attribute(connection, settings))
        with engine.connect() as connection:
            touches = connection.scalar(sa.text("SELECT count(*) FROM core.opportunity_touch"))
            credits_ = connection.scalar(sa.text("SELECT count(*) FROM core.attribution"))
            wrong = connection.scalar(sa.text(_WRONG))
        ours, straight = [], []
        for _ in range(REPEAT):
            straight.append(_timed(engine, lambda connection: connection.exec_driver_sql(_STRAIGHT)))
            ours.append(
                _timed(engine, lambda connection: _attribute(connection, replace(settings, attribution=linear)))
            )
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "DROP TABLE public.straight; TRUNCATE core.attribution, core.opportunity_touch"
                )
        engine.dispose()
    if wrong:
        raise RunError(
            f"{wrong} credits of a deal under a model do not add up (seed {seed}).", remedy="This is a bug: report it."
        )
    ratio = median(ours) / median(straight)
    headline = (
        f"**Every credit of {args.deals:,} deals under {len(settings.attribution.models)} models adds up to the deal to the cent; "
        f"linear takes {ratio:.1f} times a straight SQL statement** ({touches:,} touches on paths, seed {seed})."
    )
    text = "\n\n".join(
        [
            headline,
            report.table(
                ["what", "seconds", "rows written", "rows/s"],
                [
                    _line("all models", everything, touches + credits_),
                    _line("linear alone", median(ours), 2 * touches),
                    _line("straight SQL", median(straight), touches),
                ],
            ),
            f"- {report.now()}; {report.machine()}\n- {report.versions('psycopg')}; medians of {REPEAT} but for all models",
            HOW,
        ]
    )
    print(f"\n{text}")
    report.write_section(TITLE, text)


def _attribute(connection: sa.Connection, settings: Settings) -> None:
    """Paths and credit of all deals, as a full build makes them."""
    for name, value in (("work_mem", "64MB"), ("default_statistics_target", str(FEW_STATISTICS))):
        connection.execute(sa.text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
    settings.publish(connection)
    work = Work(connection, settings, full=True)
    work.temp("affected_credit", "SELECT opportunity_id FROM {core.opportunity}", index="opportunity_id")
    find_paths(work)
    build_credit(work)


def _timed(engine: sa.Engine, do: Callable[[sa.Connection], object]) -> float:
    began = time.perf_counter()
    with engine.begin() as connection:
        do(connection)
    return time.perf_counter() - began


def _line(what: str, seconds: float, rows: int) -> list[str]:
    return [what, f"{seconds:.1f}", f"{rows:,}", f"{rows / seconds:,.0f}"]


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
