-- SPDX-License-Identifier: Apache-2.0
-- When episodes were recorded, by our clock: a queue of old reports must not make a new installation
-- look long watched.
ALTER TABLE device_episodes ADD COLUMN recorded_at timestamptz;
-- Of those from before all that is known is that their devices were enrolled.
UPDATE device_episodes AS e SET recorded_at = GREATEST(e.observed_at, d.enrolled_at)
FROM devices AS d WHERE d.device_id = e.device_id;
ALTER TABLE device_episodes ALTER COLUMN recorded_at SET NOT NULL;
