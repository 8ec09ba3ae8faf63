"""Small checked reads of Nodes: each says what it expects, and notes a problem with line and remedy where it finds else."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from glossary.nodes import Node, Problems


class Reader:
    """Reads one map of a file, key by key, and in the end reports the keys that nobody asked for."""

    def __init__(self, node: Node, what: str, problems: Problems) -> None:
        self.node = node
        self.what = what
        self.problems = problems
        self.asked: set[str] = set()
        if not isinstance(node.value, dict):
            problems.add(node, f"{what} must be a map.", "Write `key: value` lines below it.")

    def child(self, key: str, *, required: bool = False) -> Node | None:
        """The node under `key`; null counts as absent."""
        self.asked.add(key)
        node = self.node.get(key)
        if node is None or node.value is None:
            if required and isinstance(self.node.value, dict):
                self.problems.add(self.node, f"{self.what} lacks `{key}`.", f"Add a line `{key}: ...`.")
            return None
        return node

    def text(self, key: str, *, required: bool = False, among: Collection[str] | None = None) -> str | None:
        """A text; `among`: the values that are allowed."""
        node = self.child(key, required=required)
        if node is None:
            return None
        if not isinstance(node.value, str) or not node.value.strip():
            self.problems.add(node, f"`{key}` of {self.what} must be a text.", "Put it in quotes.")
            return None
        if among is not None and node.value not in among:
            self.problems.add(
                node, f"`{key}: {node.value}` of {self.what} is unknown.", f"Use one of: {', '.join(sorted(among))}."
            )
            return None
        return node.value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        node = self.child(key)
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else [node]
        if any(not isinstance(item.value, str) for item in items):
            self.problems.add(
                node, f"`{key}` of {self.what} must be a list of texts.", "Write [a, b] with quotes where needed."
            )
            return ()
        return tuple(item.value for item in items)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        node = self.child(key)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.problems.add(
                node, f"`{key}` of {self.what} must be true or false.", "Write true or false without quotes."
            )
            return default
        return node.value

    def number(self, key: str) -> int | None:
        """A whole number."""
        node = self.child(key)
        if node is None:
            return None
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            self.problems.add(node, f"`{key}` of {self.what} must be a whole number.", "Write it without quotes.")
            return None
        return node.value

    def shares(self, key: str) -> dict[str, Decimal]:
        """A map of names to exact shares."""
        node = self.child(key)
        found: dict[str, Decimal] = {}
        for name, item in node.items() if node else ():
            value = decimal(item)
            if value is None or value < 0:
                self.problems.add(item, f"`{name}` of {self.what} must be a share of 0 or more.", "Write it like 0.4.")
            else:
                found[name] = value
        return found

    def plain_map(self, key: str) -> dict[str, Any]:
        """Free settings under `key`."""
        node = self.child(key)
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self.problems.add(node, f"`{key}` of {self.what} must be a map.", "Write `key: value` lines below it.")
            return {}
        return dict(node.plain())

    def done(self) -> None:
        """Report keys that nobody asked for: most often a typing mistake."""
        for key, node in self.node.items():
            if key not in self.asked:
                self.problems.add(
                    node, f"{self.what} does not know the key `{key}`.", f"Known keys: {', '.join(sorted(self.asked))}."
                )


def decimal(node: Node) -> Decimal | None:
    """An exact, finite number; None for anything else."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | Decimal):
        return None
    value = Decimal(node.value)
    return value if value.is_finite() else None
