-- SPDX-License-Identifier: Apache-2.0
-- What the application's role may do; run after every migration, as the owner of the schema.
-- Append-only tables can be read and extended, never changed: not even by a broken application.
DO $$
DECLARE
    append_only text;
    definer     text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eucora_app') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA public TO eucora_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO eucora_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO eucora_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO eucora_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO eucora_app;
    FOREACH append_only IN ARRAY ARRAY[
        'audit_events', 'log_entries', 'log_tiles', 'log_checkpoints', 'approvals',
        'evidence_bundles', 'incident_transitions', 'model_promotions', 'incident_class_labels',
        'labelled_windows', 'policy_activations', 'script_decisions'
    ] LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM eucora_app', append_only);
    END LOOP;
    REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON schema_migrations FROM eucora_app;
    FOREACH definer IN ARRAY ARRAY[
        'ensure_telemetry_partition(date)', 'create_index_partitions(integer)',
        'create_index_graphs(integer)', 'drop_index_partitions(integer)',
        'analyze_index_partitions(integer)'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', definer);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO eucora_app', definer);
    END LOOP;
END
$$;
