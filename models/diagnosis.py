# SPDX-License-Identifier: Apache-2.0
"""From a detection to what the incident says: class, severity, title, episode.

Pure. A hard rule names the class; otherwise the health classifier does; otherwise the metric
that drove the detection; otherwise the class stays unknown and a person looks. Facts only
supply names, which are chosen from, never interpreted. Texts are for people: mask before use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.failure import FailureClass as F
from contracts.failure import Severity
from models.classification import Classification
from models.detection import Detection
from models.guards import Comparison
from models.signals import SIGNALS

RULE_CONFIDENCE = 0.95
DRIVER_CONFIDENCE = 0.4
_POINTERS = {signal.metric: signal.points_to for signal in SIGNALS}
_TITLES = {
    F.DISK_FULL: "File system {entity} is almost full",
    F.RUNAWAY_PROCESS: "Process {entity} burns a processor core",
    F.MEMORY_LEAK: "Memory is running out",
    F.THERMAL: "The processor is overheating",
    F.BATTERY: "The battery is worn out",
    F.DNS: "Name resolution fails",
    F.PROXY: "The proxy cannot be reached",
    F.WIFI_VPN: "The network connection is poor",
    F.DHCP: "The device has no valid address lease",
    F.TIME_SKEW: "The clock is wrong",
    F.PRINTING: "Print jobs are stuck",
    F.MAIL_CLIENT: "Mail client {entity} fails",
    F.CHAT_CLIENT: "Chat client {entity} fails",
    F.SYNC_CLIENT: "File synchronisation is stuck",
    F.OS_UPDATE: "Operating system updates fail",
    F.PACKAGE_STATE: "Installed packages are broken",
    F.CERTIFICATE: "A certificate is about to expire",
    F.DISK_HEALTH: "A disk reports that it is failing",
    F.DISK_ENCRYPTION: "A disk is not encrypted",
    F.SECURITY_AGENT_OFF: "A protection is switched off",
    F.SLOW_LOGON: "Logging on takes too long",
    F.APP_CRASH: "Application {entity} keeps crashing",
    F.AUDIO_VIDEO: "Sound or video is breaking up",
    F.BROWSER: "Browser {entity} fails",
    F.SERVICE_DOWN: "Service {entity} is not running",
    F.CREDENTIALS: "Log-ons keep failing",
    F.SICK_AGENT: "The endpoint agent is not well",
    F.UNKNOWN: "Unusual behaviour: {entity}",
}
_NAMED_BY_METRIC = {
    F.DISK_FULL: "disk_used_percent:",
    F.RUNAWAY_PROCESS: "process_cpu_percent:",
}
_SEVERE = frozenset(
    {F.DNS, F.DHCP, F.PROXY, F.DISK_HEALTH, F.SERVICE_DOWN, F.SECURITY_AGENT_OFF, F.CREDENTIALS}
)
_MINOR = frozenset(
    {
        F.BATTERY,
        F.OS_UPDATE,
        F.CERTIFICATE,
        F.SICK_AGENT,
        F.PACKAGE_STATE,
        F.DISK_ENCRYPTION,
        F.UNKNOWN,
    }
)
_APPLICATIONS: tuple[tuple[F, tuple[str, ...]], ...] = (
    (F.MAIL_CLIENT, ("outlook", "thunderbird", "apple mail", "mail.app", "evolution", "kmail")),
    (F.CHAT_CLIENT, ("teams", "slack", "zoom", "webex", "element", "mattermost", "signal")),
    (F.SYNC_CLIENT, ("onedrive", "dropbox", "nextcloud", "google drive", "googledrive")),
    (F.BROWSER, ("chrome", "chromium", "firefox", "msedge", "microsoft edge", "safari")),
)
_BOUNDS = {"<": "less than", ">": "more than"}
NAMED_CLASSES = frozenset(failure for failure, _ in _APPLICATIONS)  # kinds of application


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What an incident is opened with."""

    failure_class: F
    confidence: float
    severity: Severity
    title: str
    description: str
    episode_key: str
    entity: str  # what of the device is at fault, empty when it is the device itself
    recovery: tuple[Comparison, ...]  # what ends the violation of the rule that fired, if one did


def diagnose_report(
    *,
    detection: Detection,
    classification: Classification | None,
    metrics: Mapping[str, float],
    facts: Mapping[str, Any],
) -> Diagnosis:
    """Say what a detection means.

    Args:
        detection: from the anomaly detector.
        classification: of the device's window by the health classifier, if there is one.
        metrics: flat metrics of the report that was scored.
        facts: the report's facts; parts that are missing or malformed are passed over.

    """
    failure, confidence = _choose_class(detection, classification)
    entity = _name_entity(failure, detection, metrics, facts)
    named = failure
    if failure is F.APP_CRASH:
        failure = _refine_application(entity)
    return Diagnosis(
        failure_class=failure,
        confidence=confidence,
        severity=_rate(failure, detection, metrics),
        title=_write_title(failure, entity)[:200],
        description=_describe(detection, classification, named, failure)[:2000],
        episode_key=f"{failure}:{entity}" if entity else str(failure),
        entity=entity,
        recovery=_aim_recovery(detection, entity),
    )


