"""Reader of attribution models and of the path that they share."""

from decimal import Decimal

from glossary.model import Attribution, AttributionModel, AttributionPath, Term
from glossary.nodes import Node, Problems
from glossary.reader import Reader, decimal

PLACES = ("first", "lead", "opportunity", "customer", "last", "middle")
"""Places on a path: its first and last touch; the last before its first person became a lead, before the deal was created, and
before it was won; the others."""

ELIGIBLE = ("account", "roles", "primary")


def read_attribution(root: Node, terms: dict[str, dict[str, Term]], problems: Problems) -> Attribution:
    """Attribution models, each defined as a term, and the path."""
    section = root.get("models")
    models: dict[str, AttributionModel] = {}
    defined = terms.get("attribution_model", {})
    for name, node in section.items() if section else ():
        what = f"the attribution model `{name}`"
        reader = Reader(node, what, problems)
        model = AttributionModel(
            name,
            reader.shares("weights"),
            reader.texts("skip_channels"),
            is_even=reader.flag("is_even"),
            by_channel=reader.flag("by_channel"),
            half_life_days=_positive(reader, "half_life_days"),
        )
        reader.done()
        models[name] = model
        if name not in defined:
            problems.add(
                node, f"{what} has no definition.", "Define it under kinds: attribution_model in the same file."
            )
        _check_weights(model, what, node, problems)
        for channel in model.skip_channels:
            if channel not in terms.get("channel", {}):
                problems.add(node, f"{what} skips the unknown channel `{channel}`.", "Use a term of channels.yml.")
    for name in set(defined) - set(models):
        problems.add(root, f"The attribution model `{name}` has no weights.", "Add it under models.")
    return Attribution(models, _read_path(root, problems))


def _read_path(root: Node, problems: Problems) -> AttributionPath:
    node = root.get("path")
    if node is None or node.value is None:
        return AttributionPath()
    reader = Reader(node, "the path of attribution", problems)
    days = (_days(reader, "days_before_lead"), _days(reader, "days_before_opportunity"))
    path = AttributionPath(reader.text("eligible", among=ELIGIBLE) or ELIGIBLE[0], *days)
    reader.done()
    return path


def _days(reader: Reader, key: str) -> int | None:
    days = reader.number(key)
    if days is not None and days <= 0:
        reader.problems.add(reader.node, f"`{key}` of {reader.what} must be more than 0.", "Leave it out for no limit.")
        return None
    return days


def _positive(reader: Reader, key: str) -> Decimal | None:
    node = reader.child(key)
    if node is None:
        return None
    value = decimal(node)
    if value is None or value <= 0:
        reader.problems.add(node, f"`{key}` of {reader.what} must be a number above 0.", "Write it like 7.")
        return None
    return value


def _check_weights(model: AttributionModel, what: str, node: Node, problems: Problems) -> None:
    if sum((bool(model.weights), model.is_even, model.by_channel, model.half_life_days is not None)) != 1:
        ways = "weights, is_even: true, by_channel: true and half_life_days"
        problems.add(node, f"{what} needs one way to weigh touches.", f"Give one of {ways}.")
    if model.weights and sum(model.weights.values()) != Decimal(1):
        total = sum(model.weights.values())
        problems.add(node, f"The weights of {what} add up to {total}.", "Make them add up to 1.")
    if unknown := set(model.weights) - set(PLACES):
        problems.add(node, f"{what} weighs the unknown place `{min(unknown)}`.", f"Use: {', '.join(PLACES)}.")
