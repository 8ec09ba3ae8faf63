"""docker-compose.yml, Dockerfile and .env.example, held to the published Compose schema and to the settings that they set."""

import json
import re
import shlex
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.credentials import VendorSettings
from pipeline.words import WordSettings
from warehouse.settings import WarehouseSettings

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ENV_EXAMPLE = {
    line.partition("=")[0]: line.partition("=")[2]
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
}
SETTINGS = {
    f"SMARKETING_{name}".upper()
    for cls in (VendorSettings, WarehouseSettings, WordSettings)
    for name in cls.model_fields
}


def test_the_file_is_valid_compose() -> None:
    schema = json.loads(files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


def test_the_services_are_those_that_the_readme_promises() -> None:
    always = {name for name, s in SERVICES.items() if "profiles" not in s}
    assert always == {
        "postgres",
        "redis",
        "airflow-init",
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-worker",
    }
    assert {name for name, s in SERVICES.items() if s.get("profiles") == ["demo"]} == {"sandbox", "mail"}
    assert SERVICES["airflow-worker"]["deploy"]["replicas"] == 2


def test_every_long_running_service_has_a_health_check() -> None:
    assert {n for n, s in SERVICES.items() if "healthcheck" not in s} == {"airflow-init"}


def test_data_lives_on_named_volumes() -> None:
    used = {v.partition(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if not v.startswith("./")}
    assert used == set(COMPOSE["volumes"])


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD(?!S_FILE)|SECRET|FERNET|_KEY$", key):
                assert str(value).startswith("${"), f"{name}: {key}"
            for password in re.findall(r"//[^:/]+:([^@]+)@", str(value)):
                assert password.startswith("${"), f"{name}: {key}"


def test_every_variable_of_the_file_is_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert wanted <= set(ENV_EXAMPLE)


def test_the_example_names_exactly_the_settings_that_exist() -> None:
    assert {k for k in ENV_EXAMPLE if k.startswith("SMARKETING_")} == SETTINGS
    set_in_compose = {k for s in SERVICES.values() for k in s.get("environment", {}) if k.startswith("SMARKETING_")}
    assert set_in_compose <= SETTINGS


def test_the_defaults_in_the_example_are_the_real_ones() -> None:
    for cls in (VendorSettings, WarehouseSettings, WordSettings):
        for name, field in cls.model_fields.items():
            assert ENV_EXAMPLE[f"SMARKETING_{name}".upper()] == str(field.default), name


def test_airflow_knows_every_option_that_is_set() -> None:
    from airflow.configuration import retrieve_configuration_description  # noqa: PLC0415 - seconds

    known = retrieve_configuration_description(include_providers=True)
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            if key.startswith("AIRFLOW__"):
                _, section, option = key.lower().split("__")
                assert option in known[section]["options"], key


def test_every_file_that_is_mounted_or_run_exists() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for path in re.findall(r"(?:\./|/opt/smarketing/)(deploy/[\w.-]+)", text):
        assert (ROOT / path).is_file(), path
        subprocess.run(["bash", "-n", ROOT / path], check=True)


def test_the_image_copies_what_exists() -> None:
    for sources in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source


@pytest.mark.slow
def test_the_images_install_steps_resolve_and_need_nothing_but_the_lock(tmp_path: Path) -> None:
    """The RUN lines that install are run as they stand, against a new environment, without downloading again what is cached."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    steps = [s for s in re.findall(r"^RUN (.+)$", DOCKERFILE, re.MULTILINE) if "uv pip install" in s]
    assert [("-r" in s, "--editable" in s) for s in steps] == [(True, False), (False, True)]
    uv = Path(sys.executable).parent / "uv"
    for step in steps:
        words = [w for w in shlex.split(step.replace("uv ", "", 1)) if w != "--no-cache"]
        if "--editable" in words:
            words += ["--dry-run"]
        subprocess.run([uv, *words, "--python", venv / "bin" / "python"], cwd=ROOT, check=True, capture_output=True)
    listed = subprocess.run(
        [uv, "pip", "list", "--format", "json", "--python", venv / "bin" / "python"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert {"apache-airflow", "great-expectations", "sqlalchemy"} <= {p["name"] for p in json.loads(listed.stdout)}


def test_the_image_runs_without_root() -> None:
    assert re.search(r"^USER (?!root)\w+$", DOCKERFILE, re.MULTILINE)
