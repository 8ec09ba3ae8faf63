"""One real event that two systems tell of is one event.

Rule: the tellings of one person and kind are put in order; those that follow each other within the allowed gap form a
burst. In a burst, the first telling of each system is the same event, the second of each is the next, and so on: systems
may miss events, but none tells one event twice. So three systems that tell of one call leave one call, and two calls ten
minutes apart in one system stay two, whatever another system says in between.
"""


def tell_once(source: str, kind: str, gap: str, keep: str) -> str:
    """SQL that adds to the rows of `source` what is needed to keep each real event once.

    Args:
        source: name of a relation with person_id, event_id, occurred_at, source_system, source_id.
        kind: expression for what can be the same (type of engagement, stage).
        gap: longest interval between tellings of one event, as SQL interval text.
        keep: order expression; the first telling of an event is kept.

    Returns:
        A query with the columns of `source`, `is_kept`, and `also_source_ids` (the other tellings, on the one kept).
    """
    order = 'occurred_at, source_system, source_id COLLATE "C"'
    return f"""
SELECT t.*, row_number() OVER one = 1 AS is_kept,
  nullif(array_remove(array_agg(source_id) OVER (
    one ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), source_id), '{{{{}}}}') AS also_source_ids
FROM (
  SELECT b.*, row_number() OVER (PARTITION BY person_id, {kind}, burst, source_system ORDER BY {order}) AS telling
  FROM (
    SELECT g.*, count(*) FILTER (WHERE begins) OVER (PARTITION BY person_id, {kind} ORDER BY {order}) AS burst
    FROM (
      SELECT s.*, coalesce(occurred_at - lag(occurred_at) OVER (PARTITION BY person_id, {kind} ORDER BY {order})
        > interval '{gap}', true) AS begins
      FROM {source} AS s
    ) AS g
  ) AS b
) AS t
WINDOW one AS (PARTITION BY person_id, {kind}, burst, telling ORDER BY {keep})"""
