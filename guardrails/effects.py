# SPDX-License-Identifier: Apache-2.0
"""What scripts do to a machine: the closed vocabulary of static analysis.

An effect has two measures that must not be confused. Its severity is the harm that it could do
(restarting a device is severe). Its suspicion is how much rather an attacker than an administrator
does it (restarting a device is ordinary): about the binary logarithm of that ratio, judged from
ATT&CK and from what administration needs, not fitted to any collection of scripts.
"""

from dataclasses import dataclass
from enum import StrEnum


class EffectKind(StrEnum):
    """What a script may do, as far as its text shows."""

    DELETES_FILES = "deletes_files"
    ENCRYPTS_FILES = "encrypts_files"
    WRITES_SYSTEM_FILES = "writes_system_files"
    CHANGES_PERMISSIONS = "changes_permissions"
    CHANGES_SERVICES = "changes_services"
    ENDS_PROCESSES = "ends_processes"
    CHANGES_SOFTWARE = "changes_software"
    CHANGES_NETWORK = "changes_network"
    CHANGES_REGISTRY = "changes_registry"
    CHANGES_PREFERENCES = "changes_preferences"
    CHANGES_ACCOUNTS = "changes_accounts"
    CHANGES_DISKS = "changes_disks"
    CHANGES_TIME = "changes_time"
    RESTARTS_DEVICE = "restarts_device"
    DOWNLOADS = "downloads"
    RUNS_DOWNLOADED_CODE = "runs_downloaded_code"
    RUNS_DYNAMIC_CODE = "runs_dynamic_code"
    INJECTS_CODE = "injects_code"
    READS_CREDENTIALS = "reads_credentials"
    CAPTURES_DATA = "captures_data"
    SENDS_DATA = "sends_data"
    OPENS_NETWORK = "opens_network"
    REACHES_DEVICES = "reaches_devices"
    EXPLORES = "explores"
    DISABLES_SECURITY = "disables_security"
    PERSISTS = "persists"
    HIDES_ACTIVITY = "hides_activity"
    ERASES_TRACES = "erases_traces"
    ELEVATES = "elevates"


class EffectSeverity(StrEnum):
    """How much harm an effect could do; compare with `rank`."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for none to 4 for critical."""
        return list(EffectSeverity).index(self)


# What is done, and how bad it could be.
Harm = tuple[EffectKind, EffectSeverity]


def rank_severity(severity: str, *, unknown: int) -> int:
    """Return the rank of a severity by its name; of a word that is none, `unknown`."""
    return EffectSeverity(severity).rank if severity in set(EffectSeverity) else unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a line of a script does.

    Attributes:
        kind: what.
        line: 1-based.
        detail: the command, shortened; plain text.
        severity: how bad it could be.
        technique: MITRE ATT&CK's id, such as T1003.001; None where none fits.
        suspicion: 0 (ordinary administration) to 10 (attack tools); see the module.

    """

    kind: EffectKind
    line: int
    detail: str
    severity: EffectSeverity
    technique: str | None = None
    suspicion: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Doubt:
    """One reason why a script cannot be judged: a 1-based line, and what is wrong with it."""

    line: int
    reason: str
