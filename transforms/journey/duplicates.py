"""One real event that two systems tell of is one event.

Rule: the tellings of one person and kind are put in order; those that follow each other within the allowed gap form a
burst. In a burst, the system with most tellings knows most; those of each other system, in their order, are the same events
as so many of its tellings in a row, namely those that they are nearest to in sum. So systems may miss events, but none tells
one event twice: three systems that tell of one call leave one call; of two calls ten minutes apart in one system, the one
that another system tells of is the nearer; and where each tells of two, the first is the first.
"""


def tell_once(source: str, kind: str, gap: str, keep: str) -> str:
    """SQL that adds to the rows of `source` what is needed to keep each real event once.

    Args:
        source: name of a relation with person_id, event_id, occurred_at, source_system, source_id.
        kind: column that says what can be the same (type of engagement, stage).
        gap: longest interval between tellings of one event, as SQL interval text.
        keep: order expression; the first telling of an event is kept.

    Returns:
        A query with the columns of `source`, `is_kept`, and `also_source_ids` (the other tellings, on the one kept).
    """
    order = 'occurred_at, source_system, source_id COLLATE "C"'
    return f"""
WITH burst AS (
  SELECT g.*, count(*) FILTER (WHERE begins) OVER (PARTITION BY person_id, {kind} ORDER BY {order}) AS burst
  FROM (
    SELECT s.*, coalesce(occurred_at - lag(occurred_at) OVER (PARTITION BY person_id, {kind} ORDER BY {order})
      > interval '{gap}', true) AS begins
    FROM {source} AS s
  ) AS g
), telling AS (
  SELECT b.*, row_number() OVER (PARTITION BY person_id, {kind}, burst, source_system ORDER BY {order}) AS telling,
    count(*) OVER (PARTITION BY person_id, {kind}, burst, source_system) AS tellings
  FROM burst AS b
), ranked AS (
  SELECT t.*, first_value(source_system) OVER most AS fullest, first_value(tellings) OVER most AS events
  FROM telling AS t
  WINDOW most AS (PARTITION BY person_id, {kind}, burst ORDER BY tellings DESC, source_system)
), shift AS (
  SELECT DISTINCT ON (person_id, {kind}, burst, source_system) person_id, {kind}, burst, source_system, shift
  FROM (
    SELECT r.person_id, r.{kind}, r.burst, r.source_system, f.telling - r.telling AS shift,
      sum(greatest(r.occurred_at - f.occurred_at, f.occurred_at - r.occurred_at)) AS distance
    FROM ranked AS r JOIN ranked AS f
      ON f.person_id = r.person_id AND f.{kind} = r.{kind} AND f.burst = r.burst AND f.source_system = r.fullest
    WHERE r.tellings < r.events AND f.telling - r.telling BETWEEN 0 AND r.events - r.tellings
    GROUP BY 1, 2, 3, 4, 5
  ) AS laid
  ORDER BY person_id, {kind}, burst, source_system, distance, shift
)
SELECT t.*, row_number() OVER one = 1 AS is_kept,
  nullif(array_remove(array_agg(source_id) OVER (
    one ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), source_id), '{{{{}}}}') AS also_source_ids
FROM (
  SELECT r.*, r.telling + coalesce(s.shift, 0) AS event_number
  FROM ranked AS r LEFT JOIN shift AS s
    ON s.person_id = r.person_id AND s.{kind} = r.{kind} AND s.burst = r.burst AND s.source_system = r.source_system
) AS t
WINDOW one AS (PARTITION BY person_id, {kind}, burst, event_number ORDER BY {keep})"""
