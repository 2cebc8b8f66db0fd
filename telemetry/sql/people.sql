-- SPDX-License-Identifier: Apache-2.0

-- name: delete_user_map
-- Forget which devices a person used.
DELETE FROM device_user_map WHERE user_id = %(user_id)s;

-- name: delete_user
-- Forget a person; a row comes back if there was one.
DELETE FROM users WHERE user_id = %(user_id)s RETURNING user_id;

-- name: forget_reporter
-- Take a person out of the reports of their devices.
UPDATE telemetry_reports SET user_id = NULL WHERE user_id = %(user_id)s;

-- name: state_people
-- State what people are called; what a field leaves empty stays. One row for each that changed.
INSERT INTO users AS u (user_id, display_name, upn, department)
SELECT user_id, display_name, upn, department
FROM unnest(
    %(user_ids)s::text[], %(display_names)s::text[], %(upns)s::text[], %(departments)s::text[]
) AS given (user_id, display_name, upn, department)
ON CONFLICT (user_id) DO UPDATE SET
    display_name = coalesce(nullif(excluded.display_name, ''), u.display_name),
    upn = coalesce(nullif(excluded.upn, ''), u.upn),
    department = coalesce(nullif(excluded.department, ''), u.department)
WHERE (coalesce(nullif(excluded.display_name, ''), u.display_name),
    coalesce(nullif(excluded.upn, ''), u.upn),
    coalesce(nullif(excluded.department, ''), u.department))
    IS DISTINCT FROM (u.display_name, u.upn, u.department)
RETURNING 1 AS stated;
