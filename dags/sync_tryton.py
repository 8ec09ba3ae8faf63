"""DAG sync_tryton: nightly at 02:00 UTC, reads Tryton through the airflow connection `tryton`."""

from connectors.tryton.streams import STREAMS
from dags._sync import sync_dag

dag = sync_dag("tryton", STREAMS)
