-- SPDX-License-Identifier: Apache-2.0
-- name: insert_job
-- Queue a signed job.
INSERT INTO jobs (
    job_id, proposal_id, device_id, kind, sequence, bundle_digest, approval_digest, envelope,
    status, created_at, expires_at
) VALUES (
    %(job_id)s, %(proposal_id)s, %(device_id)s, %(kind)s, %(sequence)s, %(bundle_digest)s,
    %(approval_digest)s, %(envelope)s, 'queued', %(created_at)s, %(expires_at)s
);

-- name: find_job_of_proposal
-- The job of a proposal by its kind, if it was made.
SELECT job_id FROM jobs WHERE proposal_id = %(proposal_id)s AND kind = %(kind)s;

-- name: find_job
-- One job.
SELECT job_id, proposal_id, device_id, kind, sequence, bundle_digest, approval_digest, envelope,
       status, leased_until, receipt, succeeded, created_at, expires_at, reported_at, verified_at,
       verification
FROM jobs WHERE job_id = %(job_id)s;

-- name: lock_job
-- One job, held until the transaction ends.
SELECT job_id, proposal_id, device_id, kind, sequence, bundle_digest, approval_digest, envelope,
       status, leased_until, receipt, succeeded, created_at, expires_at, reported_at, verified_at,
       verification
FROM jobs WHERE job_id = %(job_id)s FOR UPDATE;

-- name: list_jobs_of_proposal
-- All jobs of a proposal, in the order in which they were made.
SELECT job_id, proposal_id, device_id, kind, sequence, bundle_digest, approval_digest, envelope,
       status, leased_until, receipt, succeeded, created_at, expires_at, reported_at, verified_at,
       verification
FROM jobs WHERE proposal_id = %(proposal_id)s ORDER BY sequence;

-- name: next_sequence
-- Count a device's jobs up; holds the device until the transaction ends.
UPDATE devices SET job_sequence = job_sequence + 1 WHERE device_id = %(device_id)s
RETURNING job_sequence;

-- name: notify_device
-- Wake whoever waits for jobs of this device; a hint only.
SELECT pg_notify('eucora_jobs', %(device_id)s);

-- name: lock_device_queue
-- One lease at a time for each device.
SELECT pg_advisory_xact_lock(hashtextextended('jobs:' || %(device_id)s, 0));

-- name: lease_jobs
-- Hand out the next jobs in order; none while an earlier lease runs, none that the audit log has an
-- end of, and no fix in a freeze, of a closed incident or by a retired script: those expire.
UPDATE jobs SET status = 'leased', leased_until = %(leased_until)s
WHERE job_id IN (
    SELECT j.job_id FROM jobs j
    WHERE j.device_id = %(device_id)s AND j.status IN ('queued', 'leased')
      AND j.expires_at > %(now)s
      AND NOT EXISTS (
          SELECT 1 FROM jobs l WHERE l.device_id = %(device_id)s AND l.status = 'leased'
            AND l.leased_until > %(now)s)
      AND NOT EXISTS (
          SELECT 1 FROM audit_events a
          WHERE a.subject_kind = 'job' AND a.subject_id = j.job_id
            AND a.action IN ('job.reported', 'job.refused', 'job.expired'))
      AND (j.kind = 'rollback' OR NOT EXISTS (
          SELECT 1 FROM freeze_windows f
          WHERE f.starts_at <= %(now)s AND f.ends_at > %(now)s))
      AND (j.kind = 'rollback' OR NOT EXISTS (
          SELECT 1 FROM proposals p
          JOIN incidents i USING (incident_id)
          LEFT JOIN scripts s ON s.script_id = p.script_id AND s.version = p.script_version
          WHERE p.proposal_id = j.proposal_id
            AND (i.status = 'closed' OR s.status IS NULL OR s.status = 'retired')))
    ORDER BY j.sequence LIMIT %(limit)s
    FOR UPDATE)
RETURNING job_id, sequence, envelope, proposal_id, bundle_digest, approval_digest;

-- name: record_receipt
-- Keep a device's masked answer.
UPDATE jobs SET status = %(status)s, receipt = %(receipt)s, succeeded = %(succeeded)s,
       reported_at = %(now)s, leased_until = NULL
WHERE job_id = %(job_id)s;

-- name: record_verification
-- Keep what telemetry said of a job.
UPDATE jobs SET verified_at = %(now)s, verification = %(verification)s
WHERE job_id = %(job_id)s AND verified_at IS NULL;

-- name: expire_jobs
-- End jobs that were never fetched, or fetched long ago and never answered.
UPDATE jobs SET status = 'expired', leased_until = NULL
WHERE job_id IN (
    SELECT job_id FROM jobs
    WHERE status IN ('queued', 'leased') AND expires_at <= %(now)s
      AND (leased_until IS NULL OR leased_until <= %(silent_since)s)
    ORDER BY job_id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
RETURNING job_id, proposal_id, device_id, kind;

-- name: list_unverified
-- Reported jobs of a device that telemetry has not judged yet.
SELECT job_id FROM jobs
WHERE device_id = %(device_id)s AND status = 'reported' AND verified_at IS NULL
ORDER BY sequence;
