-- SPDX-License-Identifier: Apache-2.0
-- What a service brought is released by two people, so one asks first. That stays as it was, too.
ALTER TABLE quarantined_files
    ADD COLUMN asked_by   text,
    ADD COLUMN ask_reason text,                    -- masked
    ADD COLUMN asked_at   timestamptz,
    ADD CHECK (num_nulls(asked_by, ask_reason, asked_at) IN (0, 3));
CREATE FUNCTION keep_release_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who asked for a release is kept in quarantined_files';
END
$$;
CREATE TRIGGER quarantined_files_asked BEFORE UPDATE ON quarantined_files
    FOR EACH ROW WHEN (OLD.asked_at IS NOT NULL
        AND (OLD.asked_by, OLD.ask_reason, OLD.asked_at)
            IS DISTINCT FROM (NEW.asked_by, NEW.ask_reason, NEW.asked_at))
    EXECUTE FUNCTION keep_release_request();
