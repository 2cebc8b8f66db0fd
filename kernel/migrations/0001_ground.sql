-- SPDX-License-Identifier: Apache-2.0
-- The ground: vector types, audit intake, Merkle log, transactional outbox.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE audit_events (
    event_id        text PRIMARY KEY,
    position        bigint GENERATED ALWAYS AS IDENTITY,
    occurred_at     timestamptz NOT NULL,
    actor           text NOT NULL,
    action          text NOT NULL,
    subject_kind    text NOT NULL,
    subject_id      text NOT NULL,
    device_id       text,
    correlation_id  text NOT NULL,
    before          jsonb,
    after           jsonb,
    evidence        jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX audit_events_by_subject ON audit_events (subject_kind, subject_id, occurred_at);
CREATE INDEX audit_events_by_correlation ON audit_events (correlation_id);
CREATE UNIQUE INDEX audit_events_by_position ON audit_events (position);

-- One row per Merkle leaf; append-only for the application role.
CREATE TABLE log_entries (
    leaf_index  bigint PRIMARY KEY,
    event_id    text NOT NULL UNIQUE REFERENCES audit_events (event_id),
    entry       bytea NOT NULL,
    leaf_hash   bytea NOT NULL CHECK (octet_length(leaf_hash) = 32)
);

-- Events that wait for their leaf. The trigger fills it in the event's own transaction, so
-- an event committed late (positions are not commit order) is never overlooked.
CREATE TABLE log_pending (
    position bigint PRIMARY KEY,
    event_id text NOT NULL UNIQUE REFERENCES audit_events (event_id)
);

CREATE FUNCTION queue_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log_pending (position, event_id) VALUES (NEW.position, NEW.event_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION queue_audit_event();

-- Complete hash tiles of the C2SP tlog-tiles layout (256 hashes each); partial tiles are derived.
-- root_hash is the tile's root, which is the hash at tile_index of the next level.
CREATE TABLE log_tiles (
    level       smallint NOT NULL,
    tile_index  bigint NOT NULL,
    hashes      bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    root_hash   bytea NOT NULL CHECK (octet_length(root_hash) = 32),
    PRIMARY KEY (level, tile_index)
);

CREATE TABLE log_checkpoints (
    tree_size   bigint PRIMARY KEY,
    root_hash   bytea NOT NULL,
    signed_note text NOT NULL,
    created_at  timestamptz NOT NULL
);

-- Durable work, written in the transaction that makes it necessary; NOTIFY is only a hint.
CREATE TABLE outbox (
    message_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic           text NOT NULL,
    payload         jsonb NOT NULL,
    correlation_id  text NOT NULL,
    created_at      timestamptz NOT NULL,
    available_at    timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    last_error      text,
    done_at         timestamptz
);
CREATE INDEX outbox_waiting ON outbox (topic, available_at, message_id) WHERE done_at IS NULL;
