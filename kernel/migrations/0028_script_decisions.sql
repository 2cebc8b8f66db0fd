-- SPDX-License-Identifier: Apache-2.0
-- A script version is proposed until somebody else than its author and importer approves it. Its
-- entry is signed at import; each decision on it is a row here, in the audit log, and sealed.
ALTER TABLE scripts DROP CONSTRAINT scripts_status_check;
UPDATE scripts SET status = 'superseded' WHERE status = 'retired';
ALTER TABLE scripts
    ALTER COLUMN status SET DEFAULT 'proposed',
    ADD COLUMN entry       bytea,                     -- signed (DSSE); none of before this migration
    ADD COLUMN imported_by text NOT NULL DEFAULT '',
    ADD COLUMN quality     jsonb NOT NULL DEFAULT '{}',  -- the linter's findings at import
    ADD CONSTRAINT scripts_status_check
        CHECK (status IN ('proposed', 'active', 'superseded', 'rejected', 'retired'));
CREATE UNIQUE INDEX scripts_one_active ON scripts (script_id) WHERE status = 'active';

CREATE TABLE script_decisions (
    decision_id    text PRIMARY KEY,
    position       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    script_id      text NOT NULL,
    version        text NOT NULL,
    content_sha256 text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('ship', 'approve', 'roll_back', 'reject', 'retire')),
    actor          text NOT NULL,
    reason         text NOT NULL DEFAULT '',   -- masked
    bundle_digest  text NOT NULL REFERENCES evidence_bundles (bundle_digest),
    created_at     timestamptz NOT NULL,
    FOREIGN KEY (script_id, version) REFERENCES scripts
);
CREATE INDEX script_decisions_by_script ON script_decisions (script_id, version, position DESC);
ALTER TABLE evidence_bundles DROP CONSTRAINT evidence_bundles_kind_check;
ALTER TABLE evidence_bundles ADD CONSTRAINT evidence_bundles_kind_check
    CHECK (kind IN ('proposal', 'approval', 'execution', 'verification', 'promotion',
                    'script_decision'));
