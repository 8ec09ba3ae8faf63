"""DAG sync_marketo: nightly at 02:00 UTC, reads Marketo through the airflow connection `marketo`."""

from connectors.marketo.streams import STREAMS
from dags._sync import sync_dag

dag = sync_dag("marketo", STREAMS)
