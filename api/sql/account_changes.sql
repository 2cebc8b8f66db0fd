-- SPDX-License-Identifier: Apache-2.0

-- name: lock_accounts
-- An account and every administrator who may log in, held until the transaction ends, in one order
-- for all, so that two who take each other away wait for one another.
SELECT username, roles, disabled_at
FROM accounts
WHERE username = %(username)s OR ('admin' = ANY(roles) AND disabled_at IS NULL)
ORDER BY username FOR UPDATE;

-- name: set_roles
-- Replaces an account's roles.
UPDATE accounts SET roles = %(roles)s WHERE username = %(username)s;

-- name: set_disabled
-- Disables an account, or with no moment enables it again.
UPDATE accounts SET disabled_at = %(disabled_at)s WHERE username = %(username)s;
