-- SPDX-License-Identifier: Apache-2.0
-- For whom a service named a class: separation of duties asks it, learning counts the service alone.
ALTER TABLE incident_class_labels ADD COLUMN on_behalf_of text;
