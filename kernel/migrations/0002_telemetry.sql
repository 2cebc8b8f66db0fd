-- SPDX-License-Identifier: Apache-2.0
-- Devices, users, reports and incidents.
CREATE TABLE devices (
    device_id          text PRIMARY KEY,
    hostname           text NOT NULL,
    os_family          text NOT NULL CHECK (os_family IN ('windows', 'macos', 'linux')),
    os_version         text NOT NULL DEFAULT '',
    model              text NOT NULL DEFAULT '',
    serial_number      text NOT NULL DEFAULT '',
    department         text NOT NULL DEFAULT '',
    role               text NOT NULL DEFAULT 'workstation',
    business_critical  boolean NOT NULL DEFAULT false,
    simulated          boolean NOT NULL DEFAULT false,
    agent_version      text NOT NULL DEFAULT '',
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    certificate_sha256 text,
    job_sequence       bigint NOT NULL DEFAULT 0,
    enrolled_at        timestamptz NOT NULL,
    last_seen_at       timestamptz
);

CREATE TABLE users (
    user_id      text PRIMARY KEY,
    display_name text NOT NULL DEFAULT '',
    upn          text NOT NULL DEFAULT '',
    department   text NOT NULL DEFAULT ''
);

CREATE TABLE device_user_map (
    device_id     text NOT NULL REFERENCES devices,
    user_id       text NOT NULL REFERENCES users,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (device_id, user_id)
);

CREATE TABLE software_inventory (
    device_id     text NOT NULL REFERENCES devices,
    name          text NOT NULL,
    version       text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (device_id, name)
);

-- One compact row a report; partitioned by day of observation (partitions made by telemetry/).
CREATE TABLE telemetry_reports (
    report_id    text NOT NULL,
    device_id    text NOT NULL,
    user_id      text,
    observed_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    metrics      jsonb NOT NULL,   -- flat {metric name: number}, normalised units
    facts        jsonb NOT NULL,   -- masked strings: services, processes, disks, deployment, logs
    PRIMARY KEY (observed_at, report_id)
) PARTITION BY RANGE (observed_at);
CREATE INDEX telemetry_reports_by_device ON telemetry_reports (device_id, observed_at DESC);

CREATE TABLE detector_states (
    device_id  text PRIMARY KEY REFERENCES devices,
    state      bytea NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE incidents (
    incident_id    text PRIMARY KEY,
    device_id      text REFERENCES devices,
    user_id        text,
    source         text NOT NULL CHECK (source IN ('detection', 'ticket', 'alert')),
    failure_class  text NOT NULL,
    confidence     double precision NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('S1', 'S2', 'S3')),
    status         text NOT NULL CHECK (status IN ('open', 'proposed', 'approved', 'remediating', 'verifying', 'resolved', 'escalated', 'closed')),
    title          text NOT NULL,          -- masked
    description    text NOT NULL,          -- masked
    episode_key    text NOT NULL,
    detection      jsonb NOT NULL DEFAULT '{}',
    occurrences    integer NOT NULL DEFAULT 1,
    reported_by    text NOT NULL,
    correlation_id text NOT NULL,
    opened_at      timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    resolved_at    timestamptz
);
CREATE UNIQUE INDEX incidents_one_open_per_episode ON incidents (device_id, episode_key)
    WHERE status NOT IN ('resolved', 'closed', 'escalated');
CREATE INDEX incidents_by_status ON incidents (status, opened_at DESC);

CREATE TABLE incident_transitions (
    incident_id text NOT NULL REFERENCES incidents,
    position    bigint GENERATED ALWAYS AS IDENTITY,
    from_status text NOT NULL,
    to_status   text NOT NULL,
    actor       text NOT NULL,
    reason      text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (incident_id, position)
);

-- The application has no right to create tables; it may ask for the partition of one day.
CREATE FUNCTION ensure_telemetry_partition(day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    partition text := 'telemetry_reports_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN partition;
    END IF;
    PERFORM pg_advisory_xact_lock(4919016404);
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF telemetry_reports FOR VALUES FROM (%L) TO (%L)',
        partition, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN partition;
EXCEPTION
    WHEN duplicate_table OR unique_violation THEN  -- somebody else was faster
        RETURN partition;
END
$$;
