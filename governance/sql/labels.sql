-- SPDX-License-Identifier: Apache-2.0
-- name: insert_label
-- Keep a human decision or a verified outcome for the next training.
INSERT INTO labels (
    label_id, incident_id, proposal_id, script_id, kind, label, actor, created_at
) VALUES (
    %(label_id)s, %(incident_id)s, %(proposal_id)s, %(script_id)s, %(kind)s, %(label)s,
    %(actor)s, %(created_at)s
);

-- name: count_labels
-- How often a script received each label.
SELECT kind, label, count(*) AS n_labels FROM labels
WHERE script_id = %(script_id)s GROUP BY kind, label ORDER BY kind, label;

-- name: find_label
-- One label by its id.
SELECT proposal_id, kind, label, actor FROM labels WHERE label_id = %(label_id)s;
