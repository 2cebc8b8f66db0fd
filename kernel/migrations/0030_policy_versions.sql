-- SPDX-License-Identifier: Apache-2.0
-- Policy versions as signed envelopes, who wants one put in force, and which one is: the newest row
-- of policy_activations. The table of before was never written. Rows stay as they are, but that a
-- change is decided once.
DROP TABLE policies;
CREATE TABLE policies (
    policy_digest text PRIMARY KEY,      -- sha256 (hex) of the Rego files
    version       integer NOT NULL UNIQUE CHECK (version > 0),
    envelope      text NOT NULL,         -- DSSE, by the evidence key, over files and cases
    proposed_by   text NOT NULL,
    reason        text NOT NULL,         -- masked
    created_at    timestamptz NOT NULL
);
CREATE TABLE policy_activations (
    activation_id          text PRIMARY KEY,
    position               bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind                   text NOT NULL CHECK (kind IN ('first', 'activation', 'rollback')),
    policy_digest          text NOT NULL REFERENCES policies,
    previous_activation_id text REFERENCES policy_activations,
    proposed_by            text NOT NULL,
    activated_by           text NOT NULL,
    reason                 text NOT NULL,  -- masked
    bundle_digest          text NOT NULL REFERENCES evidence_bundles (bundle_digest),
    created_at             timestamptz NOT NULL,
    CONSTRAINT policy_activations_chain UNIQUE NULLS NOT DISTINCT (previous_activation_id),
    CHECK ((kind = 'first') = (previous_activation_id IS NULL))
);
CREATE TABLE policy_changes (
    change_id       text PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('activation', 'rollback')),
    policy_digest   text NOT NULL REFERENCES policies,
    against         text NOT NULL REFERENCES policy_activations,
    proposed_by     text NOT NULL,
    reason          text NOT NULL,         -- masked
    created_at      timestamptz NOT NULL,
    decision        text CHECK (decision IN ('activated', 'rejected')),
    decided_by      text,
    decision_reason text,                  -- masked
    decided_at      timestamptz,
    CHECK (num_nulls(decision, decided_by, decision_reason, decided_at) IN (0, 4))
);
CREATE INDEX policy_changes_open ON policy_changes (created_at) WHERE decision IS NULL;
ALTER TABLE evidence_bundles DROP CONSTRAINT evidence_bundles_kind_check;
ALTER TABLE evidence_bundles ADD CONSTRAINT evidence_bundles_kind_check
    CHECK (kind IN ('proposal', 'approval', 'execution', 'verification', 'promotion',
                    'script_decision', 'policy'));
