-- SPDX-License-Identifier: Apache-2.0
-- Login attempts are kept for the throttle's window alone and found by time.
DROP INDEX login_attempts_recent;
CREATE INDEX login_attempts_by_time ON login_attempts (occurred_at);

-- All incidents of an episode, solved ones too: late reports look for the one they belong to.
CREATE INDEX incidents_by_episode ON incidents (device_id, episode_key, opened_at DESC);
