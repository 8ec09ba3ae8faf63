"""YAML read with its line numbers, and a user's overlay laid over the shipped files.

Every problem that the loader reports names file and line, so values travel as `Node`s until they are checked. Maps of an
overlay are merged by key; lists and single values replace what was shipped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import yaml

Value = Any

_NO_TAGS = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML value and where it stands. `value` is a dict of Nodes, a list of Nodes, or a plain value."""

    value: Value
    file: str
    line: int

    def plain(self) -> Any:
        """The value without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def get(self, key: str) -> "Node | None":
        """The node under `key` of a map; None where there is none."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Key and node of each entry of a map; nothing for other values."""
        return iter(self.value.items() if isinstance(self.value, dict) else ())


class Problems:
    """All that is wrong with a glossary, gathered so that a user mends it in one go."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, node: Node, message: str, remedy: str) -> None:
        """Note one problem: where, what, and what to do."""
        self.lines.append(f"{node.file}:{node.line}: {message} {remedy}")


# The parser in C is ten times as fast; the one in Python gives the same nodes where a platform has no other.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _ExactLoader(_Base):  # type: ignore[misc]
    """Fractions stay exact (weights and rates are money in the end), and vendor words such as No, On or 2024-01-01 text."""

    yaml_implicit_resolvers: ClassVar[Any] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NO_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _exact(loader: Any, node: yaml.ScalarNode) -> Decimal | float:
    text = str(loader.construct_scalar(node)).replace("_", "")
    try:
        return Decimal(text)
    except ArithmeticError:  # .inf and .nan, which the checks then refuse
        return float("nan")


_ExactLoader.add_constructor("tag:yaml.org,2002:float", _exact)
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), ["t", "f"])


def read_yaml(path: Path, name: str, problems: Problems) -> Node:
    """Read one file as a tree of Nodes.

    Args:
        path: the file.
        name: how problems call it, e.g. `glossary/data/funnel.yml`.
        problems: unreadable YAML and keys that stand twice are noted here.

    Returns:
        The root; an empty map where the file is empty or cannot be read.
    """
    empty = Node({}, name, 1)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.add(
            empty, f"The file cannot be read ({type(error).__name__}).", "Save it as UTF-8 text that you may read."
        )
        return empty
    loader = _ExactLoader(text)
    try:
        root = loader.get_single_node()
        return empty if root is None else _node(loader, root, name, problems)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not readable"
        problems.add(Node({}, name, line), f"This is not YAML: {problem}.", "Mend the indentation or quoting there.")
        return empty
    finally:
        loader.dispose()


def _node(loader: _ExactLoader, source: yaml.Node, name: str, problems: Problems) -> Node:
    line = source.start_mark.line + 1
    if isinstance(source, yaml.MappingNode):
        entries: dict[str, Node] = {}
        for key_node, value_node in source.value:
            key = str(loader.construct_object(key_node, deep=True))
            if key in entries:
                where = Node(None, name, key_node.start_mark.line + 1)
                problems.add(where, f"The key `{key}` stands twice in one map.", "Keep one of the two.")
            inner = _node(loader, value_node, name, problems)
            # The line of the key is where a reader looks for it.
            entries[key] = Node(inner.value, name, key_node.start_mark.line + 1)
        return Node(entries, name, line)
    if isinstance(source, yaml.SequenceNode):
        return Node([_node(loader, item, name, problems) for item in source.value], name, line)
    value = loader.construct_object(source, deep=True)
    return Node(value, name, line)


def overlaid(base: Node, over: Node, *, is_leaf: bool = False) -> Node:
    """`over` laid on `base`: maps merged by key, everything else replaced; a line of a field map is replaced as a whole."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if key in merged and not is_leaf:
            merged[key] = overlaid(merged[key], node, is_leaf=key == "fields")
        else:
            merged[key] = node
    return Node(merged, over.file, over.line)


def canonical(value: Any) -> Any:
    """`value` in a form that encodes the same however the YAML was laid out."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value
