import re
from datetime import timedelta
from pathlib import Path

import connectors.hubspot
from connectors.hubspot.check import PROBES
from connectors.hubspot.streams import STREAMS

NAMES = [
    "owners",
    "pipelines",
    "forms",
    "campaigns",
    "contacts",
    "companies",
    "deals",
    "calls",
    "emails",
    "meetings",
    "tasks",
    "notes",
    "email_events",
    "form_submissions",
    "contact_history",
    "deal_history",
    "contact_to_company",
    "deal_to_contact",
    "deal_to_company",
    "call_to_contact",
    "email_to_contact",
    "meeting_to_contact",
    "task_to_contact",
    "note_to_contact",
    "call_to_deal",
    "email_to_deal",
    "meeting_to_deal",
    "task_to_deal",
    "note_to_deal",
]
README = (Path(connectors.hubspot.__file__).parent / "README.md").read_text()


def test_all_streams_are_declared() -> None:
    assert set(STREAMS) == set(NAMES)
    assert all(name == stream.name for name, stream in STREAMS.items())


def test_children_come_after_their_parents() -> None:
    for stream in STREAMS.values():
        if stream.parent:
            assert STREAMS[stream.parent].order < stream.order


def test_only_contacts_have_the_other_cursor() -> None:
    cursors = {name: stream.options["cursor"] for name, stream in STREAMS.items() if "cursor" in stream.options}
    assert {name for name, cursor in cursors.items() if cursor == "lastmodifieddate"} == {"contacts"}
    assert set(cursors.values()) == {"lastmodifieddate", "hs_lastmodifieddate"}


def test_lookback_covers_the_lag_of_search() -> None:
    searched = [stream for stream in STREAMS.values() if stream.options["reader"] == "objects"]
    assert len(searched) == 8
    assert all(stream.lookback > timedelta(hours=1) for stream in searched)
    assert all(stream.restorable_for == timedelta(days=90) for stream in searched)


def test_the_text_of_notes_is_not_asked_for() -> None:
    assert not [name for name in STREAMS["notes"].options["properties"] if "body" in name]  # type: ignore[attr-defined]


def test_readme_names_every_stream_and_scope() -> None:
    words = set(re.findall(r"`([^`]+)`", README))
    assert set(NAMES) <= words
    assert {probe.scopes for probe in PROBES} <= words
    assert {"access_token", "base_url", "search_per_second", "time_zone"} <= words
