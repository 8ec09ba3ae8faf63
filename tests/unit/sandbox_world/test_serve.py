"""The sandbox as a process of its own, and what it does when it cannot start."""

import json
import signal
import socket
import subprocess
import sys

import pytest
import requests

from sandbox.serve import Sandbox, running_sandbox


def test_the_process_prints_addresses_when_ready_and_ends_when_asked() -> None:
    command = [sys.executable, "-m", "sandbox.serve", "--port", "0", "--seed", "5", "--people", "12", "--days", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert told.keys() >= {"control", "hubspot", "salesforce", "credentials", "today"}
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
    with running_sandbox(seed=1, people=1) as first:
        free = max(int(url.rsplit(":", 1)[1]) for url in first.addresses().values())
    start = next(p for p in range(free + 1, free + 2_000) if all(_is_free(p + i) for i in range(3)))
    with running_sandbox(seed=1, people=1, port=start) as box:
        assert box.control_url.endswith(f":{start}")
        assert box.hubspot_url.endswith(f":{start + 1}")
        assert box.salesforce_url.endswith(f":{start + 2}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return port < 65_000 and probe.connect_ex(("127.0.0.1", port)) != 0
