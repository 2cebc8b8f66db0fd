-- SPDX-License-Identifier: Apache-2.0

-- name: insert_account
-- Adds a person's account.
INSERT INTO accounts (username, display_name, password_hash, roles, created_at)
VALUES (%(username)s, %(display_name)s, %(password_hash)s, %(roles)s, %(now)s)
ON CONFLICT (username) DO NOTHING
RETURNING username;

-- name: find_account
-- An account that may log in.
SELECT username, display_name, password_hash, roles
FROM accounts
WHERE username = %(username)s AND disabled_at IS NULL;

-- name: list_accounts
-- All accounts, without their hashes.
SELECT username, display_name, roles, created_at, disabled_at
FROM accounts
ORDER BY username;

-- name: count_accounts
-- How many accounts there are.
SELECT count(*) AS n_accounts FROM accounts;

-- name: set_password
-- Replaces a password hash.
UPDATE accounts SET password_hash = %(password_hash)s WHERE username = %(username)s
RETURNING username;

-- name: delete_sessions
-- Logs a person out everywhere.
DELETE FROM sessions WHERE username = %(username)s;

-- name: record_attempt
-- Remembers a login attempt for throttling.
INSERT INTO login_attempts (username, address, succeeded, occurred_at)
VALUES (%(username)s, %(address)s, %(succeeded)s, %(now)s);

-- name: forget_attempts
-- Drops what the throttle does not look at any more; one of several at a time does it.
DELETE FROM login_attempts WHERE attempt_id IN (
    SELECT attempt_id FROM login_attempts WHERE occurred_at <= %(since)s
    FOR UPDATE SKIP LOCKED
);

-- name: lock_attempts
-- Attempts for one name, and from one address, one at a time; the name first, always.
SELECT pg_advisory_xact_lock(491901640, hashtext(%(username)s)),
       pg_advisory_xact_lock(491901641, hashtext(%(address)s));

-- name: count_failures
-- Failed attempts for a name (names of no account are kept as digests) or from an address.
SELECT count(*) FILTER (WHERE username IN (%(username)s, %(name_digest)s)) AS by_username,
       count(*) FILTER (WHERE address = %(address)s) AS by_address
FROM login_attempts
WHERE occurred_at > %(since)s AND NOT succeeded
  AND (username IN (%(username)s, %(name_digest)s) OR address = %(address)s);

-- name: insert_session
-- Opens a session; only the token's digest is kept.
INSERT INTO sessions (session_sha256, username, csrf_token, created_at, last_used_at, expires_at)
VALUES (%(session_sha256)s, %(username)s, %(csrf_token)s, %(now)s, %(now)s, %(expires_at)s);

-- name: find_session
-- A live session with its account.
SELECT s.username, s.csrf_token, s.created_at, s.expires_at, a.display_name, a.roles
FROM sessions AS s
JOIN accounts AS a USING (username)
WHERE s.session_sha256 = %(session_sha256)s
  AND s.expires_at > %(now)s AND s.last_used_at > %(idle_since)s AND a.disabled_at IS NULL;

-- name: touch_session
-- Notes that a session was used.
UPDATE sessions SET last_used_at = %(now)s WHERE session_sha256 = %(session_sha256)s;

-- name: delete_session
-- Ends a session.
DELETE FROM sessions WHERE session_sha256 = %(session_sha256)s;
