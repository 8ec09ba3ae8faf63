"""The channel of each touch, by the glossary's numbered rules, and the lead source that it means; beside it what HubSpot says.

Two lists of rules are tried side by side: Google's default channel groups give the channel, HubSpot's traffic sources the
original source. The first rule that fires gives the word and its number. Where a touch has no web evidence at all (no UTM
value, ad click id or outside referrer), Google's rules can only say direct; the channel is then that of the touch's campaign,
or that of the lead source which the vendor gives, with rule 0. The lead source is the vendor's where it is a glossary term,
else the one that the channel means.
"""

from collections.abc import Mapping, Sequence

from glossary.model import ChannelModel
from transforms.work import Work, quoted

FIELDS = ("utm_source", "utm_medium", "utm_campaign", "click_id", "referrer_host", "touch_type")
"""What rules may look at: trimmed text, empty where missing."""


def host(column: str) -> str:
    """SQL for the host of a URL, lower case, www included; null where there is no URL.

    String functions: regular expressions cost ten times as much, and this runs on every touch.
    """
    rest = f"split_part({column}, '//', 1 + (strpos({column}, '//') > 0)::int)"
    return f"lower(split_part(split_part(split_part(split_part({rest}, '/', 1), '?', 1), '#', 1), ':', 1))"


_EVIDENCE = """
  coalesce(trim(t.utm_source), '') AS utm_source, coalesce(trim(t.utm_medium), '') AS utm_medium,
  coalesce(trim(t.utm_campaign), '') AS utm_campaign, coalesce(trim(t.click_id), '') AS click_id,
  CASE WHEN t.came_from IS NULL OR concat('www.', t.came_from) = t.page_host OR t.came_from = concat('www.', t.page_host)
    OR t.came_from = t.page_host{unwanted} THEN '' WHEN left(t.came_from, 4) = 'www.' THEN substr(t.came_from, 5) ELSE t.came_from END
    AS referrer_host"""


def evidence(unwanted_referrals: Sequence[str]) -> str:
    """Columns that rules look at, of a touch `t` with the hosts of its referrer (`came_from`) and page (`page_host`).

    A referrer on the page's own host or on an unwanted one says nothing.
    """
    hosts = "".join(f" OR concat('.', t.came_from) LIKE {quoted(f'%.{host}')}" for host in unwanted_referrals)
    return _EVIDENCE.format(unwanted=hosts)


# Rules are tried once for each combination that occurs, not for each touch; one list after the other, since PostgreSQL keeps
# only 32 expressions compiled.
_RULED = """
WITH seen AS (
  SELECT DISTINCT {fields} FROM pg_temp.person_touch
), by_channel AS MATERIALIZED (
  SELECT s.*, {channel_rule} AS channel_rule FROM seen AS s
), ruled AS (
  SELECT s.*, {original_source_rule} AS original_source_rule FROM by_channel AS s
)
SELECT r.*, {joined} AS joined, {channel} AS channel, {original_source} AS original_source,
  concat(utm_source, utm_medium, utm_campaign, click_id, referrer_host) <> '' AS has_evidence
FROM ruled AS r
"""
_TOUCH_CHANNEL = """
WITH found AS (
  SELECT s.*, x.lead_source AS known_source, c.channel, c.channel_rule, c.original_source, c.original_source_rule,
    CASE WHEN c.has_evidence OR s.touch_type LIKE 'email%' THEN NULL
      WHEN k.channel IS NOT NULL AND k.channel <> 'unmapped' THEN k.channel
      WHEN x.lead_source IS NOT NULL THEN coalesce(x.channel, {otherwise})
      WHEN s.touch_type = 'campaign_response' THEN {otherwise} END AS told
  FROM pg_temp.person_touch AS s JOIN pg_temp.channel_seen AS c ON {same}
  LEFT JOIN pg_temp.setting_source AS x ON x.lead_source = s.lead_source
  LEFT JOIN {core.campaign} AS k ON k.campaign_id = s.campaign_source_id
)
SELECT f.person_id, f.source_id, f.occurred_at, f.touch_type, f.is_machine, f.campaign_source_id, f.content_asset_source_id,
  f.source_system, f.source_stream, f.source_record_id, f.source_url, f.load_id, coalesce(f.told, f.channel) AS channel,
  CASE WHEN f.told IS NULL THEN f.channel_rule ELSE 0 END AS channel_rule, f.original_source, f.original_source_rule,
  coalesce(f.known_source, m.lead_source, f.lead_source) AS lead_source
FROM found AS f LEFT JOIN pg_temp.setting_channel AS m ON m.channel = coalesce(f.told, f.channel)
"""


def find_channels(work: Work) -> None:
    """Make `touch_channel`: `person_touch` with channel, channel_rule, original_source, original_source_rule and lead source."""
    settings = work.settings
    fields = ", ".join(FIELDS)
    # One column that tells combinations apart: the planner looks at columns one by one, and would sort all touches by six.
    joined = "concat_ws('|', {})".format
    of_touch = [f"s.{name}" for name in FIELDS]
    same = [f"c.joined = {joined(', '.join(of_touch))}", *(f"c.{name} = s.{name}" for name in FIELDS)]
    work.temp(
        "channel_seen",
        _RULED,
        fields=fields,
        joined=joined(fields),
        channel_rule=_fired(settings.channel_model),
        channel=_named(settings.channel_model, "channel_rule"),
        original_source_rule=_fired(settings.original_source_model),
        original_source=_named(settings.original_source_model, "original_source_rule"),
    )
    otherwise = quoted(settings.channel_model.otherwise)
    work.temp(
        "touch_channel", _TOUCH_CHANNEL, index="person_id, source_id", same=" AND ".join(same), otherwise=otherwise
    )


def _fired(model: ChannelModel) -> str:
    """SQL for the number of the first rule that fires."""
    cases = (f"WHEN {' OR '.join(map(_holds, rule.when))} THEN {rule.number}" for rule in model.rules)
    return f"CASE {' '.join(cases)} END"


def _named(model: ChannelModel, rule: str) -> str:
    """SQL for the word that the rule of that number gives. rule: column."""
    words = " ".join(f"WHEN {each.number} THEN {quoted(each.term)}" for each in model.rules)
    return f"CASE {rule} {words} ELSE {quoted(model.otherwise)} END"


_PLAIN = {"^$": "{} = ''", ".": "{} <> ''"}
"""Expressions that say what a comparison says at a fraction of the cost."""


def _holds(conditions: Mapping[str, str]) -> str:
    """SQL for one set of conditions: each a regular expression that is searched, ignoring case."""
    tests = (_PLAIN.get(pattern, f"{{}} ~* {quoted(pattern)}").format(name) for name, pattern in conditions.items())
    return f"({' AND '.join(tests)})"