def _choose_class(detection: Detection, classification: Classification | None) -> tuple[F, float]:
    if detection.rule:
        return detection.failure_class, RULE_CONFIDENCE
    if classification is not None and not classification.abstained:
        return classification.failure_class, classification.confidence
    driver = detection.metrics[0].name if detection.metrics else ""
    pointed = _POINTERS.get(driver, F.UNKNOWN)
    return pointed, DRIVER_CONFIDENCE if pointed is not F.UNKNOWN else 0.0


def _name_entity(
    failure: F, detection: Detection, metrics: Mapping[str, float], facts: Mapping[str, Any]
) -> str:
    """Return the name of the thing that is at fault, empty when it is the device itself."""
    if failure is F.SERVICE_DOWN:
        down = [name for name in _items(facts, "services_down") if isinstance(name, str)]
        if down and detection.entity not in down:
            return down[0]
        return detection.entity
    if failure is F.APP_CRASH:
        return _worst_application(facts)
    if failure in _NAMED_BY_METRIC:
        return detection.entity or _highest(metrics, _NAMED_BY_METRIC[failure])
    if failure is F.UNKNOWN:
        return detection.metrics[0].name if detection.metrics else ""
    return ""


def _aim_recovery(detection: Detection, entity: str) -> tuple[Comparison, ...]:
    """Return the detection's recovery, of the thing that the diagnosis names."""
    if not detection.entity or detection.entity == entity:
        return detection.recovery
    return tuple(
        replace(each, metric=each.metric.removesuffix(detection.entity) + entity)
        for each in detection.recovery
    )


def _items(facts: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = facts.get(key)
    return value if isinstance(value, list | tuple) else ()


def _highest(metrics: Mapping[str, float], prefix: str) -> str:
    named = [(value, name) for name, value in metrics.items() if name.startswith(prefix)]
    return max(named)[1].removeprefix(prefix) if named else ""


def _worst_application(facts: Mapping[str, Any]) -> str:
    faults = [
        (count, str(entry.get("name", "")))
        for entry in _items(facts, "applications")
        if isinstance(entry, Mapping)
        and (count := _count(entry.get("crashes")) + _count(entry.get("hangs"))) > 0
    ]
    return max(faults)[1] if faults else ""


def _count(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _refine_application(name: str) -> F:
    lowered = name.lower()
    for failure, words in _APPLICATIONS:
        if any(word in lowered for word in words):
            return failure
    return F.APP_CRASH


def _rate(failure: F, detection: Detection, metrics: Mapping[str, float]) -> Severity:
    fullest = metrics.get("disk_used_percent_max", 0.0)
    if failure in _SEVERE or (failure is F.DISK_FULL and _worst_value(detection, fullest) >= 98):
        return Severity.S1
    return Severity.S3 if failure in _MINOR else Severity.S2


def _worst_value(detection: Detection, default: float) -> float:
    return detection.metrics[0].value if detection.entity and detection.metrics else default


def _write_title(failure: F, entity: str) -> str:
    title = _TITLES[failure]
    return " ".join(title.format(entity=entity).split())


def _describe(
    detection: Detection, classification: Classification | None, named: F, failure: F
) -> str:
    """Say what was seen, what the health model thinks, and why the class is another one, if so."""
    told = _tell_rule(detection) if detection.rule else _tell_unusual(detection)
    if named is not failure:
        told += f" It is {_name(failure)}, not {_name(named)}, by the application's name."
    if classification is None:
        return told
    opinion = (
        "The health model abstains"
        if classification.abstained
        else f"The health model says {_name(classification.failure_class)}"
    )
    return f"{told} {opinion} (confidence {classification.confidence:.2f})."


def _tell_rule(detection: Detection) -> str:
    """Say what a rule saw and what it asks for; a threshold is no value that anybody expects."""
    seen = ", ".join(f"{one.name} is {one.value:g}" for one in detection.metrics)
    asked = " and ".join(
        f"{_BOUNDS.get(each.operator, each.operator)} {each.value:g}" for each in detection.recovery
    )
    n_reports = detection.successive_reports
    length = "1 report" if n_reports == 1 else f"{n_reports} successive reports"
    rule = f"the rule that fires on {detection.rule}"
    return f"{seen}, in {length} by now; {rule}" + (f" asks for {asked}." if asked else " fired.")


def _tell_unusual(detection: Detection) -> str:
    """Say which metrics are far from what is usual for the device."""
    told = f"Unusual for this device: score {detection.score:.1f}, p = {detection.p_value:.2g}."
    drivers = ", ".join(
        f"{one.name} is {one.value:g} (usually about {one.expected:.3g})"
        for one in detection.metrics
    )
    return f"{told} {drivers}." if drivers else told


def _name(failure: F) -> str:
    return failure.replace("_", " ")
