"""Channel models: ordered, numbered rules from UTM values, referrer and click id to a channel.

The rules are data so that the journey's SQL and this reference reading stay one: conditions are regular expressions in the
part of the syntax that Python and PostgreSQL share, searched ignoring case in the trimmed value ("" where it is missing).
`{name}` in a condition stands for the alternatives of a list under `sites`.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from glossary.model import ChannelModel, Rule, Term
from glossary.nodes import Node, Problems
from glossary.reader import Reader

CONDITION_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "click_id", "referrer_host", "touch_type")
"""What a rule may look at. `click_id` is `gclid=...`; `touch_type` the kind of touch, as in staging.touch.type."""
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_HOST = re.compile(r"[a-z0-9-]+([.][a-z0-9-]+)+", re.IGNORECASE)
# Look-arounds and \d-like classes differ between the two engines; rules must do without.
_NOT_SHARED = re.compile(r"\(\?|\\[a-zA-Z]|[*+?}]\+|\*\?|\+\?|\?\?")


def read_channel_models(
    root: Node, terms: Mapping[str, Mapping[str, Term]], problems: Problems
) -> dict[str, ChannelModel]:
    """The models of channels.yml, with site lists put in their places."""
    sites = {
        name: "|".join(re.escape(str(i.value)).replace("\\-", "-") for i in node.value)
        for name, node in _lists(root, problems)
    }
    section = root.get("models")
    models: dict[str, ChannelModel] = {}
    for name, node in section.items() if section else ():
        reader = Reader(node, f"the channel model `{name}`", problems)
        kind = reader.text("kind", required=True, among=terms) or ""
        known = terms.get(kind, {})
        otherwise = reader.text("otherwise", required=True, among=known) or ""
        rules = reader.child("rules", required=True)
        reader.done()
        items = rules.value if rules and isinstance(rules.value, list) else []
        read = tuple(_rule(item, known, sites, problems) for item in items)
        models[name] = ChannelModel(name, kind, read, otherwise)
        numbers = [rule.number for rule in read]
        if numbers != sorted(set(numbers)):
            problems.add(
                node, f"The rules of `{name}` are not numbered upwards.", "Number them in the order they are tried."
            )
    return models


def read_unwanted_referrals(root: Node, problems: Problems) -> tuple[str, ...]:
    """Hosts of channels.yml that say nothing of where somebody came from, lower case and without www."""
    node = root.get("unwanted_referrals")
    if node is None or node.value is None:
        return ()
    hosts = node.value if isinstance(node.value, list) else [node]
    for host in hosts:
        if not isinstance(host.value, str) or not _HOST.fullmatch(host.value):
            problems.add(
                host, f"`{host.plain()}` is no host.", "Write a list of hosts, as [shop.example, pay.example]."
            )
    return tuple(str(host.value).lower().removeprefix("www.") for host in hosts)


def _lists(root: Node, problems: Problems) -> list[tuple[str, Node]]:
    section = root.get("sites")
    found = list(section.items()) if section else []
    for name, node in found:
        if not isinstance(node.value, list):
            problems.add(node, f"`sites: {name}` must be a list.", "Write [google, bing].")
    return [(name, node) for name, node in found if isinstance(node.value, list)]


def _rule(node: Node, known: Mapping[str, Term], sites: Mapping[str, str], problems: Problems) -> Rule:
    reader = Reader(node, "the channel rule", problems)
    number = reader.number("number")
    term = reader.text("channel", required=True, among=known) or ""
    when = reader.child("when", required=True)
    reader.done()
    if number is None:
        problems.add(node, "A channel rule has no number.", "Give each rule its own number.")
    sets: list[dict[str, str]] = []
    for item in when.value if when and isinstance(when.value, list) else ():
        conditions = {}
        for field, pattern in item.items():
            if field not in CONDITION_FIELDS:
                problems.add(pattern, f"A rule cannot look at `{field}`.", f"Use: {', '.join(CONDITION_FIELDS)}.")
            conditions[field] = _pattern(pattern, sites, problems)
        sets.append(conditions)
    if not sets or not all(sets):
        problems.add(node, f"Rule {number} has no condition.", "Give `when` a list of maps, each with a condition.")
    return Rule(number or 0, term, tuple(sets))


def _pattern(node: Node, sites: Mapping[str, str], problems: Problems) -> str:
    text = str(node.value)
    for name in _PLACEHOLDER.findall(text):
        if name not in sites:
            problems.add(node, f"There is no site list `{name}`.", f"Lists: {', '.join(sorted(sites))}.")
    pattern = _PLACEHOLDER.sub(lambda m: f"({sites.get(m[1], m[1])})", text)
    shared = not _NOT_SHARED.search(text)
    try:
        re.compile(pattern)
    except re.error:
        shared = False
    if not shared:
        problems.add(
            node, f"`{text}` is not a regular expression that both engines read alike.", "Use ( ) | [ ] . * + ? ^ $."
        )
    return pattern


def classify(model: ChannelModel, touch: Mapping[str, str | None]) -> tuple[str, int | None]:
    """The channel of a touch and the number of the rule that fired; `otherwise` and None where none does.

    touch: values by the names of `CONDITION_FIELDS`; missing and null count as "".
    """
    for rule in model.rules:
        if any(all(re.search(p, (touch.get(f) or "").strip(), re.IGNORECASE) for f, p in c.items()) for c in rule.when):
            return rule.term, rule.number
    return model.otherwise, None


def referrer_host(referrer: str | None) -> str:
    """Host of a referrer, lower case and without www; "" where there is none."""
    text = (referrer or "").strip()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")
