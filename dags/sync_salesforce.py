"""DAG sync_salesforce: nightly at 02:00 UTC, reads Salesforce through the airflow connection `salesforce`."""

from connectors.salesforce.streams import STREAMS
from dags._sync import sync_dag

dag = sync_dag("salesforce", STREAMS)
