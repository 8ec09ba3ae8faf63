"""When things run: thin DAG files and their Airflow glue. The only place that imports airflow.

sync_<vendor>.py    nightly, one per vendor
build_journey.py    whenever a sync brought something
_sync.py            what the sync DAGs share
_glue.py            Airflow connections as credentials; our errors as Airflow's
"""
