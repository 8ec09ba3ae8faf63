"""Load and check the glossary: the shipped files, then a user's overlay folder laid over them file by file.

Public names: `load`, `Glossary`. Everything that is wrong is gathered and raised as one ConfigurationError whose lines
each name file, line and remedy.
"""

import difflib
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from errors import ConfigurationError
from glossary.attribution import read_attribution
from glossary.channels import read_channel_models, read_unwanted_referrals
from glossary.field_maps import Known, read_field_map
from glossary.model import Attribution, ChannelModel, FieldMap, Money, Term, Vocabulary
from glossary.nodes import Node, Problems, canonical, overlaid, read_yaml
from glossary.publish import published_rows
from glossary.reader import Reader
from glossary.sections import read_money, read_terms, read_vocabularies

DATA = Path(__file__).parent / "data"
SHARED_FILES = (
    "terms",
    "funnel",
    "lead_sources",
    "channels",
    "outcomes",
    "records",
    "team",
    "sla",
    "goals",
    "attribution",
    "currency",
)
"""Files of shared words, in the order in which they are published."""


@dataclass(frozen=True)
class Glossary:
    """The words that both teams share, checked.

    terms: kind -> term -> Term, in the order of the files.
    vocabularies: name, as `funnel.hubspot`, -> Vocabulary.
    channel_models: `ga4`, `hubspot`.
    unwanted_referrals: hosts, sub-domains included, that say nothing of where somebody came from.
    field_maps: vendor -> FieldMap.
    version_id: SHA-256 of the canonical content, first 16 hex digits.
    """

    terms: Mapping[str, Mapping[str, Term]]
    vocabularies: Mapping[str, Vocabulary]
    channel_models: Mapping[str, ChannelModel]
    unwanted_referrals: tuple[str, ...]
    attribution: Attribution
    money: Money
    field_maps: Mapping[str, FieldMap]
    version_id: str

    @cached_property
    def funnel(self) -> tuple[Term, ...]:
        """Funnel stages in order; those beside the funnel (recycled, disqualified, churned) come last."""
        stages = self.terms["funnel_stage"].values()
        return tuple(sorted(stages, key=lambda t: (t.position is None, t.position or 0)))

    def published_rows(self) -> dict[str, list[dict[str, Any]]]:
        """Rows of glossary.term, glossary.mapping and glossary.currency_rate, keyed by table name."""
        return published_rows(self.terms, self.vocabularies, self.money, self.version_id)

    def nearest(self, vocabulary: str, word: str) -> str | None:
        """The term that an unknown word most likely means, by likeness to known words and terms; None if none is near."""
        known = self.vocabularies[vocabulary]
        candidates = dict(known.words)
        for term in self.terms.get(known.kind, {}).values():
            for text in (term.term.replace("_", " "), term.label, term.label_pt or ""):
                candidates.setdefault(text.casefold(), term.term)
        close = difflib.get_close_matches(word.strip().casefold(), [c for c in candidates if c], n=1, cutoff=0.6)
        return candidates[close[0]] if close else None


def load(
    overlay: Path | None = None,
    *,
    known_columns: Mapping[str, Collection[str]] | None = None,
    known_functions: Mapping[str, Collection[str]] | None = None,
) -> Glossary:
    """Read and check the glossary.

    Args:
        overlay: a user's folder with files of the same names (and `field_maps/<vendor>.yml`); a new vendor's map may be added.
        known_columns: staging entity -> its columns; field-map targets are checked against them when given.
        known_functions: `rows`, `function`, `when` -> registered names; checked when given.

    Returns:
        The glossary.

    Raises:
        ConfigurationError: with every problem, one per line, each naming file, line and remedy.
    """
    problems = Problems()
    if overlay is not None and not overlay.is_dir():
        raise ConfigurationError(
            f"The glossary folder {overlay} does not exist.", remedy="Create it, or clear the setting that names it."
        )
    roots = _roots(overlay, problems)
    shared = {name: roots[name] for name in SHARED_FILES}

    terms: dict[str, dict[str, Term]] = {}
    for root in shared.values():
        read_terms(root, terms, problems)
    vocabularies: dict[str, Vocabulary] = {}
    for root in shared.values():
        read_vocabularies(root, terms, vocabularies, problems)
    channel_models = read_channel_models(roots["channels"], terms, problems)
    unwanted = read_unwanted_referrals(roots["channels"], problems)
    attribution = read_attribution(roots["attribution"], terms, problems)
    money = read_money(roots["currency"], problems)
    _refuse_unknown_keys(shared, problems)

    maps = {name.removeprefix("field_maps/"): root for name, root in roots.items() if name.startswith("field_maps/")}
    known = Known(vocabularies, frozenset(maps), known_columns, known_functions)
    field_maps = {vendor: read_field_map(vendor, root, known, problems) for vendor, root in sorted(maps.items())}

    if problems.lines:
        count = len(problems.lines)
        raise ConfigurationError(
            f"The glossary has {count} problem{'s' if count > 1 else ''}:\n" + "\n".join(problems.lines) + "\n",
            remedy="Mend these lines and run `smarketing glossary check`.",
        )
    return Glossary(terms, vocabularies, channel_models, unwanted, attribution, money, field_maps, _version(roots))


def _roots(overlay: Path | None, problems: Problems) -> dict[str, Node]:
    """Name of each file (without .yml) -> its content with the overlay laid over it."""
    roots: dict[str, Node] = {}
    for path in sorted(DATA.rglob("*.yml")):
        name = path.relative_to(DATA).with_suffix("").as_posix()
        roots[name] = read_yaml(path, f"glossary/data/{name}.yml", problems)
    for path in sorted(p for p in overlay.rglob("*") if p.suffix in {".yml", ".yaml"}) if overlay else ():
        name = path.relative_to(overlay).with_suffix("").as_posix() if overlay else ""
        root = read_yaml(path, path.as_posix(), problems)
        if name in roots:
            roots[name] = overlaid(roots[name], root)
        elif name.startswith("field_maps/"):
            roots[name] = root
        else:
            problems.add(
                root,
                f"The glossary has no file `{name}.yml`.",
                f"Use one of: {', '.join(SHARED_FILES)}, field_maps/<vendor>.",
            )
    return roots


_TOP_KEYS: Mapping[str, tuple[str, ...]] = {
    "channels": ("models", "sites", "unwanted_referrals"),
    "attribution": ("models", "path"),
    "currency": ("reporting_currency", "reporting_time_zone", "rates"),
}


def _refuse_unknown_keys(shared: Mapping[str, Node], problems: Problems) -> None:
    for name, root in shared.items():
        reader = Reader(root, f"the file {name}.yml", problems)
        reader.asked.update(("kinds", "vocabularies", *_TOP_KEYS.get(name, ())))
        reader.done()


def _version(roots: Mapping[str, Node]) -> str:
    content = {name: canonical(root.plain()) for name, root in roots.items()}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
