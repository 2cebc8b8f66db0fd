-- SPDX-License-Identifier: Apache-2.0
-- What is in force is compared with the newest event about it, each time that it is asked for.
CREATE INDEX audit_events_of_policies ON audit_events (position DESC)
    WHERE subject_kind = 'policy';
CREATE INDEX audit_events_of_scripts ON audit_events (split_part(subject_id, '@', 1), position DESC)
    WHERE subject_kind = 'script';

-- The greatest number that an incident's pseudonyms of a kind have had: none is given twice, also
-- after the originals are erased. What was stored before is in the audit log.
CREATE TABLE vault_numbers (
    subject_id text NOT NULL REFERENCES vault_subjects,
    entity     text NOT NULL,            -- for instance PERSON
    greatest   integer NOT NULL,
    PRIMARY KEY (subject_id, entity)
);
INSERT INTO vault_numbers (subject_id, entity, greatest)
SELECT e.subject_id, m[1], max(m[2]::integer)
FROM audit_events e
CROSS JOIN LATERAL jsonb_array_elements_text(e.after -> 'pseudonyms') AS p (pseudonym)
CROSS JOIN LATERAL regexp_match(p.pseudonym, '^<([A-Z_]+)_([0-9]{1,8})>$') AS m
JOIN vault_subjects s ON s.subject_id = e.subject_id
WHERE e.action = 'vault.stored' AND m IS NOT NULL
GROUP BY e.subject_id, m[1];
