-- SPDX-License-Identifier: Apache-2.0

-- name: insert_subject
-- Make a subject with its wrapped key unless it exists.
INSERT INTO vault_subjects (subject_id, wrapped_key, created_at)
VALUES (%(subject_id)s, %(wrapped_key)s, %(created_at)s)
ON CONFLICT (subject_id) DO NOTHING;

-- name: find_subject
-- The wrapped key of a subject; NULL once shredded.
SELECT wrapped_key FROM vault_subjects WHERE subject_id = %(subject_id)s;

-- name: lock_subject
-- The wrapped key of a subject, kept from changing until the transaction ends.
SELECT wrapped_key FROM vault_subjects WHERE subject_id = %(subject_id)s FOR UPDATE;

-- name: insert_entry
-- Store one encrypted original.
INSERT INTO vault_entries (subject_id, pseudonym, nonce, ciphertext)
VALUES (%(subject_id)s, %(pseudonym)s, %(nonce)s, %(ciphertext)s);

-- name: list_entries
-- All encrypted originals of a subject.
SELECT pseudonym, nonce, ciphertext FROM vault_entries
WHERE subject_id = %(subject_id)s ORDER BY pseudonym;

-- name: list_pseudonyms
-- What a subject has originals for, without them.
SELECT pseudonym FROM vault_entries WHERE subject_id = %(subject_id)s ORDER BY pseudonym;

-- name: list_numbers
-- The greatest number that each kind of pseudonym of a subject has had.
SELECT entity, greatest FROM vault_numbers WHERE subject_id = %(subject_id)s;

-- name: take_number
-- Remember a number of a subject's pseudonyms, so that it is not given again.
INSERT INTO vault_numbers (subject_id, entity, greatest)
VALUES (%(subject_id)s, %(entity)s, %(number)s)
ON CONFLICT (subject_id, entity) DO UPDATE
SET greatest = greatest(vault_numbers.greatest, excluded.greatest);

-- name: find_state
-- Whether a subject is known, and when it was erased.
SELECT shredded_at FROM vault_subjects WHERE subject_id = %(subject_id)s;

-- name: list_subjects
-- Subjects with originals.
SELECT subject_id FROM vault_subjects WHERE wrapped_key IS NOT NULL AND subject_id > %(after)s
ORDER BY subject_id LIMIT %(limit)s;

-- name: hold_actor
-- Let reveals to one person follow each other, so that each counts those before.
SELECT pg_advisory_xact_lock(hashtextextended('reveal:' || %(actor)s, 0));

-- name: count_revealed
-- How many originals a person was shown since a moment.
SELECT coalesce(sum(cardinality(pseudonyms)), 0)::bigint AS n_revealed
FROM reidentifications WHERE actor = %(actor)s AND revealed_at > %(since)s;

-- name: insert_reveal
-- Record that originals are shown.
INSERT INTO reidentifications (reveal_id, incident_id, pseudonyms, actor, reason, revealed_at)
VALUES (%(reveal_id)s, %(incident_id)s, %(pseudonyms)s, %(actor)s, %(reason)s, %(revealed_at)s);

-- name: list_reveals
-- Who was shown originals of an incident, newest first.
SELECT reveal_id, pseudonyms, actor, reason, revealed_at
FROM reidentifications WHERE incident_id = %(incident_id)s
ORDER BY revealed_at DESC LIMIT 100;

-- name: delete_stated_names
-- Forget names that the tenant stated.
DELETE FROM directory_entries WHERE kind IN ('person', 'account') AND name = ANY(%(names)s::text[]);

-- name: find_user
-- What a person of the directory is called.
SELECT display_name, upn FROM users WHERE user_id = %(user_id)s;

-- name: find_user_ids
-- Who of the directory is called so: by display name, principal name, or an id in another spelling.
SELECT user_id FROM users
WHERE lower(display_name) = lower(%(name)s) OR lower(upn) = lower(%(name)s)
   OR lower(user_id) = lower(%(name)s)
ORDER BY user_id
LIMIT 5;

-- name: shred_subject
-- Destroy the subject's key; a subject that never was is remembered as shredded.
INSERT INTO vault_subjects (subject_id, wrapped_key, created_at, shredded_at)
VALUES (%(subject_id)s, NULL, %(now)s, %(now)s)
ON CONFLICT (subject_id) DO UPDATE SET wrapped_key = NULL,
    shredded_at = coalesce(vault_subjects.shredded_at, excluded.shredded_at);

-- name: delete_entries
-- Remove what nobody can decrypt any more.
DELETE FROM vault_entries WHERE subject_id = %(subject_id)s;
