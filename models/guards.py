# SPDX-License-Identifier: Apache-2.0
"""Hard, explainable rules: faults that need no learnt baseline to be recognised.

A rule fires when a metric passes its threshold in a number of successive reports. Rules marked
`needs_change` judge states that are ordinary on some machines (no firewall, no DNS in a closed
network): they fire only on devices that were seen in the good state before. Pure but for the
streak counters handed in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.failure import FailureClass as F
from models.signals import SIGNED_METRICS, read_value

SERVICE_PREFIX = "service_running:"
PROCESS_CPU_PREFIX = "process_cpu_percent:"
BURNING_PERCENT = 85.0  # of one core
CONTENDED_PERCENT = 60.0  # what a burning process still gets on a saturated machine
SATURATED_CPU_PERCENT = 90.0
LEAST_BURNING_SECONDS = 10.0  # a burst is no fault, however often a device reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A metric against a number, in the form of a script's expected effect."""

    metric: str
    operator: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One threshold. A metric that ends in ':' stands for one metric per name after it."""

    failure_class: F
    metric: str
    threshold: float
    reports: int
    below: bool = False
    needs_change: bool = False
    least_seconds: float = 0.0  # from the first to the last of the reports

    def is_violated_by(self, value: float) -> bool:
        """Tell whether a value lies on the bad side (the threshold itself is bad)."""
        return value <= self.threshold if self.below else value >= self.threshold

    def list_recovery(self, metric: str) -> tuple[Comparison, ...]:
        """Return what all holds of the metric, by its full name, once the rule is kept again."""
        limit = Comparison(metric=metric, operator=">" if self.below else "<", value=self.threshold)
        if metric in SIGNED_METRICS:
            return limit, Comparison(metric=metric, operator=">", value=-self.threshold)
        return (limit,)

    @property
    def name(self) -> str:
        """Return the rule as a person would write it."""
        sign = "<=" if self.below else ">="
        return f"{self.metric} {sign} {self.threshold:g} in {self.reports} successive report(s)"


RULES: tuple[Rule, ...] = (
    Rule(failure_class=F.DISK_FULL, metric="disk_used_percent:", threshold=90, reports=1),
    Rule(failure_class=F.DISK_FULL, metric="inodes_used_percent_max", threshold=95, reports=2),
    Rule(failure_class=F.DISK_HEALTH, metric="smart_unhealthy_disks", threshold=1, reports=2),
    Rule(failure_class=F.MEMORY_LEAK, metric="memory_percent", threshold=95, reports=3),
    Rule(failure_class=F.THERMAL, metric="cpu_temperature_celsius", threshold=95, reports=3),
    Rule(
        failure_class=F.BATTERY,
        metric="battery_health_percent",
        threshold=50,
        reports=2,
        below=True,
    ),
    Rule(
        failure_class=F.CERTIFICATE,
        metric="days_to_certificate_expiry",
        threshold=7,
        reports=2,
        below=True,
    ),
    Rule(failure_class=F.TIME_SKEW, metric="clock_offset_seconds", threshold=60, reports=2),
    Rule(failure_class=F.PACKAGE_STATE, metric="broken_packages", threshold=1, reports=2),
    Rule(failure_class=F.PRINTING, metric="print_queue_length", threshold=20, reports=3),
    Rule(failure_class=F.APP_CRASH, metric="app_crashes", threshold=2, reports=2),
    Rule(failure_class=F.SLOW_LOGON, metric="logon_seconds", threshold=120, reports=2),
    Rule(failure_class=F.CREDENTIALS, metric="failed_logons", threshold=10, reports=2),
    Rule(failure_class=F.AUDIO_VIDEO, metric="audio_glitches", threshold=20, reports=3),
    Rule(failure_class=F.SYNC_CLIENT, metric="sync_backlog", threshold=5000, reports=3),
    Rule(failure_class=F.OS_UPDATE, metric="deployment_failures", threshold=3, reports=2),
    Rule(failure_class=F.SICK_AGENT, metric="agent_errors", threshold=10, reports=3),
    Rule(failure_class=F.SICK_AGENT, metric="agent_queued_reports", threshold=1000, reports=3),
    Rule(
        failure_class=F.DNS,
        metric="dns_failure_percent",
        threshold=50,
        reports=3,
        needs_change=True,
    ),
    Rule(
        failure_class=F.WIFI_VPN,
        metric="packet_loss_percent",
        threshold=25,
        reports=3,
        needs_change=True,
    ),
    Rule(
        failure_class=F.WIFI_VPN,
        metric="wifi_signal_dbm",
        threshold=-86,
        reports=3,
        below=True,
        needs_change=True,
    ),
    Rule(
        failure_class=F.DHCP,
        metric="dhcp_lease_valid",
        threshold=0,
        reports=2,
        below=True,
        needs_change=True,
    ),
    Rule(
        failure_class=F.PROXY,
        metric="proxy_reachable",
        threshold=0,
        reports=3,
        below=True,
        needs_change=True,
    ),
    Rule(
        failure_class=F.SECURITY_AGENT_OFF,
        metric="antivirus_running",
        threshold=0,
        reports=2,
        below=True,
        needs_change=True,
    ),
    Rule(
        failure_class=F.SECURITY_AGENT_OFF,
        metric="firewall_enabled",
        threshold=0,
        reports=2,
        below=True,
        needs_change=True,
    ),
    Rule(
        failure_class=F.DISK_ENCRYPTION,
        metric="unencrypted_disks",
        threshold=1,
        reports=2,
        needs_change=True,
    ),
)
SERVICE_RULE = Rule(
    failure_class=F.SERVICE_DOWN, metric=SERVICE_PREFIX, threshold=0, reports=2, below=True
)
BURNING_RULE = Rule(
    failure_class=F.RUNAWAY_PROCESS,
    metric=PROCESS_CPU_PREFIX,
    threshold=BURNING_PERCENT,
    reports=3,
    least_seconds=LEAST_BURNING_SECONDS,
)
CONTENDED_RULE = Rule(
    failure_class=F.RUNAWAY_PROCESS,
    metric=PROCESS_CPU_PREFIX,
    threshold=CONTENDED_PERCENT,
    reports=5,
    least_seconds=LEAST_BURNING_SECONDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule whose threshold is passed now, by one named thing or by the device as a whole."""

    rule: Rule
    metric: str
    entity: str
    value: float

    @property
    def streak_key(self) -> str:
        """Return what the streak of this violation is counted under."""
        return f"{self.rule.name}|{self.entity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Successive reports that violate one rule."""

    reports: int
    started_at: float  # seconds since the epoch


