-- SPDX-License-Identifier: Apache-2.0

-- name: insert_service_token
-- Adds a token for a service; only its digest is kept.
INSERT INTO service_tokens (token_sha256, name, scopes, created_at, created_by)
VALUES (%(token_sha256)s, %(name)s, %(scopes)s, %(now)s, %(created_by)s)
ON CONFLICT (name) DO UPDATE
SET token_sha256 = excluded.token_sha256, scopes = excluded.scopes,
    created_at = excluded.created_at, created_by = excluded.created_by, revoked_at = NULL;

-- name: find_token_maker
-- Who made a service's token.
SELECT created_by
FROM service_tokens
WHERE name = %(name)s;

-- name: find_service_token
-- A token's service and what it may do.
SELECT name, scopes
FROM service_tokens
WHERE token_sha256 = %(token_sha256)s AND revoked_at IS NULL;

-- name: insert_enrolment_token
-- Adds a one-time token for a device.
INSERT INTO enrolment_tokens (token_sha256, created_by, created_at, expires_at)
VALUES (%(token_sha256)s, %(created_by)s, %(now)s, %(expires_at)s);

-- name: use_enrolment_token
-- Spends a token; no row comes back when it is unknown, spent or expired.
UPDATE enrolment_tokens
SET used_at = %(now)s, device_id = %(device_id)s
WHERE token_sha256 = %(token_sha256)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING created_by;

-- name: revoke_service_token
-- Takes a service's token out of use; no row where none is in use.
UPDATE service_tokens SET revoked_at = %(now)s
WHERE name = %(name)s AND revoked_at IS NULL
RETURNING name;

-- name: list_service_tokens
-- The services whose token is in use.
SELECT name, scopes, created_by, created_at
FROM service_tokens
WHERE revoked_at IS NULL
ORDER BY name;
