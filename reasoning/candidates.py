# SPDX-License-Identifier: Apache-2.0
"""Finds the scripts that could fix a case, and what speaks for each.

Candidates come from the catalogue alone: scripts for the device's platform that serve the
diagnosed class, or that a retrieved passage names. Retrieval only adds weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from contracts.failure import FailureClass
from contracts.job import ParameterValue
from kernel.database import Connection
from models.track_record import APPROVAL_PRIOR, SUCCESS_PRIOR, Belief
from reasoning.assessment import score_risk
from reasoning.exploration import describe_safety
from reasoning.state import CaseData
from reasoning.track_records import TrackRecord, TrackRecords, find_track_records
from reasoning.untrusted import PassageClaim
from retrieval.catalogue import CatalogueScript
from retrieval.errors import ManifestError
from retrieval.manifest import PLACEHOLDER, Manifest, MetricCondition, bind_parameters
from telemetry.facts import bind_value

COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A catalogue script with what the recommender weighs."""

    script: CatalogueScript
    parameters: Mapping[str, ParameterValue] | None  # None: they cannot be bound
    obstacle: str | None  # why it cannot be proposed
    retrieval_score: float  # cosine similarity of its best passage, 0 where none
    retrieval_support: float  # share of the passages that name it
    class_match: bool
    preconditions_met: bool
    record: TrackRecord
    class_success: Belief = SUCCESS_PRIOR
    class_approval: Belief = APPROVAL_PRIOR
    safety: Mapping[str, Any]  # risk score and safety class, see `exploration`


def meets_preconditions(
    conditions: Sequence[MetricCondition],
    metrics: Mapping[str, float],
    parameters: Mapping[str, ParameterValue],
) -> bool:
    """Return whether telemetry satisfies every condition; a missing metric does unless it fails."""
    for condition in conditions:
        value = metrics.get(fill_metric(condition.metric, parameters))
        if value is None:
            if condition.missing == "fails":
                return False
        elif not COMPARE[condition.operator](value, condition.value):
            return False
    return True


def fill_metric(metric: str, parameters: Mapping[str, ParameterValue]) -> str:
    """Return a metric's name with `{parameter}` replaced by the parameter's value.

    In one pass: a value that spells another placeholder stays as it is.
    """
    return PLACEHOLDER.sub(lambda found: str(parameters.get(found[1], found[0])), metric)


def try_parameters(
    manifest: Manifest, facts: Mapping[str, Any], given: Mapping[str, object]
) -> tuple[Mapping[str, ParameterValue] | None, str | None]:
    """Return bound parameters, or None with the reason why they cannot be bound."""
    try:
        bound = bind_parameters(
            manifest, given=given, find_bound=lambda name: bind_value(dict(facts), name)
        )
    except ManifestError as error:
        return None, str(error)
    return bound, None


async def find_candidates(
    connection: Connection,
    *,
    scripts: Sequence[CatalogueScript],
    passages: Sequence[PassageClaim],
    failure_class: FailureClass,
    case: CaseData,
    facts: Mapping[str, Any],
    also: str | None = None,
) -> list[Candidate]:
    """Return the candidates among a platform's scripts; `also` is one in any case."""
    eligible = [
        script
        for script in scripts
        if failure_class in script.manifest.failure_classes
        or script.manifest.id == also
        or any(script.manifest.id in passage.related_scripts for passage in passages)
    ]
    records = await find_track_records(
        connection, eligible, failure_class=failure_class, device=case["device"] or {}
    )
    return [
        _candidate(script, passages, failure_class, case, facts, records) for script in eligible
    ]


def _candidate(
    script: CatalogueScript,
    passages: Sequence[PassageClaim],
    failure_class: FailureClass,
    case: CaseData,
    facts: Mapping[str, Any],
    records: TrackRecords,
) -> Candidate:
    manifest = script.manifest
    parameters, obstacle = try_parameters(manifest, facts, {})
    met = parameters is not None and meets_preconditions(
        manifest.preconditions, case["metrics"], parameters
    )
    if parameters is not None and not met:
        obstacle = "its preconditions are not met"
    naming = [item for item in passages if manifest.id in item.related_scripts]
    record = records.of_scripts.get(manifest.id, TrackRecord())
    counts = {"n_succeeded": record.n_succeeded, "n_failed": record.n_failed}
    risk = score_risk(script=script, analysis=script.analysis, case=case, candidate=counts)
    return Candidate(
        script=script,
        parameters=parameters,
        obstacle=obstacle,
        retrieval_score=max((item.dense_score for item in naming), default=0.0),
        retrieval_support=len(naming) / max(len(passages), 1),
        class_match=failure_class in manifest.failure_classes,
        preconditions_met=met,
        record=record,
        class_success=records.class_success,
        class_approval=records.class_approval,
        safety=describe_safety(manifest, script.analysis, risk),
    )
