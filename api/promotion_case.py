# SPDX-License-Identifier: Apache-2.0
"""What is sealed of a promotion: who put which file to use, why, and on what figures. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from contracts.canonical import sha256_hex
from models.gate import Comparison, Outcome
from models.promotion import Promotion
from models.registered_versions import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decides about a model: who, why (masked), under which correlation id.

    `against` is the id of the promotion that named the champion which they were shown; None where
    there was none.
    """

    actor: str
    reason: str
    correlation_id: str
    against: str | None = None
    override: bool = False  # answers for an inconclusive gate


def describe_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON value."""
    plain: dict[str, Any] = _plain(asdict(comparison))
    plain["verdict"]["outcome"] = comparison.verdict.outcome.value
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Outcome):
        return value.value
    return value.item() if isinstance(value, np.generic) else value


def compose_case(
    promotion: Promotion,
    after: ModelVersion,
    comparison: Comparison,
    decision: Decision,
    files: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return what is sealed: who put which file to use, why, and on what figures."""
    return {
        "schema_version": 1,
        "promotion_id": promotion.promotion_id,
        "kind": promotion.kind.value,
        "model": {
            "name": after.name,
            "version": after.version,
            "sha256": after.digest,
            "training_data_sha256": after.digest_of_data,
            "trained_at": after.created_at.isoformat(),
            "metrics": dict(after.metrics),
        },
        "previous": None
        if promotion.previous_id is None
        else {
            "version": promotion.previous_version,
            "sha256": promotion.previous_digest,
            "promotion_id": promotion.previous_id,
        },
        "restored_promotion_id": promotion.restored_id,
        "gate": describe_comparison(comparison),
        "files": {name: sha256_hex(content) for name, content in files.items()},
        "actor": decision.actor,
        "reason": decision.reason,
        "override": decision.override,
        "correlation_id": decision.correlation_id,
        "decided_at": promotion.created_at.isoformat(),
    }
