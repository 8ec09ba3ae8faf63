"""DAG reconcile: on Sundays, holds every vendor that is connected against the warehouse, for what no window and no count tells."""

from datetime import datetime, timedelta

from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

from connectors.hubspot.streams import STREAMS as HUBSPOT
from connectors.marketo.streams import STREAMS as MARKETO
from connectors.salesforce.streams import STREAMS as SALESFORCE
from connectors.tryton.streams import STREAMS as TRYTON
from dags._glue import STAGED, is_connected
from dags._sync import compare, validate

ALL = {"hubspot": HUBSPOT, "salesforce": SALESFORCE, "marketo": MARKETO, "tryton": TRYTON}


@task
def streams_to_compare() -> list[dict[str, str]]:
    """The streams that declare it, of the vendors that have a connection."""
    return [
        {"vendor": vendor, "stream": stream.name}
        for vendor, streams in ALL.items()
        if is_connected(vendor)
        for stream in sorted(streams.values(), key=lambda s: (s.order, s.name))
        if stream.compared
    ]


@dag(
    dag_id="reconcile",
    schedule=CronDataIntervalTimetable("0 6 * * 0", timezone="UTC"),
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow takes it in the timetable's zone
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=1),
    tags=["smarketing", "reconcile"],
    doc_md="Compares ids and links with the vendors, whatever they count. What it finds is repaired, and told in each task's result.",
)
def reconcile() -> None:
    """Compare all, check what came, and have it built."""
    compared = compare.expand_kwargs(streams_to_compare())

    @task(outlets=list(STAGED.values()))
    def announce() -> None:
        """Tell the build that records may have changed."""

    checked = validate()
    compared >> checked
    [compared, checked] >> announce()


reconcile_dag = reconcile()
