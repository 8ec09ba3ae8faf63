"""The embedded server: settings that count from its first start, two that start it at once, and a stop that stops it."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from warehouse import embedded
from warehouse.engine import connect

ROOT = Path(__file__).parents[3]
START = (
    "import sys; from pathlib import Path; from warehouse import embedded; embedded.start(Path(sys.argv[1]), 'made')"
)


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not pytest's own folder: root's temporary folders are closed to the user that the server runs as."""
    path = ROOT / ".local" / f"embedded-{uuid.uuid4().hex[:8]}"
    yield path
    embedded.remove(path)
    assert not path.exists()


def test_settings_count_at_once_and_it_can_be_stopped_and_started(directory: Path) -> None:
    url = embedded.start(directory, "made", {"max_connections": "37"})
    engine = connect(url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW shared_buffers")) == embedded.TUNING["shared_buffers"]
        assert connection.scalar(sa.text("SHOW max_connections")) == "37"
        order = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert connection.scalar(sa.text(order)) == "bC.UTF-8"
    engine.dispose()
    assert embedded.stop(directory)
    assert not embedded.stop(directory)
    again = connect(embedded.start(directory, "made"))
    with again.connect() as connection:
        assert connection.scalar(sa.text("SHOW max_connections")) == "37"
    again.dispose()


def test_two_processes_start_one_server(directory: Path) -> None:
    starting = [subprocess.Popen([sys.executable, "-c", START, str(directory)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in starting] == [0, 0, 0]
    engine = connect(embedded.start(directory, "made"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()
