# SPDX-License-Identifier: Apache-2.0
"""Registered versions as lists show them, read from MLflow's tables or from its client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from models.registered_files import DIGEST_TAG

DATA_TAG: Final = "eucora.training_data_sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A registered version as the registry lists it; `digest` of its file, SHA-256 (hex)."""

    name: str
    version: str
    aliases: tuple[str, ...]
    digest: str
    digest_of_data: str  # of its training data, SHA-256 (hex)
    metrics: Mapping[str, float]
    created_at: datetime


def describe_found(client: Any, found: Any, aliases: Sequence[str]) -> ModelVersion:
    """Return a version as MLflow's client has it; blocking."""
    run = client.get_run(found.run_id)
    return ModelVersion(
        name=found.name,
        version=str(found.version),
        aliases=tuple(aliases),
        digest=str(found.tags.get(DIGEST_TAG, "")),
        digest_of_data=str(found.tags.get(DATA_TAG, "")),
        metrics=dict(sorted(run.data.metrics.items())),
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )


def describe_row(row: Mapping[str, Any]) -> ModelVersion:
    """Return a version as MLflow's tables have it."""
    metrics = {
        name: float("nan") if value is None else float(value)
        for name, value in sorted(row["metrics"].items())
    }
    return ModelVersion(
        name=row["name"],
        version=row["version"],
        aliases=tuple(row["aliases"]),
        digest=row["tags"].get(DIGEST_TAG, ""),
        digest_of_data=row["tags"].get(DATA_TAG, ""),
        metrics=metrics,
        created_at=datetime.fromtimestamp(row["created_milliseconds"] / 1000, UTC),
    )


def place_in_list(item: ModelVersion) -> tuple[str, int]:
    """Return where a version stands in a list: by name, the newest first."""
    return item.name, -int(item.version)
