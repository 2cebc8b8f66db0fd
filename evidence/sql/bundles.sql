-- SPDX-License-Identifier: Apache-2.0
-- name: insert_bundle
-- Register a sealed statement.
INSERT INTO evidence_bundles (bundle_digest, proposal_id, kind, object_key, event_id, created_at)
VALUES (%(bundle_digest)s, %(proposal_id)s, %(kind)s, %(object_key)s, %(event_id)s,
        %(created_at)s);

-- name: find_bundle
-- One statement by its digest.
SELECT bundle_digest, proposal_id, kind, object_key, event_id, created_at
FROM evidence_bundles
WHERE bundle_digest = %(bundle_digest)s;

-- name: list_bundles
-- All statements about a proposal, in the order in which they were audited.
SELECT b.bundle_digest, b.proposal_id, b.kind, b.object_key, b.event_id, b.created_at
FROM evidence_bundles b
JOIN audit_events e USING (event_id)
WHERE b.proposal_id = %(proposal_id)s
ORDER BY e.position;
