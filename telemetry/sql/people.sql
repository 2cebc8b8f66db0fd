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
