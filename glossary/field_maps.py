"""Reader of field maps: which path of a vendor's record fills which staging column, as which type.

    account: null                       # portal id or instance address for deep links
    home_currency: null                 # of amounts that come without a currency
    streams:
      contacts:
        url: https://.../{account}/record/0-1/{id}
        maps:
          person:                       # name of the map; the entity, unless `entity:` says another
            fields:
              email: {path: properties.email, type: email}
              same_as:                  # a list column takes several lines
                - {path: properties.salesforceleadid, type: id, ref: "salesforce:lead"}

A line of a user's own file replaces the shipped line of the same target, and a new custom field is one line:
`custom.favourite_colour: {path: properties.favourite_colour, type: text}`.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from glossary.model import FIELD_TYPES, EntityMap, FieldMap, FieldSpec, StreamMap, Vocabulary
from glossary.nodes import Node, Problems
from glossary.reader import Reader

CUSTOM = "custom."
COUNTRY_LETTERS = 2
CURRENCY_LETTERS = 3
FILLED_BY_NORMALISE = frozenset(
    {
        "source_id",
        "source_key",
        "source_system",
        "source_stream",
        "source_record_id",
        "source_url",
        "version_at",
        "is_deleted",
        "deleted_at",
        "merged_into_source_id",
        "load_id",
        "custom",
    }
)
"""Columns that no field map may fill."""


class Known(NamedTuple):
    """What names in a field map are compared with; None: not checked."""

    vocabularies: Mapping[str, Vocabulary]
    vendors: frozenset[str]
    columns: Mapping[str, Collection[str]] | None
    functions: Mapping[str, Collection[str]] | None

    def names(self, kind: str) -> Collection[str] | None:
        """Registered functions of one kind."""
        return None if self.functions is None else self.functions.get(kind, ())


def read_field_map(vendor: str, root: Node, known: Known, problems: Problems) -> FieldMap:
    """Read and check one vendor's map."""
    reader = Reader(root, f"the field map of {vendor}", problems)
    country = reader.text("default_country")
    if country is not None and (len(country) != COUNTRY_LETTERS or not country.isupper()):
        problems.add(
            root.get("default_country") or root, f"`{country}` is no country code.", "Use two capitals, as BR."
        )
    account, day_first = reader.text("account"), reader.flag("day_first", default=True)
    home_currency = reader.text("home_currency")
    if home_currency is not None and (len(home_currency) != CURRENCY_LETTERS or not home_currency.isupper()):
        node = root.get("home_currency") or root
        problems.add(node, f"`{home_currency}` is not a currency code.", "Use three capital letters (ISO 4217).")
    section = reader.child("streams", required=True)
    reader.done()
    streams: dict[str, StreamMap] = {}
    for name, node in section.items() if section else ():
        inner = Reader(node, f"the stream `{name}` of {vendor}", problems)
        url, maps = inner.text("url"), inner.child("maps", required=True)
        inner.done()
        entries = list(maps.items()) if maps else []
        streams[name] = StreamMap(name, tuple(_entity_map(m, n, known, problems) for m, n in entries), url)
    _check_refs(vendor, section, streams, known, problems)
    return FieldMap(vendor, streams, account, country, home_currency, day_first=day_first)


def _entity_map(name: str, node: Node, known: Known, problems: Problems) -> EntityMap:
    reader = Reader(node, f"the map `{name}`", problems)
    entity = reader.text("entity", among=known.columns) or name
    columns: Collection[str] | None = None
    if known.columns is not None:
        columns = known.columns.get(entity)
        if columns is None and reader.text("entity") is None:
            choices = ", ".join(sorted(known.columns))
            problems.add(node, f"`{name}` is no staging entity.", f"Add `entity:` with one of: {choices}.")
    rows = reader.text("rows", among=known.names("rows"))
    part = reader.text("part")
    needs = reader.texts("needs")
    when: str | None = None
    when_paths: tuple[str, ...] = ()
    if (condition := reader.child("when")) is not None:
        judge = Reader(condition, f"`when` of the map `{name}`", problems)
        when = judge.text("predicate", required=True, among=known.names("when"))
        when_paths = judge.texts("paths")
        judge.done()
    fields = reader.child("fields", required=True)
    reader.done()
    specs: list[FieldSpec] = []
    for target, line in fields.items() if fields else ():
        _check_target(target, line, entity, columns, problems)
        lines = line.value if isinstance(line.value, list) else [line]
        specs.extend(_spec(target, item, known, problems) for item in lines)
    for column in needs:
        if column not in {s.target for s in specs}:
            problems.add(
                node, f"`needs` of the map `{name}` names `{column}`, which it does not fill.", "Add the field."
            )
    return EntityMap(name, entity, tuple(specs), part, rows, when, when_paths, needs)


def _check_target(target: str, line: Node, entity: str, columns: Collection[str] | None, problems: Problems) -> None:
    if target in FILLED_BY_NORMALISE:
        problems.add(line, f"`{target}` is filled for every row by itself.", "Remove the line.")
    elif columns is not None:
        column = "custom" if target.startswith(CUSTOM) else target
        if column not in columns:
            choices = ", ".join(sorted(set(columns) - FILLED_BY_NORMALISE))
            problems.add(line, f"The entity `{entity}` has no column `{column}`.", f"Columns: {choices}.")


def _spec(target: str, node: Node, known: Known, problems: Problems) -> FieldSpec:
    what = f"the field `{target}`"
    reader = Reader(node, what, problems)
    const = reader.child("const")
    path, paths = reader.text("path"), reader.texts("paths")
    spec = FieldSpec(
        target=target,
        type=reader.text("type", required=const is None, among=FIELD_TYPES) or "text",
        paths=(path,) if path else paths,
        const=const.plain() if const else None,
        vocabulary=reader.text("vocabulary", among=known.vocabularies),
        ref=reader.text("ref"),
        separator=reader.text("separator"),
        function=reader.text("function", among=known.names("function")),
        parameter=reader.text("parameter"),
        is_required=reader.flag("required"),
    )
    reader.done()
    if sum((path is not None, bool(paths), const is not None)) != 1:
        problems.add(node, f"{what} needs exactly one of path, paths, const.", "Say where its value comes from.")
    if paths and spec.function is None:
        problems.add(
            node, f"{what} has several paths and no function.", "Name the function that makes one value of them."
        )
    if spec.vocabulary and spec.type != "text":
        problems.add(node, f"{what} has a vocabulary and the type {spec.type}.", "Words are of type text.")
    if spec.ref and spec.type != "id":
        problems.add(node, f"{what} has a ref and the type {spec.type}.", "References are of type id.")
    return spec


def _check_refs(
    vendor: str, section: Node | None, streams: Mapping[str, StreamMap], known: Known, problems: Problems
) -> None:
    """References of a vendor to itself must name a stream that it has, references elsewhere a vendor that is known."""
    for stream in streams.values():
        for spec in (s for m in stream.maps for s in m.fields if s.ref):
            other, _, name = str(spec.ref).rpartition(":")
            node = (section and section.get(stream.stream)) or Node({}, vendor, 1)
            if other and other not in known.vendors:
                problems.add(node, f"`ref: {spec.ref}` names the unknown vendor {other}.", "Add its field map first.")
            elif not other and name not in streams:
                problems.add(
                    node, f"`ref: {spec.ref}` names no stream of {vendor}.", f"Streams: {', '.join(sorted(streams))}."
                )
