# One image for all services: Airflow, the workers, the sandbox and the command line.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 UV_SYSTEM_PYTHON=1 AIRFLOW_HOME=/opt/airflow

WORKDIR /opt/smarketing

# Dependencies first: this layer stays as long as the lock does.
COPY requirements.lock ./
RUN pip install --no-cache-dir "uv>=0.5"
RUN uv pip install --no-cache --require-hashes -r requirements.lock

COPY . .
RUN uv pip install --no-cache --no-deps --no-build-isolation --editable .

RUN useradd --create-home --uid 50000 airflow && mkdir -p /opt/airflow/logs /opt/smarketing/.local && chown -R airflow /opt/airflow /opt/smarketing/.local
USER airflow

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/smarketing/dags AIRFLOW__CORE__LOAD_EXAMPLES=False
CMD ["smarketing", "--help"]
