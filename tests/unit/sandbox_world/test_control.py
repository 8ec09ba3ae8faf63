"""The control endpoint over real HTTP."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests

from sandbox.serve import Sandbox
from sandbox.world import TABLES
from tests.support.worlds import disagreements


def ask(box: Sandbox, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = requests.request(verb, box.control_url + path, json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_health_tells_what_is_served(box: Sandbox) -> None:
    health = ask(box, "GET", "/health")
    assert health["status"] == "ok"
    assert health["people"] == box.world.people
    assert health["today"] == box.today
    assert health["addresses"] == {
        "control": box.control_url,
        "hubspot": box.hubspot_url,
        "salesforce": box.salesforce_url,
        "marketo": box.marketo_url,
    }
    assert health["counts"] == box.world.counts()


def test_days_are_advanced_by_number_or_to_a_moment(box: Sandbox) -> None:
    before = box.world.now()
    ask(box, "POST", "/advance", {"days": 1})
    assert (box.world.now() - before).total_seconds() == 86_400
    until = box.world.now().replace(hour=13, minute=5)
    assert ask(box, "POST", "/advance", {"until": until.isoformat()}) == {"today": until.isoformat()}
    assert disagreements(box.world) == []


@pytest.mark.parametrize(
    "body", [{}, {"days": 1, "until": "2030-01-01T00:00:00Z"}, {"days": -1}, {"until": "2030-01-01T00:00:00"}]
)
def test_an_unclear_advance_is_refused(box: Sandbox, body: dict[str, Any]) -> None:
    before = box.world.now()
    assert requests.post(box.control_url + "/advance", json=body, timeout=30).status_code == 422
    assert box.world.now() == before


def test_going_back_is_refused_with_a_sentence(box: Sandbox) -> None:
    answer = requests.post(box.control_url + "/advance", json={"until": "2020-01-01T00:00:00Z"}, timeout=30)
    assert answer.status_code == 409
    assert "cannot go back" in answer.json()["detail"]


def test_the_date_header_of_the_vendors_is_the_worlds_clock(box: Sandbox) -> None:
    for url in (box.hubspot_url, box.salesforce_url, box.marketo_url):
        date = requests.get(url + "/nothing", timeout=30).headers["Date"]
        assert date == box.world.now().strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_the_clock_is_let_run_and_stopped(box: Sandbox) -> None:
    before = box.world.now()
    assert ask(box, "POST", "/freeze", {"frozen": False})
    assert ask(box, "GET", "/health")["frozen"] is False
    assert ask(box, "POST", "/freeze", {}) == {"today": box.today}
    assert box.world.now() > before


def test_faults_are_switched_by_name(box: Sandbox) -> None:
    assert ask(box, "GET", "/faults") == {}
    on = ask(box, "POST", "/faults", {"name": "hubspot.5xx", "rate": 1, "seed": 3, "count": 2})
    assert on == {"hubspot.5xx": {"rate": 1.0, "seed": 3, "count": 2, "struck": 0}}
    headers = {"Authorization": f"Bearer {box.credentials['hubspot_access_token']}"}
    url = box.hubspot_url + "/crm/v3/owners"
    statuses = [requests.get(url, headers=headers, timeout=30).status_code for _ in range(3)]
    assert statuses[0] >= 500
    assert statuses[1] >= 500
    assert statuses[2] == 200
    assert ask(box, "GET", "/faults")["hubspot.5xx"]["struck"] == 2
    assert ask(box, "DELETE", "/faults") == {}


def test_all_faults_are_switched_at_once_and_listed_with_what_they_do(box: Sandbox) -> None:
    known = ask(box, "GET", "/faults/known")
    assert known["salesforce.late_commit"]["vendor"] == "salesforce"
    on = ask(box, "POST", "/faults", {"name": "all", "rate": 0.5, "seed": 3})
    assert {name: fault["rate"] for name, fault in on.items()} == {
        name: fault["rate"] / 2 for name, fault in known.items() if fault["rate"]
    }
    assert ask(box, "DELETE", "/faults") == {}
    refused = requests.post(box.control_url + "/faults", json={"name": "hubspot.typo"}, timeout=30)
    assert (refused.status_code, "hubspot.5xx" in refused.json()["detail"]) == (422, True)


def test_settings_of_the_accounts_are_changed_one_by_one(box: Sandbox) -> None:
    both = {"multi_currency": True, "marketo_updated_at": True}
    assert ask(box, "POST", "/settings", {}) == both
    assert ask(box, "POST", "/settings", {"marketo_updated_at": False}) == {**both, "marketo_updated_at": False}
    assert not box.context.marketo_updated_at
    assert ask(box, "POST", "/settings", both) == both
    assert box.context.marketo_updated_at


def test_limits_are_switched(box: Sandbox) -> None:
    assert ask(box, "POST", "/limits", {"enforced": True}) == {"enforced": True}
    assert box.context.limits
    ask(box, "POST", "/limits", {"enforced": False})
    assert not box.context.limits


def test_requests_are_logged_by_vendor(box: Sandbox) -> None:
    ask(box, "DELETE", "/log")
    requests.get(box.hubspot_url + "/crm/v3/owners", timeout=30)
    requests.get(box.salesforce_url + "/services/data", timeout=30)
    log = ask(box, "GET", "/log")
    assert log["total"] == 2
    assert {line["vendor"] for line in log["requests"]} == {"hubspot", "salesforce"}
    only = ask(box, "GET", "/log?vendor=hubspot")["requests"]
    assert [(line["method"], line["path"], line["status"]) for line in only] == [("GET", "/crm/v3/owners", 401)]
    assert all(secret not in json.dumps(log) for secret in box.credentials.values())


def test_the_truth_is_served_and_exported_alike(box: Sandbox, tmp_path: Path) -> None:
    assert set(ask(box, "GET", "/truth")) == TABLES.keys()
    counts = ask(box, "POST", "/truth/export", {"directory": str(tmp_path / "truth")})
    assert counts.keys() == TABLES.keys()
    for table, columns in TABLES.items():
        served = requests.get(f"{box.control_url}/truth/{table}", timeout=30).text
        lines = [json.loads(line) for line in served.splitlines()]
        parquet = pq.read_table(tmp_path / "truth" / f"{table}.parquet")
        assert parquet.column_names == list(columns)
        assert parquet.num_rows == counts[table] == len(lines)
        assert (tmp_path / "truth" / f"{table}.jsonl").read_text() == served
        if lines:
            assert list(lines[0]) == list(columns)
    assert counts["person"] >= 40


def test_an_unknown_truth_table_is_named_with_the_known_ones(box: Sandbox) -> None:
    answer = requests.get(box.control_url + "/truth/nothing", timeout=30)
    assert answer.status_code == 404
    assert "vendor_record" in answer.json()["detail"]


def test_acts_reach_the_vendor_and_the_truth(box: Sandbox) -> None:
    created = ask(box, "POST", "/act", {
        "vendor": "hubspot", "verb": "create", "kind": "contacts", "fields": {"email": "canary@act.example"},
    })["id"]  # fmt: skip
    headers = {"Authorization": f"Bearer {box.credentials['hubspot_access_token']}"}
    shown = requests.get(f"{box.hubspot_url}/crm/v3/objects/contacts/{created}", headers=headers, timeout=30).json()
    assert shown["properties"]["email"] == "canary@act.example"
    ask(box, "POST", "/act", {"vendor": "hubspot", "verb": "archive", "kind": "contacts", "id": created})
    entry = box.world.truth.entry("hubspot", "contacts", created)
    assert entry is not None
    assert entry.state == "archived"
    assert disagreements(box.world) == []


@pytest.mark.parametrize(
    "body",
    [
        {"vendor": "marketo", "verb": "update", "kind": "leads", "id": "1"},
        {"vendor": "hubspot", "verb": "explode", "kind": "owners", "id": "60001"},
        {"vendor": "hubspot", "verb": "update", "kind": "contacts", "id": "0"},
        {"vendor": "hubspot", "verb": "restore", "kind": "owners", "id": "60001"},
        {"vendor": "salesforce", "verb": "merge", "kind": "Lead", "id": "00QHp0000000001MAA", "fields": {"into": "x"}},
    ],
)
def test_an_impossible_act_is_refused(box: Sandbox, body: dict[str, Any]) -> None:
    answer = requests.post(box.control_url + "/act", json=body, timeout=30)
    assert answer.status_code == 409
    assert answer.json()["detail"]
