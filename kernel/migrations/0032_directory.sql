-- SPDX-License-Identifier: Apache-2.0
-- Whom and what masking knows by name, and what of it has changed, for every process that masks.

-- Names that the tenant states beside its users and devices: contractors, asset tags, other hosts.
CREATE TABLE directory_entries (
    kind      text NOT NULL CHECK (kind IN ('person', 'account', 'host', 'asset')),
    name      text NOT NULL,
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name)
);

-- One row a change, kept for an hour. Readers ask by transaction, not by position: what commits
-- late is not overlooked.
CREATE TABLE directory_changes (
    position   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    kind       text NOT NULL,   -- user, device, account (of the portal), or an entry's kind
    key        text NOT NULL
);
CREATE INDEX directory_changes_by_transaction ON directory_changes (changed_in);
CREATE INDEX directory_changes_by_time ON directory_changes (changed_at);

CREATE FUNCTION note_directory_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    INSERT INTO directory_changes (kind, key)
    VALUES (coalesce(TG_ARGV[1], changed ->> 'kind'), changed ->> TG_ARGV[0]);
    RETURN NULL;
END
$$;

-- Reports repeat a device's names each minute: only what differs is a change.
CREATE TRIGGER users_directory AFTER INSERT OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_directory_change('user_id', 'user');
CREATE TRIGGER users_directory_update AFTER UPDATE OF display_name, upn ON users
    FOR EACH ROW WHEN ((OLD.display_name, OLD.upn) IS DISTINCT FROM (NEW.display_name, NEW.upn))
    EXECUTE FUNCTION note_directory_change('user_id', 'user');
CREATE TRIGGER devices_directory AFTER INSERT OR DELETE ON devices
    FOR EACH ROW EXECUTE FUNCTION note_directory_change('device_id', 'device');
CREATE TRIGGER devices_directory_update AFTER UPDATE OF hostname, serial_number ON devices
    FOR EACH ROW
    WHEN ((OLD.hostname, OLD.serial_number) IS DISTINCT FROM (NEW.hostname, NEW.serial_number))
    EXECUTE FUNCTION note_directory_change('device_id', 'device');
CREATE TRIGGER accounts_directory AFTER INSERT OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION note_directory_change('username', 'account');
CREATE TRIGGER entries_directory AFTER INSERT OR DELETE ON directory_entries
    FOR EACH ROW EXECUTE FUNCTION note_directory_change('name');
