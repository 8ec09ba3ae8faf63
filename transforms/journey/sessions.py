"""Page views of one visit to a website are one session: its first view is the touch, and its origin is that of all of them.

A session ends after 30 minutes without a view, or where the visitor comes back from elsewhere: by another campaign, ad or outside
referrer than the one that brought them (HubSpot's definition; Google Analytics knows the first rule alone). Views are those that
one system tells of one person.
"""

from transforms.work import Work

PAUSE = "30 minutes"
"""Without a view for longer than this a session is over (HubSpot and Google Analytics 4 alike)."""

# What brought somebody is what the last view that says so says; a view without any word of it goes on in the session.
_PAGE_VIEW = f"""
WITH view AS (
  SELECT person_id, source_system, source_id, occurred_at,
    nullif(concat_ws('|', utm_source, utm_medium, utm_campaign, click_id, referrer_host), '||||') AS origin
  FROM pg_temp.person_touch WHERE touch_type = 'page_visit' AND NOT is_machine
), paused AS (
  SELECT v.*, occurred_at - lag(occurred_at) OVER one > interval '{PAUSE}' AS is_after_pause
  FROM view AS v WINDOW one AS (PARTITION BY person_id, source_system ORDER BY occurred_at, source_id COLLATE "C")
), stretch AS (
  SELECT p.*, count(*) FILTER (WHERE is_after_pause) OVER one AS stretch
  FROM paused AS p WINDOW one AS (PARTITION BY person_id, source_system ORDER BY occurred_at, source_id COLLATE "C")
), told AS (
  SELECT s.*, count(origin) OVER (one ORDER BY occurred_at, source_id COLLATE "C") AS told
  FROM stretch AS s WINDOW one AS (PARTITION BY person_id, source_system, stretch)
), brought AS (
  SELECT t.*, max(origin) OVER (PARTITION BY person_id, source_system, stretch, told) AS brought_by FROM told AS t
), session AS (
  SELECT b.*, count(*) FILTER (WHERE comes_back) OVER (one ORDER BY occurred_at, source_id COLLATE "C") AS session
  FROM (
    SELECT b.*, origin IS NOT NULL AND lag(source_id) OVER one IS NOT NULL AND origin IS DISTINCT FROM lag(brought_by) OVER one
      AS comes_back
    FROM brought AS b
    WINDOW one AS (PARTITION BY person_id, source_system, stretch ORDER BY occurred_at, source_id COLLATE "C")
  ) AS b WINDOW one AS (PARTITION BY person_id, source_system, stretch)
)
SELECT person_id, source_id,
  first_value(source_id) OVER (one ORDER BY occurred_at, source_id COLLATE "C") AS entrance_id, count(*) OVER one AS page_views
FROM session WINDOW one AS (PARTITION BY person_id, source_system, stretch, session)
"""


def find_sessions(work: Work) -> None:
    """Make `page_view` (person_id, source_id, entrance_id, page_views) from the views in `person_touch`.

    entrance_id: source_id of the session's first view. page_views: how many it has.
    """
    work.temp("page_view", _PAGE_VIEW, index="person_id, source_id")
