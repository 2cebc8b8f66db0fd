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
from kernel.queries import load_queries
from retrieval.catalogue import CatalogueScript
from retrieval.errors import ManifestError
from retrieval.manifest import Manifest, MetricCondition, bind_parameters
from telemetry.facts import bind_value

QUERIES = load_queries(__file__, "outcomes")
COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A catalogue script with what the recommender weighs."""

    script: CatalogueScript
    parameters: Mapping[str, ParameterValue] | None  # None: they cannot be bound
    obstacle: str | None  # why it cannot be proposed
    retrieval_score: float  # cosine similarity of its best passage, 0 where none
    class_match: bool
    preconditions_met: bool
    n_succeeded: int
    n_failed: int
    n_approved: int
    n_rejected: int


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
    """Return a metric's name with `{parameter}` replaced by the parameter's value."""
    for name, value in parameters.items():
        metric = metric.replace("{" + name + "}", str(value))
    return metric


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
    passages: Sequence[Mapping[str, Any]],
    failure_class: FailureClass,
    metrics: Mapping[str, float],
    facts: Mapping[str, Any],
    also: str | None = None,
) -> list[Candidate]:
    """Return the candidates among a platform's scripts; `also` is one in any case."""
    named = {
        script_id: max(passage["dense_score"], 0.0)
        for passage in reversed(passages)
        for script_id in passage["related_scripts"]
    }
    eligible = [
        script
        for script in scripts
        if failure_class in script.manifest.failure_classes
        or script.manifest.id in named
        or script.manifest.id == also
    ]
    rows = await (
        await connection.execute(
            QUERIES["count_outcomes"], {"script_ids": [item.manifest.id for item in eligible]}
        )
    ).fetchall()
    history = {row["script_id"]: row for row in rows}
    return [
        _candidate(
            script, named.get(script.manifest.id, 0.0), failure_class, metrics, facts,
            history.get(script.manifest.id, {}),
        )
        for script in eligible
    ]  # fmt: skip


def _candidate(
    script: CatalogueScript,
    retrieval_score: float,
    failure_class: FailureClass,
    metrics: Mapping[str, float],
    facts: Mapping[str, Any],
    history: Mapping[str, int],
) -> Candidate:
    manifest = script.manifest
    parameters, obstacle = try_parameters(manifest, facts, {})
    met = parameters is not None and meets_preconditions(
        manifest.preconditions, metrics, parameters
    )
    if parameters is not None and not met:
        obstacle = "its preconditions are not met"
    return Candidate(
        script=script,
        parameters=parameters,
        obstacle=obstacle,
        retrieval_score=retrieval_score,
        class_match=failure_class in manifest.failure_classes,
        preconditions_met=met,
        n_succeeded=history.get("n_succeeded", 0),
        n_failed=history.get("n_failed", 0),
        n_approved=history.get("n_approved", 0),
        n_rejected=history.get("n_rejected", 0),
    )
