# SPDX-License-Identifier: Apache-2.0
"""What a service's token may be good for: each way in of a service asks for one of these."""

from enum import StrEnum


class Scope(StrEnum):
    """What a token lets a service do."""

    TELEMETRY = "telemetry"
    INCIDENTS = "incidents"
    LABELS = "labels"
    READ = "read"
    KNOWLEDGE = "knowledge"
    SCRIPTS = "scripts"
