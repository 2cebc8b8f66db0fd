-- SPDX-License-Identifier: Apache-2.0
-- People, services, enrolment, and the vault of masked originals.
CREATE TABLE accounts (
    username      text PRIMARY KEY,
    display_name  text NOT NULL,
    password_hash text NOT NULL,         -- argon2id
    roles         text[] NOT NULL,
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz
);

CREATE TABLE sessions (
    session_sha256 text PRIMARY KEY,
    username       text NOT NULL REFERENCES accounts,
    csrf_token     text NOT NULL,
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);

CREATE TABLE login_attempts (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username   text NOT NULL,
    address    text NOT NULL,
    succeeded  boolean NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX login_attempts_recent ON login_attempts (username, occurred_at DESC);

CREATE TABLE service_tokens (
    token_sha256 text PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

CREATE TABLE enrolment_tokens (
    token_sha256 text PRIMARY KEY,
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    device_id    text
);

CREATE TABLE vault_subjects (
    subject_id  text PRIMARY KEY,        -- an incident or person whose originals are shredded together
    wrapped_key bytea,                   -- NULL once shredded
    created_at  timestamptz NOT NULL,
    shredded_at timestamptz
);

CREATE TABLE vault_entries (
    subject_id text NOT NULL REFERENCES vault_subjects,
    pseudonym  text NOT NULL,            -- for instance <PERSON_1>
    nonce      bytea NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (subject_id, pseudonym)
);
