#!/bin/bash
# Runs at each start, before Airflow's services: its database, the admin's password, the pools, the warehouse's schema.
set -euo pipefail
umask 077
python - <<'PY'
import json, os, pathlib
folder = pathlib.Path("/opt/airflow/passwords")
(folder / "passwords.json").write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))
PY
chown -R airflow /opt/airflow/passwords /opt/airflow/logs
airflow db migrate
for vendor in hubspot salesforce marketo tryton; do
  airflow pools set "$vendor" 8 "Tasks that read $vendor at the same time"
done
smarketing warehouse migrate
