"""Where the warehouse is, from the environment (or `.env`)."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class WarehouseSettings(BaseSettings):
    """Settings with the prefix `SMARKETING_`.

    warehouse_url: SQLAlchemy or libpq URL of a PostgreSQL >= 15; empty: the embedded one below `home`.
    home: folder for everything local: embedded server, Airflow's files, logs.
    """

    model_config = SettingsConfigDict(env_prefix="SMARKETING_", env_file=".env", extra="ignore")

    warehouse_url: str = ""
    home: Path = Path(".local")
