-- SPDX-License-Identifier: Apache-2.0

-- name: find_cohorts
-- The cohort of each of some devices, and cohorts of their kinds that are no longer shared.
SELECT device_id, cohort, fallen FROM device_cohorts WHERE device_id = ANY (%(device_ids)s);

-- name: forget_cohorts
-- Drops what was learnt of cohorts.
DELETE FROM detector_cohorts WHERE cohort = ANY (%(cohorts)s);
