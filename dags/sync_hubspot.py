"""DAG sync_hubspot: nightly at 02:00 UTC, reads Hubspot through the airflow connection `hubspot`."""

from connectors.hubspot.streams import STREAMS
from dags._sync import sync_dag

dag = sync_dag("hubspot", STREAMS)
