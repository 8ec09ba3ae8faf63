from connectors.base.outcome import Outcome, outcome_of
from connectors.marketo.answers import OUTCOMES
from connectors.marketo.streams import STANDARD, STREAMS
from glossary import load


def test_streams_are_these() -> None:
    assert set(STREAMS) == {
        "leads", "activities", "programs", "activity_types", "lists", "campaigns", "emails", "landing_pages", "forms",
        "program_members", "list_members",
    }  # fmt: skip


def test_every_stream_has_a_map_and_every_map_a_stream() -> None:
    assert set(load().field_maps["marketo"].streams) == set(STREAMS)


def test_parents_are_read_before_their_children() -> None:
    for stream in STREAMS.values():
        if stream.parent:
            assert STREAMS[stream.parent].order < stream.order


def test_fields_of_the_maps_are_asked_for() -> None:
    """A path of the field map that is never asked for would be null for ever."""
    for name in ("leads", "program_members"):
        asked = STREAMS[name].options["fields"]
        assert isinstance(asked, tuple)
        maps = load().field_maps["marketo"].streams[name].maps
        paths = {path for entity in maps for spec in entity.fields for path in spec.paths}
        assert paths <= {*asked, "programId"}
        assert len(asked) == len(set(asked))
        assert not set(asked) & STANDARD


def test_errors_in_successes_are_what_the_table_says() -> None:
    assert outcome_of(200, "", OUTCOMES) is Outcome.OK
    assert outcome_of(200, "602", OUTCOMES) is Outcome.REFRESH
    assert outcome_of(200, "607", OUTCOMES) is Outcome.QUOTA
    assert outcome_of(200, "1234", OUTCOMES) is Outcome.FATAL
    assert outcome_of(404, "", OUTCOMES) is Outcome.MISSING
    assert outcome_of(502, "", OUTCOMES) is Outcome.RETRY
