# SPDX-License-Identifier: Apache-2.0
"""`make_examples`: what proposals with given signals and ends teach the recommender; `registry`."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.experience import OutcomeExample
from models.recommender import Event
from models.registry import ModelRegistry

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def make_examples() -> Callable[..., list[OutcomeExample]]:
    """Return examples of proposals an hour apart: decided at once, judged ten minutes later."""

    def make(signals, approved, worked) -> list[OutcomeExample]:
        examples = []
        for number, row in enumerate(signals):
            at = START + timedelta(hours=number)
            common = {"proposal_id": f"prp_{number:06}", "signals": row}
            examples.append(
                OutcomeExample(
                    **common, event=Event.APPROVED, happened=bool(approved[number]),
                    witness=f"user:{number % 20}", observed_at=at,
                )
            )  # fmt: skip
            if approved[number]:
                examples.append(
                    OutcomeExample(
                        **common, event=Event.WORKS, happened=bool(worked[number]),
                        witness=f"device:{number % 200}", observed_at=at + timedelta(minutes=10),
                    )
                )  # fmt: skip
        return examples

    return make


@pytest.fixture
def registry(tmp_path_factory, empty_registry) -> ModelRegistry:
    """An empty registry of its own."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(empty_registry, folder / "mlflow.db")
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", folder / "artifacts")
