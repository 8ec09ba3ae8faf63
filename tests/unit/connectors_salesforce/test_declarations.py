"""What the connector declares, and that its README says the same."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from connectors import salesforce
from connectors.base.quota import RESERVE
from connectors.salesforce.streams import STREAMS, axis_of, fields_of

README = (Path(salesforce.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_streams() -> None:
    assert list(STREAMS) == [
        "user",
        "campaign",
        "account",
        "contact",
        "lead",
        "opportunity",
        "opportunity_contact_role",
        "campaign_member",
        "task",
        "event",
        "opportunity_history",
        "lead_history",
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_every_stream_can_be_read(name: str) -> None:
    stream = STREAMS[name]
    fields = fields_of(stream)
    assert stream.name == name
    assert stream.windowed
    assert fields[0] == "Id"
    assert len(set(fields)) == len(fields)
    assert axis_of(stream) in fields
    assert "CreatedDate" in fields, "keys are cut by it"
    assert "IsDeleted" in fields or name == "user"
    assert axis_of(stream) == ("CreatedDate" if name.endswith("_history") else "SystemModstamp")


def test_how_deletes_are_noticed() -> None:
    by_way = {way: {name for name in STREAMS if STREAMS[name].finds_deletes == way} for way in ("keys", "never")}
    assert by_way == {
        "keys": {"campaign_member", "opportunity_contact_role"},
        "never": {"lead_history", "opportunity_history"},
    }


def test_late_rows_are_looked_back_for() -> None:
    assert all(each.lookback + each.hold_back >= timedelta(minutes=8) for each in STREAMS.values())


def test_the_readme_lists_the_streams_with_object_and_cursor() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \|", README, re.MULTILINE)
    assert rows == [(each.name, each.path, axis_of(each)) for each in STREAMS.values()]


def test_the_readme_names_every_setting_and_default() -> None:
    used = set(re.findall(r'credentials(?:\.get\(|, )[\'"](\w+)[\'"]', _source()))
    assert used == {
        "login_url",
        "client_id",
        "client_secret",
        "username",
        "private_key",
        "audience",
        "api_version",
        "bulk_threshold",
        "calculated_skip",
    }
    assert all(f"`{key}`" in README for key in {*used, "api_reserve"})
    for default in (salesforce.API_VERSION, salesforce.BULK_THRESHOLD, RESERVE):
        assert f"default {default}" in README


def test_what_the_package_exports() -> None:
    assert salesforce.__all__ == ["API_VERSION", "STREAMS", "connect"]


def test_declarations_load_without_http() -> None:
    code = "import sys, connectors.salesforce.streams; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "connectors.salesforce.streams" in loaded
    assert not {"requests", "tenacity", "authlib", "joserfc", "cryptography"} & set(loaded)


def _source() -> str:
    folder = Path(salesforce.__file__).parent
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
