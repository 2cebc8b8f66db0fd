-- SPDX-License-Identifier: Apache-2.0
-- Inferences, proposals, evidence, approvals, jobs, labels.
CREATE TABLE inference_events (
    inference_id  text PRIMARY KEY,
    model_name    text NOT NULL,
    model_version text NOT NULL,
    model_digest  text NOT NULL,
    subject_kind  text NOT NULL,
    subject_id    text NOT NULL,
    output        jsonb NOT NULL,
    confidence    double precision NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX inference_events_by_subject ON inference_events (subject_kind, subject_id);

CREATE TABLE proposals (
    proposal_id        text PRIMARY KEY,
    incident_id        text NOT NULL REFERENCES incidents,
    status             text NOT NULL CHECK (status IN ('pending', 'abstained', 'approved', 'rejected', 'overridden', 'expired', 'dispatched', 'succeeded', 'failed')),
    diagnosis          text NOT NULL,
    script_id          text,
    script_version     text,
    script_sha256      text,
    parameters         jsonb NOT NULL DEFAULT '{}',
    target_device_id   text REFERENCES devices,
    confidence         double precision NOT NULL,
    abstention_reason  text,
    explanation        jsonb NOT NULL DEFAULT '[]',   -- [{"sentence", "citations": [...]}]
    candidates         jsonb NOT NULL DEFAULT '[]',   -- ranked scripts with their signals
    passages           jsonb NOT NULL DEFAULT '[]',
    risk_score         double precision NOT NULL DEFAULT 0,
    risk_factors       jsonb NOT NULL DEFAULT '{}',
    policy_decision    jsonb NOT NULL DEFAULT '{}',
    bundle_digest      text,
    parent_proposal_id text REFERENCES proposals,
    requested_by       text NOT NULL,
    correlation_id     text NOT NULL,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    CHECK ((status = 'abstained') = (script_id IS NULL))
);
CREATE UNIQUE INDEX proposals_one_pending ON proposals (incident_id) WHERE status = 'pending';
CREATE INDEX proposals_by_status ON proposals (status, created_at DESC);

-- Every signed statement about a case: proposal, approval, execution, verification.
CREATE TABLE evidence_bundles (
    bundle_digest  text PRIMARY KEY,     -- sha256 (hex) of the in-toto Statement bytes
    proposal_id    text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('proposal', 'approval', 'execution', 'verification')),
    object_key     text NOT NULL,
    event_id       text NOT NULL REFERENCES audit_events (event_id),
    created_at     timestamptz NOT NULL
);
CREATE INDEX evidence_bundles_by_proposal ON evidence_bundles (proposal_id, created_at);

CREATE TABLE approvals (
    approval_id     text PRIMARY KEY,
    proposal_id     text NOT NULL REFERENCES proposals,
    bundle_digest   text NOT NULL,
    approver        text NOT NULL,
    decision        text NOT NULL CHECK (decision IN ('approve', 'override', 'reject')),
    reason          text NOT NULL DEFAULT '',
    conditions      jsonb NOT NULL DEFAULT '{}',
    approval_digest text NOT NULL,       -- of the approval statement
    decided_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    UNIQUE (proposal_id, approver)
);

CREATE TABLE policies (
    policy_digest text PRIMARY KEY,
    name          text NOT NULL,
    content       text NOT NULL,
    activated_at  timestamptz NOT NULL,
    activated_by  text NOT NULL
);

CREATE TABLE freeze_windows (
    freeze_id  text PRIMARY KEY,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    reason     text NOT NULL,
    created_by text NOT NULL,
    CHECK (ends_at > starts_at)
);

CREATE TABLE risk_exceptions (
    exception_id          text PRIMARY KEY,
    proposal_id           text NOT NULL REFERENCES proposals,
    granted_by            text NOT NULL,
    compensating_controls text NOT NULL,
    expires_at            timestamptz NOT NULL
);

CREATE TABLE jobs (
    job_id          text PRIMARY KEY,
    proposal_id     text NOT NULL REFERENCES proposals,
    device_id       text NOT NULL REFERENCES devices,
    kind            text NOT NULL CHECK (kind IN ('remediate', 'rollback')),
    sequence        bigint NOT NULL,
    bundle_digest   text NOT NULL,
    approval_digest text NOT NULL,
    envelope        bytea NOT NULL,      -- the signed DSSE job, exactly as delivered
    status          text NOT NULL CHECK (status IN ('queued', 'leased', 'reported', 'refused', 'expired')),
    leased_until    timestamptz,
    receipt         jsonb,               -- masked
    succeeded       boolean,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    reported_at     timestamptz,
    verified_at     timestamptz,
    verification    jsonb,
    UNIQUE (proposal_id, device_id, kind),
    UNIQUE (device_id, sequence)
);
CREATE INDEX jobs_waiting ON jobs (device_id, sequence) WHERE status IN ('queued', 'leased');
CREATE INDEX jobs_unverified ON jobs (reported_at) WHERE status = 'reported' AND verified_at IS NULL;

CREATE TABLE labels (
    label_id    text PRIMARY KEY,
    incident_id text NOT NULL REFERENCES incidents,
    proposal_id text NOT NULL REFERENCES proposals,
    script_id   text,
    kind        text NOT NULL CHECK (kind IN ('decision', 'outcome')),
    label       text NOT NULL,
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX labels_by_script ON labels (script_id, kind);
