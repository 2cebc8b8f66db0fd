-- SPDX-License-Identifier: Apache-2.0

-- name: find_case
-- The device of an incident.
SELECT device_id FROM incidents WHERE incident_id = %(incident_id)s;
