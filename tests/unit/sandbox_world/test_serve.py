"""The sandbox as a process of its own, and what it does when it cannot start."""

import json
import random
import signal
import socket
import subprocess
import sys

import pytest
import requests

from sandbox.serve import Sandbox


def test_the_process_prints_addresses_when_ready_and_ends_when_asked() -> None:
    command = [sys.executable, "-m", "sandbox.serve", "--port", "0", "--seed", "5", "--people", "12", "--days", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert told.keys() >= {"control", "hubspot", "salesforce", "marketo", "credentials", "today"}
        assert told["today"] == "2026-06-02T00:00:00+00:00"
        assert requests.get(told["control"] + "/health", timeout=30).json()["people"] >= 12
        headers = {"Authorization": f"Bearer {told['credentials']['hubspot_access_token']}"}
        url = told["hubspot"] + "/crm/v3/objects/contacts"
        assert requests.get(url, headers=headers, timeout=30).json()["results"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""


def test_a_taken_port_is_told_before_the_world_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.serve.World", None)  # making one would fail otherwise
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=taken.getsockname()[1])


def test_given_ports_follow_each_other() -> None:
    box, start = _on_four_free_ports()
    with box:
        assert box.control_url.endswith(f":{start}")
        assert box.hubspot_url.endswith(f":{start + 1}")
        assert box.salesforce_url.endswith(f":{start + 2}")
        assert box.marketo_url.endswith(f":{start + 3}")


def _on_four_free_ports() -> tuple[Sandbox, int]:
    """A sandbox on ports in a row, below those that the machine gives out by itself; others may take one at any moment."""
    for _ in range(50):
        start = random.randrange(10_000, 30_000)
        try:
            return Sandbox(seed=1, people=1, port=start), start
        except OSError:
            continue
    raise AssertionError("no four ports in a row are free")
