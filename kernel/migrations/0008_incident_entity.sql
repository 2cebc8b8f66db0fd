-- SPDX-License-Identifier: Apache-2.0
-- What of the device is at fault: a process, a file system, a service, an application; masked.
-- Empty when it is the device itself, or when nobody said. A fix is bound to this and to no other.
ALTER TABLE incidents ADD COLUMN entity text NOT NULL DEFAULT '';
