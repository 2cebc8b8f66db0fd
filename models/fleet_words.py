# SPDX-License-Identifier: Apache-2.0
"""Says what a fleet incident is, in words and as evidence. Pure."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from models.rollup import Attribute, AttributeKind, Verdict

K = AttributeKind
_FAMILIES = {"windows": "Windows", "macos": "macOS", "linux": "Linux"}
_PHRASES = {
    K.SOFTWARE_VERSION: "with {name} {version}",
    K.SOFTWARE_CHANGE: "that changed to {name} {version} lately",
    K.SOFTWARE: "with {name}",
    K.MODEL: "of model {name}",
    K.OS_VERSION: "with {name} {version}",
    K.OS_FAMILY: "with {name}",
    K.AGENT_VERSION: "with endpoint agent {name}",
    K.DEPARTMENT: "of department {name}",
    K.ROLE: "used as {name}",
}


def name_attribute(attribute: Attribute) -> str:
    """Return an attribute as it follows "devices": `of model X`, `with Foo 5.1`."""
    name, version = attribute.name, attribute.version
    if attribute.kind in {K.OS_FAMILY, K.OS_VERSION}:
        name = _FAMILIES.get(name, name)
        if version.lower().startswith(name.lower()):
            name, version = version, ""
    return _PHRASES[attribute.kind].format(name=name, version=version).rstrip()


def name_cohort(cohort: Sequence[Attribute]) -> str:
    """Return a cohort in words; of the whole fleet where nothing but the time is shared."""
    if not cohort:
        return "devices of the whole fleet"
    return "devices " + " and ".join(name_attribute(one) for one in cohort)


def write_title(symptom_title: str, cohort: Sequence[Attribute]) -> str:
    """Return a title, from that of one of the members."""
    if not cohort:
        return f"{symptom_title}: on many devices at once"
    return f"{symptom_title}: {name_cohort(cohort)}"


def write_description(verdict: Verdict, *, symptoms: Sequence[str], started_at: datetime) -> str:
    """Return what the members share, with the counts that it rests on."""
    moment = started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    signs = ", ".join(name.partition(":")[2].replace("_", " ") for name in symptoms)
    sentences = [
        _count(verdict),
        f"Since {moment}; what they show: {signs}.",
        *_tell_shared(verdict),
        "A fix is tried on one device first; roll-outs by rings come later.",
    ]
    return " ".join(sentences)


def _count(verdict: Verdict) -> str:
    if not verdict.cohort:
        return (
            f"{verdict.n_affected:,} of {verdict.n_fleet:,} devices fell ill alike within hours,"
            f" far more than usual (p {write_probability(verdict.log_burst)}). They have nothing in"
            f" common but the time, of {verdict.n_tried:,} attributes tried."
        )
    n_others = verdict.n_affected - verdict.n_cohort_affected
    return (
        f"{verdict.n_cohort_affected:,} of {verdict.n_cohort:,} {name_cohort(verdict.cohort)} are"
        f" affected, and {n_others:,} of {verdict.n_fleet - verdict.n_cohort:,} others"
        f" (p {write_probability(verdict.log_common)} after {verdict.n_tried:,} attributes tried)."
    )


def _tell_shared(verdict: Verdict) -> list[str]:
    told = [
        f"{name_attribute(one.attribute)} ({one.n_affected:,} of {verdict.n_affected:,})"
        for one in verdict.shared[:3]
        if 2 * one.n_affected > verdict.n_affected
    ]
    return [f"Many are also devices {', '.join(told)}."] if told else []


def write_probability(log_p: float) -> str:
    """Return `= 2e-40`, from a natural logarithm that may be beyond what a float can hold."""
    if log_p >= math.log(0.001):
        return f"= {math.exp(min(log_p, 0.0)):.2g}"
    exponent = math.floor(log_p / math.log(10))
    return f"= {math.exp(log_p - exponent * math.log(10)):.0f}e{exponent}"


def describe_evidence(verdict: Verdict, symptoms: Sequence[str]) -> dict[str, Any]:
    """Return the verdict as plain data, for the incident's evidence."""
    return {
        "cohort": [asdict(one) for one in verdict.cohort],
        "symptoms": list(symptoms),
        "n_cohort": verdict.n_cohort,
        "n_cohort_affected": verdict.n_cohort_affected,
        "n_fleet": verdict.n_fleet,
        "n_affected": verdict.n_affected,
        "n_tried": verdict.n_tried,
        "log10_common": round(verdict.log_common / math.log(10), 2),
        "log10_burst": round(verdict.log_burst / math.log(10), 2),
    }
