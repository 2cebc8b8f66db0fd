-- SPDX-License-Identifier: Apache-2.0
-- A renewed certificate counts beside the current one until it is used: its answer may be lost.
ALTER TABLE devices ADD COLUMN pending_certificate_sha256 text;
