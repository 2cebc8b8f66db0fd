-- SPDX-License-Identifier: Apache-2.0
-- A cohort that was forgotten and is shared again is another one: workers that remember the former
-- tell them apart, and do not write back what was forgotten.
ALTER TABLE detector_cohorts ADD COLUMN generation bigint GENERATED ALWAYS AS IDENTITY;
