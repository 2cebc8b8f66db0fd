-- SPDX-License-Identifier: Apache-2.0

-- name: count_query
-- Counts a query of a day.
INSERT INTO query_days (day, n_queries)
VALUES (%(day)s, 1)
ON CONFLICT (day) DO UPDATE
SET n_queries = query_days.n_queries + 1;

-- name: count_win
-- Counts a document's first place of a day.
INSERT INTO document_wins (document_id, day, n_first)
VALUES (%(document_id)s, %(day)s, 1)
ON CONFLICT (document_id, day) DO UPDATE
SET n_first = document_wins.n_first + 1;

-- name: count_queries
-- How many queries there were in the last days, and in those before them.
SELECT coalesce(sum(n_queries) FILTER (WHERE day <= %(split)s), 0)::bigint AS n_before,
       coalesce(sum(n_queries) FILTER (WHERE day > %(split)s), 0)::bigint AS n_now
FROM query_days
WHERE day > %(start)s AND day <= %(today)s;

-- name: list_wins
-- How often documents in force were first in the last days and in those before them, and whether
-- they were in the corpus all the while.
SELECT w.document_id,
       coalesce(sum(w.n_first) FILTER (WHERE w.day <= %(split)s), 0)::bigint AS n_before,
       coalesce(sum(w.n_first) FILTER (WHERE w.day > %(split)s), 0)::bigint AS n_now,
       (SELECT min(d.ingested_at) FROM documents AS d WHERE d.document_id = w.document_id)
           >= %(start)s::date + 1 AS is_young
FROM document_wins AS w
WHERE w.day > %(start)s AND w.day <= %(today)s
  AND EXISTS (SELECT 1 FROM documents AS d
              WHERE d.document_id = w.document_id AND d.retired_at IS NULL)
GROUP BY w.document_id
ORDER BY w.document_id;

-- name: delete_old_wins
-- Forgets the first places of days long past.
DELETE FROM document_wins
WHERE day <= %(oldest)s;

-- name: delete_old_days
-- Forgets the numbers of queries of days long past.
DELETE FROM query_days
WHERE day <= %(oldest)s;
