"""What the sync DAGs share: streams in two waves (records, then what hangs on them), checks, and the word that it is done."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, dag, get_current_context, task
from airflow.timetables.interval import CronDataIntervalTimetable

from connectors.base.model import Stream
from dags._glue import STAGED, airflow_errors, backfill_interval, credentials, glossary, plain, warehouse


@task(
    map_index_template="{{ task.op_kwargs['stream'] }}",
    multiple_outputs=False,  # the counts are one result, not one for each of them: each is a call to Airflow's API
    retries=3,
    retry_delay=timedelta(minutes=5),
    retry_exponential_backoff=True,
)
def sync(vendor: str, stream: str) -> dict[str, int]:
    """Bring one stream into staging; returns counts."""
    from connectors import connect  # noqa: PLC0415
    from pipeline.sync import sync_stream  # noqa: PLC0415

    context = get_current_context()
    end = context.get("data_interval_end")
    with airflow_errors():
        counts = sync_stream(
            warehouse(),
            connect(vendor, credentials(vendor)),
            stream,
            glossary(),
            until=end and plain(end),
            backfill=backfill_interval(context),
            full=bool(context["params"].get("full")),
            run_id=context["run_id"],
        )
    return {
        "read": counts.read,
        "new": counts.new,
        "deleted": counts.deleted,
        "staged": counts.staged,
        "set_aside": counts.set_aside,
    }


@task(
    map_index_template="{{ task.op_kwargs['vendor'] }} {{ task.op_kwargs['stream'] }}",
    multiple_outputs=False,
    retries=3,
    retry_delay=timedelta(minutes=5),
    retry_exponential_backoff=True,
    max_active_tis_per_dagrun=4,
)
def compare(vendor: str, stream: str) -> dict[str, int]:
    """Bring one stream up to date and hold it against the vendor, record by record; returns what only that found."""
    from connectors import connect  # noqa: PLC0415
    from pipeline.sync import sync_stream  # noqa: PLC0415

    with airflow_errors():
        counts = sync_stream(
            warehouse(),
            connect(vendor, credentials(vendor)),
            stream,
            glossary(),
            compare=True,
            run_id=get_current_context()["run_id"],
        )
    return {"missing": counts.missing, "deleted": counts.deleted, "new": counts.new}


@task(trigger_rule="all_done", multiple_outputs=False)
def validate(vendor: str | None = None) -> dict[str, int]:
    """Check what the streams brought, of one vendor or all, the failed ones aside; failing rows go to quarantine."""
    from pipeline.validate import validate as validate_vendor  # noqa: PLC0415

    with airflow_errors():
        return validate_vendor(warehouse(), glossary(), vendor)._asdict()


def sync_dag(vendor: str, streams: Mapping[str, Stream]) -> DAG:
    """The DAG `sync_<vendor>`.

    Scheduled runs read from the cursor to the end of their data interval; backfill runs read exactly their interval. A stream
    that fails does not keep the others from being loaded and checked, but the run is red.
    """

    @dag(
        dag_id=f"sync_{vendor}",
        schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
        start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow takes it in the timetable's zone
        catchup=False,
        max_active_runs=4,
        tags=["smarketing", "sync", vendor],
        doc_md=f"Reads {vendor} into staging. Backfill: `airflow backfill create --dag-id sync_{vendor} --from-date ... --to-date ...`",
        params={"full": Param(default=False, type="boolean", description="Read everything, whatever the cursor says")},
    )
    def build() -> None:
        wave = [sorted(s.name for s in streams.values() if (s.order > 0) == related) for related in (False, True)]
        last: Any = None
        for task_id, names in (("sync_records", wave[0]), ("sync_related", wave[1])):
            if names:
                mapped = (
                    sync.override(
                        task_id=task_id, pool=vendor, trigger_rule="all_success" if last is None else "all_done"
                    )
                    .partial(vendor=vendor)
                    .expand(stream=names)
                )
                if last is not None:
                    last >> mapped
                else:
                    first = mapped
                last = mapped
        checked = validate(vendor)
        last >> checked

        @task(outlets=[STAGED[vendor]])
        def announce() -> None:
            """Tell the build that the vendor's records are in staging."""

        done = announce()
        [first, last, checked] >> done

    return build()
