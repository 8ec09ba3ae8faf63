"""DAG build_journey: whenever a sync has brought something to staging, redo what it touches and publish it."""

from airflow.sdk import dag, get_current_context, task

from dags._glue import PUBLISHED, STAGED, airflow_errors, glossary, warehouse


@task(outlets=[PUBLISHED], retries=1, multiple_outputs=False)
def build() -> dict[str, int]:
    """Build and publish in one transaction, after the gate; returns counts. Needs no dates: the queue says what to do."""
    from pipeline.build import build as build_marts  # noqa: PLC0415

    context = get_current_context()
    with airflow_errors():
        return build_marts(warehouse(), glossary(), run_id=context["run_id"]).as_counts()


@dag(
    dag_id="build_journey",
    schedule=STAGED["hubspot"] | STAGED["salesforce"] | STAGED["marketo"] | STAGED["tryton"],
    catchup=False,
    max_active_runs=1,
    tags=["smarketing", "build"],
    doc_md="Identity, journey, attribution and marts for what changed; publishes after the gate.",
)
def build_journey() -> None:
    """One task: the build is one transaction."""
    build()


journey_dag = build_journey()
