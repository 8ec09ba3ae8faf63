"""The channel of each touch, by the glossary's numbered rules, and the lead source that it means.

The first rule that fires gives the channel and its number. Where a touch has no web evidence at all (no UTM value, ad click
id or outside referrer), the rules can only say direct; the channel is then that of the touch's campaign, or that of the
lead source which the vendor gives, with rule 0. The lead source is the vendor's where it is a glossary term, else the
one that the channel means.
"""

from collections.abc import Mapping

from transforms.work import Work, quoted

FIELDS = ("utm_source", "utm_medium", "utm_campaign", "click_id", "referrer_host", "touch_type")
"""What rules may look at: trimmed text, empty where missing."""


def host(column: str) -> str:
    """SQL for the host of a URL, lower case, www included; null where there is no URL.

    String functions: regular expressions cost ten times as much, and this runs on every touch.
    """
    rest = f"split_part({column}, '//', 1 + (strpos({column}, '//') > 0)::int)"
    return f"lower(split_part(split_part(split_part(split_part({rest}, '/', 1), '?', 1), '#', 1), ':', 1))"


EVIDENCE = """
  coalesce(trim(t.utm_source), '') AS utm_source, coalesce(trim(t.utm_medium), '') AS utm_medium,
  coalesce(trim(t.utm_campaign), '') AS utm_campaign, coalesce(trim(t.click_id), '') AS click_id,
  CASE WHEN t.came_from IS NULL OR concat('www.', t.came_from) = t.page_host OR t.came_from = concat('www.', t.page_host)
    OR t.came_from = t.page_host THEN '' WHEN left(t.came_from, 4) = 'www.' THEN substr(t.came_from, 5) ELSE t.came_from END
    AS referrer_host"""
"""Columns that rules look at, of a touch `t` with the hosts of its referrer (`came_from`) and page (`page_host`).

A referrer on the page's own host says nothing.
"""

# Rules are tried once for each combination that occurs, not for each touch.
_RULED = """
SELECT r.*, {channel} AS channel, concat(utm_source, utm_medium, utm_campaign, click_id, referrer_host) <> '' AS has_evidence
FROM (SELECT {fields}, {rule} AS rule FROM (SELECT DISTINCT {fields} FROM pg_temp.person_touch) AS s) AS r
"""
_TOUCH_CHANNEL = """
WITH found AS (
  SELECT s.person_id, s.source_id, s.lead_source, x.lead_source AS known_source, c.rule, c.channel,
    CASE WHEN c.has_evidence OR s.touch_type LIKE 'email%' THEN NULL
      WHEN k.channel IS NOT NULL AND k.channel <> 'unmapped' THEN k.channel
      WHEN x.lead_source IS NOT NULL THEN coalesce(x.channel, {otherwise})
      WHEN s.touch_type = 'campaign_response' THEN {otherwise} END AS told
  FROM pg_temp.person_touch AS s JOIN pg_temp.channel_seen AS c USING ({fields})
  LEFT JOIN pg_temp.setting_source AS x ON x.lead_source = s.lead_source
  LEFT JOIN {core.campaign} AS k ON k.campaign_id = s.campaign_source_id
)
SELECT f.person_id, f.source_id, coalesce(f.told, f.channel) AS channel,
  CASE WHEN f.told IS NULL THEN f.rule ELSE 0 END AS channel_rule,
  coalesce(f.known_source, m.lead_source, f.lead_source) AS lead_source
FROM found AS f LEFT JOIN pg_temp.setting_channel AS m ON m.channel = coalesce(f.told, f.channel)
"""


def find_channels(work: Work) -> None:
    """Make `touch_channel` (person_id, source_id, channel, channel_rule, lead_source) from `person_touch`."""
    model = work.settings.channel_model
    fired = " ".join(f"WHEN {' OR '.join(map(_holds, rule.when))} THEN {rule.number}" for rule in model.rules)
    named = " ".join(f"WHEN {rule.number} THEN {quoted(rule.term)}" for rule in model.rules)
    otherwise = quoted(model.otherwise)
    fields = ", ".join(FIELDS)
    work.temp(
        "channel_seen",
        _RULED,
        fields=fields,
        rule=f"CASE {fired} END",
        channel=f"CASE rule {named} ELSE {otherwise} END",
    )
    work.temp("touch_channel", _TOUCH_CHANNEL, index="person_id, source_id", fields=fields, otherwise=otherwise)


def _holds(conditions: Mapping[str, str]) -> str:
    """SQL for one set of conditions: each a regular expression that is searched, ignoring case."""
    return f"({' AND '.join(f'{name} ~* {quoted(pattern)}' for name, pattern in conditions.items())})"
