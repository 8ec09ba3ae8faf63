"""The glossary loads, publishes, takes an overlay, and reports everything that is wrong with file, line and remedy."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from errors import ConfigurationError
from glossary import UNMAPPED, Glossary, load
from transforms.normalize import KNOWN_COLUMNS, KNOWN_FUNCTIONS
from warehouse.tables import glossary as tables

FUNNEL = ["visitor", "subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer", "advocate"]
LEAD_SOURCES = [
    *("organic_search", "paid_search", "paid_social", "organic_social", "email", "referral", "partner", "event"),
    *("webinar", "display", "direct", "offline", "outbound", "list_import", "ai_assistant", "other"),
]

Write = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return load(known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS)


@pytest.fixture
def overlay(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load(folder, known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS)
    assert raised.value.remedy
    return raised.value.message.strip().splitlines()[1:]


def test_funnel_in_order_with_those_beside_it_last(glossary: Glossary) -> None:
    assert [t.term for t in glossary.funnel] == [*FUNNEL, "recycled", "disqualified", "churned"]
    assert all(t.criterion and t.owner_team and t.label_pt for t in glossary.funnel)


def test_lead_sources_are_the_canonical_ones(glossary: Glossary) -> None:
    assert list(glossary.terms["lead_source"]) == LEAD_SOURCES
    assert len(glossary.attribution.models) == 13


@pytest.mark.parametrize(
    ("vocabulary", "word", "term"),
    [
        ("funnel.hubspot", " MarketingQualifiedLead ", "mql"),
        ("funnel.hubspot", "prospecto", None),
        ("funnel.hubspot_lead_status", "CONNECTED", "sal"),
        ("funnel.hubspot_lead_status", "NEW", None),
        ("funnel.salesforce_lead_status", "Closed - Converted", "opportunity"),
        ("lead_source.salesforce", "trade show", "event"),
        ("lead_source.salesforce", "Feira local", None),
        ("lead_source.hubspot", "AI_REFERRALS", "ai_assistant"),
        ("deal_stage.salesforce", "Closed Won", "won"),
        ("loss_reason.tryton", "Price too high", "price"),
    ],
)
def test_lookup(glossary: Glossary, vocabulary: str, word: str, term: str | None) -> None:
    assert glossary.vocabularies[vocabulary].lookup(word) == term


def test_known_words_without_a_term_are_not_gaps(glossary: Glossary) -> None:
    statuses = glossary.vocabularies["funnel.hubspot_lead_status"]
    assert statuses.knows("new")
    assert not statuses.knows("prospecto")


def test_nearest_term_of_an_unknown_word(glossary: Glossary) -> None:
    assert glossary.nearest("lead_source.salesforce", "Trade shows") == "event"
    assert glossary.nearest("lead_source.salesforce", "zzzzzz") is None


def test_published_rows_have_the_tables_columns_and_unique_keys(glossary: Glossary) -> None:
    rows = glossary.published_rows()
    assert set(rows) == {"term", "mapping", "currency_rate"}
    for name, table in (("term", tables.term), ("mapping", tables.mapping), ("currency_rate", tables.currency_rate)):
        assert rows[name]
        keys = [c.name for c in table.primary_key]
        assert len({tuple(r[k] for k in keys) for r in rows[name]}) == len(rows[name])
        for row in rows[name]:
            assert set(row) == set(table.columns.keys())
            assert not [c.name for c in table.columns if not c.nullable and row[c.name] is None]
    assert UNMAPPED not in {r["term"] for r in rows["term"]}
    own = [r for r in rows["currency_rate"] if r["currency"] == "USD"]
    assert [(r["from_on"], r["rate"]) for r in own] == [(date(1970, 1, 1), Decimal(1))]


def test_version_follows_content_not_layout(overlay: Write, glossary: Glossary) -> None:
    assert len(glossary.version_id) == 16
    same = load(overlay("terms.yml", "# nothing\nkinds:\n  term: {}\n"))
    assert same.version_id == load().version_id == glossary.version_id
    other = load(overlay("funnel.yml", "vocabularies: {funnel.hubspot: {words: {prospecto: lead}}}"))
    assert other.version_id != glossary.version_id


def test_overlay_maps_a_word_and_adds_a_field_by_one_line_each(overlay: Write) -> None:
    overlay("funnel.yml", "vocabularies: {funnel.hubspot: {words: {prospecto: lead}}}")
    text = "streams: {contacts: {maps: {person: {fields: {custom.shoe: {path: properties.shoe, type: number}}}}}}"
    folder = overlay("field_maps/hubspot.yml", text)
    loaded = load(folder, known_columns=KNOWN_COLUMNS, known_functions=KNOWN_FUNCTIONS)
    assert loaded.vocabularies["funnel.hubspot"].lookup("Prospecto") == "lead"
    assert loaded.vocabularies["funnel.hubspot"].lookup("customer") == "customer"
    targets = [f.target for f in loaded.field_maps["hubspot"].streams["contacts"].maps[0].fields]
    assert "custom.shoe" in targets
    assert "email" in targets


def test_overlay_names_unwanted_referrals(overlay: Write, glossary: Glossary) -> None:
    assert glossary.unwanted_referrals == ()
    loaded = load(overlay("channels.yml", "unwanted_referrals: [Shop.example, www.pay.example]"))
    assert loaded.unwanted_referrals == ("shop.example", "pay.example")


def test_overlay_may_bring_a_new_vendor(overlay: Write) -> None:
    text = "streams: {leads: {maps: {person: {fields: {email: {path: mail, type: email}}}}}}"
    assert set(load(overlay("field_maps/pipes.yml", text)).field_maps) == {
        "hubspot",
        "marketo",
        "pipes",
        "salesforce",
        "tryton",
    }


MISTAKES: list[tuple[str, str, int, str]] = [
    ("channels.yml", "unwanted_referrals:\n  - shop.example\n  - https://pay.example/x\n", 3, "is no host"),
    ("channels.yml", "unwanted_referrals: localhost\n", 1, "is no host"),
    (
        "funnel.yml",
        "vocabularies:\n  funnel.hubspot:\n    words:\n      x: prospect\n",
        4,
        "unknown funnel_stage `prospect`",
    ),
    ("funnel.yml", "kinds:\n  funnel_stage:\n    lead:\n      owner_team: legal\n", 4, "`owner_team: legal`"),
    ("funnel.yml", "kinds:\n  funnel_stage:\n    warm:\n      label: Warm\n", 3, "lacks `definition`"),
    (
        "funnel.yml",
        "kinds:\n  funnel_stage:\n    unmapped: {label: a, label_pt: a, definition: a}\n",
        3,
        "cannot be a term",
    ),
    ("funnel.yml", "kinds:\n  funnel_stage:\n    lead:\n      colour: red\n", 4, "does not know the key `colour`"),
    ("funnel.yml", "stages: {}\n", 1, "does not know the key `stages`"),
    ("funnel.yml", "kinds: {}\nkinds: {}\n", 2, "stands twice"),
    (
        "funnel.yml",
        "vocabularies:\n  v:\n    kind: funnel_stage\n    words: {A: lead, a: mql}\n",
        4,
        "stands twice in `v`",
    ),
    ("funnel.yml", "kinds:\n  - [\n", 3, "not YAML"),
    ("sources.yml", "kinds: {}\n", 1, "has no file `sources.yml`"),
    ("attribution.yml", "models:\n  position:\n    weights: {first: 0.5}\n", 2, "add up to 1.1"),
    ("attribution.yml", "models:\n  linear:\n    weights: {first: 1}\n", 2, "needs one way to weigh touches"),
    ("attribution.yml", "models:\n  last_non_direct:\n    skip_channels: [nowhere]\n", 2, "unknown channel `nowhere`"),
    ("attribution.yml", "models:\n  time_decay:\n    half_life_days: 0\n", 3, "must be a number above 0"),
    ("attribution.yml", "path: {eligible: everybody}\n", 1, "eligible: everybody"),
    ("attribution.yml", "path: {days_before_lead: -1}\n", 1, "must be more than 0"),
    ("attribution.yml", "models:\n  position:\n    weights: {centre: 0}\n", 2, "unknown place `centre`"),
    ("attribution.yml", "models:\n  mine:\n    is_even: true\n", 2, "has no definition"),
    ("currency.yml", "reporting_time_zone: Mars/Base\n", 1, "`Mars/Base` is unknown"),
    ("currency.yml", "rates:\n  EUR:\n    2024-13-01: 1.0\n", 3, "is not a day"),
    ("currency.yml", "rates:\n  EUR:\n    '2024-01-01': -1\n", 3, "must be above 0"),
    ("currency.yml", "rates:\n  euro:\n    '2024-01-01': 1\n", 2, "is not a currency code"),
    (
        "channels.yml",
        "models:\n  ga4:\n    rules:\n      - {number: 1, channel: x, when: [{utm_medium: a}]}\n",
        4,
        "`channel: x`",
    ),
    (
        "channels.yml",
        "models:\n  ga4:\n    rules:\n      - {number: 1, channel: email, when: [{utm_medium: '(?i)a'}]}\n",
        4,
        "not a regular expression",
    ),
    (
        "channels.yml",
        "models:\n  ga4:\n    rules:\n      - {number: 1, channel: email, when: [{cookie: a}]}\n",
        4,
        "`cookie`",
    ),
    (
        "channels.yml",
        "models:\n  ga4:\n    rules:\n      - {number: 1, channel: email, when: []}\n",
        4,
        "has no condition",
    ),
]
_PERSON = "streams:\n  contacts:\n    maps:\n      person:\n        fields:\n"
_MAP_MISTAKES = [
    ("          shoe: {path: a, type: text}\n", "has no column `shoe`"),
    ("          load_id: {path: a, type: number}\n", "filled for every row by itself"),
    ("          city: {path: a, type: string}\n", "`type: string`"),
    ("          city: {type: text}\n", "exactly one of path, paths, const"),
    ("          city: {paths: [a, b], type: text}\n", "several paths and no function"),
    ("          city: {paths: [a], type: text, function: magic}\n", "`function: magic`"),
    ("          city: {path: a, type: text, vocabulary: nope}\n", "`vocabulary: nope`"),
    ("          city: {path: a, type: text, ref: companies}\n", "has a ref and the type text"),
    ("          account_source_id: {path: a, type: id, ref: firms}\n", "names no stream of hubspot"),
    ("          account_source_id: {path: a, type: id, ref: 'sap:firms'}\n", "unknown vendor sap"),
]


@pytest.mark.parametrize(("name", "text", "line", "message"), MISTAKES)
def test_a_mistake_is_reported_with_file_line_and_remedy(
    overlay: Write, name: str, text: str, line: int, message: str
) -> None:
    found = problems(overlay(name, text))
    path = f"{name}:{line}: "
    matching = [p for p in found if path in p and message in p]
    assert matching, found
    sentence = matching[0].split(message, 1)[1]
    assert ". " in sentence
    assert sentence.rstrip().endswith(".")


@pytest.mark.parametrize(("text", "message"), _MAP_MISTAKES)
def test_a_mistake_in_a_field_map(overlay: Write, text: str, message: str) -> None:
    found = problems(overlay("field_maps/hubspot.yml", _PERSON + text))
    assert [p for p in found if message in p and "field_maps/hubspot.yml:" in p], found


def test_all_problems_are_reported_at_once(overlay: Write) -> None:
    overlay("funnel.yml", "kinds: {funnel_stage: {lead: {owner_team: legal}}}")
    overlay("currency.yml", "reporting_time_zone: Mars/Base")
    found = problems(overlay("field_maps/hubspot.yml", _PERSON + _MAP_MISTAKES[0][0]))
    assert len(found) == 3


def test_a_missing_overlay_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        load(tmp_path / "nowhere")


def test_no_shipped_file_is_left_unread(glossary: Glossary) -> None:
    shipped = {p.stem for p in (Path(__file__).parents[3] / "glossary" / "data").glob("*.yml")}
    from glossary.loader import SHARED_FILES  # noqa: PLC0415 - only this test looks inside

    assert shipped == set(SHARED_FILES)
    kinds: Any = {k for k, group in glossary.terms.items() if group}
    assert {"term", "funnel_stage", "deal_stage", "lead_source", "channel", "sla", "goal", "attribution_model"} <= kinds


def test_every_vocabulary_is_used_by_a_field_map(glossary: Glossary) -> None:
    used = {
        f.vocabulary
        for field_map in glossary.field_maps.values()
        for stream in field_map.streams.values()
        for entity_map in stream.maps
        for f in entity_map.fields
    }
    assert set(glossary.vocabularies) - used == set()
