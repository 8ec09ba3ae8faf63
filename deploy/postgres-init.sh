#!/bin/bash
# Runs once, on an empty volume: a database and role each for the warehouse and for Airflow's own records.
set -euo pipefail
for name in smarketing airflow; do
  psql --username postgres --set ON_ERROR_STOP=1 --set name="$name" --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8';
SQL
done