@dataclass(slots=True, kw_only=True)
class Streaks:
    """What the rules remember of one device; small, and empty for a healthy one."""

    running: dict[str, Streak] = field(default_factory=dict)
    seen_good: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that fired, and for how many successive reports it has been violated."""

    violation: Violation
    reports: int


def apply_rules(metrics: Mapping[str, float], streaks: Streaks, at: float) -> list[Finding]:
    """Advance a device's streaks by one report and return the rules that fire.

    Args:
        metrics: the report's flat metrics.
        streaks: the device's memory, changed in place.
        at: when the report was made, seconds since the epoch, not before the last call's.

    """
    violations = {v.streak_key: v for v in _find_violations(metrics, streaks)}
    running = {}
    for key in violations:
        before = streaks.running.get(key, Streak(reports=0, started_at=at))
        running[key] = Streak(reports=before.reports + 1, started_at=before.started_at)
    streaks.running = running
    return [
        Finding(violation=violations[key], reports=streak.reports)
        for key, streak in running.items()
        if streak.reports >= violations[key].rule.reports
        and at - streak.started_at >= violations[key].rule.least_seconds
    ]


def _find_violations(metrics: Mapping[str, float], streaks: Streaks) -> Iterator[Violation]:
    for rule in RULES:
        for metric, entity in _metrics_of(rule, metrics):
            value = read_value(metric, metrics.get(metric))
            if value != value:  # noqa: PLR0124 - NaN: the device did not report it
                continue
            if not rule.is_violated_by(value):
                if rule.needs_change:
                    streaks.seen_good.add(rule.metric)
            elif not rule.needs_change or rule.metric in streaks.seen_good:
                yield Violation(rule=rule, metric=metric, entity=entity, value=value)
    yield from _find_service_faults(metrics)
    yield from _find_burning_processes(metrics)


def _metrics_of(rule: Rule, metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if not rule.metric.endswith(":"):
        yield rule.metric, ""
        return
    for name in metrics:
        if name.startswith(rule.metric):
            yield name, name.removeprefix(rule.metric)


def _find_service_faults(metrics: Mapping[str, float]) -> Iterator[Violation]:
    """Yield stopped services while at least one of them is expected to run.

    The metrics do not say which service is expected; the diagnosis names it from the facts.
    """
    if not read_value("services_down", metrics.get("services_down")) >= 1:
        return
    for metric, entity in _metrics_of(SERVICE_RULE, metrics):
        if read_value(metric, metrics[metric]) <= 0:
            yield Violation(rule=SERVICE_RULE, metric=metric, entity=entity, value=0.0)


def _find_burning_processes(metrics: Mapping[str, float]) -> Iterator[Violation]:
    """Yield the name on top when it burns a core, or its fair share of a saturated machine."""
    shares = {
        name.removeprefix(PROCESS_CPU_PREFIX): read_value(name, value)
        for name, value in metrics.items()
        if name.startswith(PROCESS_CPU_PREFIX)
    }
    shares = {name: share for name, share in shares.items() if share >= CONTENDED_PERCENT}
    saturated = read_value("cpu_percent", metrics.get("cpu_percent")) >= SATURATED_CPU_PERCENT
    for name, share in shares.items():
        metric = PROCESS_CPU_PREFIX + name
        if share >= BURNING_PERCENT:
            yield Violation(rule=BURNING_RULE, metric=metric, entity=name, value=share)
        if saturated and share == max(shares.values()):
            yield Violation(rule=CONTENDED_RULE, metric=metric, entity=name, value=share)
