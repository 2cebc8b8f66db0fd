-- SPDX-License-Identifier: Apache-2.0

-- name: count_workers
-- How many processes with a name of this beginning have done something on this database lately.
SELECT count(DISTINCT application_name) AS n_workers
FROM pg_stat_activity
WHERE datname = current_database()
  AND starts_with(application_name, %(prefix)s)
  AND state_change > clock_timestamp() - make_interval(secs => %(seconds)s);
