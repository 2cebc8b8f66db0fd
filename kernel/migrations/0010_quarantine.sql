-- SPDX-License-Identifier: Apache-2.0
-- Files that were refused for the knowledge base, and what was decided on each. The bytes lie
-- encrypted in the data folder; without its wrapped key a file is gone, whatever the disk keeps.
CREATE TABLE quarantined_files (
    quarantine_id        text PRIMARY KEY,
    sha256               text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    name                 text NOT NULL,          -- masked
    source               text NOT NULL,          -- masked
    size_bytes           bigint NOT NULL CHECK (size_bytes >= 0),
    reason               text NOT NULL CHECK (reason IN ('infected', 'unscanned')),
    signature            text CHECK (reason = 'unscanned' OR signature IS NOT NULL),
    engine               text NOT NULL,
    actor                text NOT NULL,
    quarantined_at       timestamptz NOT NULL,
    wrapped_key          bytea,
    release_requested_by text,
    released_by          text,
    release_reason       text,                   -- masked
    released_at          timestamptz,
    deleted_by           text,
    deletion_reason      text,                   -- masked
    deleted_at           timestamptz,
    CHECK (num_nulls(release_requested_by, released_by, release_reason, released_at) IN (0, 4)),
    CHECK (num_nulls(deleted_by, deletion_reason, deleted_at) IN (0, 3)),
    CHECK (released_by <> release_requested_by AND released_by <> actor),
    CHECK ((wrapped_key IS NOT NULL) = (released_at IS NULL AND deleted_at IS NULL))
);
CREATE UNIQUE INDEX quarantined_files_held ON quarantined_files (sha256)
    WHERE released_at IS NULL AND deleted_at IS NULL;
CREATE INDEX quarantined_files_released ON quarantined_files (sha256)
    WHERE released_at IS NOT NULL AND deleted_at IS NULL;

-- What was found and decided stays as it was: a row goes from held to released to deleted, or
-- from held to deleted, and is never removed.
CREATE FUNCTION keep_quarantine_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'rows of quarantined_files are kept';
    END IF;
    IF (OLD.quarantine_id, OLD.sha256, OLD.name, OLD.source, OLD.size_bytes, OLD.reason,
            OLD.signature, OLD.engine, OLD.actor, OLD.quarantined_at)
        IS DISTINCT FROM (NEW.quarantine_id, NEW.sha256, NEW.name, NEW.source, NEW.size_bytes,
            NEW.reason, NEW.signature, NEW.engine, NEW.actor, NEW.quarantined_at)
        OR (OLD.released_at IS NOT NULL AND (OLD.release_requested_by, OLD.released_by,
                OLD.release_reason, OLD.released_at)
            IS DISTINCT FROM (NEW.release_requested_by, NEW.released_by,
                NEW.release_reason, NEW.released_at))
        OR (OLD.wrapped_key IS DISTINCT FROM NEW.wrapped_key AND NEW.wrapped_key IS NOT NULL)
        OR OLD.deleted_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'what was found and decided in quarantined_files is kept';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER quarantined_files_kept BEFORE UPDATE OR DELETE ON quarantined_files
    FOR EACH ROW EXECUTE FUNCTION keep_quarantine_facts();
