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

-- name: shred_subject
-- Destroy the subject's key; a subject that never was is remembered as shredded.
INSERT INTO vault_subjects (subject_id, wrapped_key, created_at, shredded_at)
VALUES (%(subject_id)s, NULL, %(now)s, %(now)s)
ON CONFLICT (subject_id) DO UPDATE SET wrapped_key = NULL,
    shredded_at = coalesce(vault_subjects.shredded_at, excluded.shredded_at);

-- name: delete_entries
-- Remove what nobody can decrypt any more.
DELETE FROM vault_entries WHERE subject_id = %(subject_id)s;
